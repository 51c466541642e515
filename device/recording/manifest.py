"""The manifest: the plain facts about a recording. Nothing in it says who the client is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from device.shapes import Shape, rule
from device.words import Consent, Rung

FORMAT: Literal["sotto recording 1"] = "sotto recording 1"

Count = Annotated[int, rule(ge=0)]


class RecordingState(StrEnum):
    """How far a recording has come."""

    OPEN = "open"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"


class SoundVerdict(StrEnum):
    """What a person should know about the sound before relying on it."""

    GOOD = "good"
    QUIET = "quiet"
    SILENT = "silent"
    DISTORTED = "distorted"
    GAPS = "gaps"
    UNKNOWN = "unknown"


class MicrophoneFact(Shape):
    """Which microphone was heard from ``at_us`` on, in microseconds from the first sample."""

    at_us: Count
    name: str


class SoundFacts(Shape):
    """The sound track: recorded as the microphone delivered it.

    ``drift_ppm``: how much faster its clock ran than the box's, where the recording is long enough to tell.
    """

    codec: Literal["flac"] = "flac"
    rate_hz: Count
    channels: Count
    bits: Count
    microphones: tuple[MicrophoneFact, ...]
    first_sample_monotonic_us: Count | None = None
    drift_ppm: float | None = None


class StepFact(Shape):
    """A step of the picture on the ladder for load, heat and room, up or down, and why."""

    at_us: Count
    rung: Rung
    cause: str


class CameraAwayFact(Shape):
    """The camera hung or died, and was started again; ``to_us`` is missing where that never worked."""

    from_us: Count
    to_us: Count | None = None


class PictureFacts(Shape):
    """The picture track."""

    codec: Literal["h264"] = "h264"
    width: Count
    height: Count
    camera: str
    pictures: Count = 0
    given_up_at_us: Count | None = None
    steps: tuple[StepFact, ...] = ()
    away: tuple[CameraAwayFact, ...] = ()


class SoundReport(Shape):
    """How the sound was: levels in dB of full scale, loudness in LUFS; ``None`` where nothing was measured.

    ``noise_floor_dbfs`` is the level that nine tenths of the time were louder than; ``clipped_samples`` counts those of
    every channel that stand at the end of the scale.
    """

    peak_dbfs: float | None = None
    rms_dbfs: float | None = None
    noise_floor_dbfs: float | None = None
    loudness_lufs: float | None = None
    clipped_periods: Count = 0
    clipped_samples: Count = 0
    below_floor_s: float = 0.0
    verdict: SoundVerdict = SoundVerdict.UNKNOWN


class GapFact(Shape):
    """Sound that is missing: exactly ``samples`` of it, from ``start_sample`` on."""

    start_sample: Count
    samples: Count
    cause: str


class ConsentEvent(Shape):
    """What a button said about consent, in microseconds from the first sample (negative: before it)."""

    at_us: int
    what: Literal["consented", "kept", "withdrawn"]  # the latter two as ``Fate`` has them
    consent: Consent
    people: Count = 1


class ConsentText(Shape):
    """Which text the client had been given to read: its version, and its SHA-256 (docs/guides/consent.md)."""

    version: str
    sha256: Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")]


class Manifest(Shape):
    """Everything a person may know about a recording without opening it."""

    format: Literal["sotto recording 1"] = FORMAT
    id: str
    box: str
    state: RecordingState
    started: str
    ended: str | None = None
    clock_trusted: bool
    boot: str
    started_monotonic_us: Count
    duration_us: Count = 0
    therapist: Annotated[str, rule(pattern=r"^[0-9a-f]{12}$")] | None = None  # the mark of who was checked in
    consent: Consent
    consent_text: ConsentText | None = None  # where the box was told of one
    consent_events: tuple[ConsentEvent, ...]
    sound: SoundFacts | None = None
    picture: PictureFacts | None = None
    gaps: tuple[GapFact, ...] = ()
    report: SoundReport = SoundReport()
    bookmarks_us: tuple[Count, ...] = ()
    recipients: tuple[str, ...]
    end: str | None = None
    chunks: Count = 0
    size_bytes: Count = 0
    header_digest: str | None = None  # SHA-256 of all before the first chunk: what a slice reads can be checked by it
    digest: str | None = None  # SHA-256 of every chunk's SHA-256
    digest_groups: tuple[str, ...] = ()  # the same of each 64 consecutive chunks: where something was altered
    closing_digest: str | None = None  # SHA-256 of what stands behind the last chunk
