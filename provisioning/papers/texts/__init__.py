"""Every sentence on the papers, each language in one place.

A new language is a module with a ``TEXTS``, and a line here. All have the same keys as the English one; the names in
braces are filled in by whoever prints.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from provisioning.papers.texts import de, en

FALLBACK: Final = "en"
NOT_YET: Final = "There is no card in the language “{language}” yet. This is the English one."
LANGUAGES: Final = {"en": en.TEXTS, "de": de.TEXTS}


def spoken(language: str) -> str:
    """The language in which papers are printed for whoever asked for ``language``: that one, or English.

    A country is no other language: ``de-AT`` is ``de``.
    """
    short = language.partition("-")[0]
    return short if short in LANGUAGES else FALLBACK


def all_spoken(languages: Iterable[str]) -> tuple[str, ...]:
    """The languages in which papers are printed for a clinic of these, each once."""
    return tuple(dict.fromkeys(map(spoken, languages)))


def text(language: str, key: str, /, **names: object) -> str:
    """The sentence of that key, with its names filled in.

    Raises:
        KeyError: there is none, or a name is missing: a mistake of ours, found by the tests.
    """
    return LANGUAGES[language][key].format(**names)
