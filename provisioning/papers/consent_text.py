"""The text that clients are given to read before they press, made of the clinic's policy; pure.

Its bytes are what is counted and hashed: a manifest names its version and its SHA-256, and the clinic keeps every one
that it ever gave out (``kept_texts``). All languages of the clinic are in one text, for nobody at the box knows which
card a client read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device.press import Timing
from device.session_context import Rules
from provisioning.clinic_file import ClinicFile, PolicySection
from provisioning.errors import UsageError
from provisioning.papers.texts import all_spoken, text

PLAIN: Final = ("yours", "no", "what", "who", "keeps", "stop", "window", "later", "copy", "notes")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what stands below it."""

    heading: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClientText:
    """All that a client's card says in one language; ``sees`` are the words below its three pictures."""

    language: str
    title: str
    intro: str
    sees: tuple[str, str, str]
    sections: tuple[Section, ...]


def numbers() -> dict[str, int | str]:
    """How long things last, as the box has it: what stands in braces in the papers' texts."""
    rules, timing = Rules(), Timing()
    return {
        "armed_s": rules.armed_s,
        "white_s": rules.white_s,
        "refused_s": rules.refused_s,
        "window_min": rules.window_s // 60,
        "consent_hold_s": f"{timing.consent_hold_ms / 1000:g}",
        "record_hold_s": f"{timing.record_hold_ms / 1000:g}",
    }


def client_text(book: ClinicFile, language: str) -> ClientText:
    """What a client of this clinic reads, in a language that papers are printed in.

    Raises:
        UsageError: the clinic's file has no policy or no name yet.
    """
    policy, clinic = decided(book)
    given = numbers() | {"clinic": clinic}
    return ClientText(
        language=language,
        title=text(language, "client.title"),
        intro=text(language, "client.intro", **given),
        sees=(
            text(language, "client.sees.sound"),
            text(language, "client.sees.picture"),
            text(language, "client.sees.recording"),
        ),
        sections=tuple(
            Section(
                text(language, f"client.{name}", **given),
                tuple(text(language, f"client.{key}", **given, days=days) for key, days in _said(name, policy)),
            )
            for name in PLAIN
        ),
    )


def document_of(book: ClinicFile) -> bytes:
    """The text in all languages of the clinic, as it is kept and hashed: UTF-8, a line for each sentence.

    Raises:
        UsageError: as ``client_text``.
    """
    policy, _ = decided(book)
    texts = [client_text(book, language) for language in all_spoken(policy.languages)]
    return "\n".join("\n".join(_lines(one)) for one in texts).encode()


def decided(book: ClinicFile) -> tuple[PolicySection, str]:
    """The policy, and the clinic's name. Raises ``UsageError``: one of them is missing."""
    if book.policy is None or book.name is None:
        raise UsageError("the clinic's file has no policy or no name yet", "`sotto-clinic init` asks for both")
    return book.policy, book.name


def _lines(one: ClientText) -> Iterator[str]:
    yield from (f"[{one.language}]", one.title, one.intro, *one.sees)
    for section in one.sections:
        yield from ("", section.heading, *section.sentences)
    yield ""


def _said(name: str, policy: PolicySection) -> Iterator[tuple[str, int | None]]:
    """The keys of a section's sentences, and the days in them."""
    if name == "who":
        yield from ((f"who.{one}", None) for one in (str(policy.recipients), "recovery", "not"))
    elif name == "keeps":
        yield _days("keeps", policy.keep_days, never="for_ever", none="at_once")
        yield "keeps.clinic", None
    elif name == "later":
        yield _days("later", policy.withdrawal_days, never="always", none="same_day")
        yield "later.1", None
    else:
        yield f"{name}.1", None


def _days(name: str, days: int | None, *, never: str, none: str) -> tuple[str, int | None]:
    if days is None:
        return f"{name}.{never}", None
    if days == 0:
        return f"{name}.{none}", None
    return f"{name}.{'day' if days == 1 else 'days'}", days
