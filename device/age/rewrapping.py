"""A new header for a file that is sealed already: others open it then, and its payload stays byte for byte.

The file key is taken out with an identity and wrapped again. The nonce behind the header stays, so every chunk does.
What is added stands behind the stanzas that are there, which are kept to the letter: an X25519 stanza does not say for
whom it is, so nobody but that recipient could wrap it anew.

A header that is exchanged takes nothing back: whoever has the file with the old one opens it as before.
A machine that only seals never imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from device.age.errors import HeaderError, MixedRecipientsError, RecipientSetError, WrongKeyError
from device.age.header import Header, LineSource, Stanza, encode_base64, encode_header, read_header
from device.age.identities import KeyIdentity
from device.age.recipients import (
    HYBRID_KIND,
    X25519_KIND,
    Company,
    KeyRecipient,
    Recipient,
    check_company,
    fingerprint,
)
from device.age.stream import NONCE_BYTES

_COMPANY = {X25519_KIND: Company.CLASSIC, HYBRID_KIND: Company.POST_QUANTUM}


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """All the bytes before the first chunk, as they were and as they are to be; ``key`` is whose identity opened it."""

    old: bytes
    new: bytes
    key: str


def rewrap(
    source: LineSource,
    identities: Sequence[KeyIdentity],
    *,
    add: Sequence[KeyRecipient] = (),
    only: Sequence[KeyRecipient] = (),
) -> Rewrapped:
    """Make the header anew: for those who could open it and ``add``, or for nobody but ``only``.

    Exactly one of the two has to be given (ValueError). ``source`` stands at the first chunk afterwards. Raises
    NotAgeError, HeaderError, WrongKeyError; MixedRecipientsError where somebody would weaken the file, and
    RecipientSetError where a stanza is of a kind that is not known here, or there are too many.
    """
    if bool(add) == bool(only):
        raise ValueError("give those to add, or those who alone are to remain")
    header = read_header(source)
    file_key, key = _unwrap(header, identities)
    header.verify(file_key)
    nonce = source.read(NONCE_BYTES)
    if len(nonce) != NONCE_BYTES:
        raise HeaderError("The file ends right behind its header.", "Fetch another copy of the file.")
    _check(header.stanzas, add or only, kept=bool(add))
    kept = header.stanzas if add else ()
    new = encode_header([*kept, *(recipient.wrap(file_key) for recipient in add or only)], file_key)
    return Rewrapped(_spelled(header) + nonce, new + nonce, key)


def _unwrap(header: Header, identities: Sequence[KeyIdentity]) -> tuple[bytes, str]:
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            return file_key, fingerprint(identity.recipient())
    raise WrongKeyError("None of the keys given opens this file.", "Use a key that the file was sealed to.")


def _check(stanzas: Sequence[Stanza], new: Sequence[Recipient], *, kept: bool) -> None:
    """Refuse what would make a file weaker than it was sealed, also where the old stanzas are to go.

    The file key stays: wrapped for one classic recipient it is as safe as X25519 alone, whatever it was before.
    """
    check_company(new)
    if any(stanza.kind not in _COMPANY for stanza in stanzas):
        raise RecipientSetError(
            "The file is sealed to somebody of a kind that is not known here.", "Open it, and seal it anew."
        )
    sealed = {_COMPANY[stanza.kind] for stanza in stanzas}
    if Company.POST_QUANTUM in sealed and new[0].company is Company.CLASSIC:
        raise MixedRecipientsError(
            "The file is sealed post-quantum, and a classic recipient would make it no safer than a classic one.",
            "Have that person make a post-quantum key, and give its recipient, which starts with age1pq1.",
        )
    if kept and Company.CLASSIC in sealed and new[0].company is Company.POST_QUANTUM:
        raise MixedRecipientsError(
            "The file is sealed to classic recipients, and a post-quantum one cannot stand beside them.",
            "Give a recipient that starts with age1 alone, or seal it anew to post-quantum recipients only.",
        )


def _spelled(header: Header) -> bytes:
    """The header's own bytes: there is one spelling for each header, so they need not have been kept."""
    return header.covered + b" " + encode_base64(header.mac).encode("ascii") + b"\n"
