"""A box whose capture and sync are the real programs, each a process of its own, with real recordings in its store."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import Final

from device.age.identities import generate_identity
from device.capture.sealer import Sealer
from device.clock import SystemClock, boot_id, stamp
from device.datagrams import send_datagram
from device.devicekey import load_or_make_device_key
from device.errors import AdminError, DamagedError
from device.lived import Reading, step
from device.recording import CHUNK_BYTES, RECEIPTS_NAME, SESSION_NAME
from device.recording.layout import Desk
from device.recording.manifest import ConsentEvent, Manifest
from device.recording.receipt import RECEIPT_KIND, Receipt
from device.recording.signing import verify
from device.recovery import recover
from device.retaining import carry_out, survey
from device.retention import Policy
from device.shapes import ShapeError
from device.status import read_status
from device.store import Store, read_manifest
from device.sync_status import SYNC_FOLDER_NAME, SyncStatus, read_sync_status
from device.words import Consent
from tests.bench_recovery import Unsynced
from tests.support import manifest_of, noise, write_wav

ROOT: Final = Path(__file__).parent.parent.parent
PATIENCE_S: Final = 60.0  # a busy machine is slow, not broken
MOST_MEMORY_MIB: Final = 80.0  # of sync
AT: Final = "2026-03-02T10:00:00.000Z"
CHUNK_US: Final = 250_000
DESK: Final = Desk(clinic="practice", room="room-1")
REMOTE: Final = "clinic"

_CONFIG: Final = """
[box]
name = "Room 1"
device_key = "{folder}/device.key"
run = "{folder}/run"

[store]
path = "{folder}/store"

[recipients]
keys = ["{recipient}"]

[microphone]
driver = "simulated"
wav = "{folder}/room.wav"

[camera]
driver = "disabled"

[panel]
driver = "simulated"

[web]
state = "{folder}/web"
port = 0

[sync]
state = "{folder}/sync"
start_jitter_s = 0
{sync}

[remote]
name = "{remote_name}"
clinic = "{desk.clinic}"
room = "{desk.room}"
{remote}
"""


class Program:
    """A program of the box, and all that it ever said."""

    def __init__(
        self,
        command: list[str],
        said: Path,
        *,
        environment: Mapping[str, str] | None = None,
        inherits: tuple[int, ...] = (),
    ) -> None:
        """``inherits``: descriptors that it is handed."""
        self._said = said
        with said.open("ab") as to:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=to, stderr=to, env=environment, pass_fds=inherits
            )
        self.pid = self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """As a power cut or the kernel would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def end(self) -> None:
        """Ask it to end; it has to, and well."""
        self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        assert code == 0, f"ended with {code}: {self._said.read_text(errors='replace')[-2000:]}"


