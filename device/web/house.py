"""What every blueprint of the page is handed: where to read, whom to ask, and what time it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from device.glimpse import Glimpse
from device.people.people import People
from device.people.person import Person, Role
from device.recording import is_recording_id
from device.recording.manifest import RecordingState
from device.remembering import RememberingReader
from device.status import STALE_AFTER_S, Status, read_status
from device.store import Listed
from device.sync_status import read_sync_status
from device.web.front import Front
from device.web.kiosks import Kiosks
from device.web.noting import Noting
from device.web.proofs import Proofs
from device.web.refusals import no_such_recording
from device.web.says import Says, says
from device.web.setup import Setup
from device.web.sight import Sight, sight_of
from device.web.syncing import sync_line, sync_wrong
from device.web.texts import text
from device.web.visitor import visitor_or_none
from device.web.ways import Ways
from device.words import Fate

# Published twice a second while a device is open: a second and a half without is no hiccup, and P7 is at stake.
STALE_WHILE_OPEN_S: Final = 1.5


@dataclass(frozen=True, slots=True)
class Now:
    """The status as it was read, whether it is too old to be believed, and what there is to say about it."""

    status: Status | None
    stale: bool
    says: Says

    @property
    def believed(self) -> Status | None:
        """The status, or ``None`` where nothing is known."""
        return None if self.stale else self.status


@dataclass(frozen=True, slots=True)
class House:
    """The box as the page sees it. ``unix_s`` is the wall clock, the one the status is published by.

    ``noting``: what is looked at or pulled is noted there first. ``people``: who there is, and who is signed in.
    ``setup``: what the configuration says. ``front``: how browsers get here. ``proofs``: that a remote holds a
    recording. ``kiosks``: what is being answered on tablets. ``room``: the panel is simulated.
    """

    store: RememberingReader
    run: Path
    box: str
    room: bool
    unix_s: Callable[[], float]
    noting: Noting
    people: People
    setup: Setup
    front: Front
    proofs: Proofs = field(default_factory=Proofs)
    kiosks: Kiosks = field(default_factory=Kiosks)

    def now(self) -> Now:
        """How the box is now."""
        status, unix_s = read_status(self.run), self.unix_s()
        stale = status is None or is_stale(status, unix_s=unix_s)
        said, sync = says(status, stale=stale), read_sync_status(self.run)
        wrong = (*said.wrong, *sync_wrong(sync, unix_s=unix_s))
        gone = any(one.what == text("sync.gone") for one in wrong)  # then that is told, and once is enough
        line = "" if gone else sync_line(sync, unix_s=unix_s, kept_back=status is not None and _keeps_one_back(status))
        return Now(status, stale, replace(said, wrong=wrong, sync=line))

    def ways(self, now: Now) -> Ways:
        """Where recordings are on their way, as of this moment."""
        status = now.believed
        back = status.last.id if status is not None and status.last is not None and _keeps_one_back(status) else None
        sync = read_sync_status(self.run)
        return Ways(self.store, self.setup, self.proofs, sync=sync, kept_back=back, unix_s=self.unix_s())

    def therapists(self) -> list[Person]:
        """Those who can be checked in to the room, by name."""
        return [person for person in self.people.persons() if person.is_a(Role.THERAPIST)]

    def find(self, recording_id: str) -> Listed:
        """A recording in the store.

        Raises:
            Refusal: that is no id, or there is no such recording (any more).
            StoreError: the store does not work.
        """
        listed = self.store.find(recording_id) if is_recording_id(recording_id) else None
        if listed is None or listed.manifest.id != recording_id:
            raise no_such_recording()
        return listed

    def listing(self) -> list[Glimpse]:
        """Every recording in the store that can be read, newest first.

        Raises:
            StoreError: the store cannot be listed.
        """
        return list(self.readable(reversed(self.store.ids())))

    def readable(self, ids: Iterable[str]) -> Iterator[Glimpse]:
        """Those of the recordings that can be read, in their order; none whose folder holds the manifest of another.

        One at a time: of thousands, none has to be kept.
        """
        return (glimpse for recording_id in ids if (glimpse := self.store.glimpse(recording_id)) is not None)

    def sight(self, therapist: str | None) -> Sight:
        """How much whoever asks sees of a recording; ``therapist``: the mark of whose it is, if it is anybody's."""
        return sight_of(visitor_or_none(), therapist)

    def sights(self) -> Callable[[str | None], Sight]:
        """The same of many recordings: who asks is looked up once."""
        visitor = visitor_or_none()
        return lambda therapist: sight_of(visitor, therapist)


def is_stale(status: Status, *, unix_s: float) -> bool:
    """Whether a status is too old to be believed. One from the future is no better: the clock was set meanwhile."""
    after_s = STALE_AFTER_S if status.recording is None is status.framing else STALE_WHILE_OPEN_S
    return abs(unix_s - status.published_unix_s) > after_s


def is_open(listed: Listed) -> bool:
    """Whether the recording is not yet closed, so that its file still changes."""
    return listed.manifest.state is RecordingState.OPEN


def _keeps_one_back(status: Status) -> bool:
    """Whether there is a recording of which nothing may leave the room yet."""
    kept = status.last is not None and status.last.fate is Fate.KEPT and status.last.window_left_s > 0
    return kept or status.recording is not None
