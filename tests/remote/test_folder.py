"""What is a folder's own: disks that are not there, that are full, and that know no hard links."""

from __future__ import annotations

import io
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device import rename_new
from device.errors import RemoteAwayError, RemoteError, RemoteFullError, StoreError
from device.remote import MOST_AGAIN_BYTES
from device.remote_folder import MARK_NAME, FolderRemote
from tests.remote.servers import MIB, known, some_bytes
from tests.remote.test_contract import NAME, Counted, begin, put, read

WAYS: dict[str, Callable[[Path, Path], None]] = {
    "hard link": rename_new._by_link,
    "kernel": rename_new._by_kernel,
    "looking": rename_new._by_looking,
}


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / MARK_NAME).touch()
    return tmp_path / "disk"


def test_an_empty_mount_point_is_not_taken_for_the_disk(tmp_path: Path) -> None:
    with pytest.raises(RemoteAwayError, match="not mounted") as told:
        put(FolderRemote(tmp_path), NAME, b"1")
    assert MARK_NAME in told.value.what
    with pytest.raises(RemoteAwayError):
        put(FolderRemote(tmp_path / "absent"), NAME, b"1")
    assert list(tmp_path.iterdir()) == []


def test_the_mark_is_no_recording_and_stays(disk: Path) -> None:
    remote = FolderRemote(disk)
    put(remote, NAME, b"1")
    assert [held.name for held in remote.names("")] == [NAME]
    remote.erase("clinic")
    assert [path.name for path in disk.iterdir()] == [MARK_NAME]


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_give_a_name_does_it_and_replaces_nothing(tmp_path: Path, way: str) -> None:
    path, target = tmp_path / "beside", tmp_path / "target"
    path.write_bytes(b"new")
    WAYS[way](path, target)
    assert (target.read_bytes(), path.exists()) == (b"new", False)
    path.write_bytes(b"newer")
    with pytest.raises(FileExistsError):
        WAYS[way](path, target)
    assert (target.read_bytes(), path.read_bytes()) == (b"new", b"newer")


@pytest.mark.parametrize("way", ["hard link", "kernel"])
def test_of_many_who_want_a_name_at_once_one_gets_it(tmp_path: Path, way: str) -> None:
    """The two ways that are one step each; the third only looks first."""
    for trial in range(50):
        target, together, won = tmp_path / f"target{trial}", threading.Barrier(4), []

        def try_it(
            number: int, target: Path = target, won: list[int] = won, gate: threading.Barrier = together
        ) -> None:
            path = target.with_name(f"{target.name}.{number}")
            path.write_bytes(b"%d" % number)
            gate.wait()
            try:
                WAYS[way](path, target)
            except FileExistsError:
                return
            won.append(number)

        threads = [threading.Thread(target=try_it, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [b"%d" % number for number in won] == [target.read_bytes()]


def test_a_disk_that_knows_no_hard_links_is_asked_for_the_next_way(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As FAT and many shares answer: EPERM to a link; exFAT says EINVAL to the kernel's rename, too."""

    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    remote = FolderRemote(disk)
    assert put(remote, NAME, b"1") is True
    assert put(remote, NAME, b"2") is False
    assert read(remote, NAME) == b"1"


def test_what_comes_there_while_a_file_is_sent_stays(disk: Path) -> None:
    def slip_in() -> None:
        (disk / NAME).write_bytes(b"from elsewhere")

    remote = FolderRemote(disk)
    assert remote.put(NAME, io.BytesIO(some_bytes(3 * MIB)), pace=Counted(MIB, slip_in)) is False
    assert read(remote, NAME) == b"from elsewhere"
    assert [path.name for path in (disk / NAME).parent.iterdir()] == [Path(NAME).name]


def test_a_file_of_this_box_that_cannot_be_read_is_not_told_as_the_clinics_fault(disk: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(StoreError, match="could not be read"):
        FolderRemote(disk).put(NAME, Failing(b"1"))
    assert list(FolderRemote(disk).names("")) == []


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="mounting is root's")


@pytest.fixture
def small_disk(disk: Path) -> Iterator[Path]:
    """A disk with room for 24 MiB."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", disk], check=True)
    (disk / MARK_NAME).touch()
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@needs_root
def test_a_full_disk_is_told_as_full_and_goes_on_once_there_is_room(small_disk: Path) -> None:
    remote, data, again = FolderRemote(small_disk), some_bytes(40 * MIB), Counted()
    for _ in range(2):
        with pytest.raises(RemoteFullError):
            put(remote, NAME, data)
        assert list(remote.names("")) == []
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert remote.put(NAME, io.BytesIO(data), pace=again) is True
    assert again.moved_bytes <= len(data) - 23 * MIB + MOST_AGAIN_BYTES
    assert known(read(remote, NAME)) == known(data)


@needs_root
def test_a_disk_that_may_only_be_read_refuses(small_disk: Path) -> None:
    remote = FolderRemote(small_disk)
    put(remote, NAME, b"1")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(RemoteError, match="refuses"):
        put(remote, f"{NAME}x", b"1")
    with pytest.raises(RemoteError, match="refuses"):
        remote.erase("clinic")
    assert read(remote, NAME) == b"1"


def test_zeros_where_the_disk_lost_its_power_are_not_built_upon(disk: Path) -> None:
    """A file system may have the length of what was written, and not yet its bytes."""
    remote, data = FolderRemote(disk), some_bytes(40 * MIB)
    begin(remote, NAME, data, up_to=33 * MIB)
    (part,) = (path for path in disk.rglob(".sotto-*"))
    with part.open("r+b") as file:
        file.seek(20 * MIB)
        file.write(bytes(part.stat().st_size - 20 * MIB))
    assert put(remote, NAME, data) is True
    assert known(read(remote, NAME)) == known(data)
