"""Everything that can be wrong with a clinic server that is reached over SSH; the server is OpenSSH's own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import fill, small_disk
from tests.sync_faults.box import Box
from tests.sync_faults.clinics import SftpClinic
from tests.sync_faults.conftest import TOLD, Boxes
from tests.sync_faults.suffering import MIB, Fault, suffer


def killed_later(clinic: SftpClinic) -> None:
    clinic.wire.at(clinic.wire.sent_bytes + 30 * MIB, clinic.kill)


def silent_later(clinic: SftpClinic) -> None:
    clinic.wire.at(clinic.wire.sent_bytes + 2 * MIB, clinic.wire.fall_silent)


class Spoiler:
    """Somebody at the server's disk who does something to each recording from the moment that it has its name."""

    def __init__(self, spoil: Callable[[Path], None]) -> None:
        self._spoil = spoil
        self._over = threading.Event()

    def begin(self, clinic: SftpClinic) -> None:
        self._over.clear()
        self._thread = threading.Thread(target=self._watch, args=(clinic,))
        self._thread.start()

    def end(self, _clinic: SftpClinic) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self, clinic: SftpClinic) -> None:
        while not self._over.wait(0.002):
            with suppress(FileNotFoundError):  # a folder was erased while it was listed
                for name in clinic.names():
                    with suppress(FileNotFoundError):  # it was erased at this moment
                        self._spoil(clinic.data / name)


def spoiled(spoil: Callable[[Path], None]) -> Fault[SftpClinic]:
    """Slow enough that it is spoiled before the half that is spoiled is read again."""
    spoiler = Spoiler(spoil)
    words = "is not what was sent, also after it was sent again"
    return Fault(words, True, harm=spoiler.begin, mend=spoiler.end, sync="limit_kbit_s = 12000")


def blot(path: Path) -> None:
    """Some bytes in the middle are others; done twice it is the same."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(64))


def shorten(path: Path) -> None:
    """All but the first of it is gone."""
    os.truncate(path, MIB)


FAULTS: dict[str, Fault[SftpClinic]] = {
    "connection refused": Fault(
        "does not answer", harm=lambda clinic: clinic.wire.close(), mend=lambda clinic: clinic.wire.open()
    ),
    "unknown name of a host": Fault("does not answer", lines=lambda clinic: clinic.lines(host="clinic.invalid")),
    "server off": Fault("does not answer", harm=SftpClinic.kill, mend=SftpClinic.start),
    "server killed in the middle": Fault(
        "does not answer", harm=killed_later, mend=SftpClinic.start, size_bytes=48 * MIB
    ),
    "wrong key": Fault("refuses this box's login", True, harm=SftpClinic.wrong_key, mend=SftpClinic.own_key),
    "wrong host key": Fault(
        "another host key", True, lines=lambda clinic: clinic.lines(host_key=clinic.other_host_key())
    ),
    "changed host key": Fault("another host key", True, harm=SftpClinic.change_host_key, mend=SftpClinic.own_host_key),
    "bytes turned on the server's disk": spoiled(blot),
    "only a part of it on the server's disk": spoiled(shorten),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_recording_stays_here_and_is_told_of_until_it_can_go(box: Box, sftp: SftpClinic, fault: str) -> None:
    suffer(box, sftp, f"SFTP: {fault}", FAULTS[fault], TOLD)


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpClinic]:
    """A server whose disk is small."""
    made = SftpClinic(tmp_path_factory.mktemp("c") / "small")
    with small_disk(made.data, 24 << 10):
        yield made
    made.close()


def test_a_full_disk_there_is_told_until_there_is_room(box: Box, small: SftpClinic) -> None:
    filled: list[Path] = []
    wrong = Fault[SftpClinic](
        "is full",
        True,
        harm=lambda clinic: filled.append(fill(clinic.data, but=MIB)),
        mend=lambda _clinic: filled.pop().unlink(),
    )
    suffer(box, small, "SFTP: disk full", wrong, TOLD)


def test_a_link_that_carries_nothing_is_given_up_and_told(boxes: Boxes, sftp: SftpClinic) -> None:
    box = boxes.impatient()
    wrong = Fault[SftpClinic]("silent", harm=silent_later, mend=lambda clinic: clinic.wire.speak())
    suffer(box, sftp, "SFTP: a link that carries nothing any more", wrong, TOLD)
