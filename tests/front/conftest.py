"""A box's page behind a real nginx."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.people.person import Person
from device.people.visit import Kind
from device.web.front import Front
from tests.front.nginx_server import HOST, Nginx, nginx, page_at
from tests.remote.certificates import Authority
from tests.web.conftest import Box, bare_box, box  # noqa: F401  # the same box
from tests.web.visitors import bearer, begin, the_therapist

NOTED: list[str] = []  # what was measured, for whoever reads the end of a run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was measured."""
    for line in NOTED:
        terminalreporter.write_line(line)


@dataclass
class Site:
    """A page that browsers reach by TLS alone."""

    box: Box
    nginx: Nginx
    folder: Path

    def signed_in(self, person: Person | None = None) -> dict[str, str]:
        """The header of a browser of that person; of the therapist whose the recordings are, where nobody is named."""
        begun = begin(self.box.people, person or the_therapist(self.box.people))
        return {"Cookie": f"__Host-sotto={begun.token}"}

    def program(self) -> dict[str, str]:
        """The header of that therapist's program."""
        return bearer(begin(self.box.people, the_therapist(self.box.people), Kind.PROGRAM))


@pytest.fixture
def site(box: Box, authority: Authority) -> Iterator[Site]:  # noqa: F811  # pytest's way
    with site_of(box, authority) as made:
        yield made


@contextmanager
def site_of(
    box: Box,  # noqa: F811  # no fixture here
    authority: Authority,
    *names: str,
    change: Callable[[str], str] = str,
) -> Iterator[Site]:
    """The page of ``box`` behind nginx. ``names``: those that it goes by; else its address."""
    with ExitStack() as ends:
        # A local socket's path is short.
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        given = socket.create_server((HOST, 0))
        app = box.app(room=False, front=Front(names or (HOST,), given.getsockname()[1]))
        page = folder / "page.sock"
        ends.enter_context(page_at(page, app))
        started = ends.enter_context(
            nginx(folder, authority, store=box.store.path, page=page, listening=given, change=change)
        )
        yield Site(box, started, folder)
