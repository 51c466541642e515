"""The roster that follows from the clinic's file, and what would change by a new one; pure."""

from __future__ import annotations

from collections.abc import Iterator

from device.age.recipients import fingerprint, parse_recipient
from device.roster import Opener, Roster
from device.shapes import ShapeError
from provisioning.clinic.who_opens import seats_of
from provisioning.clinic_file import ClinicFile
from provisioning.errors import UsageError
from provisioning.kit import first_fault


def roster_of(book: ClinicFile, *, number: int, made: str) -> Roster:
    """What the clinic's file comes to.

    Raises:
        UsageError: it is not all there yet, or its recipients do not go together.
    """
    if book.policy is None or not book.rooms:
        raise UsageError("the clinic's file has no policy, or no rooms", "go on with `sotto-clinic init`")
    if not book.recovery:
        raise UsageError(
            "there is no recovery recipient yet",
            "make one on another machine (`sotto-clinic recovery new`), then `sotto-clinic recovery set`",
        )
    try:
        seats = seats_of(book.people, book.policy.recipients)
        openers = {mark for seat in seats for mark in seat.opened_by}
        return Roster(
            number=number,
            made=made,
            boxes=book.rooms,
            policy=book.policy.recipients,
            people=tuple(
                Opener(mark=one.mark, recipient=one.recipient)
                for one in sorted(book.people, key=lambda one: one.mark)
                if one.mark in openers and one.recipient is not None
            ),
            therapists=seats,
            recovery=book.recovery,
        )
    except ShapeError as problem:
        raise UsageError(
            f"no roster can be made of the clinic's file: {first_fault(problem)}", "correct it there"
        ) from problem


def says_the_same(one: Roster, other: Roster) -> bool:
    """Whether two rosters differ in number and date alone."""
    same = {"number": one.number, "made": one.made}
    return other.model_copy(update=same) == one


def told(before: Roster | None, after: Roster, *books: ClinicFile) -> list[str]:
    """What a new roster changes, for people: a line for each therapist, and for recovery. ``books``: who is who."""
    names = {one.mark: one.name for book in books for one in book.people}
    old = {} if before is None else {seat.mark: _keys(before, seat.mark) for seat in before.therapists}
    new = {seat.mark: _keys(after, seat.mark) for seat in after.therapists}
    lines = []
    for mark in sorted({*old, *new}, key=lambda mark: names.get(mark, mark)):
        was, will = old.get(mark, {}), new.get(mark, {})
        if changes := list(_changes(was, will, names)):
            lines.append(f"recordings of {names.get(mark, mark)} open for: {', '.join(changes)}")
    recovered = set() if before is None else set(before.recovery)
    lines += [f"recovery: + {_id(key)}" for key in after.recovery if key not in recovered]
    lines += [f"recovery: - {_id(key)}" for key in sorted(recovered.difference(after.recovery))]
    if before is not None and set(before.boxes) != set(after.boxes):
        lines += [f"room: + {room}" for room in after.boxes if room not in before.boxes]
        lines += [f"room: - {room}" for room in before.boxes if room not in after.boxes]
    return lines


def supervision_told(before: ClinicFile, after: ClinicFile) -> list[str]:
    """Who supervises whom from then on and did not, and the other way round: a line for each supervisor."""
    names = {one.mark: one.name for book in (before, after) for one in book.people}
    old, new = ({one.mark: set(one.supervisees) for one in book.people} for book in (before, after))
    lines = []
    for mark in sorted({*old, *new}, key=lambda mark: names[mark]):
        was, will = old.get(mark, set()), new.get(mark, set())
        for verb, marks in (("supervises", will - was), ("supervises no more", was - will)):
            if marks:
                lines.append(f"{names[mark]}: {verb} {', '.join(sorted(names[one] for one in marks))}")
    return lines


def _keys(roster: Roster, therapist: str) -> dict[str, str]:
    """Whose key opens a therapist's recordings: recipient to mark."""
    keys = {one.mark: one.recipient for one in roster.people}
    (seat,) = [seat for seat in roster.therapists if seat.mark == therapist]
    return {keys[mark]: mark for mark in seat.opened_by}


def _changes(was: dict[str, str], will: dict[str, str], names: dict[str, str]) -> Iterator[str]:
    for key, mark in will.items():
        if key not in was:
            yield f"+ {names.get(mark, mark)} ({_id(key)})"
    for key, mark in was.items():
        if key not in will:
            yield f"- {names.get(mark, mark)} ({_id(key)})"


def _id(key: str) -> str:
    return fingerprint(parse_recipient(key))
