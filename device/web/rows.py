"""A recording as the lists show it: facts turned into words, nothing decided anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from device.people.person import Role
from device.recording.manifest import Manifest, RecordingState, SoundVerdict
from device.status import Status
from device.store import Listed
from device.web.house import House, is_open
from device.web.says import consent_text
from device.web.sight import Sight
from device.web.texts import text
from device.web.visitor import visitor_or_none
from device.web.wording import When, clock_text, length_text, size_text, when


@dataclass(frozen=True, slots=True)
class Row:
    """One recording in a list. ``state`` and ``verdict`` choose the looks; the words stand beside them."""

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


@dataclass(frozen=True, slots=True)
class Rows:
    """A list, newest first; ``unreadable`` counts what is in the store and cannot be read, ``total`` what is shown.

    Only an admin is told of what cannot be read.
    """

    rows: tuple[Row, ...]
    unreadable: int
    total: int
    noted: bool = True  # that somebody looks at it; else nothing is shown


def rows(house: House, status: Status | None, *, most: int | None = None) -> Rows:
    """The recordings that whoever asks may know of, newest first. ``status`` is one that is believed, or ``None``.

    Raises:
        StoreError: the store cannot be listed.
    """
    if visitor_or_none() is None:
        return Rows((), 0, 0)
    ids = list(reversed(house.store.ids()))
    seen: list[Row] = []
    missing: set[str] = set()
    for recording_id in ids:
        entry = house.store.find(recording_id)
        if entry is None or entry.manifest.id != recording_id:
            missing.add(recording_id)
        elif (sight := house.sight(entry.manifest)) > Sight.NOTHING:
            seen.append(row_of(entry, status, sight=sight))
        if len(seen) == most:
            break
    missing -= set(_beginning(ids, status))
    if missing:  # what is half erased is nothing that somebody should look after
        missing -= {recording_id for recording_id, _ in house.store.going()}
    if seen and not house.noting.view("list"):
        return Rows((), 0, 0, noted=False)
    return Rows(tuple(seen), len(missing) if _looks_after_the_store() else 0, len(seen))


def _looks_after_the_store() -> bool:
    """Whether whoever asks is told of what cannot be read: whose it is nobody can say then."""
    found = visitor_or_none()
    return found is not None and found.person.is_a(Role.ADMIN)


def _beginning(ids: list[str], status: Status | None) -> Iterator[str]:
    """The newest while something is recorded or sealed: it has no file before its first chunk is durable."""
    if status is not None and (status.recording or status.sealing):
        yield from ids[:1]


def row_of(listed: Listed, status: Status | None, *, sight: Sight) -> Row:
    """One recording in words, as far as it is shown."""
    manifest = listed.manifest
    state = _state(listed, status)
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
        downloadable=sight is Sight.CONTENT and listed.going is None and not is_open(listed),
    )


def _state(listed: Listed, status: Status | None) -> str:
    """The state, told apart further where it is open: only a living capture service is still recording it."""
    if listed.withdrawn:
        return "withdrawn"
    if listed.going is not None:
        return "going"
    if listed.manifest.state is not RecordingState.OPEN:
        return listed.manifest.state
    if status is not None and status.recording is not None and status.recording.id in (listed.manifest.id, None):
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
