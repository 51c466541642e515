"""One real clinic server of each kind for all tests here, a box for each module, and a table of what was told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.remote.ceph import Ceph
from tests.remote.certificates import Authority
from tests.sync_faults.box import Box
from tests.sync_faults.clinics import S3Clinic, SftpClinic
from tests.sync_faults.proxy import honest
from tests.sync_faults.watch import Watch

TOLD: list[str] = []
"""A line for each fault: what the box told, and what became of it."""

NOTED: list[str] = []
"""Figures."""


@pytest.fixture
def sync_bytes(request: pytest.FixtureRequest) -> int:
    """How large the recordings are that are sent while something is killed."""
    return int(request.config.getoption("--sync-mb")) * 1_000_000


@pytest.fixture(scope="session")
def sftp_clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpClinic]:
    made = SftpClinic(tmp_path_factory.mktemp("c") / "sftp")
    yield made
    made.close()


@pytest.fixture(scope="session")
def s3_clinic(ceph: Ceph, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Clinic]:
    made = S3Clinic(ceph, authority, tmp_path_factory.mktemp("c") / "s3")
    yield made
    made.close()


@pytest.fixture
def sftp(sftp_clinic: SftpClinic) -> SftpClinic:
    """As it should be, whatever the test before did."""
    sftp_clinic.start()
    sftp_clinic.wire.speak()
    return sftp_clinic


@pytest.fixture
def s3(s3_clinic: S3Clinic) -> S3Clinic:
    """As it should be, whatever the test before did."""
    s3_clinic.proxy.mischief = honest
    s3_clinic.wire.server_port = s3_clinic.proxy.port
    s3_clinic.own_certificate()
    s3_clinic.start()
    s3_clinic.wire.speak()
    return s3_clinic


class Boxes:
    """The box of a module: one for all its tests, for starting one takes its time. A test that fails spoils its own."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._stack = ExitStack()
        self._box: Box | None = None

    def box(self) -> Box:
        if self._box is None or self._box.impatient or self._box.store.ids() or not self._box.runs:
            self.close()
            self._box = Box(self._factory.mktemp("b"))
            self._stack.enter_context(Watch(self._box))
            self._stack.callback(self._box.close)
        return self._box

    def another(self) -> Box:
        """A new one."""
        self.close()
        return self.box()

    def impatient(self) -> Box:
        """A new one, whose sync does not wait for long for a server that is silent."""
        box = self.another()
        box.impatient = True
        return box

    def close(self) -> None:
        """Nothing of it has ever shown a secret that it holds."""
        self._box = None
        self._stack.close()


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boxes]:
    made = Boxes(tmp_path_factory)
    yield made
    made.close()


@pytest.fixture
def box(boxes: Boxes) -> Box:
    """A box with nothing in its store."""
    return boxes.box()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TOLD:
        terminalreporter.section("what a person is told")
        for line in TOLD:
            terminalreporter.write_line(line)
    if NOTED:
        terminalreporter.section("figures of sync")
        for line in NOTED:
            terminalreporter.write_line(line)
