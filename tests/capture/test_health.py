"""How the store is looked after: looked at each time, written to seldom, and more often while that does not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.capture.health import Health
from device.capture.putting_in_order import PuttingInOrder
from device.errors import StoreError
from device.store import Store
from tests.support import store_at


class CountingStore(Store):
    """A store that counts what it is asked, and fails when it is told to."""

    looks = tries = 0
    fails = False

    def look(self) -> None:
        self.looks += 1
        super().look()

    def check(self) -> None:
        self.tries += 1
        if self.fails:
            raise StoreError("the store failed", "nothing")
        super().check()


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    known = store_at(tmp_path / "store")
    return CountingStore(known.path, device_key=known._device_key)


@pytest.fixture
def health(store: CountingStore) -> Health:
    in_order = PuttingInOrder(lambda _progress: None)
    return Health(store, max_length_s=60, bitrate=None, standing=(), putting_in_order=in_order)


def test_a_store_that_works_is_written_to_once_a_minute_and_looked_at_every_time(
    health: Health, store: CountingStore
) -> None:
    # Every five seconds a file came and went there, for years: more than the box ever recorded.
    for _ in range(25):
        assert health.check() == ()
    assert (store.looks, store.tries) == (25, 3)


def test_while_a_recording_is_written_nothing_else_is(health: Health, store: CountingStore) -> None:
    health.check()
    for _ in range(40):
        assert health.check(writing=True) == ()
    assert (store.looks, store.tries) == (41, 1)


def test_a_store_that_fails_is_tried_each_time_until_it_works(health: Health, store: CountingStore) -> None:
    store.fails = True
    for tries in range(1, 4):
        assert [problem.what for problem in health.check()] == ["the store failed"]
        assert store.tries == tries
    store.fails = False
    assert health.check() == ()
    assert health.check() == ()
    assert store.tries == 4


def test_a_store_that_goes_away_is_told_at_the_next_look_also_while_it_is_written(
    health: Health, store: CountingStore
) -> None:
    assert health.check() == ()
    store.path.rename(store.path.with_name("elsewhere"))
    for writing in (True, False):
        (problem,) = health.check(writing=writing)
        assert "No such file" in problem.what
    assert store.tries == 1
