"""Which recordings are meant, where they are not named: by when they were started, by whom, and how they ended."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from typing import Final

from device.recording.manifest import RecordingState
from provisioning.errors import UsageError
from provisioning.holdings import HeldRecording
from provisioning.kit import Kit
from provisioning.listing import Listed

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MARK: Final = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What fits all that was said; ``None``: nothing was said of that. Days as ``2026-11-02``, both included."""

    since: str | None = None
    until: str | None = None
    therapist: str | None = None
    state: RecordingState | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing was said at all."""
        return self == Wanted()

    def may_fit(self, held: HeldRecording) -> bool:
        """Whether it could fit, by the month in its path: spares reading the others' manifests."""
        month = held.month
        after = self.since is None or month is None or month >= self.since[:7]
        return after and (self.until is None or month is None or month <= self.until[:7])

    def fits(self, listed: Listed) -> bool:
        """Whether it fits. What has no date is not left out for its date; what says no therapist or state is."""
        day = (listed.started or listed.held.month or "")[:10]
        if day and self.since is not None and day < self.since[: len(day)]:
            return False
        if day and self.until is not None and day > self.until[: len(day)]:
            return False
        said = listed.said
        if self.therapist is not None and (said is None or said.therapist != self.therapist):
            return False
        return self.state is None or (said is not None and said.state is self.state)


def add_wanted(verb: argparse.ArgumentParser) -> None:
    """What a verb takes to choose recordings by."""
    add = verb.add_argument
    add("--since", metavar="DATE", help="only what was started on this day or later: 2026-11-02")
    add("--until", metavar="DATE", help="only what was started on this day or earlier")
    add("--therapist", metavar="WHO", help="only this therapist's: a mark, or a name in the kit")
    add("--state", choices=[str(state) for state in RecordingState], help="only what ended so")


def wanted_of(arguments: argparse.Namespace, kit: Kit | None) -> Wanted:
    """What was said. Raises ``UsageError``."""
    for day in (arguments.since, arguments.until):
        if day is not None and not _DATE.fullmatch(day):
            raise UsageError(f"{day[:40]!r} is not a day", "write it like 2026-11-02")
    state = None if arguments.state is None else RecordingState(arguments.state)
    return Wanted(arguments.since, arguments.until, _mark(arguments.therapist, kit), state)


def _mark(who: str | None, kit: Kit | None) -> str | None:
    if who is None or _MARK.fullmatch(who):
        return who
    if kit is None:
        raise UsageError(f"{who[:40]!r} is no mark", "give 12 hex digits, or a --kit that knows the name")
    return kit.person.mark if who in (kit.person.name, kit.person.login) else kit.colleague(who).mark
