"""The plain facts of one recording as they come to be known, from which its manifest is made at any moment."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from device.capture.packets import Gap, SoundFormat
from device.recording.digests import Digests
from device.recording.manifest import (
    CameraAwayFact,
    ConsentEvent,
    ConsentText,
    GapFact,
    Manifest,
    MicrophoneFact,
    PictureFacts,
    RecordingState,
    SoundFacts,
    SoundReport,
    StepFact,
)
from device.words import Consent, Fate, Rung


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known when the button is pressed."""

    box: str
    boot: str
    consent: Consent
    choices: tuple[Consent, ...]
    pressed_us: int  # monotonic
    started: str
    clock_trusted: bool
    camera: str | None
    size: tuple[int, int]
    recipients: tuple[str, ...]
    therapist: str | None = None  # the mark of who was checked in
    consent_text: ConsentText | None = None


@dataclass(slots=True)
class Facts:
    """Filled in by the writer's thread; consent events and the cause of the end by the service's."""

    beginning: Beginning
    recording_id: str = ""
    sound: SoundFormat | None = None
    zero_us: int | None = None  # the monotonic time of the first sample
    ended: str | None = None
    end: str | None = None
    gaps: list[GapFact] = field(default_factory=list)
    bookmarks_us: list[int] = field(default_factory=list)
    picture_steps: list[StepFact] = field(default_factory=list)
    camera_away: list[CameraAwayFact] = field(default_factory=list)
    picture_given_up_us: int | None = None
    drift_ppm: float | None = None
    microphones: list[MicrophoneFact] = field(default_factory=list)
    _consent_events: list[ConsentEvent] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def from_zero(self, at_us: int) -> int:
        """A monotonic time as microseconds since the first sample (since the press, before there is one)."""
        return at_us - (self.beginning.pressed_us if self.zero_us is None else self.zero_us)

    def add_fate(self, fate: Fate, at_us: int) -> None:
        """Note that the client withdrew, or took it back."""
        event = ConsentEvent(
            at_us=self.from_zero(at_us),
            what=fate.value,
            consent=Consent.NONE if fate is Fate.WITHDRAWN else self.beginning.consent,
            people=len(self.beginning.choices),
        )
        with self._lock:
            self._consent_events.append(event)

    @property
    def consent_events(self) -> tuple[ConsentEvent, ...]:
        """What the buttons said about consent so far."""
        begun = self.beginning
        consented = ConsentEvent(
            at_us=self.from_zero(begun.pressed_us), what="consented", consent=begun.consent, people=len(begun.choices)
        )
        with self._lock:
            return (consented, *self._consent_events)

    def add_microphone(self, name: str, at_us: int) -> None:
        """Note which microphone is heard from now on."""
        if not self.microphones:
            self.microphones.append(MicrophoneFact(at_us=0, name=name))
        elif self.microphones[-1].name != name:
            self.microphones.append(MicrophoneFact(at_us=max(0, self.from_zero(at_us)), name=name))

    def add_gap(self, gap: Gap, start_sample: int) -> None:
        """Note a gap; one that follows its own kind without a break makes it longer."""
        last = self.gaps[-1] if self.gaps else None
        if last is not None and last.cause == gap.cause and last.start_sample + last.samples == start_sample:
            self.gaps[-1] = last.model_copy(update={"samples": last.samples + gap.samples})
        else:
            self.gaps.append(GapFact(start_sample=start_sample, samples=gap.samples, cause=gap.cause))

    def add_step(self, at_us: int, rung: Rung, cause: str) -> None:
        """Note a step of the picture on the ladder."""
        since_us = max(0, self.from_zero(at_us))
        self.picture_steps.append(StepFact(at_us=since_us, rung=rung, cause=cause))
        if rung is Rung.NO_PICTURE:
            self.picture_given_up_us = since_us

    def add_camera_away(self, at_us: int, *, away: bool) -> None:
        """Note that the camera is gone, or back; what happens twice in a row counts once."""
        since_us = max(0, self.from_zero(at_us))
        last = self.camera_away[-1] if self.camera_away else None
        if away and (last is None or last.to_us is not None):
            self.camera_away.append(CameraAwayFact(from_us=since_us))
        elif not away and last is not None and last.to_us is None:
            self.camera_away[-1] = last.model_copy(update={"to_us": since_us})

    def manifest(
        self,
        state: RecordingState,
        *,
        duration_us: int = 0,
        report: SoundReport | None = None,
        pictures: int = 0,
        chunks: int = 0,
        size_bytes: int = 0,
        header_digest: str | None = None,
        digests: Digests | None = None,
        closing_digest: str | None = None,
    ) -> Manifest:
        """The manifest as of now."""
        begun = self.beginning
        return Manifest(
            id=self.recording_id,
            box=begun.box,
            state=state,
            started=begun.started,
            ended=self.ended,
            clock_trusted=begun.clock_trusted,
            boot=begun.boot,
            started_monotonic_us=begun.pressed_us,
            duration_us=duration_us,
            therapist=begun.therapist,
            consent=begun.consent,
            consent_text=begun.consent_text,
            consent_events=self.consent_events,
            sound=self._sound_facts(),
            picture=self._picture_facts(pictures),
            gaps=tuple(self.gaps),
            report=report or SoundReport(),
            bookmarks_us=tuple(self.bookmarks_us),
            recipients=begun.recipients,
            end=self.end,
            chunks=chunks,
            size_bytes=size_bytes,
            header_digest=header_digest,
            digest=None if digests is None else digests.whole,
            digest_groups=() if digests is None else digests.groups,
            closing_digest=closing_digest,
        )

    def _sound_facts(self) -> SoundFacts | None:
        if self.sound is None:
            return None
        return SoundFacts(
            rate_hz=self.sound.rate_hz,
            channels=self.sound.channels,
            bits=self.sound.bits,
            microphones=tuple(self.microphones),
            first_sample_monotonic_us=self.zero_us,
            drift_ppm=None if self.drift_ppm is None else round(self.drift_ppm, 1),
        )

    def _picture_facts(self, pictures: int) -> PictureFacts | None:
        if self.beginning.camera is None:
            return None
        width, height = self.beginning.size
        return PictureFacts(
            width=width,
            height=height,
            camera=self.beginning.camera,
            pictures=pictures,
            given_up_at_us=self.picture_given_up_us,
            steps=tuple(self.picture_steps),
            away=tuple(self.camera_away),
        )
