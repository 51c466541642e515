"""Wherever the power is cut, and whatever of the last writes reached the disk, the box keeps what it had promised.

Each scenario runs once on a disk that tells every call; then every cut of it is laid out and recovered (README.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.age.identities import KeyIdentity
from device.recording import SESSION_NAME
from device.recovery import recover
from tests.crash.judge import AT, Opener, lay_out
from tests.crash.play import SCENARIOS
from tests.crash.search import Search, play, recoveries
from tests.support import own_open, stock_open

COUNTED = {"states": 0, "judged": 0, "positions": 0, "second": 0, "stock": 0}


@pytest.fixture(scope="module", autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what was counted, when it is over."""
    yield
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(
            f"\npower cuts: {COUNTED['positions']} positions, {COUNTED['states']} distinct states (of them in "
            f"{COUNTED['second']} the recovery was cut as well), {COUNTED['judged']} judged, {COUNTED['stock']} opened "
            f"with stock age: "
            f"{'see the failures' if request.session.testsfailed else '0 violations'}"
        )


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_power_cut_breaks_a_promise(
    library: Path, identity: KeyIdentity, place: Path, request: pytest.FixtureRequest, scenario: str
) -> None:
    share = -(-int(request.config.getoption("--states")) // len(SCENARIOS))
    run = play(library, place / "run", identity, {"do": "play", "scenario": scenario})
    search = Search(Opener(identity), place / "scratch")
    search.fill(run, target=share * 3 // 4, keep=max(1, share // 12))
    first = len(search.states)
    cut_again = Search(search.opener, place / "again", states=search.states)
    for again, (_, told) in zip(
        recoveries(library, place / "second", identity, search.samples), search.samples, strict=True
    ):
        cut_again.told = told
        cut_again.look(again)
    second = len(search.states) - first
    search.fill(run, target=share)
    assert not search.wrong, search.tell()
    assert not cut_again.wrong, cut_again.tell()
    COUNTED["stock"] += _open_with_stock_age(search, identity, place)
    COUNTED["states"] += len(search.states)
    COUNTED["second"] += second
    COUNTED["judged"] += search.judged + cut_again.judged
    COUNTED["positions"] += search.positions + cut_again.positions


def _open_with_stock_age(search: Search, identity: KeyIdentity, place: Path) -> int:
    """Of a sample stock age finds the same as we do."""
    opened = 0
    for state, _ in search.samples[:4]:
        store = lay_out(state, place / "stock")
        recover(store, at=AT)
        for name in store.ids():
            sealed = store.folder(name) / SESSION_NAME
            assert stock_open(sealed, identity) == own_open(sealed, identity)
            opened += 1
    return opened


def test_as_many_states_were_looked_at_as_were_asked_for(request: pytest.FixtureRequest) -> None:
    if len(request.session.items) < len(SCENARIOS):
        pytest.skip("not every scenario was played")
    assert COUNTED["states"] >= int(request.config.getoption("--states"))
