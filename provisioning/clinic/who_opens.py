"""Who opens whose recordings: the clinic's people and its policy in, a seat for each therapist out. Pure.

    private-first   the therapist alone
    supervised      the therapist, and every supervisor whose supervisee they are

Recovery opens all of them, by either policy. An admin opens nothing by being one.
"""

from __future__ import annotations

from collections.abc import Sequence

from device.roster import Policy, Seat
from provisioning.clinic_file import Listed


def seats_of(people: Sequence[Listed], policy: Policy) -> tuple[Seat, ...]:
    """A seat for each therapist, by mark. Who has no recipient yet cannot be sealed to, and is in none."""
    therapists = sorted(one.mark for one in people if "therapist" in one.roles)
    return tuple(Seat(mark=mark, opened_by=_openers(mark, people, policy)) for mark in therapists)


def _openers(therapist: str, people: Sequence[Listed], policy: Policy) -> tuple[str, ...]:
    """The therapist first, then their supervisors by mark."""
    known = [one for one in people if one.recipient is not None]
    own = [one.mark for one in known if one.mark == therapist]
    if policy == "private-first":
        return tuple(own)
    supervisors = sorted(one.mark for one in known if "supervisor" in one.roles and therapist in one.supervisees)
    return tuple(dict.fromkeys([*own, *supervisors]))
