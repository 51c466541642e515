"""What is SFTP's own: keys, logins, old servers, full disks, accounts in a cage; and no ``ssh`` that stays behind."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from device.errors import RemoteAwayError, RemoteError, RemoteFullError
from device.recording import SESSION_NAME
from device.remote import MOST_AGAIN_BYTES, Held, Remote
from device.remote_sftp import sftp_remote
from device.ssh_channel import Account, ssh_command
from tests.remote.servers import MIB, known, some_bytes
from tests.remote.sftp_server import PATIENCE_S, SAYS, SftpMaker, SftpServer, make_key
from tests.remote.test_contract import SOON_S, Counted, begin, patiently, put, read
from tests.remote.uploader import Job, upload

FOLDER = "clinic/room-3/2026/11/000042-8k2ja63cjm"
NAME = f"{FOLDER}/{SESSION_NAME}"
OLD = "internal-sftp -P limits,fsync,posix-rename,statvfs,fstatvfs,hardlink,lsetstat,expand-path,copy-data"

Make = Callable[..., SftpServer]

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="mounting and changing the root are root's")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[SftpServer] = []

    def one(*, folder: Path = tmp_path / "sshd", **given: str) -> SftpServer:
        folder.mkdir(exist_ok=True)
        made.append(SftpServer(folder, **given))
        return made[-1]

    yield one
    for server in made:
        server.close()


def refused(remote: Remote, kind: type[Exception] = RemoteError) -> str:
    """What is told when a small file is sent."""
    with pytest.raises(kind) as told:
        put(remote, NAME, b"{}")
    remote.close()
    assert SAYS not in "".join(traceback.format_exception(told.value))
    assert isinstance(told.value, RemoteError | RemoteAwayError)
    return f"{told.value.what}; {told.value.hint}"


# -- who is who -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_server_with_another_host_key_gets_nothing_and_is_trusted_again_with_the_right_one(
    make: Make, tmp_path: Path, kind: str
) -> None:
    server = make()
    remote = server.maker()
    assert put(remote, NAME, b"1") is True
    server.kill()
    make_key(tmp_path / "sshd" / "other", kind)
    server.uses_host_key = "other"
    server.start()
    for _ in range(2):
        with pytest.raises((RemoteError, RemoteAwayError)):  # at first, the old connection may be what breaks
            put(remote, f"{FOLDER}/manifest.json", b"{}")
    told = refused(server.maker())
    assert "another host key" in told
    assert "host_key" in told
    assert server.held() == {NAME: known(b"1")}
    server.kill()
    server.uses_host_key = "host_ed25519"
    server.start()
    assert put(remote, f"{FOLDER}/manifest.json", b"{}") is True
    remote.close()


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_a_host_key_of_another_kind_can_be_the_one_that_was_agreed_on(make: Make, tmp_path: Path, kind: str) -> None:
    server = make(more=f"HostKey {tmp_path}/sshd/more")
    server.kill()
    agreed = make_key(tmp_path / "sshd" / "more", kind)
    server.start()
    remote = SftpMaker(replace(server.account, host_key=agreed), str(server.data))()
    assert put(remote, NAME, b"1") is True
    remote.close()


def test_nothing_of_the_users_or_the_machines_own_ssh_counts(make: Make) -> None:
    """What ssh itself says it would do (``-G``), whatever stands in anybody's configuration, known_hosts or agent."""
    server = make()
    command = ssh_command(server.account, silence_s=30)
    shown = subprocess.run([command[0], "-G", *command[1:]], capture_output=True, text=True, check=True).stdout
    said = dict(line.split(" ", 1) for line in shown.splitlines())
    assert "identityfile " + str(server.account.key) in shown.splitlines()
    assert shown.count("\nidentityfile ") == 1
    expected = {
        "user": server.account.user,
        "batchmode": "yes",
        "stricthostkeychecking": "true",
        "userknownhostsfile": "/dev/null",
        "globalknownhostsfile": "/dev/null",
        "hostkeyalgorithms": "ssh-ed25519",
        "identitiesonly": "yes",
        "identityagent": "none",
        "preferredauthentications": "publickey",
        "clearallforwardings": "yes",
        "forwardagent": "no",
        "forwardx11": "no",
        "permitlocalcommand": "no",
        "controlmaster": "false",
        "updatehostkeys": "false",
        "serveraliveinterval": "10",
        "connecttimeout": "30",
    }
    assert {name: said.get(name) for name in expected} == expected


