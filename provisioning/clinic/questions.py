"""What `sotto-clinic init` asks: one table, by which it asks, takes options, and knows what an answer has to be."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from provisioning.clinic.authority import domain_of, network_of
from provisioning.clinic_file import checked
from provisioning.errors import UsageError

Ask: TypeAlias = Callable[[str], str]
"""Shows a person a line and takes theirs. Raises ``UsageError`` where nobody is there."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to decide. ``default``: what no answer means; ``None``: it has to be answered."""

    name: str
    asks: str
    default: str | None
    values: Callable[[str], Mapping[str, Any]]

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    def check(self, answer: str) -> None:
        """Raises ``UsageError``: that is no answer."""
        values = {name: value for name, value in self.values(answer).items() if name not in ("domains", "networks")}
        policy = {"recipients": "private-first", "languages": ["en"]} | values.get("policy", {})
        checked(values | {"policy": policy}, called=f"{answer[:60]!r}")


def words(answer: str) -> list[str]:
    """An answer of several, with commas between them."""
    return [word for word in map(str.strip, answer.split(",")) if word]


def _some(answer: str, *, called: str) -> list[str]:
    if not (found := words(answer)):
        raise UsageError("there has to be one at least", f"name the {called}, with commas between them")
    return found


def _number(answer: str) -> int | None:
    if not answer:
        return None
    if not answer.isdecimal() or not answer.isascii():
        raise UsageError(f"{answer[:20]!r} is no number of days", "write it in digits, or leave it empty")
    return int(answer)


QUESTIONS: Final = (
    Question("name", "Name of the clinic", None, lambda a: {"name": a}),
    Question(
        "policy",
        "Who opens recordings besides recovery: private-first (therapists alone), supervised (supervisors, too)",
        "private-first",
        lambda a: {"policy": {"recipients": a}},
    ),
    Question(
        "languages", "Languages of the papers, the first one first", "en", lambda a: {"policy": {"languages": words(a)}}
    ),
    Question(
        "keep_days",
        "Days for which a box keeps what the server holds, too (empty: for ever)",
        "",
        lambda a: {"policy": {"keep_days": _number(a)}},
    ),
    Question(
        "withdrawal_days",
        "Days for which a client can ask the clinic to erase a recording (empty: at any time)",
        "",
        lambda a: {"policy": {"withdrawal_days": _number(a)}},
    ),
    Question("rooms", "Rooms that get a box", None, lambda a: {"rooms": _some(a, called="rooms")}),
    Question(
        "domains",
        "Domains beneath which boxes have their names (like practice.internal, local)",
        None,
        lambda a: {"domains": [domain_of(one) for one in _some(a, called="domains")]},
    ),
    Question(
        "networks",
        "Networks in which boxes are called by their addresses (like 192.168.7.0/24; empty: none)",
        "",
        lambda a: {"networks": [str(network_of(one)) for one in words(a)]},
    ),
)


def given_in(arguments: argparse.Namespace) -> dict[str, str]:
    """What options answered already. Raises ``UsageError``: that is no answer."""
    given = {one.name: getattr(arguments, one.name) for one in QUESTIONS if getattr(arguments, one.name) is not None}
    for one in QUESTIONS:
        if one.name in given:
            one.check(given[one.name])
    return given


def ask_for(question: Question, ask: Ask, *, told: Callable[[str], None]) -> str:
    """Ask until there is an answer that will do. Raises ``UsageError`` where nobody is there to answer."""
    shown = f" [{question.default}]" if question.default else ""
    while True:
        answer = ask(f"{question.asks}{shown}: ").strip() or question.default
        if answer is None:
            told("this has to be answered")
            continue
        try:
            question.check(answer)
        except UsageError as problem:
            told(f"{problem.what}; {problem.hint}")
            continue
        return answer


def answers_to(
    questions: Sequence[Question],
    given: Mapping[str, str],
    *,
    draft: Path,
    keep: Callable[[bytes], None],
    ask: Callable[[Question], Ask],
    told: Callable[[str], None],
) -> dict[str, str]:
    """All answers: of an earlier try (``draft``), of the options, and of the person.

    ``keep``: makes the draft durable; it is called with every answer, before the next question.

    Raises:
        UsageError: what was given is no answer, the draft cannot be read, or nobody is there to answer.
    """
    answers = _drafted(draft, questions) | dict(given)
    for question in questions:
        if question.name not in answers:
            answers[question.name] = ask_for(question, ask(question), told=told)
        else:
            question.check(answers[question.name])
        keep(json.dumps(answers).encode())
    return answers


def _drafted(draft: Path, questions: Sequence[Question]) -> dict[str, str]:
    try:
        said = json.loads(draft.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise UsageError(
            f"{draft.name} of an earlier try cannot be read", "take it away, and answer the questions again"
        ) from problem
    known = {question.name for question in questions}
    return {name: str(answer) for name, answer in said.items() if name in known}


def ask_here(question: Question) -> Ask:
    """The person at this terminal; where there is none what has a default is left at that, and the rest is missing."""

    def ask(prompt: str) -> str:
        if sys.stdin.isatty():
            return input(prompt)
        if question.default is not None:
            return ""
        raise UsageError(f"nobody is there to be asked for: {question.asks.lower()}", f"give it with {question.option}")

    return ask
