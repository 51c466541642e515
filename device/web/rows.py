"""A recording as the lists show it: facts turned into words, nothing decided anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from device.glimpse import Glimpse
from device.people.person import Role
from device.recording import ATTACHMENTS_NAME
from device.recording.manifest import Manifest, RecordingState, SoundVerdict
from device.status import Status
from device.store import Listed
from device.web.attached import Attached, attached_of
from device.web.files import sizes_inside
from device.web.filters import NOBODY, Wanted, fits
from device.web.house import House, Now, is_open
from device.web.paging import page_of
from device.web.says import consent_text
from device.web.sight import Sight
from device.web.texts import text
from device.web.visitor import visitor_or_none
from device.web.ways import Way
from device.web.wording import When, clock_text, length_text, size_text, when

AT_ONCE: Final = 50
EVERYTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Row:
    """One recording in a list. ``state`` and ``verdict`` choose the looks; the words stand beside them.

    ``content``: whoever looks may have what was recorded, and be told what lies beside it.
    """

    id: str
    started: When
    clock_trusted: bool
    length: str
    state: str
    state_text: str
    state_hint: str
    consent_text: str
    size: str
    picture_text: str  # empty where there is nothing to tell about it
    verdict: str
    verdict_text: str
    verdict_hint: str
    held: bool
    downloadable: bool
    room: str
    therapist: str  # empty where nobody was checked in
    own: bool
    bookmarks: int
    content: bool
    attached: Attached
    way: Way

    @property
    def no_measures(self) -> bool:
        """Whether that is an open item."""
        return self.content and self.downloadable and not self.attached.measures


@dataclass(frozen=True, slots=True)
class Rows:
    """A list, newest first; ``unreadable`` counts what is in the store and cannot be read, ``total`` what is seen.

    ``found`` counts what is looked for, of which ``rows`` is the page ``number`` of ``last``. Only an admin is told of
    what cannot be read.
    """

    rows: tuple[Row, ...]
    unreadable: int
    total: int
    found: int
    number: int = 1
    last: int = 1
    noted: bool = True  # that somebody looks at it; else nothing is shown
    last_own: Row | None = None  # the newest of whoever asks; one that goes is nobody's any more
    therapists: tuple[tuple[str, str], ...] = ()  # mark and name, to choose from
    rooms: tuple[str, ...] = ()


class Rowing:
    """Makes rows for whoever asks, as of one look at the box."""

    def __init__(self, house: House, now: Now) -> None:
        self._house = house
        self._status = now.believed
        self._ways = house.ways(now)
        self._sight = house.sights()
        self._names = {person.mark: person.name for person in house.people.persons()}
        found = visitor_or_none()
        self._mark = None if found is None else found.person.mark

    def row(self, listed: Listed) -> Row:
        """One recording in words."""
        return row_of(
            listed,
            self._status,
            therapist=self.name_of(listed.manifest.therapist),
            own=self.is_own(listed.manifest.therapist),
            content=self._sight(listed.manifest.therapist) is Sight.CONTENT,
            attached=self.attached(listed.manifest.id),
            way=self._ways.of(listed.glimpse),
        )

    def rows(self, ids: list[str]) -> tuple[Row, ...]:
        """Those recordings in words; one that goes in this very moment is left out."""
        found = [self._house.store.find(recording_id) for recording_id in ids]
        return tuple(self.row(listed) for listed in found if listed is not None)

    def is_own(self, therapist: str | None) -> bool:
        """Whether whoever asks was checked in when it was recorded."""
        return self._mark is not None and therapist == self._mark

    def attached(self, recording_id: str) -> Attached:
        """What lies beside a recording."""
        return attached_of(sizes_inside(self._house.store.folder(recording_id), ATTACHMENTS_NAME))

    def name_of(self, mark: str | None) -> str:
        """What colleagues call a therapist; the mark itself where the person is unknown here."""
        return "" if mark is None else self._names.get(mark, mark)

    def fits(self, glimpse: Glimpse, wanted: Wanted) -> bool:
        """Whether it is looked for."""
        common = glimpse.common
        told = self._sight(common.therapist) is Sight.CONTENT and common.state is not RecordingState.OPEN
        measures = self.attached(glimpse.id).measures if wanted.open_items and told else None
        return fits(glimpse, wanted, state=_state(glimpse, self._status), measures=measures)


@dataclass(slots=True)
class _Pass:
    """What one pass over the list has found: of thousands, only what is needed in the end is kept."""

    total: int = 0
    missing: set[str] = field(default_factory=set)
    chosen: list[str] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    rooms: set[str] = field(default_factory=set)
    last_own: str | None = None

    def over(self, ids: list[str], house: House, rowing: Rowing, wanted: Wanted) -> None:
        """Go over all of them, newest first."""
        sight, anything = house.sights(), wanted.anything
        for recording_id in ids:
            glimpse = house.store.glimpse(recording_id)
            if glimpse is None:
                self.missing.add(recording_id)
                continue
            therapist = glimpse.common.therapist
            if sight(therapist) is Sight.NOTHING:
                continue
            self.total += 1
            self.marks.add(therapist or NOBODY)
            self.rooms.add(glimpse.common.box)
            if self.last_own is None and glimpse.going is None and rowing.is_own(therapist):
                self.last_own = glimpse.id
            if not anything or rowing.fits(glimpse, wanted):
                self.chosen.append(glimpse.id)


def rows(house: House, now: Now, *, wanted: Wanted = EVERYTHING, page: int = 1, most: int = AT_ONCE) -> Rows:
    """The recordings in the store that whoever asks may see, newest first.

    Raises:
        StoreError: the store cannot be listed.
    """
    if visitor_or_none() is None:
        return Rows((), 0, 0, 0)
    ids = list(reversed(house.store.ids()))
    rowing, passed = Rowing(house, now), _Pass()
    passed.over(ids, house, rowing, wanted)
    missing = passed.missing - set(_beginning(ids, now.believed))
    if missing:  # what is half erased is nothing that somebody should look after
        missing -= {recording_id for recording_id, _ in house.store.going()}
    if passed.total and not house.noting.view("list"):
        return Rows((), 0, 0, 0, noted=False)
    shown = page_of(passed.chosen, page, size=most)
    return Rows(
        rowing.rows(list(shown.items)),
        len(missing) if _looks_after_the_store() else 0,
        passed.total,
        shown.total,
        shown.number,
        shown.last,
        therapists=tuple((mark, "" if mark == NOBODY else rowing.name_of(mark)) for mark in sorted(passed.marks)),
        rooms=tuple(sorted(passed.rooms)),
        last_own=next(iter(rowing.rows([passed.last_own])), None) if passed.last_own else None,
    )


def _looks_after_the_store() -> bool:
    """Whether whoever asks is told of what cannot be read: whose it is nobody can say then."""
    found = visitor_or_none()
    return found is not None and found.person.is_a(Role.ADMIN)


def _beginning(ids: list[str], status: Status | None) -> Iterator[str]:
    """The newest while something is recorded or sealed: it has no file before its first chunk is durable."""
    if status is not None and (status.recording or status.sealing):
        yield from ids[:1]


def row_of(
    listed: Listed,
    status: Status | None,
    *,
    therapist: str,
    own: bool,
    content: bool,
    attached: Attached,
    way: Way,
) -> Row:
    """One recording in words."""
    manifest = listed.manifest
    state = _state(listed.glimpse, status)
    verdict = _verdict(manifest.report.verdict, state)
    return Row(
        id=manifest.id,
        started=when(manifest.started),
        clock_trusted=manifest.clock_trusted,
        length=text("facts.not_yet") if is_open(listed) else length_text(manifest.duration_us),
        state=state,
        state_text=text(f"recording.{state}"),
        state_hint=text(f"recording.{state}.do"),
        consent_text=consent_text(manifest.consent),
        size=size_text(listed.size_bytes),
        picture_text=_picture(manifest),
        verdict=manifest.report.verdict,
        verdict_text=text(f"sound.{verdict}"),
        verdict_hint=text(f"sound.{verdict}.do"),
        held=listed.held,
        downloadable=content and listed.going is None and not is_open(listed),
        room=manifest.box,
        therapist=therapist,
        own=own,
        bookmarks=len(manifest.bookmarks_us),
        content=content,
        attached=attached,
        way=way,
    )


def _state(glimpse: Glimpse, status: Status | None) -> str:
    """The state, told apart further where it is open: only a living capture service is still recording it."""
    if glimpse.withdrawn:
        return "withdrawn"
    if glimpse.going is not None:
        return "going"
    if glimpse.common.state is not RecordingState.OPEN:
        return glimpse.common.state
    if status is not None and status.recording is not None and status.recording.id in (glimpse.id, None):
        return "open"
    if status is not None and status.sealing:
        return "sealing"
    return "recovering" if status is not None and status.recovering else "left"


def _picture(manifest: Manifest) -> str:
    """What the ladder for load, heat and room has cost, if anything."""
    picture = manifest.picture
    if picture is None or not (picture.steps or picture.given_up_at_us is not None):
        return ""
    if picture.given_up_at_us is None:
        return text("picture.reduced")
    return text("picture.given_up", at=clock_text(picture.given_up_at_us))


def _verdict(verdict: SoundVerdict, state: str) -> str:
    """Unknown means "not yet" while it is open, and "never" once it was cut short."""
    if verdict is SoundVerdict.UNKNOWN and state in (RecordingState.COMPLETE, RecordingState.INTERRUPTED):
        return "unknown.closed"
    return verdict
