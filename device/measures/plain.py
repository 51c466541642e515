"""Text that a person will read as it stands in a file: one line, with nothing in it that cannot be seen."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

from device.shapes import rule, then

_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Joiners are needed to write Persian, Hindi and others; marks of direction are not, and could turn a sentence around.
_JOINERS: Final = frozenset("\u200c\u200d\u00ad")


def _plain(text: str) -> str:
    if text != text.strip() or any(unicodedata.category(one) in _CONTROL and one not in _JOINERS for one in text):
        raise ValueError("must be one line of text without spaces around it")
    return text


Words = Annotated[str, rule(min_length=1, max_length=120), then(_plain)]
Sentences = Annotated[str, rule(min_length=1, max_length=800), then(_plain)]
