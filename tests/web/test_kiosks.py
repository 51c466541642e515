"""What the page's memory holds of tablets, and when it forgets it."""

from __future__ import annotations

import threading

import pytest

from device.measures.shelf import read_shelf
from device.people.visit import LIVES, Kind
from device.web.kiosks import CODE_LIVES_S, Kiosks, Plan

IDLE_S = LIVES[Kind.KIOSK].idle_s
NOW_S = 1_800_000_000.0


def plan() -> Plan:
    return Plan("0123456789ab", (read_shelf().measures["gad-7"],), None, None, 1)


def knows(kiosks: Kiosks, session: str, now_s: float) -> bool:
    with kiosks.held(session, now_s) as held:
        return held is not None


@pytest.mark.parametrize(("later_s", "known"), [(IDLE_S - 1, True), (IDLE_S, False), (-IDLE_S, False)])
def test_what_was_answered_is_forgotten_when_the_tablet_is_left_alone(later_s: float, *, known: bool) -> None:
    kiosks = Kiosks()
    kiosks.begin("a", plan(), NOW_S)
    assert knows(kiosks, "a", NOW_S)
    assert knows(kiosks, "a", NOW_S + later_s) is known


def test_whoever_goes_on_answering_is_not_forgotten() -> None:
    kiosks = Kiosks()
    kiosks.begin("a", plan(), NOW_S)
    assert all(knows(kiosks, "a", NOW_S + index * (IDLE_S - 1)) for index in range(5))


def test_what_is_forgotten_is_not_kept_by_anybody_elses_looking() -> None:
    kiosks = Kiosks()
    kiosks.begin("a", plan(), NOW_S)
    kiosks.begin("b", plan(), NOW_S + IDLE_S)
    assert set(kiosks._kiosks) == {"b"}


def test_an_end_is_an_end() -> None:
    kiosks = Kiosks()
    kiosks.begin("a", plan(), NOW_S)
    kiosks.end("a")
    kiosks.end("a")
    assert not knows(kiosks, "a", NOW_S)


def test_there_are_only_so_many_and_the_one_left_alone_longest_goes() -> None:
    kiosks = Kiosks()
    for number in range(40):
        kiosks.begin(str(number), plan(), NOW_S + number)
        assert knows(kiosks, "0", NOW_S + number)
    assert [knows(kiosks, str(number), NOW_S + 40) for number in (1, 8, 9, 39)] == [False, False, True, True]


@pytest.mark.parametrize(("later_s", "good"), [(0, True), (CODE_LIVES_S - 1, True), (CODE_LIVES_S, False), (-1, False)])
def test_a_code_is_good_once_and_not_for_long(later_s: float, *, good: bool) -> None:
    kiosks = Kiosks()
    code = kiosks.prepare(plan(), NOW_S)
    assert (kiosks.redeem(code, NOW_S + later_s) is not None) is good
    assert kiosks.redeem(code, NOW_S) is None


def test_codes_are_many_and_none_can_be_misread() -> None:
    kiosks = Kiosks()
    codes = {kiosks.prepare(plan(), NOW_S) for _ in range(200)}
    assert len(codes) == 200
    assert not set("".join(codes)) & set("01ilou")
    assert all(len(code) == 9 for code in codes)
    assert len(kiosks._codes) <= 32
    assert kiosks.redeem("aaaa-aaaa", NOW_S) is None


def test_two_requests_of_one_tablet_wait_for_each_other() -> None:
    kiosks, order = Kiosks(), []
    kiosks.begin("a", plan(), NOW_S)
    inside, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with kiosks.held("a", NOW_S):
            inside.set()
            go_on.wait(10)
            order.append("first")

    def second() -> None:
        with kiosks.held("a", NOW_S):
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    inside.wait(10)
    threads[1].start()
    assert knows(kiosks, "b", NOW_S) is False, "another tablet does not wait"
    threads[1].join(0.2)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second"]