@pytest.mark.parametrize("trouble", ["absent", "open to all", "with a passphrase", "no key"])
def test_a_key_of_the_box_that_cannot_be_used_is_told_as_that(make: Make, tmp_path: Path, trouble: str) -> None:
    server = make()
    path = tmp_path / "key"
    if trouble == "no key":
        path.write_text("nothing\n")
        path.chmod(0o600)
    elif trouble == "with a passphrase":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "a passphrase", "-f", path], check=True)
    elif trouble == "open to all":
        (tmp_path / "sshd" / "authorized_keys").write_text(make_key(path) + "\n")
        path.chmod(0o644)
    told = refused(SftpMaker(replace(server.account, key=path), str(server.data))())
    assert ("passphrase" if trouble == "with a passphrase" else "own key") in told  # ssh itself keeps that one silent


def test_neither_command_line_nor_environment_of_ssh_holds_a_secret(make: Make) -> None:
    server = make()
    remote = server.maker()
    put(remote, NAME, b"1")
    (process,) = serving(server.account)
    shown = Path(f"/proc/{process}/cmdline").read_bytes() + Path(f"/proc/{process}/environ").read_bytes()
    assert server.secrets[0].encode() not in shown
    names = {line.partition(b"=")[0] for line in Path(f"/proc/{process}/environ").read_bytes().split(b"\0") if line}
    assert names == {b"PATH", b"LC_ALL"}
    remote.close()
    until_none(server.account)


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


# -- processes --------------------------------------------------------------------------------------------------------


def serving(account: Account) -> list[int]:
    """The processes ``ssh`` that talk to that port."""
    words = ssh_command(account, silence_s=1)
    mark = "\0".join(words[words.index("-p") : words.index("-p") + 2]).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if line.startswith(b"ssh\0") and mark in line:
            found.append(int(folder.name))
    return found


def until_none(account: Account) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while serving(account):
        assert time.monotonic() < until_s, "an ssh was left behind"
        time.sleep(0.05)


def test_no_ssh_stays_behind_whatever_ends_the_sender(make: Make, tmp_path: Path) -> None:
    server = make()
    path = tmp_path / "source"
    path.write_bytes(some_bytes(20 * MIB))
    assert upload(Job(server.maker, NAME, path, die_after_bytes=10 * MIB)).answer is None
    until_none(server.account)
    remote = server.maker(silence_s=SOON_S)
    patiently(lambda: list(remote.names("")))
    begin(remote, NAME, path.read_bytes(), up_to=10 * MIB)
    until_none(server.account)
    with pytest.raises(RemoteAwayError):
        remote.put(NAME, io.BytesIO(path.read_bytes()), pace=Counted(10 * MIB, server.freeze))
    assert serving(server.account) == []
    server.thaw()
    patiently(lambda: put(remote, NAME, path.read_bytes()))
    assert len(serving(server.account)) == 1
    remote.close()
    until_none(server.account)


def test_a_user_who_interrupts_leaves_a_remote_that_can_be_used(make: Make) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    server = make()
    remote = server.maker()
    with pytest.raises(KeyboardInterrupt):
        remote.put(NAME, io.BytesIO(some_bytes(20 * MIB)), pace=Counted(10 * MIB, interrupt))
    assert put(remote, NAME, some_bytes(20 * MIB)) is True
    assert server.held() == {NAME: known(some_bytes(20 * MIB))}
    remote.close()
