"""What all tests share: how long they take, and how Hypothesis chooses."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.remote.ceph import HOST, TREE, Ceph
from tests.remote.certificates import Authority

# On a machine that only checks, the same examples every time: a red build is then always the change's own doing.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rounds``: how often tests that kill or cut something do so; ``make kill`` asks for 100.

    ``--sync-mb``, ``--sync-long``: how much is sent while sync is killed, and whether links are tried that take minutes
    (``make sync-faults``).

    ``--desk-long``: whether orders of the clinic's desk go to more than one whole box (``make fleet-desk``).

    ``--states``: how many states of a disk that lost its power are looked at; ``make crash`` asks for more.
    """
    parser.addoption("--rounds", type=int, default=5, help="rounds of the tests that kill a recording (default: 5)")
    parser.addoption("--sync-long", action="store_true", help="also send over links that take their minutes")
    parser.addoption("--desk-long", action="store_true", help="also what takes two whole boxes and a clinic's desk")
    states = "states of a disk after a power cut to look at (default: 10000)"
    size = "size in MB of the recordings whose upload is killed (default: 80)"
    parser.addoption("--sync-mb", type=int, default=80, help=size)
    parser.addoption("--states", type=int, default=10_000, help=states)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many rounds were asked for."""
    return int(request.config.getoption("--rounds"))


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Who vouches for the servers of the tests."""
    return Authority()


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Ceph]:
    """A whole Ceph: it takes some 12 s to start, so all tests share it, each module with a bucket of its own."""
    if not (TREE / "whole").exists():
        pytest.fail("there is no Ceph; run tests/tools/fetch-ceph first")
    made = Ceph(tmp_path_factory.mktemp("ceph"), authority.issue(HOST))
    try:
        made.start()
        yield made
    finally:
        made.stop()
