"""Bech32 (BIP-173), the spelling of age's keys: a readable prefix, ``1``, five bits a letter, a six-letter checksum.

As age does, and unlike BIP-173, the length is not limited (c2sp.org/age, "Conventions"): a post-quantum recipient has
1,959 letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LETTERS = 6


def encode(prefix: str, data: bytes) -> str:
    """Spell ``data`` under ``prefix``; an upper-case prefix gives an upper-case text.

    Raises ValueError for a prefix that is empty, of mixed case, or not printable ASCII.
    """
    _check_prefix(prefix)
    lower = prefix.lower()
    values = list(_regroup(data, from_bits=8, to_bits=5))
    letters = "".join(_LETTERS[value] for value in [*values, *_checksum(lower, values)])
    text = f"{lower}1{letters}"
    return text if prefix == lower else text.upper()


def decode(text: str) -> tuple[str, bytes]:
    """Read a text back into its prefix, in the case it came in, and its data.

    Raises ValueError, whose message never quotes the text (it may be a private key).
    """
    # Some letters outside ASCII have an ASCII lower case: the Kelvin sign would pass for a K.
    if not text.isascii():
        raise ValueError("a letter that Bech32 does not have")
    prefix, separator, letters = text.rpartition("1")
    if not separator or len(letters) < _CHECKSUM_LETTERS:
        raise ValueError("no separator, or too short for a checksum")
    _check_prefix(prefix)
    # The checksum is over the lower case, but a text of mixed case must not pass (BIP-173, "Uppercase/lowercase").
    if text not in (text.lower(), text.upper()):
        raise ValueError("upper and lower case are mixed")
    values = [_VALUES.get(letter, -1) for letter in letters.lower()]
    if -1 in values:
        raise ValueError("a letter that Bech32 does not have")
    if _polymod([*_expand(prefix.lower()), *values]) != 1:
        raise ValueError("the checksum does not hold: a letter is wrong or missing")
    return prefix, _bytes_of(values[:-_CHECKSUM_LETTERS])


def _check_prefix(prefix: str) -> None:
    if not prefix or any(not "!" <= letter <= "~" for letter in prefix):
        raise ValueError("the prefix is empty or not printable ASCII")
    if prefix not in (prefix.lower(), prefix.upper()):
        raise ValueError("upper and lower case are mixed")


def _bytes_of(values: list[int]) -> bytes:
    spare_bits = len(values) * 5 % 8
    # One spelling for each key: the filling must be shorter than a letter, and zero.
    if spare_bits >= 5 or (spare_bits and values[-1] & ((1 << spare_bits) - 1)):
        raise ValueError("the filling at the end is not zero")
    whole = len(values) * 5 // 8
    return bytes(_regroup(values, from_bits=5, to_bits=8))[:whole]


def _regroup(values: Iterable[int], *, from_bits: int, to_bits: int) -> Iterator[int]:
    held = held_bits = 0
    for value in values:
        held = (held << from_bits) | value
        held_bits += from_bits
        while held_bits >= to_bits:
            held_bits -= to_bits
            yield held >> held_bits
            held &= (1 << held_bits) - 1
    if held_bits:
        yield held << (to_bits - held_bits)


def _polymod(values: Iterable[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = ((state & 0x1FFFFFF) << 5) ^ value
        for bit, term in enumerate(_GENERATOR):
            if top >> bit & 1:
                state ^= term
    return state


def _expand(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _checksum(prefix: str, values: list[int]) -> list[int]:
    state = _polymod([*_expand(prefix), *values, *[0] * _CHECKSUM_LETTERS]) ^ 1
    return [state >> 5 * (_CHECKSUM_LETTERS - 1 - place) & 31 for place in range(_CHECKSUM_LETTERS)]
