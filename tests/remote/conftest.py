"""One real server of each kind; all tests of a module share it, and each leaves it empty and running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from device.errors import RemoteAwayError
from device.remote import Held, Remote
from tests.remote.folder_server import FolderServer
from tests.remote.s3_server import S3Server
from tests.remote.servers import Server
from tests.remote.sftp_server import SftpServer

# Another kind of server gets its line here, and with it every test of the contract.
KINDS: dict[str, Callable[[Path], Server]] = {
    "folder": FolderServer,
    "sftp": SftpServer,
}


@pytest.fixture(scope="module", params=[*KINDS, "s3"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp(request.param)
    made: Server
    if request.param == "s3":
        made = S3Server(request.getfixturevalue("ceph"), request.getfixturevalue("authority"), folder)
    else:
        made = KINDS[request.param](folder)
    yield made
    made.close()


@pytest.fixture(scope="module")
def lasting(running: Server) -> Iterator[Remote]:
    """One remote for all tests of a module, as a box has one: whatever happened to it before, it goes on."""
    made = running.maker()
    yield made
    made.close()


@pytest.fixture
def server(running: Server, lasting: Remote) -> Iterator[Server]:
    """The server, empty and running, whatever the test before it did."""
    running.start()
    yield running
    running.start()
    for top in {held.name.partition("/")[0] for held in settled(lasting)} | {"clinic"}:
        lasting.erase(top)
    assert (running.held(), running.unfinished()) == ({}, 0)


def settled(remote: Remote) -> list[Held]:
    """All that is held. The first call after the server went away may find its connection broken."""
    with suppress(RemoteAwayError):
        return list(remote.names(""))
    return list(remote.names(""))


@pytest.fixture
def remote(server: Server, lasting: Remote) -> Remote:
    """The remote of this module's tests, whose server is there."""
    settled(lasting)
    return lasting


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., SftpServer]]:
    """Servers with something of their own in their configuration."""
    made: list[SftpServer] = []

    def one(*, folder: Path = tmp_path / "sshd", **given: str) -> SftpServer:
        folder.mkdir(exist_ok=True)
        made.append(SftpServer(folder, **given))
        return made[-1]

    yield one
    for server in made:
        server.close()
