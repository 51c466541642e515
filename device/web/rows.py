"""A recording as the lists show it: facts turned into words, nothing decided anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from device.recording.manifest import Manifest, RecordingState, SoundVerdict
from device.status import Status
from device.store import Listed
from device.web.house import House, is_open
from device.web.says import consent_text
from device.web.texts import text
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
    """A list, newest first; ``unreadable`` counts what is in the store and cannot be shown, ``total`` what can."""

    rows: tuple[Row, ...]
    unreadable: int
    total: int
    noted: bool = True  # that somebody looks at it; else nothing is shown


def rows(house: House, status: Status | None, *, most: int | None = None) -> Rows:
    """The recordings in the store, newest first. ``status`` is one that is believed, or ``None``.

    Raises:
        StoreError: the store cannot be listed.
    """
    ids = list(reversed(house.store.ids()))
    shown = ids if most is None else ids[:most]
    found = [(recording_id, house.store.find(recording_id)) for recording_id in shown]
    listed = [(recording_id, entry) for recording_id, entry in found if entry and entry.manifest.id == recording_id]
    missing = {recording_id for recording_id, _ in found} - {recording_id for recording_id, _ in listed}
    missing -= set(_beginning(ids, status))
    if missing:  # what is half erased is nothing that somebody should look after
        missing -= {recording_id for recording_id, _ in house.store.going()}
    if listed and not house.noting.view("list"):
        return Rows((), 0, 0, noted=False)
    return Rows(tuple(row_of(entry, status) for _, entry in listed), len(missing), len(ids) - len(missing))


def _beginning(ids: list[str], status: Status | None) -> Iterator[str]:
    """The newest while something is recorded or sealed: it has no file before its first chunk is durable."""
    if status is not None and (status.recording or status.sealing):
        yield from ids[:1]


def row_of(listed: Listed, status: Status | None) -> Row:
    """One recording in words."""
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
        downloadable=listed.going is None and not is_open(listed),
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
