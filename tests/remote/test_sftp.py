"""What is SFTP's own: servers that are old, full, silent or not what they should be, and accounts in a cage."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from device.errors import RemoteAwayError, RemoteError, RemoteFullError
from device.recording import SESSION_NAME
from device.remote import MOST_AGAIN_BYTES, Held, Remote
from device.remote_sftp import sftp_remote
from tests.remote.servers import MIB, known, some_bytes
from tests.remote.sftp_server import SAYS, SftpMaker, SftpServer
from tests.remote.test_contract import SOON_S, Counted, begin, patiently, put, read

FOLDER = "clinic/room-3/2026/11/000042-8k2ja63cjm"
NAME = f"{FOLDER}/{SESSION_NAME}"
OLD = "internal-sftp -P limits,fsync,posix-rename,statvfs,fstatvfs,hardlink,lsetstat,expand-path,copy-data"

Make = Callable[..., SftpServer]

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="mounting and changing the root are root's")


def refused(remote: Remote, kind: type[Exception] = RemoteError) -> str:
    """What is told when a small file is sent."""
    with pytest.raises(kind) as told:
        put(remote, NAME, b"{}")
    remote.close()
    assert SAYS not in "".join(traceback.format_exception(told.value))
    assert isinstance(told.value, RemoteError | RemoteAwayError)
    return f"{told.value.what}; {told.value.hint}"


# -- servers that are not as they should be ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sftp": "/bin/false"}, "no SFTP"),
        ({"sftp": "/bin/cat"}, "no SFTP"),
        ({"more": "ForceCommand /bin/echo welcome to the clinic, please behave"}, "no SFTP"),
        ({"more": "ForceCommand /bin/false"}, "no SFTP"),
        ({"more": "Ciphers aes128-cbc"}, "speak safely"),
        ({"more": "MaxSessions 0"}, "no SFTP"),
    ],
)
def test_a_server_without_sftp_is_told_as_that(make: Make, given: dict[str, str], said: str) -> None:
    assert said in refused(make(**given).maker())


def test_what_listens_there_and_is_no_ssh_server_counts_as_away(make: Make) -> None:
    server = make()
    server.kill()
    nobody = SftpMaker(replace(server.account, host="host.invalid"), "")
    assert "does not answer" in refused(nobody(), RemoteAwayError)
    assert "does not answer" in refused(server.maker(), RemoteAwayError)


def test_the_folder_for_recordings_is_the_clinics_to_make(make: Make) -> None:
    server = make()
    remote = sftp_remote(server.account, folder=f"{server.data}/not/there")
    assert "folder in [remote]" in refused(remote)
    with pytest.raises(RemoteError, match="folder"):
        list(remote.names(""))
    remote.close()
    assert list(server.data.iterdir()) == []


def test_what_the_account_may_not_do_is_told_as_its_rights(make: Make) -> None:
    server = make(sftp="internal-sftp -R")
    assert "right to write" in refused(server.maker())


def test_an_old_server_without_any_extension_is_enough(make: Make) -> None:
    server = make(sftp=OLD)
    remote, data, again = server.maker(), some_bytes(40 * MIB), Counted()
    sent = begin(remote, NAME, data, up_to=33 * MIB)
    assert remote.put(NAME, io.BytesIO(data), pace=again) is True
    assert sent + again.moved_bytes <= len(data) + MOST_AGAIN_BYTES
    assert put(remote, NAME, b"other") is False
    assert known(read(remote, NAME)) == known(data)
    assert put(remote, NAME, b"other", replace=True) is True
    assert put(remote, f"{FOLDER}/manifest.json", b"{}", replace=True) is True
    assert list(remote.names("")) == [Held(f"{FOLDER}/manifest.json", 2), Held(NAME, 5)]
    remote.erase("clinic")
    assert (server.held(), server.unfinished()) == ({}, 0)
    remote.close()


@pytest.mark.parametrize("given", [{}, {"sftp": OLD}])
def test_what_comes_there_while_a_file_is_sent_stays(make: Make, given: dict[str, str]) -> None:
    server = make(**given)
    remote = server.maker()

    def slip_in() -> None:
        (server.data / NAME).write_bytes(b"from elsewhere")

    assert remote.put(NAME, io.BytesIO(some_bytes(3 * MIB)), pace=Counted(MIB, slip_in)) is False
    assert server.held() == {NAME: known(b"from elsewhere")}
    assert server.unfinished() == 0
    idle = Counted()
    assert remote.put(NAME, io.BytesIO(some_bytes(3 * MIB)), pace=idle) is False
    assert idle.moved_bytes == 0
    remote.close()


def test_a_server_whose_disk_hangs_is_given_up_although_its_connection_lives(make: Make) -> None:
    """The process that reads and writes stands still, and sshd goes on answering what keeps a connection alive."""
    server = make(sftp="/usr/lib/openssh/sftp-server")
    remote = server.maker(silence_s=SOON_S)
    patiently(lambda: put(remote, NAME, b"1"))
    (hangs,) = (one for one in server.everybody() if b"sftp-server" in Path(f"/proc/{one}/comm").read_bytes())
    os.kill(hangs, signal.SIGSTOP)
    with pytest.raises(RemoteAwayError, match="silent"):
        read(remote, NAME)
    os.kill(hangs, signal.SIGCONT)
    patiently(lambda: read(remote, NAME))
    remote.close()


def test_a_read_that_outlives_its_connection_ends_as_away(make: Make) -> None:
    server = make()
    remote = server.maker()
    put(remote, NAME, some_bytes(20 * MIB))
    left, dropped = remote.read(NAME), remote.read(NAME)
    next(left), next(dropped)
    remote.close()
    put(remote, f"{FOLDER}/manifest.json", b"{}")
    del dropped
    with pytest.raises(RemoteAwayError):
        list(left)
    assert read(remote, f"{FOLDER}/manifest.json") == b"{}"
    remote.close()


def test_a_box_without_ssh_says_what_to_install(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = make()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "openssh-client" in refused(server.maker())


def test_the_recording_itself_is_erased_first_and_what_is_under_way_of_it(make: Make, tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = make(sftp=f"/usr/lib/openssh/sftp-server -e -l VERBOSE 2>>{log}")
    remote = server.maker()
    for name in ("a.json", "attachments/label.age", "session.mp4.age", "z.json"):
        put(remote, f"{FOLDER}/{name}", b"1")
    begin(remote, f"{FOLDER}/attachments/a.age", some_bytes(20 * MIB), up_to=18 * MIB)
    remote.erase(FOLDER)
    remote.close()
    lines = log.read_text().splitlines()
    removed = [line.rpartition("/")[2].strip('"') for line in lines if line.startswith("remove name")]
    assert len(removed) == 5
    assert removed[0] == SESSION_NAME


# -- no room ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 24 MiB."""
    folder = tmp_path / "sshd" / "data" / "clinic"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@needs_root
