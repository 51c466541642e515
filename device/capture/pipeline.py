"""Sound, gaps and pictures on one time line, on their way through encoder and muxer into chunks."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from device.capture.boxes import PictureTrack, SoundTrack
from device.capture.encoder import FlacEncoder, stream_info
from device.capture.facts import Facts
from device.capture.mux import FragmentSink, Muxer
from device.capture.packets import Gap, Picture, Sound, SoundFormat
from device.capture.sample_clock import SampleClock

_SILENCE_SAMPLES: Final = 4800
_UNTOLD: Final = "the microphone delivered less than its time"


class Pipeline:
    """The first sample is moment zero of the recording.

    A gap is filled with silence of its exact length, so that the time in the file is the time in the room, and noted in
    ``facts`` and in the end mark, so that nobody takes it for silence. Pictures are placed by the sound that was taken
    at the same moment, however far the microphone's clock drifts from the machine's. None is let go, because all up to
    the next key picture build upon it: those from before moment zero, and those whose time goes back, follow the one
    before at once.
    """

    def __init__(self, sound: SoundFormat, facts: Facts, *, size: tuple[int, int] | None, sink: FragmentSink) -> None:
        self._sound = sound
        self._facts = facts
        picture = PictureTrack(*size) if size else None
        info = stream_info(sound)
        self._muxer = Muxer(SoundTrack(sound.rate_hz, sound.channels, sound.bits, info), picture, sink=sink)
        self._encoder = FlacEncoder(sound, sink=self._muxer.write_frames)
        self._clock = SampleClock(sound)
        self._samples = 0
        self._early: list[Picture] = []  # from the newest key picture on, until the first sound tells when zero was
        self._last_picture_us = -1
        self._block_us = 0  # how much sound came last time: as much may come next
        self._held: list[bytes] = []  # sound that is not encoded yet
        self._held_samples = 0
        self._may_hold = picture is None  # a picture has its place among the sound around it
        self.pictures = 0

    @property
    def duration_us(self) -> int:
        """How long the recording is so far."""
        return self._sound.us(self._samples)

    def open(self) -> None:
        """Write the init segment."""
        self._muxer.open()

    @property
    def due_us(self) -> int:
        """How much more sound may wait before any of it has to be written."""
        return self._muxer.due_us(self._block_us)

    def flush_if_due(self) -> None:
        """Write what is pending, unless all that comes next can still be added to it in time."""
        self._encode_held()
        self._muxer.flush_if_due(self._block_us)

    def write_sound(self, sound: Sound) -> None:
        """Take sound as the microphone delivered it."""
        self._find_zero(sound.end_us, sound.samples)
        size = sound.samples * self._sound.frame_bytes
        if len(sound.data) < size:
            raise ValueError(f"{len(sound.data)} bytes do not hold {sound.samples} samples")
        self._held.append(sound.data[:size])  # a torn sample at its end must not move what follows
        self._held_samples += sound.samples
        self._samples += sound.samples
        self._block_us = self._sound.us(sound.samples)
        if not self._may_hold or self._sound.us(self._held_samples) >= self.due_us:
            self._encode_held()
        missing = self._clock.take(sound.samples, sound.end_us)
        self._facts.drift_ppm = self._clock.drift_ppm
        self._place_early()
        if missing:
            self._pass(Gap(missing, _UNTOLD, sound.end_us))

    def write_gap(self, gap: Gap) -> None:
        """Take note of lost sound, and let its time pass."""
        self._find_zero(gap.end_us, gap.samples)
        self._clock.skip(gap.samples)
        self._place_early()
        self._pass(gap)

    def _encode_held(self) -> None:
        """Encode what came since the last time in one go: every go costs as much as some of the sound."""
        held, samples = self._held, self._held_samples
        self._held, self._held_samples = [], 0
        self._encoder.write(held[0] if len(held) == 1 else b"".join(held), samples)

    def _pass(self, gap: Gap) -> None:
        self._encode_held()
        self._facts.add_gap(gap, self._samples)
        left = gap.samples
        while left > 0:
            count = min(left, _SILENCE_SAMPLES)
            self._encoder.write(bytes(count * self._sound.frame_bytes), count)
            left -= count
        self._samples += gap.samples

    def write_picture(self, picture: Picture) -> None:
        """Take a picture. The first of all has to be a key picture: what comes before one is let go."""
        if self._facts.zero_us is not None:
            self._place(picture, zero_us=self._facts.zero_us)
            return
        if picture.key:
            self._early.clear()
        if picture.key or self._early:
            self._early.append(picture)

    def _place_early(self) -> None:
        early, self._early = self._early, []
        for picture in early:
            self.write_picture(picture)

    def _place(self, picture: Picture, *, zero_us: int) -> None:
        at_us = self._clock.media_us(picture.at_us)
        if at_us is None:  # nothing but a gap so far
            at_us = picture.at_us - zero_us
        self._last_picture_us = max(at_us, self._last_picture_us + 1)
        self._muxer.write_picture(replace(picture, at_us=self._last_picture_us))
        self.pictures += 1

    def close(self) -> None:
        """Write what is left, and the end mark."""
        self._encode_held()
        self._encoder.close()
        self._muxer.close(gaps=tuple((gap.start_sample, gap.samples) for gap in self._facts.gaps))

    def abandon(self) -> None:
        """Let the encoder go after something failed; nothing more is written. Never raises."""
        self._encoder.abandon()

    def _find_zero(self, end_us: int, samples: int) -> None:
        if self._facts.zero_us is None:
            self._facts.zero_us = end_us - self._sound.us(samples)
