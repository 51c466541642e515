"""The time line: what is lost takes its exact time in the file, and pictures keep to the sound's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.capture.encoder import BLOCK_SAMPLES
from device.capture.facts import Beginning, Facts
from device.capture.packets import Gap, Picture, Sound, SoundFormat, Wire
from device.capture.pipeline import Pipeline
from device.errors import StoreError
from device.recording.index import parse_index
from device.words import Consent

MONO = SoundFormat(48_000, 1, Wire.S24_3LE)
CD = SoundFormat(44_100, 2, Wire.S16_LE)
ZERO_US = 5_000_000


def new_facts() -> Facts:
    return Facts(
        Beginning(
            box="room 3",
            boot="b",
            consent=Consent.SOUND,
            choices=(Consent.SOUND,),
            pressed_us=ZERO_US - 1_000_000,
            started="2026-03-01T09:00:00.000Z",
            clock_trusted=True,
            camera=None,
            size=(320, 180),
            recipients=(),
        )
    )


@pytest.fixture
def facts() -> Facts:
    return new_facts()


class Script:
    """Writes sound and gaps one after the other, and remembers what has to be in the file."""

    def __init__(self, sound: SoundFormat, facts: Facts, kept: Any, *, size: tuple[int, int] | None = None) -> None:
        self.sound = sound
        self.expected = b""
        self.pipeline = Pipeline(sound, facts, size=size, sink=kept)
        self.pipeline.open()

    @property
    def end_us(self) -> int:
        return ZERO_US + self.sound.us(len(self.expected) // self.sound.frame_bytes)

    def play(self, data: bytes) -> None:
        self.expected += data
        count = len(data) // self.sound.frame_bytes
        self.pipeline.write_sound(Sound(data, count, self.end_us))

    def lose(self, samples: int, cause: str = "gone") -> None:
        self.expected += bytes(samples * self.sound.frame_bytes)
        self.pipeline.write_gap(Gap(samples, cause, self.end_us))


@pytest.mark.parametrize("sound", [MONO, CD], ids=str)
@pytest.mark.parametrize("lost", [1, 1151, 4799, 4800, 4801, 100_003])
def test_a_gap_is_silence_of_its_exact_length(
    sound: SoundFormat, lost: int, facts: Facts, kept: Any, make: Any, player: Any, tmp_path: Path
) -> None:
    script = Script(sound, facts, kept)
    script.play(make.noise(sound, 3001))
    script.lose(lost)
    script.play(make.noise(sound, 2003, seed=8))
    script.pipeline.close()
    file = tmp_path / "out.mp4"
    file.write_bytes(kept.data)
    assert player.samples(file, sound.wire) == script.expected
    assert script.pipeline.duration_us == sound.us(3001 + lost + 2003)
    index = parse_index(kept.writes[-1])
    assert index is not None
    assert index.gaps == ((3001, lost),)
    assert [(gap.start_sample, gap.samples, gap.cause) for gap in facts.gaps] == [(3001, lost, "gone")]


def test_a_recording_may_start_and_end_with_a_gap(
    facts: Facts, kept: Any, make: Any, player: Any, tmp_path: Path
) -> None:
    script = Script(MONO, facts, kept)
    script.lose(5000)
    script.play(make.noise(MONO, 4800))
    script.lose(7000)
    script.pipeline.close()
    assert facts.zero_us == ZERO_US
    file = tmp_path / "out.mp4"
    file.write_bytes(kept.data)
    assert player.samples(file, MONO.wire) == script.expected
    assert [(gap.start_sample, gap.samples) for gap in facts.gaps] == [(0, 5000), (9800, 7000)]


steps = st.lists(st.tuples(st.sampled_from(["play", "gone", "late"]), st.integers(1, 3000)), max_size=12)


@settings(max_examples=60)
@given(steps=steps)
def test_whatever_is_lost_when_every_sample_is_in_its_place(steps: list[tuple[str, int]]) -> None:
    class Sink:
        last = b""

        def write(self, chunks: bytes, end_us: int) -> None:
            self.last = chunks

    facts, sink = new_facts(), Sink()
    script = Script(CD, facts, sink)
    silent = bytearray()
    for what, samples in steps:
        if what == "play":
            script.play(b"\1" * (samples * 4))
        else:
            script.lose(samples, what)
        silent += bytes([what != "play"]) * samples
    script.pipeline.close()
    noted = bytearray(len(silent))
    for gap in facts.gaps:
        assert not any(noted[gap.start_sample : gap.start_sample + gap.samples])
        noted[gap.start_sample : gap.start_sample + gap.samples] = b"\1" * gap.samples
    assert noted == silent
    index = parse_index(sink.last)
    assert index is not None
    assert index.samples == len(silent)
    assert index.gaps == tuple((gap.start_sample, gap.samples) for gap in facts.gaps)


def test_gaps_that_follow_each_other_are_one_unless_their_causes_differ(facts: Facts, kept: Any, make: Any) -> None:
    script = Script(MONO, facts, kept)
    script.play(make.noise(MONO, 100))
    for samples, cause in ((10, "gone"), (20, "gone"), (5, "late"), (5, "gone")):
        script.lose(samples, cause)
    script.pipeline.close()
    assert [(gap.start_sample, gap.samples, gap.cause) for gap in facts.gaps] == [
        (100, 30, "gone"), (130, 5, "late"), (135, 5, "gone"),
    ]  # fmt: skip


def picture(at_us: int, *, key: bool = False) -> Picture:
    return Picture(b"\0\0\0\1\x65picture", at_us, key=key)


def starts(kept: Any, read: Any) -> list[int]:
    """When each picture in the file is shown."""
    found = []
    for fragment in read.fragments(kept):
        part = fragment.part(2)
        at_us = part.start if part else 0
        for duration, _, _ in part.samples if part else ():
            found.append(at_us)
            at_us += duration
    return found


def test_pictures_that_come_before_the_first_sound_wait_for_it(facts: Facts, kept: Any, make: Any, read: Any) -> None:
    """The sound of their time came late, and they were let go: all that builds upon the key picture was spoiled."""
    script = Script(MONO, facts, kept, size=(320, 180))
    for offset, key in ((0, True), (40_000, False), (80_000, False)):
        script.pipeline.write_picture(picture(ZERO_US + offset, key=key))
    assert script.pipeline.pictures == 0  # nothing yet says when zero is
    script.play(make.noise(MONO, 4800))
    script.pipeline.write_picture(picture(ZERO_US + 120_000))
    script.pipeline.close()
    assert starts(kept, read) == [0, 40_000, 80_000, 120_000]
    assert script.pipeline.pictures == 4


def test_pictures_taken_before_the_first_sample_begin_the_recording(
    facts: Facts, kept: Any, make: Any, read: Any
) -> None:
    script = Script(MONO, facts, kept, size=(320, 180))
    for offset, key in ((-90_000, False), (-80_000, True), (-70_000, True), (-40_000, False), (-1, False)):
        script.pipeline.write_picture(picture(ZERO_US + offset, key=key))
    script.play(make.noise(MONO, 4800))
    script.pipeline.write_picture(picture(ZERO_US + 40_000))
    script.pipeline.close()
    assert starts(kept, read) == [0, 1, 2, 40_000]  # from the newest key picture on
    assert script.pipeline.pictures == 4


def test_pictures_wait_for_a_gap_as_they_do_for_sound(facts: Facts, kept: Any, read: Any) -> None:
    script = Script(MONO, facts, kept, size=(320, 180))
    script.pipeline.write_picture(picture(ZERO_US + 20_000, key=True))
    script.lose(4800, "gone")
    script.pipeline.close()
    assert starts(kept, read) == [20_000]


def test_a_picture_whose_time_goes_back_follows_the_one_before(facts: Facts, kept: Any, make: Any, read: Any) -> None:
    script = Script(MONO, facts, kept, size=(320, 180))
    script.play(make.noise(MONO, 4800))
    for offset in (0, 40_000, 40_000, 39_999, 80_000, 79_999, 80_003):
        script.pipeline.write_picture(picture(ZERO_US + offset, key=offset == 0))
    script.pipeline.close()
    assert starts(kept, read) == [0, 40_000, 40_001, 40_002, 80_000, 80_001, 80_003]
    assert script.pipeline.pictures == 7


def test_pictures_keep_to_the_sound_however_far_its_clock_drifts(facts: Facts, kept: Any, make: Any, read: Any) -> None:
    """Ten minutes at 200 ppm are 120 ms; a lip would be seen to move before its word."""
    ppm, minutes = 200, 10
    pipeline = Pipeline(MONO, facts, size=(320, 180), sink=kept)
    pipeline.open()
    silence = bytes(3 * 4800)
    for number in range(1, minutes * 600 + 1):
        end_us = ZERO_US + round(number * 100_000 / (1 + ppm / 1_000_000))
        pipeline.write_sound(Sound(silence, 4800, end_us))
        if number % 100 == 0:
            pipeline.write_picture(picture(end_us, key=True))
    pipeline.close()
    assert starts(kept, read) == [pytest.approx(10_000_000 * number, abs=1_000) for number in range(1, 6 * minutes + 1)]
    assert facts.drift_ppm == pytest.approx(ppm, abs=2)
    assert not facts.gaps


def test_sound_that_went_missing_without_a_word_is_marked_as_a_gap(facts: Facts, kept: Any, make: Any) -> None:
    pipeline = Pipeline(MONO, facts, size=None, sink=kept)
    pipeline.open()
    silence, passed = bytes(3 * 4800), 0
    for number in range(1, 101):
        passed += 4800 + (14_400 if number == 50 else 0)
        pipeline.write_sound(Sound(silence, 4800, ZERO_US + MONO.us(passed)))
    pipeline.close()
    (gap,) = facts.gaps
    assert (gap.samples, gap.cause) == (14_400, "the microphone delivered less than its time")
    assert pipeline.duration_us == MONO.us(passed)


def test_moment_zero_is_where_the_first_sample_was_taken(facts: Facts, kept: Any, make: Any) -> None:
    pipeline = Pipeline(MONO, facts, size=None, sink=kept)
    pipeline.open()
    for number in range(1, 4):
        pipeline.write_sound(Sound(make.noise(MONO, 4800), 4800, 900_000 + number * 100_000))
    pipeline.close()
    assert facts.zero_us == 900_000


def test_a_disk_that_fails_is_heard_by_whoever_writes_sound(facts: Facts, make: Any) -> None:
    class Broken:
        def write(self, chunks: bytes, end_us: int) -> None:
            if chunks[4:8] == b"moof":
                raise StoreError("the disk is gone", "buy another")

    script = Script(MONO, facts, Broken())
    with pytest.raises(StoreError):
        for _ in range(20):
            script.play(make.noise(MONO, 4800))


@pytest.mark.parametrize("sound", [MONO, CD], ids=str)
def test_periods_that_are_encoded_together_lie_end_to_end(
    sound: SoundFormat, facts: Facts, kept: Any, make: Any, player: Any, tmp_path: Path
) -> None:
    """A driver that tears a sample at the end of a period must not have all that follows moved by a byte."""
    pipeline, expected = Pipeline(sound, facts, size=None, sink=kept), b""
    pipeline.open()
    for number in range(1, 40):
        data = make.noise(sound, 100 + 37 * number, seed=number)
        expected += data
        count = len(expected) // sound.frame_bytes
        pipeline.write_sound(Sound(data + b"\x55" * (number % 3), 100 + 37 * number, ZERO_US + sound.us(count)))
    pipeline.close()
    file = tmp_path / "out.mp4"
    file.write_bytes(kept.data)
    assert player.samples(file, sound.wire) == expected


def test_a_period_that_holds_less_than_it_says_is_no_sound(facts: Facts, kept: Any) -> None:
    pipeline = Pipeline(MONO, facts, size=None, sink=kept)
    pipeline.open()
    pipeline.write_sound(Sound(bytes(3 * 480), 480, ZERO_US))
    with pytest.raises(ValueError, match="samples"):
        pipeline.write_sound(Sound(bytes(3 * 480 - 1), 480, ZERO_US + 10_000))


@pytest.mark.parametrize("period_us", [20_000, 100_000, 180_000, 200_000, 240_000])
@pytest.mark.parametrize(("sound", "kind"), [(MONO, "silence"), (MONO, "noise"), (CD, "silence"), (CD, "noise")])
def test_what_a_power_cut_could_take_is_never_more_than_three_quarters_of_a_second(
    sound: SoundFormat, kind: str, period_us: int, facts: Facts, make: Any
) -> None:
    """However much the writer lets wait, and however little of it fills a chunk (promise P5, but for the disk's time).

    libFLAC keeps up to a frame more to itself.
    """

    class Sink:
        end_us = writes = 0

        def write(self, chunks: bytes, end_us: int) -> None:
            self.end_us, self.writes = end_us, self.writes + 1

    sink = Sink()
    pipeline = Pipeline(sound, facts, size=None, sink=sink)
    pipeline.open()
    count = sound.samples(period_us)
    data, waiting, wakes, most_us = getattr(make, kind)(sound, count), 0, 0, 0
    for number in range(1, 6_000_000 // period_us):
        waiting += 1
        most_us = max(most_us, sound.us(number * count) - sink.end_us)
        if waiting * period_us >= pipeline.due_us:
            wakes += 1
            for late in range(waiting - 1, -1, -1):
                pipeline.write_sound(Sound(data, count, ZERO_US + sound.us((number - late) * count)))
            waiting = 0
            pipeline.flush_if_due()
    pipeline.close()
    assert most_us <= 750_000 + sound.us(BLOCK_SAMPLES) + 1
    assert wakes <= sink.writes + 2, "hardly ever was a wake-up without a chunk"
