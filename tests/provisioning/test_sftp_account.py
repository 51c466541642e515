"""The accounts that `sftp-account` makes, on a real sshd with the system's own accounts; nothing is left of them."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.config import SftpRemote as Section
from device.errors import RemoteError
from device.recording import SESSION_NAME
from device.remote import Remote
from tests.provisioning.boxes import call, held, leave_order, order_for, put, send
from tests.provisioning.conftest import Clinic
from tests.provisioning.damage import Kept, record
from tests.provisioning.remote_servers import box_at, toml_of
from tests.remote.sftp_server import SftpServer, make_key

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes accounts: only root can")

SCRIPT = Path(__file__).parents[2] / "provisioning" / "scripts" / "sftp-account"
MARK = f"sottotest{os.getpid()}"
BOX, OTHER, DESK = f"{MARK}a", f"{MARK}b", f"{MARK}d"


class Server:
    """A clinic's server: the script's accounts, in a folder that only root can write to, and an sshd of its own."""

    def __init__(self, folder: Path) -> None:
        self.keys = folder
        # Not in the tests' own folder: sshd takes a chroot only where nobody else can write, all the way up.
        self.root = Path(tempfile.mkdtemp(prefix="sotto-test-", dir="/srv"))
        self.config = folder / "sotto.conf"
        self.sshd: SftpServer | None = None

    def script(self, *words: object) -> subprocess.CompletedProcess[str]:
        places = ("--root", self.root, "--group", MARK, "--keys", self.root / ".keys", "--config", self.config)
        return subprocess.run(
            [SCRIPT, *map(str, words), *map(str, places)], capture_output=True, text=True, check=False
        )

    def done(self, *words: object) -> str:
        run = self.script(*words)
        assert run.returncode == 0, run.stderr
        return run.stdout

    @property
    def recordings(self) -> Path:
        """What the box sent, seen on the server itself."""
        return self.root / BOX / "recordings"

    def serve(self) -> SftpServer:
        users = f"AllowUsers {BOX} {OTHER} {DESK}"
        self.sshd = SftpServer(self.keys / "sshd", more=f"{users}\nInclude {self.config}")
        return self.sshd

    def section(self, user: str) -> Section:
        assert self.sshd is not None
        account = self.sshd.account
        place = {"name": "remote", "clinic": "practice", "room": "room-3"}
        reached = {"host": "127.0.0.1", "port": account.port, "host_key": account.host_key}
        return Section(driver="sftp", user=user, key=self.keys / user, **place, **reached)

    def sftp(self, user: str, *commands: str) -> subprocess.CompletedProcess[str]:
        """Stock sftp, which stops at the first command that fails."""
        assert self.sshd is not None
        known = self.keys / "known"
        known.write_text(f"[127.0.0.1]:{self.sshd.account.port} {self.sshd.host_key}\n")
        options = [f"-oUserKnownHostsFile={known}", "-oIdentitiesOnly=yes", f"-i{self.keys / user}", "-F/dev/null"]
        where = ["-P", str(self.sshd.account.port), f"{user}@127.0.0.1"]
        return subprocess.run(
            ["sftp", "-b", "-", *options, *where],
            input="\n".join(commands),
            capture_output=True,
            text=True,
            check=False,
        )

    def close(self) -> None:
        if self.sshd is not None:
            self.sshd.close()
        for user in (BOX, OTHER, DESK):
            if _there(pwd.getpwnam, user):
                subprocess.run(["userdel", user], check=True)
        for group in (f"{MARK}-boxes", f"{MARK}-clinic"):
            if _there(grp.getgrnam, group):
                subprocess.run(["groupdel", group], check=True)
        shutil.rmtree(self.root)


def _there(look: object, name: str) -> bool:
    try:
        look(name)  # type: ignore[operator]
    except KeyError:
        return False
    return True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("accounts"))
    try:
        for user in (BOX, OTHER, DESK):
            make_key(made.keys / user)
        made.done("setup")
        made.done("add", BOX, made.keys / f"{BOX}.pub")
        made.done("add", OTHER, made.keys / f"{OTHER}.pub")
        made.done("add", "--clinic", DESK, made.keys / f"{DESK}.pub")
        made.serve()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, sound_24: tuple[object, bytes]) -> Kept:
    return record(Clinic(tmp_path_factory.mktemp("clinic")), sound_24[0])  # type: ignore[arg-type]


@pytest.fixture
def box(server: Server) -> Iterator[Remote]:
    remote = box_at(server.section(BOX))
    yield remote
    remote.close()
    for top in server.recordings.iterdir():
        shutil.rmtree(top)


def test_it_can_all_be_run_again(server: Server) -> None:
    before = server.config.read_text()
    assert server.done("setup") == ""
    server.done("add", BOX, server.keys / f"{BOX}.pub")
    assert server.config.read_text() == before
    assert {line.split()[0] for line in server.done("list").splitlines()} == {BOX, OTHER, DESK}


def test_a_box_sends_reads_and_erases_what_is_its_own(box: Remote, kept: Kept) -> None:
    there = send(box, kept.folder)
    assert b"".join(box.read(f"{there}/{SESSION_NAME}")) == kept.file.read_bytes()
    assert len(held(box)) == 2
    box.erase(there)
    assert held(box) == {}


def test_a_box_sees_no_other_and_nothing_of_the_server(server: Server, box: Remote, kept: Kept) -> None:
    send(box, kept.folder)
    listed = server.sftp(OTHER, "ls -1 /", "ls -1 /recordings", "ls -1 ..")
    assert listed.returncode == 0, listed.stderr
    assert BOX not in listed.stdout
    assert "practice" not in listed.stdout
    for command in (f"ls /{BOX}", f"ls ../{BOX}/recordings", "ls /etc", "mkdir /mine", "rm /recordings", "ls /srv"):
        assert server.sftp(OTHER, command).returncode != 0, command


def test_a_box_has_no_shell_no_forwarding_and_no_password(server: Server) -> None:
    assert server.sshd is not None
    port = str(server.sshd.account.port)
    known = server.keys / "known-hosts"
    known.write_text(f"[127.0.0.1]:{port} {server.sshd.host_key}\n")
    ssh = ["ssh", "-F/dev/null", f"-oUserKnownHostsFile={known}", "-oBatchMode=yes", "-oIdentitiesOnly=yes", "-p", port]
    with_key = [*ssh, f"-i{server.keys / BOX}"]

    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)

    asked = run(*with_key, f"{BOX}@127.0.0.1", "echo a shell")
    assert b"a shell" not in asked.stdout
    forwarded = run(*with_key, "-W", f"127.0.0.1:{port}", f"{BOX}@127.0.0.1")
    assert b"SSH-" not in forwarded.stdout
    methods = run(*ssh, "-oPubkeyAuthentication=no", f"{BOX}@127.0.0.1")
    assert b"Permission denied (publickey)" in methods.stderr


def test_the_key_of_one_box_is_none_for_another(server: Server) -> None:
    shutil.copy(server.keys / BOX, server.keys / f"{BOX}-as-{OTHER}")
    section = server.section(OTHER).model_copy(update={"key": server.keys / f"{BOX}-as-{OTHER}"})
    remote = box_at(section)
    with pytest.raises(RemoteError, match="login"):
        put(remote, "practice/x", b"?")
    remote.close()


def test_the_clinic_lists_pulls_opens_and_erases_what_all_boxes_sent(
    server: Server, box: Remote, kept: Kept, tmp_path: Path
) -> None:
    there = send(box, kept.folder)
    address = toml_of(server.section(DESK), tmp_path / "remote.toml")
    (room,) = call("list", address, "--json").told["rooms"]
    assert room["room"] == f"{BOX}/recordings/practice/room-3"
    assert room["recordings"][0]["whole"] is True
    assert call("pull", address, kept.folder.name, "-o", tmp_path).code == 0
    assert (tmp_path / kept.folder.name / SESSION_NAME).read_bytes() == kept.file.read_bytes()
    leave_order(box, there, order_for(kept))
    said = call("erase-ordered", address)
    assert said.code == 0, said.complaints
    left = [path for path in server.recordings.rglob("*") if path.is_file()]
    assert left == [server.recordings / "practice" / "room-3" / "erased" / f"{kept.folder.name}.json"]
    with pytest.raises(RemoteError):  # what the clinic did is not the box's to change
        put(box, f"practice/room-3/erased/{kept.folder.name}.json", b"?")


def test_nobody_else_on_the_server_can_read_what_boxes_sent(server: Server, box: Remote, kept: Kept) -> None:
    send(box, kept.folder)
    for path in (server.recordings, *server.recordings.rglob("*")):
        assert path.stat().st_mode & 0o007 == 0, path
        assert path.group() == f"{MARK}-clinic"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("root", "ssh-ed25519 AAAA"),
        ("Room 3", "ssh-ed25519 AAAA"),
        ("../room", "ssh-ed25519 AAAA"),
        (f"{MARK}x", 'command="sh" ssh-ed25519 AAAA'),
        (f"{MARK}x", "ssh-ed25519 AAAA\nssh-ed25519 BBBB"),
        (f"{MARK}x", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    ],
)
def test_what_is_no_box_or_no_key_is_refused(server: Server, tmp_path: Path, name: str, key: str) -> None:
    (tmp_path / "key.pub").write_text(f"{key}\n")
    run = server.script("add", name, tmp_path / "key.pub")
    assert (run.returncode, run.stderr.startswith("error: "), "\nhint: " in run.stderr) == (1, True, True)
    assert not _there(pwd.getpwnam, f"{MARK}x")


def test_a_folder_in_which_others_can_write_is_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open").chmod(0o777)
    places = ("--root", tmp_path / "open" / "x", "--group", MARK, "--keys", tmp_path / "k", "--config", tmp_path / "c")
    run = subprocess.run([SCRIPT, "setup", *map(str, places)], capture_output=True, text=True, check=False)
    assert (run.returncode, "besides root" in run.stderr, (tmp_path / "c").exists()) == (1, True, False)


def test_a_removed_account_is_gone_and_what_it_sent_stays(server: Server, box: Remote, kept: Kept) -> None:
    there = send(box, kept.folder)
    box.close()
    server.done("remove", BOX)
    try:
        assert not _there(pwd.getpwnam, BOX)
        assert (server.recordings / there / SESSION_NAME).read_bytes() == kept.file.read_bytes()
        assert server.script("remove", BOX).returncode == 1
        assert server.script("remove", "root").returncode == 1
    finally:
        server.done("add", BOX, server.keys / f"{BOX}.pub")
        subprocess.run(["chown", "-R", BOX, server.recordings], check=True)
