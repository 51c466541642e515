"""SFTP: who the server is, who the box is, and which processes that takes."""

from __future__ import annotations

import io
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from device.errors import RemoteAwayError, RemoteError
from device.ssh_channel import Account, ssh_command
from tests.remote.servers import MIB, known, some_bytes
from tests.remote.sftp_server import PATIENCE_S, SftpMaker, make_key
from tests.remote.test_contract import SOON_S, Counted, begin, patiently, put
from tests.remote.test_sftp import FOLDER, NAME, Make, refused
from tests.remote.uploader import Job, upload

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
        remote.put(NAME, io.BytesIO(path.read_bytes()), pace=Counted(5 * MIB, server.freeze))  # of 10 at most
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
