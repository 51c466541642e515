"""``sotto-clinic verify``: whether recordings and audit logs are what the boxes sealed and signed, and where not."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from device.age.errors import AgeError
from device.errors import SottoError
from device.recording.chain import Head
from provisioning.access import Access, add_access
from provisioning.device_keys import read_device_keys
from provisioning.errors import UsageError
from provisioning.exits import complain, exit_of, gravest, words_of
from provisioning.findings import Part
from provisioning.report import Bar
from provisioning.subjects import CarriedOut, Certificate, Log, Subject, find_subjects, subjects_at
from provisioning.verdict import Verdict
from provisioning.verifier import Knowledge, verify_erased, verify_recording
from provisioning.verify_audit import AuditReport, read_head, verify_audit


@dataclass(frozen=True, slots=True)
class Failure:
    """A recording that could not be verified at all."""

    name: str
    problem: SottoError | AgeError

    @property
    def exit_code(self) -> int:
        """The exit code that it alone would have."""
        return exit_of(self.problem)

    def as_json(self) -> dict[str, Any]:
        """It for a script."""
        what, hint = words_of(self.problem)
        return {"name": self.name, "state": None, "exit_code": self.exit_code, "error": what, "hint": hint}


Outcome = Verdict | AuditReport | Failure


def add_verify(verb: argparse.ArgumentParser) -> None:
    """What ``verify`` takes."""
    verb.description = (
        "Find out whether recordings are what the boxes sealed and signed: complete, interrupted, or altered, and "
        "where. An identity places an alteration exactly; without one it is placed within 64 chunks (4 MiB). "
        "Of an audit log: the first entry that was changed, taken away or put elsewhere."
    )
    add = verb.add_argument
    add(
        "paths",
        metavar="PATH",
        nargs="*",
        help="a recording, as for open; a store; or an audit log (at a PLACE: an id, a path there; none: all)",
    )
    add_access(verb)
    add(
        "--clinic-key",
        metavar="KEY",
        action="append",
        default=[],
        help="the key of the clinic's own desk, in the same ways: one of them signed each header that was made anew",
    )
    add(
        "--head",
        metavar="NUMBER:HEX",
        help="a head of the audit log that went out earlier",
    )
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_verify)


def run_verify(arguments: argparse.Namespace) -> int:
    """Verify all that was named; the gravest exit code of all.

    Raises:
        SottoError: nothing can be verified: a path, an identity or a device key makes no sense.
    """
    access = Access.of(arguments)
    clinic_keys = read_device_keys(arguments.clinic_key)
    knowledge = Knowledge(access.identities_if_any(), access.device_keys(), clinic_keys)
    head = read_head(arguments.head)
    if access.at is not None:
        with access.keeping(None) as keeping:
            return _run(arguments, subjects_at(keeping, arguments.paths), knowledge, head)
    if not arguments.paths:
        raise UsageError("nothing was named that could be verified", "name a recording, a store, or a place with --at")
    return _run(arguments, find_subjects(arguments.paths), knowledge, head)


def _run(arguments: argparse.Namespace, subjects: Sequence[Subject], knowledge: Knowledge, head: Head | None) -> int:
    outcomes: list[Outcome] = []
    for number, subject in enumerate(subjects, start=1):
        count = f"{number}/{len(subjects)} " if len(subjects) > 1 else ""
        outcome = _verify(subject, knowledge, head, count=count)
        outcomes.append(outcome)
        if not arguments.json:
            _tell(outcome)
    code = gravest({outcome.exit_code for outcome in outcomes})
    if arguments.json:
        logs = [outcome.as_json() for outcome in outcomes if isinstance(outcome, AuditReport)]
        recordings = [outcome.as_json() for outcome in outcomes if not isinstance(outcome, AuditReport)]
        print(json.dumps({"exit_code": code, "recordings": recordings, "audit_logs": logs}))
    elif len(outcomes) > 1:
        print(_summary(outcomes))
    return code


def _verify(subject: Subject, knowledge: Knowledge, head: Head | None, *, count: str) -> Outcome:
    try:
        if isinstance(subject, Log):
            return verify_audit(subject.path, device_keys=knowledge.device_keys, head=head)
        if isinstance(subject, Certificate | CarriedOut):
            part: Literal[Part.CERTIFICATE, Part.ORDER] = (
                Part.CERTIFICATE if isinstance(subject, Certificate) else Part.ORDER
            )
            there = subject.folder_is_there()
            return verify_erased(subject.name, subject.read(), knowledge, part=part, folder_is_there=there)
        bar = Bar(f"{count}{subject.name}", to=sys.stderr, doing="verifying")
        try:
            return verify_recording(subject, knowledge, progress=bar.show)
        finally:
            bar.clear()
    except (SottoError, AgeError) as problem:
        return Failure(subject.path.name if isinstance(subject, Log) else subject.name, problem)


def _tell(outcome: Outcome) -> None:
    if not isinstance(outcome, Failure):
        print(*outcome.lines(), sep="\n")
    if isinstance(outcome, AuditReport) and outcome.bad is not None:
        hint = "trust nothing from there on, and find out why"
        complain(str(outcome.problem), hint, of=f"entry {outcome.bad.number}")
    if isinstance(outcome, Failure):
        complain(*words_of(outcome.problem), of=outcome.name)


def _summary(outcomes: Sequence[Outcome]) -> str:
    states = ["not verified" if isinstance(outcome, Failure) else outcome.state for outcome in outcomes]
    return f"{len(states)} in all: " + ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
