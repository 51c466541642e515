"""The replayer of power cuts, on logs written by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.appliance.logreplay import SECTOR_BYTES, Flag, entries, last_before_a_flush, replay


class Log:
    """A log as QEMU writes it: each entry a sector of its own, then its data."""

    def __init__(self, folder: Path) -> None:
        self.path, self.base, self.cut = folder / "log", folder / "base", folder / "cut"
        self.base.write_bytes(b"." * SECTOR_BYTES * 4)
        self._data = bytearray(SECTOR_BYTES)

    def add(self, sector: int, letters: str, flags: int = 0) -> Log:
        sectors = len(letters)
        self._data += struct.pack("<QQQQ", sector, sectors, flags, 0).ljust(SECTOR_BYTES, b"\0")
        self._data += b"".join(piece.encode() * SECTOR_BYTES for piece in letters)
        self.path.write_bytes(self._data + bytes(10 * SECTOR_BYTES))
        return self

    def after_a_cut(self, seen: int) -> str:
        self.lost = replay(self.base, self.path, self.cut, seen=seen)
        return self.cut.read_bytes()[::SECTOR_BYTES].decode()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """a; flush; b and c; d forced; flush."""
    log = Log(tmp_path).add(0, "a").add(0, "", Flag.FLUSH).add(1, "bc").add(3, "d", Flag.FORCED)
    return log.add(0, "", Flag.FLUSH)


def test_the_log_ends_where_nothing_was_written_yet(log: Log) -> None:
    assert [(entry.sector, entry.sectors, entry.flags) for entry in entries(log.path)] == [
        (0, 1, 0),
        (0, 0, Flag.FLUSH),
        (1, 2, 0),
        (3, 1, Flag.FORCED),
        (0, 0, Flag.FLUSH),
    ]


@pytest.mark.parametrize(
    ("seen", "left", "lost"),
    [(0, "....", 0), (1, "....", 1), (2, "a...", 0), (3, "a...", 1), (4, "a..d", 1), (5, "abcd", 0)],
)
def test_only_what_was_flushed_or_forced_outlives_a_cut(log: Log, seen: int, left: str, lost: int) -> None:
    assert (log.after_a_cut(seen), log.lost) == (left, lost)


def test_the_worst_moment_is_just_before_a_flush(log: Log) -> None:
    assert [last_before_a_flush(log.path, seen) for seen in (1, 4, 5)] == [1, 1, 4]
