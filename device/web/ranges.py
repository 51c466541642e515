"""Which bytes a request asks for (RFC 9110, section 14); pure.

A single range is answered. Several ranges, or a header that is none, are answered with the whole, as the RFC allows:
sealed files are read slice by slice, and nobody gains from multipart answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# No number of bytes is longer than this; an endless row of digits is no number worth reading.
_DIGITS: Final = "[0-9]{1,18}"
_RANGE: Final = re.compile(rf"bytes=[ \t]*({_DIGITS})?-({_DIGITS})?[ \t]*", re.IGNORECASE)


class UnsatisfiableError(Exception):
    """The range is one, and lies outside the file."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` up to, not including, ``stop``."""

    start: int
    stop: int


def parse_range(header: str | None, *, size: int) -> Span | None:
    """The one span asked for, or ``None`` for the whole file of ``size`` bytes.

    Raises:
        UnsatisfiableError: no byte of the file is in it.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match.group(1) is None is match.group(2):
        return None
    first, last = (None if number is None else int(number) for number in match.groups())
    if first is None:
        return _suffix(last or 0, size)
    if last is not None and last < first:
        return None
    if first >= size:
        raise UnsatisfiableError
    return Span(first, size if last is None else min(last + 1, size))


def _suffix(length: int, size: int) -> Span:
    if length == 0 or size == 0:
        raise UnsatisfiableError
    return Span(max(size - length, 0), size)
