"""One real server of each kind; all tests of a module share it, and each leaves it empty and running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.remote import Remote
from tests.remote.folder_server import FolderServer
from tests.remote.servers import Server

# Another kind of server gets its line here, and with it every test of the contract.
KINDS: dict[str, Callable[[Path], Server]] = {
    "folder": FolderServer,
}


@pytest.fixture(scope="module", params=list(KINDS))
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = KINDS[request.param](tmp_path_factory.mktemp(request.param))
    yield made
    made.close()


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """The server, empty and running, whatever the test before it did."""
    running.start()
    yield running
    running.start()
    remote = running.maker()
    for top in {held.name.partition("/")[0] for held in remote.names("")} | {"clinic"}:
        remote.erase(top)
    remote.close()
    assert (running.held(), running.unfinished()) == ({}, 0)


@pytest.fixture
def remote(server: Server) -> Iterator[Remote]:
    made = server.maker()
    yield made
    made.close()
