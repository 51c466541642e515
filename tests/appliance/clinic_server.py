"""The clinic's server: OpenSSH's own at the clinic's end of the wire, with the accounts that ``sftp-account`` makes.

The accounts are this machine's, for as long as the ``with`` lasts, in names that nobody else has.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.appliance.build import ROOT
from tests.appliance.network import DESK, Wire
from tests.remote.sftp_server import PATIENCE_S, SSHD, make_key

_SCRIPT: Final = ROOT / "provisioning" / "scripts" / "sftp-account"
_CONFIG: Final = """
Port 22
ListenAddress {address}
HostKey {folder}/host_ed25519
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
Subsystem sftp internal-sftp
AllowUsers {users}
Include {folder}/sotto.conf
"""


class ClinicServer:
    """Where boxes send to. ``folder``: for its own keys."""

    def __init__(self, folder: Path, wire: Wire) -> None:
        self._folder = folder
        self._wire = wire
        self._mark = f"sottoway{os.getpid()}"
        # sshd takes a chroot only where nobody else can write, all the way up.
        self._root = Path(tempfile.mkdtemp(prefix="sotto-way-", dir="/srv"))
        self._sshd: subprocess.Popen[bytes] | None = None
        self.host_key = make_key(folder / "host_ed25519")

    @property
    def box(self) -> str:
        """The box's account."""
        return f"{self._mark}b"

    @property
    def desk(self) -> str:
        """The clinic's own account, which reads what boxes sent."""
        return f"{self._mark}d"

    def let_in(self, public: Path) -> None:
        """The box with this key gets its account."""
        self._script("add", self.box, public)

    @property
    def address(self) -> Path:
        """What ``sotto-clinic`` is given: where it is, and the clinic's own account there."""
        return self._folder / "remote.toml"

    def __enter__(self) -> Self:
        self._script("setup")
        key = self._folder / "desk.key"
        make_key(key)
        self._script("add", "--clinic", self.desk, key.with_name("desk.key.pub"))
        words = {"driver": "sftp", "host": DESK, "user": self.desk, "key": str(key), "host_key": self.host_key}
        self.address.write_text("[remote]\n" + "".join(f'{name} = "{word}"\n' for name, word in words.items()))
        config = self._folder / "sshd_config"
        config.write_text(_CONFIG.format(address=DESK, folder=self._folder, users=f"{self.box} {self.desk}"))
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            words = [*self._wire.at_desk, str(SSHD), "-D", "-e", "-f", str(config)]
            self._sshd = subprocess.Popen(words, stderr=log, start_new_session=True)
        until_s = time.monotonic() + PATIENCE_S
        while b"Server listening" not in (self._folder / "log").read_bytes():
            assert self._sshd.poll() is None and time.monotonic() < until_s, (self._folder / "log").read_text()
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sshd is not None:
            self._sshd.terminate()
            self._sshd.wait()
        for user in (self.box, self.desk):
            subprocess.run(["userdel", user], check=False, capture_output=True)
        for group in ("boxes", "clinic"):
            subprocess.run(["groupdel", f"{self._mark}-{group}"], check=False, capture_output=True)
        shutil.rmtree(self._root)

    def _script(self, *words: object) -> None:
        places = ("--root", self._root, "--group", self._mark, "--keys", self._root / ".keys")
        command = [_SCRIPT, *words, *places, "--config", self._folder / "sotto.conf"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
