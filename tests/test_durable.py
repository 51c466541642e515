"""A file is the old one or the new one, whole, wherever the writing was cut."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from device.durable import aside, write_all, write_whole
from tests.support import Cut, cuts


@pytest.mark.parametrize("old", [None, b"old"])
def test_writing_whole_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bytes | None
) -> None:
    path = tmp_path / "facts.json"
    found = set()
    for cut in cuts(monkeypatch):
        path.unlink(missing_ok=True)
        if old is not None:
            path.write_bytes(old)
        with cut:
            write_whole(path, b"new" * 100_000)
        found.add(path.read_bytes() if path.exists() else None)
    assert found == {old, b"new" * 100_000}
    assert not aside(path).exists()


def test_writing_whole_never_has_the_name_before_the_data_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    with Cut(monkeypatch, at=10_000, log=order):
        write_whole(tmp_path / "facts.json", b"new")
    assert order == ["fsync", "rename", "open", "fsync"]


def test_a_failing_write_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_bytes(b"old")
    aside(path).mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_short_write_is_taken_up_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, data, offset: real(descriptor, data[:7], offset))
    path = tmp_path / "file"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        write_all(descriptor, bytes(range(100)), 3)
    finally:
        os.close(descriptor)
    assert path.read_bytes() == bytes(3) + bytes(range(100))


def test_a_write_that_the_system_cuts_short_and_then_refuses_is_an_error(tmp_path: Path) -> None:
    # A real limit: the first write stops at it half way, the second is refused.
    program = (
        "import os, sys; from device.durable import write_all; "
        "d = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT); write_all(d, bytes(100_000), 0)"
    )

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_000, 65_000))

    path = tmp_path / "file"
    run = subprocess.run(
        [sys.executable, "-c", program, path], preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert "File too large" in run.stderr
    assert path.stat().st_size == 65_000