def test_a_full_server_is_told_as_full_and_goes_on_once_there_is_room(small_disk: Path, make: Make) -> None:
    server, data = make(), some_bytes(40 * MIB)
    remote = server.maker()
    for _ in range(2):
        with pytest.raises(RemoteFullError) as told:
            put(remote, NAME, data)
        assert "room" in told.value.hint
        assert server.held() == {}
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    again = Counted()
    assert remote.put(NAME, io.BytesIO(data), pace=again) is True
    assert again.moved_bytes <= len(data) - 24 * MIB + MOST_AGAIN_BYTES
    assert server.held() == {NAME: known(data)}
    remote.close()


@needs_root
def test_a_full_server_that_cannot_say_so_is_told_with_the_disk_and_quota_to_look_at(
    small_disk: Path, make: Make
) -> None:
    server = make(sftp=OLD)
    remote = server.maker()
    with pytest.raises(RemoteFullError) as told:
        put(remote, NAME, some_bytes(40 * MIB))
    assert "quota" in told.value.hint
    remote.close()


# -- an account in a cage ---------------------------------------------------------------------------------------------


@needs_root
def test_an_account_that_sees_its_own_folder_only_is_enough(make: Make) -> None:
    """``ChrootDirectory`` and ``ForceCommand internal-sftp``, as docs/clinic-server.md has it for each box."""
    cage = Path(tempfile.mkdtemp(prefix="sotto-cage-", dir="/run"))  # sshd wants every folder above it to be root's
    try:
        cage.chmod(0o755)
        (cage / "incoming").mkdir()
        server = make(more=f"ChrootDirectory {cage}\nForceCommand internal-sftp -u 0027")
        remote = sftp_remote(server.account, folder="/incoming")
        assert put(remote, NAME, some_bytes(3 * MIB)) is True
        assert known((cage / "incoming" / NAME).read_bytes()) == known(some_bytes(3 * MIB))
        assert (cage / "incoming" / NAME).stat().st_mode & 0o777 == 0o640
        assert list(remote.names("")) == [Held(NAME, 3 * MIB)]
        remote.close()
    finally:
        shutil.rmtree(cage)
