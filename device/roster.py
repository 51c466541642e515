"""The roster: who can open what is recorded with whom, signed by the clinic's key; nobody is on it by any other way.

It holds marks and recipients, no name and no login. The clinic's desk works out from its people and its policy who
opens whose recordings (``provisioning/clinic/who_opens.py``) and signs the outcome; a box checks it and looks it up.
Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final, Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.errors import AgeError
from device.age.recipients import KeyRecipient, check_company, fingerprint, parse_recipient
from device.clinic_list import MOST_LISTED, ClinicList, KeyText, ListKind, Mark, Part, each_once
from device.errors import RecipientError
from device.shapes import rule

MOST_OPENERS: Final = 32  # of one recording, recovery included: as in a configuration

Policy = Literal["private-first", "supervised"]


class Opener(Part):
    """Somebody who can be sealed to."""

    mark: Mark
    recipient: KeyText


class Seat(Part):
    """A therapist, and by whom their recordings can be opened besides recovery."""

    mark: Mark
    opened_by: Annotated[tuple[Mark, ...], rule(max_length=MOST_LISTED)]


class Roster(ClinicList):
    """The roster as the clinic signed it."""

    sotto_roster: Literal[1] = 1
    policy: Policy
    people: Annotated[tuple[Opener, ...], rule(max_length=MOST_LISTED)]
    therapists: Annotated[tuple[Seat, ...], rule(max_length=MOST_LISTED)]
    recovery: Annotated[tuple[KeyText, ...], rule(min_length=1, max_length=4)]

    def _check(self) -> None:
        super()._check()
        keys = [*(one.recipient for one in self.people), *self.recovery]
        for what, names in (
            ("people", [one.mark for one in self.people]),
            ("therapists", [one.mark for one in self.therapists]),
            ("recipients", keys),
        ):
            each_once(what, names)
        known = {one.mark for one in self.people}
        for seat in self.therapists:
            if not known.issuperset(seat.opened_by) or len(set(seat.opened_by)) != len(seat.opened_by):
                raise ValueError("somebody is to open recordings who has no recipient, or twice")
            if len(seat.opened_by) + len(self.recovery) > MOST_OPENERS:
                raise ValueError(f"more than {MOST_OPENERS} are to open one therapist's recordings")
        _keep_company(keys)

    def recipients_for(self, therapist: str | None) -> list[KeyRecipient]:
        """To whom a recording is sealed with that therapist on duty; recovery is always among them.

        Where nobody said who works in the room, it is the one therapist there is; where there are several, or the
        roster does not know the mark, it is recovery alone: nobody is guessed into somebody's recording.
        """
        keys = {one.mark: one.recipient for one in self.people}
        seats = [one for one in self.therapists if therapist in (None, one.mark)]
        marks = seats[0].opened_by if len(seats) == 1 else ()
        return [parse_recipient(text) for text in (*(keys[mark] for mark in marks), *self.recovery)]

    def key_ids(self) -> frozenset[str]:
        """The ids of all keys that open any recording."""
        return frozenset(map(fingerprint, self._all()))

    def _all(self) -> Iterator[KeyRecipient]:
        keys = {one.mark: one.recipient for one in self.people}
        marks = {mark for seat in self.therapists for mark in seat.opened_by}
        yield from (parse_recipient(keys[mark]) for mark in sorted(marks))
        yield from map(parse_recipient, self.recovery)


WhoOpens: TypeAlias = Callable[[str | None], Sequence[KeyRecipient]]
"""To whom to seal with that therapist on duty (a mark, or ``None``). From any thread; never waits for a disk."""


def the_same_for_all(recipients: Sequence[KeyRecipient]) -> WhoOpens:
    """Whoever is on duty: the recipients that a configuration names."""
    return lambda _therapist: recipients


ROSTERS: Final = ListKind("roster", "the roster", "roster.json", "recipients.roster", Roster, RecipientError)

ROSTER_NAME: Final = ROSTERS.file_name
MOST_ROSTER_BYTES: Final = ROSTERS.most_bytes


def sign_roster(roster: Roster, key: Ed25519PrivateKey) -> bytes:
    """The roster as boxes take it."""
    return ROSTERS.sign(roster, key)


def read_roster(document: bytes, *, clinic_key: bytes) -> Roster:
    """What the clinic signed. Raises ``RecipientError`` (``ListKind.read``)."""
    return ROSTERS.read(document, clinic_key=clinic_key)


def check_roster(roster: Roster, *, box: str, taken: Roster | None) -> None:
    """Whether this box may take it. Raises ``RecipientError`` (``ListKind.check``)."""
    ROSTERS.check(roster, box=box, taken=taken)


def _keep_company(keys: Sequence[str]) -> None:
    try:
        check_company([parse_recipient(key) for key in keys])
    except AgeError as problem:
        raise ValueError(problem.what) from problem
