"""Sound and picture of things that are seen and heard at once: how far apart they are told to be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile

import pytest

from device.capture.packets import Gap, Picture
from device.capture.picture import Glance
from device.check.clap import ClapFigures, Glances, Ticks, agreed, judge_claps, measure_claps
from device.check.finding import Level
from device.errors import CameraError
from tests.check.flashes import SOUND, flashing, ticking

SIZE = (160, 90)
START_US = 5_000_000
END_US = START_US + 7_000_000
# About a second apart, at moments that fall differently into the pictures.
CLAPS_US = [START_US + 411_000 + number * 913_000 for number in range(7)]


def looked_at(fps: int, *, shift_us: int = 0, claps_us: Sequence[int] = CLAPS_US, start_us: int = START_US) -> Glances:
    glances, glance = Glances(), Glance()
    pictures = flashing(SIZE, fps, start_us, shift_us, claps_us)
    for picture in takewhile(lambda picture: picture.at_us < END_US + shift_us, pictures):
        for at_us, gray in glance.look(picture):
            glances.see(at_us, gray)
    return glances


def listened_to(claps_us: Sequence[int] = CLAPS_US) -> Ticks:
    ticks = Ticks(SOUND)
    for period in takewhile(lambda period: period.end_us <= END_US, ticking(claps_us, START_US)):
        ticks.hear(period)
    return ticks


TICKS = listened_to()


@pytest.mark.parametrize("fps", [25, 15, 30])
@pytest.mark.parametrize("shift_ms", [0, 80, -45])
def test_the_offset_is_found_within_what_is_told(fps: int, shift_ms: int) -> None:
    found = measure_claps(TICKS, looked_at(fps, shift_us=shift_ms * 1000))
    assert (found.heard, found.seen, found.agreeing) == (7, 7, 7)
    assert abs(found.offset_ms - shift_ms) <= found.within_ms + 0.2
    assert found.within_ms < 500 / fps / 2  # far less than half a picture
    assert abs(found.median_ms - shift_ms) < 1000 / fps
    assert found.spread_ms <= 1000 / fps


@pytest.mark.parametrize("shift_ms", [0, 80, -45])
def test_under_twenty_milliseconds_is_good_and_more_is_not(shift_ms: int) -> None:
    (found,) = judge_claps(measure_claps(TICKS, looked_at(30, shift_us=shift_ms * 1000)))
    assert found.level is (Level.GOOD if shift_ms == 0 else Level.BAD)
    assert ("before" if shift_ms < 0 else "after" if shift_ms else "") in found.what
    assert found.figures["seen"] == 7


def test_onsets_are_found_to_the_sample() -> None:
    assert [abs(at_us - clap_us) <= 21 for at_us, clap_us in zip(TICKS.onsets_us(), CLAPS_US, strict=True)] == [
        True
    ] * 7


def test_a_gap_moves_nothing_that_comes_after_it() -> None:
    ticks = Ticks(SOUND)
    for number, period in enumerate(takewhile(lambda period: period.end_us <= END_US, ticking(CLAPS_US, START_US))):
        ticks.hear(Gap(period.samples, "lost", period.end_us) if number in {1, 2} else period)
    assert ticks.onsets_us() == TICKS.onsets_us()


def test_a_period_that_is_told_late_moves_nothing() -> None:
    ticks = Ticks(SOUND)
    for number, period in enumerate(takewhile(lambda period: period.end_us <= END_US, ticking(CLAPS_US, START_US))):
        late_us = 30_000 if number % 9 == 0 else 0
        ticks.hear(type(period)(period.data, period.samples, period.end_us + late_us))
    assert ticks.onsets_us() == TICKS.onsets_us()


def test_a_clap_that_was_only_heard_does_not_count() -> None:
    found = measure_claps(TICKS, looked_at(25, claps_us=CLAPS_US[:5]))
    assert (found.heard, found.seen, found.agreeing) == (7, 5, 5)
    assert abs(found.offset_ms) <= found.within_ms


def test_too_few_claps_are_not_judged() -> None:
    (found,) = judge_claps(measure_claps(TICKS, looked_at(25, claps_us=CLAPS_US[:4])))
    assert found.level is Level.BAD
    assert "7 were heard and 4 of them seen" in found.what
    assert "seven times" in found.hint


def test_nothing_heard_and_nothing_seen_is_told_and_no_figure_made_up() -> None:
    (found,) = judge_claps(measure_claps(Ticks(SOUND), Glances()))
    assert found.level is Level.BAD
    assert found.figures["offset_ms"] is None


def test_one_clap_that_went_wrong_is_outvoted() -> None:
    spans = [(-12.0, 28.0), (-30.0, 10.0), (-5.0, 35.0), (-38.0, 2.0), (150.0, 190.0)]
    assert agreed(spans) == (-5.0, 2.0, 4)


def test_what_may_be_good_or_not_is_told_so() -> None:
    (found,) = judge_claps(ClapFigures(heard=6, seen=6, agreeing=6, offset_ms=18.0, within_ms=6.0))
    assert found.level is Level.LOOK
    assert "clap again" in found.hint


# -- looking at pictures ----------------------------------------------------------------------------------------------


def test_every_picture_is_looked_at_as_it_comes() -> None:
    glance, at_us = Glance(16, 9), []
    for picture in takewhile(lambda picture: picture.at_us < 3_000_000, flashing(SIZE, 25, 0, 0, [0])):
        ((seen_us, gray),) = glance.look(picture)
        at_us.append(seen_us)
        assert seen_us == picture.at_us
        assert len(gray) == 16 * 9
    assert len(at_us) == 75
    assert all(sooner < later for sooner, later in pairwise(at_us))


def test_what_is_no_picture_is_told() -> None:
    with pytest.raises(CameraError) as caught:
        list(Glance().look(Picture(b"\0\0\0\1\x65nonsense", 0, key=True)))
    assert caught.value.hint
