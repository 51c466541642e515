"""The backlog: bounded, and the sound is never let go for the picture."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.backlog import PICTURE_LIMIT_US, SOUND_LIMIT_US, Backlog, Bookmark, Item, Step
from device.capture.packets import Gap, Picture, Sound, SoundFormat, Wire
from device.words import Rung

# A slow microphone: its minute is small, the rules are the same.
SOUND = SoundFormat(8000, 1, Wire.S16_LE)
PERIOD = SOUND.samples(100_000)
MINUTE = SOUND.samples(SOUND_LIMIT_US)


def period(number: int, count: int = PERIOD) -> Sound:
    return Sound(bytes(2), count, number)


def picture(at_us: int, *, key: bool = False) -> Picture:
    return Picture(b"", at_us, key=key)


def everything(backlog: Backlog) -> list[Item]:
    backlog.close()
    return list(iter(backlog.get, None))


@pytest.fixture
def backlog() -> Backlog:
    made = Backlog()
    made.set_format(SOUND)
    return made


def test_what_goes_in_comes_out_in_order(backlog: Backlog) -> None:
    items: list[Any] = [period(1), picture(1, key=True), Gap(5, "why", 2), Bookmark(3), period(4), picture(5)]
    items.append(Step(6, Rung.HALF_RATE, "why not"))
    for item in items:
        match item:
            case Sound():
                assert backlog.put_sound(item)
            case Picture():
                assert backlog.put_picture(item)
            case Gap():
                backlog.put_gap(item)
            case Bookmark() | Step():
                backlog.put_note(item)
    assert everything(backlog) == items


def test_it_says_how_much_waits(backlog: Backlog) -> None:
    assert (backlog.sound_waiting_us, backlog.picture_waiting_us) == (0, 0)
    for number in range(10):
        backlog.put_sound(period(number))
        backlog.put_picture(picture(number * 40_000, key=True))
    assert (backlog.sound_waiting_us, backlog.picture_waiting_us) == (1_000_000, 360_000)
    everything(backlog)
    assert (backlog.sound_waiting_us, backlog.picture_waiting_us) == (0, 0)


def test_before_there_is_a_format_nothing_waits() -> None:
    assert Backlog().sound_waiting_us == 0


def test_a_minute_of_sound_waits_and_what_follows_is_a_gap_of_exact_length(backlog: Backlog) -> None:
    for number in range(MINUTE // PERIOD):
        assert backlog.put_sound(period(number))
    lost = [PERIOD, 17, PERIOD]
    for number, count in enumerate(lost):
        assert not backlog.put_sound(period(1000 + number, count))
    *sounds, gap = everything(backlog)
    assert sum(item.samples for item in sounds if isinstance(item, Sound)) == MINUTE
    assert isinstance(gap, Gap)
    assert (gap.samples, gap.end_us) == (sum(lost), 1002)
    assert gap.cause


def test_the_sound_goes_on_as_soon_as_there_is_room(backlog: Backlog) -> None:
    for number in range(MINUTE // PERIOD + 3):
        backlog.put_sound(period(number))
    assert isinstance(backlog.get(), Sound)
    assert backlog.put_sound(period(9000))
    assert not backlog.put_sound(period(9001))
    *_, first, last, second = everything(backlog)
    assert isinstance(first, Gap)
    assert (first.samples, last, second) == (3 * PERIOD, period(9000), Gap(PERIOD, first.cause, 9001))


@given(steps=st.lists(st.sampled_from(["put", "get", "picture", "gap"]), max_size=300))
def test_no_sample_is_ever_unaccounted_for(steps: list[str]) -> None:
    backlog = Backlog()
    backlog.set_format(SOUND)
    put = waiting = number = 0
    out: list[Item] = []
    big = MINUTE // 7
    for number, step in enumerate(steps):
        if step == "get" and waiting:
            item = backlog.get()
            assert item is not None
            out.append(item)
            waiting -= 1
            continue
        if step == "picture":
            waiting += backlog.put_picture(picture(number, key=True))
        elif step == "gap":
            backlog.put_gap(Gap(3, "gone", number))
            put += 3
        elif step == "put":
            put += big
            waiting += backlog.put_sound(period(number, big))
    held = everything(backlog)
    assert sum(item.samples for item in held if isinstance(item, Sound)) <= MINUTE
    counted = [item.samples for item in out + held if isinstance(item, Sound | Gap)]
    assert sum(counted) == put


def test_gaps_of_one_cause_become_one_and_others_stay_apart(backlog: Backlog) -> None:
    for gap in (Gap(1, "gone", 10), Gap(2, "gone", 20), Gap(4, "late", 30), Gap(8, "gone", 40)):
        backlog.put_gap(gap)
    backlog.put_sound(period(50))
    backlog.put_gap(Gap(16, "gone", 60))
    assert everything(backlog) == [
        Gap(3, "gone", 20), Gap(4, "late", 30), Gap(8, "gone", 40), period(50), Gap(16, "gone", 60),
    ]  # fmt: skip


def test_before_the_format_is_known_all_sound_is_a_gap() -> None:
    backlog = Backlog()
    assert not backlog.put_sound(period(1))
    (gap,) = everything(backlog)
    assert isinstance(gap, Gap)
    assert gap.samples == PERIOD


def test_after_five_seconds_pictures_are_dropped_up_to_a_key_picture(backlog: Backlog) -> None:
    step = 40_000
    count = PICTURE_LIMIT_US // step + 1
    for number in range(count):
        assert backlog.put_picture(picture(number * step, key=number % 50 == 0))
    late = count * step
    assert not backlog.put_picture(picture(late))
    assert not backlog.put_picture(picture(late + step, key=True))  # still no room
    for _ in range(10):
        backlog.get()
    assert not backlog.put_picture(picture(late + 2 * step))  # there is room, but nothing it could build on
    assert backlog.put_picture(picture(late + 3 * step, key=True))
    assert backlog.put_picture(picture(late + 4 * step))
    assert backlog.pictures_dropped == 3
    kept = [item.at_us for item in everything(backlog) if isinstance(item, Picture)]
    assert kept == [*range(10 * step, count * step, step), late + 3 * step, late + 4 * step]


def test_the_picture_takes_no_room_from_the_sound(backlog: Backlog) -> None:
    for number in range(PICTURE_LIMIT_US // 40_000):
        backlog.put_picture(picture(number * 40_000, key=True))
    for number in range(MINUTE // PERIOD):
        assert backlog.put_sound(period(number))


def test_after_its_close_it_gives_what_it_has_and_then_nothing(backlog: Backlog) -> None:
    backlog.put_sound(period(1))
    backlog.close()
    backlog.close()
    assert backlog.get() == period(1)
    assert backlog.get() is None
    assert backlog.get() is None


def test_a_close_wakes_whoever_waits(backlog: Backlog) -> None:
    got: list[Item | None] = []
    reader = threading.Thread(target=lambda: got.append(backlog.get()))
    reader.start()
    backlog.close()
    reader.join()
    assert got == [None]


def test_several_threads_may_put_at_once(backlog: Backlog) -> None:
    got: list[Item] = []
    reader = threading.Thread(target=lambda: got.extend(iter(backlog.get, None)))
    start = threading.Barrier(3)

    def sounds() -> None:
        start.wait()
        for number in range(500):
            backlog.put_sound(period(number, 1))

    def pictures() -> None:
        start.wait()
        for number in range(500):
            backlog.put_picture(picture(number, key=True))

    def gaps() -> None:
        start.wait()
        for number in range(500):
            backlog.put_gap(Gap(1, "late", number))

    writers = [threading.Thread(target=each) for each in (sounds, pictures, gaps)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    backlog.close()
    reader.join()
    assert [item.end_us for item in got if isinstance(item, Sound)] == list(range(500))
    assert [item.at_us for item in got if isinstance(item, Picture)] == list(range(500))
    assert sum(item.samples for item in got if isinstance(item, Gap)) == 500


class Sleeper:
    """A writer that waits for enough, in a thread of its own."""

    def __init__(self, backlog: Backlog, enough_us: int) -> None:
        self.got: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.thread = threading.Thread(target=lambda: self.got.put(backlog.wait(enough_us)), daemon=True)
        self.thread.start()
        while not backlog._condition._waiters and self.thread.is_alive():  # type: ignore[attr-defined]
            time.sleep(0)

    @property
    def sleeps(self) -> bool:
        return self.got.empty()

    def woke_with(self) -> int:
        got = self.got.get(timeout=10)
        self.thread.join()
        return got


def test_the_writer_sleeps_until_there_is_enough_sound(backlog: Backlog) -> None:
    sleeper = Sleeper(backlog, 250_000)
    notified = []
    tell = backlog._condition.notify
    backlog._condition.notify = lambda: (notified.append(1), tell())  # type: ignore[assignment,func-returns-value]
    for number in range(2):
        backlog.put_sound(period(number))
        assert sleeper.sleeps
        assert notified == []
    backlog.put_sound(period(2))
    assert sleeper.woke_with() == 3
    assert notified == [1]


@pytest.mark.parametrize("what", [Gap(5, "why", 2), Bookmark(3), Step(6, Rung.HALF_RATE, "why not")], ids=str)
def test_what_has_to_be_written_down_wakes_it_at_once(what: Any, backlog: Backlog) -> None:
    sleeper = Sleeper(backlog, 500_000)
    backlog.put_sound(period(1))
    assert sleeper.sleeps
    (backlog.put_gap if isinstance(what, Gap) else backlog.put_note)(what)
    assert sleeper.woke_with() == 2
    assert [backlog.get(), backlog.get()] == [period(1), what]
    assert Sleeper(backlog, 500_000).sleeps, "what was taken counts no more"
    backlog.close()


def test_pictures_alone_wake_it_when_there_is_as_much_of_them(backlog: Backlog) -> None:
    """A microphone that hangs tells so only after two seconds; the picture goes on meanwhile."""
    sleeper = Sleeper(backlog, 100_000)
    backlog.put_picture(picture(0, key=True))
    backlog.put_picture(picture(99_999))
    assert sleeper.sleeps
    backlog.put_picture(picture(100_000))
    assert sleeper.woke_with() == 3


def test_its_end_wakes_it_with_what_is_left_and_then_with_nothing(backlog: Backlog) -> None:
    sleeper = Sleeper(backlog, 500_000)
    backlog.put_sound(period(1))
    backlog.close()
    assert sleeper.woke_with() == 1
    assert backlog.get() == period(1)
    assert backlog.wait(500_000) == 0


def test_what_is_enough_already_is_not_waited_for(backlog: Backlog) -> None:
    backlog.put_sound(period(1))
    assert backlog.wait(100_000) == 1
    assert backlog.wait(0) == 1
