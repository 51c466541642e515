"""What is said of sound that was made to be just so."""

from __future__ import annotations

import random
import time
from functools import cache

import pytest

from device.capture.packets import Sound, SoundFormat, Wire
from device.check.ear import Ear
from device.check.finding import Finding, Level
from device.check.sound import SoundFigures, figures_of, judge_sound
from tests.check.sounds import RATE_HZ, heard, mixed, noise, scaled, sine, speech

VOICE = cache(speech)


def named(figures: SoundFigures, name: str) -> Finding:
    (found,) = [finding for finding in judge_sound(figures) if finding.name == name]
    assert (found.level is Level.GOOD) == (found.hint == "")
    return found


def level(figures: SoundFigures, name: str) -> str:
    return str(named(figures, name).level)


# -- a good room ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", list(Wire))
def test_a_voice_in_a_quiet_room_is_good_in_every_way(wire: Wire) -> None:
    figures = heard(VOICE(), wire=wire)
    assert [finding.level for finding in judge_sound(figures)] == [Level.GOOD] * 5
    assert figures.floor_dbfs == pytest.approx(-66, abs=2)
    assert figures.voice.level_dbfs == pytest.approx(-33, abs=2)


# -- noise and hum ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dbfs", "judged"), [(-90, "good"), (-60, "good"), (-45, "look"), (-30, "bad")])
def test_the_noise_floor_is_measured_and_judged(dbfs: float, judged: str) -> None:
    figures = heard(noise(1.5, dbfs))
    assert figures.floor_dbfs == pytest.approx(dbfs, abs=0.5)
    assert level(figures, "noise floor") == judged


def test_the_noise_floor_is_what_is_there_between_the_words() -> None:
    alone = heard(mixed(VOICE(), noise(len(VOICE()) / RATE_HZ, -58)))
    assert alone.floor_dbfs == pytest.approx(-57.5, abs=1)


@pytest.mark.parametrize("mains_hz", [50, 60])
@pytest.mark.parametrize(("dbfs", "judged"), [(-40, "bad"), (-55, "look"), (-66, "look")])
def test_hum_is_found_in_noise_and_under_a_voice(mains_hz: int, dbfs: float, judged: str) -> None:
    seconds = len(VOICE()) / RATE_HZ
    figures = heard(mixed(VOICE(), noise(seconds, -65), sine(seconds, mains_hz * 1.001, dbfs)))
    assert figures.hum.mains_hz == mains_hz
    assert figures.hum.level_dbfs == pytest.approx(dbfs, abs=1)
    assert level(figures, "hum") == judged


def test_the_harmonics_count_too() -> None:
    lines = [sine(4, 50 * n, -60) for n in (2, 4)]
    figures = heard(mixed(noise(4, -70), *lines))
    assert figures.hum.lines_hz == (100, 200)
    assert figures.hum.level_dbfs == pytest.approx(-57, abs=1)


def test_hum_that_the_noise_hides_is_no_trouble() -> None:
    assert level(heard(mixed(noise(4, -52), sine(4, 50, -66))), "hum") == "good"


@pytest.mark.parametrize("hz", [45, 70, 440])
def test_a_tone_that_is_no_multiple_of_the_mains_is_no_hum(hz: float) -> None:
    assert heard(mixed(noise(3, -70), sine(3, hz, -45))).hum.mains_hz == 0


# -- clipping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", list(Wire))
def test_what_reaches_full_scale_is_clipped(wire: Wire) -> None:
    figures = heard(sine(1, 440, 3), wire=wire)
    assert figures.clipped_samples > RATE_HZ // 4
    assert level(figures, "clipping") == "bad"


def test_a_peak_near_full_scale_is_worth_a_look_and_one_under_it_is_not() -> None:
    assert level(heard(sine(1, 440, -4.5)), "clipping") == "look"
    assert level(heard(sine(1, 441.3, -7)), "clipping") == "good"


