"""Every sentence of the page, in one place, so that a clinic can translate it: one module per area of the page.

The keys are the page's own; ``text`` fills in the names in braces. Words are those of ARCHITECTURE, section 2.
A new area is a module with a ``TEXTS`` of its own and a line in ``AREAS``; no key stands in two of them.
"""

from __future__ import annotations

from typing import Final

from device.web.texts import (
    admin,
    api,
    asks,
    box,
    doors,
    facts,
    failures,
    fleet,
    frame,
    home,
    measures,
    naming,
    panel,
    people,
    recordings,
    sync,
    waiting,
    ways,
)

AREAS: Final = (
    admin,
    api,
    asks,
    box,
    doors,
    facts,
    failures,
    fleet,
    frame,
    home,
    measures,
    naming,
    panel,
    people,
    recordings,
    sync,
    waiting,
    ways,
)
TEXTS: Final[dict[str, str]] = {key: sentence for area in AREAS for key, sentence in area.TEXTS.items()}


def text(key: str, /, **names: object) -> str:
    """The sentence of that key with its names filled in.

    Raises:
        KeyError: there is no such sentence, or a name is missing: a mistake of ours, found by the tests.
    """
    return TEXTS[key].format(**names)


def text_or(key: str, other: str, /, **names: object) -> str:
    """The sentence of that key; of ``other`` where a newer box says what this page has no words for yet."""
    return text(key if key in TEXTS else other, **names)
