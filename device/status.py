"""The status: the one read model that capture publishes and everybody else reads.

A small JSON file in a folder of memory, replaced whole; a reader never sees half of one. It is published at once when
something changes, twice a second while a device may be open, and at least once a second otherwise; so one that is older
tells that capture is gone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from device.shapes import Shape, ShapeError
from device.words import Consent, Fate

STATUS_NAME: Final = "status.json"
STALE_AFTER_S: Final = 5.0


class LampStatus(Shape):
    """One lamp at the buttons: ``colour`` none/white/blue/yellow, ``pattern`` and its beats (ms lit, dark, lit …)."""

    colour: str
    pattern: str
    beats_ms: tuple[int, ...]


class PanelStatus(Shape):
    """The panel as it looks and sounds now. ``tones`` counts, so that a page can play each one once."""

    room_light: bool
    lamps: tuple[LampStatus, LampStatus]
    tone: str | None
    tones: int
    tone_notes: tuple[tuple[int, int], ...]  # (hertz, milliseconds); 0 Hz is silence


class LevelStatus(Shape):
    """The sound of the last period: dB of full scale, LUFS (momentary); whether there was sound in the last seconds."""

    peak_dbfs: float
    loudness_lufs: float | None
    above_floor: bool


class RecordingStatus(Shape):
    """The recording under way. ``durable_us``: how much of it would survive a power cut now."""

    id: str | None
    consent: Consent
    elapsed_us: int
    durable_us: int
    size_bytes: int
    devices_open: tuple[str, ...]
    troubles: tuple[str, ...]
    pictures: int
    ends_in_s: float | None = None  # at its maximum length


class FramingStatus(Shape):
    """The framing check under way. What the camera sees is not here: this is a file."""

    devices_open: tuple[str, ...]


class LastStatus(Shape):
    """The recording that ended last, while its window is open."""

    id: str | None
    fate: Fate
    sealed: bool
    window_left_s: float
    end: str | None = None  # why it ended, as its manifest has it


class MachineStatus(Shape):
    """How the box's own machine is; ``None``: it cannot tell."""

    temperature_c: float | None
    under_voltage: bool | None


class Status(Shape):
    """Everything the page and `sotto status` know."""

    box: str
    simulated: tuple[str, ...]  # which of microphone, camera, panel are simulated
    published: str
    published_unix_s: float
    state: str
    consent: Consent
    choices: tuple[Consent, ...]
    people: int
    armed_left_s: float | None
    panel: PanelStatus
    level: LevelStatus | None
    recording: RecordingStatus | None
    framing: FramingStatus | None
    last: LastStatus | None
    sealing: int  # recordings that are closed in the room and not yet durable to the end
    faults: tuple[tuple[str, str], ...]  # (what happened, what to do)
    store_free_bytes: int
    store_minutes_left: int
    clock_trusted: bool
    room_for_picture: bool = True  # False: for want of room only the sound can be chosen
    recovering: bool = False  # what a cut left open is being closed
    on_duty: str | None = None  # the mark of who works in the room, as capture knows it
    warnings: tuple[tuple[str, str], ...] = ()  # of the store, which keep nothing from being recorded: what, what to do
    machine: MachineStatus | None = None


def publish(status: Status, run: Path) -> None:
    """Replace the published status. Not synced: it is meant to be lost at a reboot."""
    beside = f"{run}/{STATUS_NAME}.new"
    with open(beside, "wb", buffering=0) as file:  # noqa: PTH123  # twice a second: paths are put together slowly
        file.write(status.model_dump_json().encode())
    os.rename(beside, f"{run}/{STATUS_NAME}")  # noqa: PTH104


def read_status(run: Path) -> Status | None:
    """The status last published, or ``None`` where capture never published one (that can be read)."""
    try:
        return Status.model_validate_json((run / STATUS_NAME).read_bytes())
    except (OSError, ShapeError):
        return None