def test_what_was_cut_off_before_the_converter_is_found_as_well() -> None:
    loud = [max(-0.4, min(0.4, value)) for value in mixed(noise(3, -40), sine(3, 333, -4))]
    figures = heard(loud)
    assert figures.clipped_samples == 0
    found = named(figures, "clipping")
    assert found.level is Level.BAD
    assert "-8 dBFS" in found.what


def test_speech_is_not_taken_for_something_cut_off() -> None:
    assert level(heard(scaled(VOICE(), 6), wire=Wire.S16_LE), "clipping") == "good"


# -- both channels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dead", [0, 1])
def test_a_dead_channel_is_named(dead: int) -> None:
    channels = [VOICE(), VOICE()]
    channels[dead] = noise(len(VOICE()) / RATE_HZ, -95)
    figures = heard(*channels)
    found = named(figures, "channels")
    assert found.level is Level.BAD
    assert ("left", "right")[dead] in found.what
    assert figures.voice.heard  # the other one is heard all the same


def test_one_microphone_on_two_channels_is_told() -> None:
    figures = heard(VOICE(), VOICE())
    assert figures.identical
    assert level(figures, "channels") == "look"


def test_opposite_polarity_is_told() -> None:
    figures = heard(VOICE(), mixed(scaled([-value for value in VOICE()], -2), noise(len(VOICE()) / RATE_HZ, -60)))
    found = named(figures, "channels")
    assert found.level is Level.BAD
    assert "polarity" in found.what
    assert figures.voice.heard


def test_two_microphones_in_one_room_are_good_and_uneven_ones_are_told() -> None:
    seconds = len(VOICE()) / RATE_HZ
    other = mixed([0.0] * 30 + VOICE()[:-30], noise(seconds, -55, seed=8))
    assert level(heard(mixed(VOICE(), noise(seconds, -60)), other), "channels") == "good"
    uneven = named(heard(VOICE(), scaled(other, -9)), "channels")
    assert uneven.level is Level.LOOK
    assert "left" in uneven.what


# -- a voice ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gain_db", "judged", "word"), [(-30, "bad", "quiet"), (-14, "look", "quiet"), (18, "look", "loud")]
)
def test_a_voice_is_told_when_it_is_too_quiet_or_too_loud(gain_db: float, judged: str, word: str) -> None:
    found = named(heard(scaled(VOICE(), gain_db)), "voice")
    assert found.level == judged
    assert f"too {word}" in found.what


def test_a_voice_that_noise_nearly_hides_is_told() -> None:
    found = named(heard(mixed(VOICE(), noise(len(VOICE()) / RATE_HZ, -39))), "voice")
    assert found.level is Level.LOOK
    assert "hard to understand" in found.what


@pytest.mark.parametrize(
    "channel",
    [
        noise(4, -50),
        mixed(noise(4, -60), sine(4, 300, -30)),
        mixed(noise(4, -60), [0.0] * 2 * RATE_HZ + noise(2, -25)),
        mixed(noise(4, -60), [value if n % RATE_HZ < 650 else 0.0 for n, value in enumerate(noise(4, -20))]),
    ],
    ids=["noise", "a tone", "a fan that starts", "knocks"],
)
def test_what_is_no_voice_is_not_taken_for_one(channel: list[float]) -> None:
    found = named(heard(channel), "voice")
    assert found.level is Level.BAD
    assert found.what == "none was heard"


# -- nothing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", list(Wire))
@pytest.mark.parametrize("offset", [0.0, 0.25])
def test_zeros_and_a_mere_offset_are_no_sound(wire: Wire, offset: float) -> None:
    (found,) = judge_sound(heard([offset] * RATE_HZ, [0.0] * RATE_HZ, wire=wire))
    assert (found.name, found.level) == ("sound", Level.BAD)
    assert "zeros" in found.what


def test_ten_seconds_of_stereo_are_judged_in_about_a_second() -> None:
    ear = Ear(SoundFormat(48_000, 2, Wire.S24_3LE))
    period = random.Random(7).randbytes(4800 * 6)
    began_s = time.process_time()
    for number in range(100):
        ear.hear(Sound(period, 4800, number))
    judge_sound(figures_of(ear))
    assert time.process_time() - began_s < 4  # half a second here; a busy machine is slower
