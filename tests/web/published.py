"""A store with recordings and a status, as capture would leave them: written by the real store, published for real."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.panel_language import face_of, notes
from device.recording import SESSION_NAME
from device.recording.manifest import (
    ConsentEvent,
    Manifest,
    MicrophoneFact,
    RecordingState,
    SoundFacts,
    SoundReport,
    SoundVerdict,
)
from device.session_events import State, Tone
from device.status import (
    FramingStatus,
    LampStatus,
    LastStatus,
    LevelStatus,
    PanelStatus,
    RecordingStatus,
    Status,
    publish,
)
from device.store import Store
from device.words import Consent, Fate
from tests.web.visitors import THERAPIST

BOX = 'Room <b>3</b> & "garden"'


def make_store(path: Path) -> Store:
    path.mkdir(parents=True, exist_ok=True)
    return Store(path, device_key=Ed25519PrivateKey.generate())


def manifest(recording_id: str, **facts: Any) -> Manifest:
    """A complete recording of fifty minutes, unless ``facts`` says otherwise."""
    usual: dict[str, Any] = {
        "id": recording_id,
        "box": BOX,
        "state": RecordingState.COMPLETE,
        "started": "2026-03-03T13:05:00.000Z",
        "ended": "2026-03-03T13:55:12.000Z",
        "clock_trusted": True,
        "boot": "b",
        "therapist": THERAPIST,
        "started_monotonic_us": 1,
        "duration_us": 3_012_000_000,
        "consent": Consent.SOUND,
        "consent_events": (ConsentEvent(at_us=-7_000_000, what="consented", consent=Consent.SOUND),),
        "sound": SoundFacts(
            rate_hz=48_000, channels=2, bits=24, microphones=(MicrophoneFact(at_us=0, name="simulated: room.wav"),)
        ),
        "report": SoundReport(peak_dbfs=-9.1, loudness_lufs=-23.4, verdict=SoundVerdict.GOOD),
        "recipients": ("1f0c6b2a9d3e4f57",),
        "end": "button",
        "chunks": 3,
        "digest": "ab" * 32,
    }
    return Manifest.model_validate({**usual, **facts})


def add_recording(store: Store, *, sealed: bytes = b"sealed " * 1000, withdrawn: bool = False, **facts: Any) -> str:
    """One recording in the store, with any bytes for a sealed file; its id."""
    folder = store.new_folder()
    (folder / SESSION_NAME).write_bytes(sealed)
    store.write_manifest(manifest(folder.name, size_bytes=len(sealed), **facts))
    if withdrawn:
        store.mark_withdrawn(folder.name)
    return folder.name


def panel(state: State, choice: Consent = Consent.NONE, *, tone: Tone | None = None, tones: int = 0) -> PanelStatus:
    """The panel as the panel language has it."""
    face = face_of(state, choice)
    first, second = (
        LampStatus(colour=lamp.colour, pattern=lamp.pattern, beats_ms=lamp.pattern.beats_ms) for lamp in face.lamps
    )
    return PanelStatus(
        room_light=face.room_light,
        lamps=(first, second),
        tone=tone,
        tones=tones,
        tone_notes=tuple((note.hz, note.ms) for note in notes(tone)) if tone else (),
    )


def status(state: State = State.IDLE, choice: Consent = Consent.NONE, **facts: Any) -> Status:
    """The status of a box in this state, published just now unless ``facts`` says otherwise."""
    usual: dict[str, Any] = {
        "box": BOX,
        "simulated": ("microphone", "camera", "panel"),
        "published": "2026-03-03T13:05:00.000Z",
        "published_unix_s": time.time(),
        "state": state,
        "consent": choice if state is State.ARMED or state.captures else Consent.NONE,
        "choices": (),
        "people": 1,
        "armed_left_s": 42.0 if state in (State.ARMED, State.FRAMING) else None,
        "panel": panel(state, choice),
        "level": None,
        "recording": None,
        "framing": FramingStatus(devices_open=("camera",)) if state is State.FRAMING else None,
        "last": None,
        "sealing": 0,
        "faults": (),
        "store_free_bytes": 10**11,
        "store_minutes_left": 9000,
        "clock_trusted": True,
    }
    return Status.model_validate({**usual, **facts})


def recording(consent: Consent = Consent.SOUND_AND_PICTURE, **facts: Any) -> RecordingStatus:
    """A recording that goes well, twelve minutes in."""
    usual: dict[str, Any] = {
        "id": None,
        "consent": consent,
        "elapsed_us": 751_000_000,
        "durable_us": 750_600_000,
        "size_bytes": 9_000_000,
        "devices_open": ("microphone", "camera") if consent is Consent.SOUND_AND_PICTURE else ("microphone",),
        "troubles": (),
        "pictures": 100,
    }
    return RecordingStatus.model_validate({**usual, **facts})


def level(peak_dbfs: float = -14.2, *, above_floor: bool = True) -> LevelStatus:
    return LevelStatus(peak_dbfs=peak_dbfs, loudness_lufs=-22.8, above_floor=above_floor)


def last(fate: Fate = Fate.KEPT, *, sealed: bool = True) -> LastStatus:
    return LastStatus(id=None, fate=fate, sealed=sealed, window_left_s=95.0)


def recording_status(state: State = State.RECORDING, **facts: Any) -> Status:
    """A box that records sound and picture, well."""
    return status(state, Consent.SOUND_AND_PICTURE, recording=recording(**facts), level=level())


def republish(run: Path, now: Status) -> None:
    """Publish a status as if it had been made this moment."""
    publish(now.model_copy(update={"published_unix_s": time.time()}), run)
