"""Splits an identity into shares of words: some open, fewer say nothing. The only home of ``shamir_mnemonic``.

The shares are SLIP-39 (github.com/satoshilabs/slips, slip-0039): Shamir's scheme over GF(256) on the 32 bytes that both
kinds of identity grow out of, as 33 words with a checksum of their own; other programs join them as well. There is
no passphrase.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Final

import shamir_mnemonic
from shamir_mnemonic import MnemonicError

from device.age import bech32
from device.age.identities import HybridIdentity, KeyIdentity, X25519Identity
from provisioning.errors import OutputError, UsageError

MOST_SHARES: Final = 16  # what SLIP-39 has room for
WORDS: Final = 33  # of 32 bytes


def split(identity: KeyIdentity, *, shares: int, need: int) -> list[str]:
    """So many shares, any ``need`` of which join again; each of those sets was joined before this returns.

    Raises:
        UsageError: that many cannot be made.
        OutputError: what was made does not join: none of it may be used.
    """
    if not 2 <= need <= shares <= MOST_SHARES:
        raise UsageError(
            f"{need} of {shares} shares cannot be made", f"2 or more have to be needed, of {MOST_SHARES} at most"
        )
    ((*texts,),) = shamir_mnemonic.generate_mnemonics(1, [(need, shares)], _seed(identity))
    # What all sets join to is stretched once: of sixteen shares there may be thousands of sets.
    joined = {shamir_mnemonic.recover_ems(shamir_mnemonic.decode_mnemonics(some)) for some in combinations(texts, need)}
    if [secret.decrypt(b"") for secret in joined] != [_seed(identity)]:
        raise OutputError("the shares that were made do not join", "use none of them, and do not go on here")
    return list(texts)


def join(shares: Iterable[str], *, post_quantum: bool) -> KeyIdentity:
    """The identity again.

    Raises:
        UsageError: they are too few or too many, or one of them is none, or of another identity.
    """
    texts = list(shares)
    try:
        seed = shamir_mnemonic.combine_mnemonics(texts)
    except MnemonicError as problem:
        raise UsageError(
            f"these shares do not join: {_reason(problem)}", "check each word against its paper"
        ) from problem
    if len(seed) != 32:
        raise UsageError("these shares are those of another secret", "take those that `recovery new` made")
    return HybridIdentity(seed) if post_quantum else X25519Identity(seed)


def need_of(share: str) -> int:
    """How many shares there have to be, by one of them.

    Raises:
        UsageError: it is none; a wrong word is found by its checksum (three wrong ones surely).
    """
    try:
        return int(shamir_mnemonic.Share.from_mnemonic(tidy(share)).member_threshold)
    except MnemonicError as problem:
        raise UsageError(f"that is no share: {_reason(problem)}", "check each word against its paper") from problem


def tidy(text: str) -> str:
    """A share as people write it down, with numbers and line ends between the words, as one line."""
    return " ".join(word.lower() for word in text.split() if word.isalpha())


def _seed(identity: KeyIdentity) -> bytes:
    return bech32.decode(identity.secret_text())[1]


def _reason(problem: MnemonicError) -> str:
    """What the library says, without the words that it quotes: they are secret."""
    said = str(problem)
    for sign, reason in (
        ("Invalid mnemonic word", "there is a word in it that no share has"),
        ("checksum", "a word is wrong, or two are swapped"),
        ("length", "words are missing, or too many"),
        ("Wrong number of mnemonics", "there are too few of them, or too many"),
        ("must begin with the same", "they are of different identities"),
        ("parameters don't match", "they are of different identities"),
        ("digest", "they are of different identities"),
        ("indices must be unique", "one of them is there twice"),
    ):
        if sign.lower() in said.lower():
            return reason
    return "they do not belong together"


def names_of(count: int) -> Sequence[str]:
    """What the shares are called."""
    return [f"share {number} of {count}" for number in range(1, count + 1)]