class Box:
    """A box in a folder. ``secrets``: what it holds and never shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets: tuple[str, ...] = ()
        for name in ("run", "store", "sync"):
            (folder / name).mkdir()
        self.said = folder / "said"
        self.config = folder / "sotto.toml"
        self.identity = generate_identity(post_quantum=False)
        facts = {"rate_hz": 48_000, "channels": 1, "bits": 16}
        write_wav(folder / "room.wav", noise(1, **facts), **facts)
        self.key = load_or_make_device_key(folder / "device.key")
        self.store = Store(folder / "store", device_key=self.key)
        self.capture: Program | None = None
        self.sync: Program | None = None
        self.impatient = False  # sync waits for a silent server as long as a test does, not as long as a box
        self._before: tuple[str, ...] = ()  # how a command at this box begins: in a namespace, or nicely
        self.made: dict[str, str] = {}  # each recording's SHA-256

    # -- its programs -------------------------------------------------------------------------------------------------

    def configure(self, remote: str, *, secrets: tuple[str, ...] = (), sync: str = "") -> None:
        """Another [remote] (and more of [sync]), as an admin does it: sync is started again where it changed."""
        facts = {"folder": self.folder, "recipient": self.identity.recipient(), "desk": DESK, "remote_name": REMOTE}
        text = _CONFIG.format(**facts, remote=remote, sync=sync)
        self.secrets = tuple({*self.secrets, *secrets})
        same = self.config.exists() and self.config.read_text() == text
        self.config.write_text(text)
        if self.sync is not None and not same:
            self.restart_sync()

    def start(self, *, sync_before: tuple[str, ...] = ()) -> None:
        """Start both, if they do not run. ``sync_before``: how sync's command begins (in a namespace, or nicely)."""
        if self.capture is not None:
            return
        self.start_capture()
        self.start_sync(before=sync_before)
        self.until_ready()

    def start_capture(self) -> None:
        self.capture = Program(self._command("capture"), self.said)

    def start_sync(self, *, before: tuple[str, ...] | None = None) -> None:
        self._before = self._before if before is None else before
        program = "tests.sync_faults.impatient" if self.impatient else "device"
        self.sync = Program([*self._before, *self._command("sync", program)], self.said)

    @property
    def runs(self) -> bool:
        return all(program is None or program.alive for program in (self.capture, self.sync))

    def restart_sync(self) -> None:
        """As an admin does who changed something."""
        assert self.sync is not None
        self.sync.end()
        self._control.unlink(missing_ok=True)
        self.start_sync()
        self.until_ready()

    @property
    def _control(self) -> Path:
        return self.folder / "run" / SYNC_FOLDER_NAME / "control.sock"

    def _command(self, verb: str, program: str = "device") -> list[str]:
        return [sys.executable, "-m", program, verb, "--config", str(self.config)]

    def close(self) -> None:
        """End what runs."""
        for program in (self.sync, self.capture):
            if program is not None and program.alive:
                program.end()

    # -- its recordings -----------------------------------------------------------------------------------------------

    def record(self, size_bytes: int, *, seed: int = 1) -> str:
        """A recording of about that size, sealed by the box's own sealer and closed by its own recovery; its id."""
        folder = self.store.new_folder()
        consented = ConsentEvent(at_us=-1_000_000, what="consented", consent=Consent.SOUND)
        self.store.write_manifest(manifest_of(folder.name, boot=boot_id(), consent_events=(consented,)))
        sealer = Sealer([self.identity.recipient()], Unsynced(folder), on_durable=lambda *_: None)
        chunk = random.Random(seed).randbytes(CHUNK_BYTES)  # sealed, no two are alike
        for number in range(max(1, size_bytes // CHUNK_BYTES)):
            sealer.write(chunk, (number + 1) * CHUNK_US)
        sealer.close()
        recover(self.store, at=AT)
        assert read_manifest(folder).digest is not None
        self.made[folder.name] = sha256_of(folder / SESSION_NAME)
        return folder.name

    def manifest(self, recording: str) -> Manifest:
        return read_manifest(self.store.folder(recording))

    def place(self, recording: str) -> str:
        """Where a recording is at the remote."""
        return DESK.recording(recording, self.manifest(recording).started)

    def path(self, recording: str) -> Path:
        return self.store.folder(recording) / SESSION_NAME

    def is_whole_here(self, recording: str) -> bool:
        """Whether a recording is still in the store, byte by byte as it was made."""
        return self.path(recording).exists() and sha256_of(self.path(recording)) == self.made[recording]

    def receipt(self, recording: str) -> Receipt | None:
        """The receipt that capture signed, if there is one."""
        try:
            document = (self.store.folder(recording) / RECEIPTS_NAME / f"{REMOTE}.json").read_bytes()
            signed = verify(RECEIPT_KIND, document)
            receipt = Receipt.model_validate(signed.payload)
        except (FileNotFoundError, DamagedError, ShapeError):
            return None
        assert signed.key == self.key.public_key().public_bytes_raw()
        return receipt

    def is_proven(self, recording: str) -> bool:
        """Whether a receipt says that the remote holds just what the manifest says."""
        receipt, manifest = self.receipt(recording), self.manifest(recording)
        return receipt is not None and (receipt.digest, receipt.size_bytes, receipt.differs) == (
            *(manifest.digest, manifest.size_bytes),
            False,
        )

    def retain(self) -> list[str]:
        """Have retention erase all that it lets go, with nothing kept any longer than proven; what is gone.

        This is what capture does every hour and ``sotto retention`` does where it does not run.
        """
        key = self.key.public_key().public_bytes_raw()
        now_us = time.monotonic_ns() // 1000
        reading = Reading(boot_id(), now_us, round(time.time() * 1e6), trusted=True)
        lived = step(self.store.read_lived(key), reading)
        found = survey(self.store, lived, policy=Policy(keep_days=0), key=key)
        at = stamp(SystemClock(), boot_id())
        return [
            one.recording for one in found.decisions if carry_out(self.store, one, key=key, at=at, go_on=lambda: True)
        ]

    # -- what it tells ------------------------------------------------------------------------------------------------

    def status(self) -> SyncStatus | None:
        """What sync published last."""
        return read_sync_status(self.folder / "run")

    def until(self, holds: Callable[[SyncStatus], object], *, patience_s: float = PATIENCE_S) -> SyncStatus:
        """The first status that is seen to hold."""
        until_s = time.monotonic() + patience_s
        while True:
            status = self.status()
            if status is not None and holds(status):
                return status
            assert time.monotonic() < until_s, f"never came true; at last: {status}; {self.last_words()}"
            assert self.sync is not None
            assert self.sync.alive, f"sync ended: {self.last_words()}"
            time.sleep(0.02)

    def until_trouble(self, *, what: str = "", patience_s: float = PATIENCE_S) -> SyncStatus:
        """The first status that tells of trouble (in these words)."""

        def holds(status: SyncStatus) -> bool:
            known = (status.trouble or ("",))[0]
            return status.state == "held up" and bool(known) and what in known

        return self.until(holds, patience_s=patience_s)

    def until_proven(self, recording: str, *, patience_s: float = PATIENCE_S) -> None:
        """Until its receipt is there."""
        self.until(lambda _status: self.is_proven(recording), patience_s=patience_s)

    def until_quiet(self) -> SyncStatus:
        """Until all is synced and nothing is in trouble."""
        return self.until(lambda status: status.state == "idle" and status.waiting == 0 and status.trouble is None)

    def hurry(self) -> None:
        """``sotto sync now``."""
        with suppress(AdminError):  # it starts just now, and hurries anyway
            send_datagram(b"now", self._control)

    def until_ready(self) -> None:
        """Until both run."""
        until_s = time.monotonic() + PATIENCE_S
        while read_status(self.folder / "run") is None or not self._control.exists():
            assert time.monotonic() < until_s, self.last_words()
            time.sleep(0.02)

    def last_words(self) -> str:
        return self.said.read_text(errors="replace")[-2000:] if self.said.exists() else ""


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def proc_text(pid: int, name: str) -> str:
    """What the kernel tells of a process; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def peak_mib(pid: int) -> float:
    """The most memory that a process ever held."""
    line = next((line for line in proc_text(pid, "status").splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return int(line.split()[1]) / 1024
