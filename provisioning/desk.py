"""The clinic's own desk: a folder with its signing key, and the audit log of what was done there.

    DESK/clinic.key               32 bytes, Ed25519; whoever has it can sign in the clinic's name, and open nothing
         clinic.key.age           the same, locked by a passphrase: in a clinic's folder (docs/clinic-folder.md),
         clinic.pub               and its public half, 64 hex digits
         audit/000000000001.jsonl what was shared, registered, drawn and exported: a log as a box has it (docs/audit.md)
         samples/                 pre-registered samples (docs/research.md)

The log is written by the box's own ``AuditLog``, with all that it knows of cuts and of disks that fail, and verified by
``sotto-clinic verify DESK``. What is done is in it before it is done; where it cannot be written, nothing is done.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.audit import AuditLog
from device.clock import Clock, Stamp, wire_time
from device.durable import sync_folder
from device.errors import DamagedError
from device.recording.audited import Happened, What, Who
from device.recording.chain import AUDIT_NAME, Head
from device.recording.signing import fingerprint
from provisioning.errors import OutputError, UsageError
from provisioning.locked import unlock
from provisioning.passphrases import passphrase_of

KEY_NAME: Final = "clinic.key"
LOCKED_NAME: Final = "clinic.key.age"
PUBLIC_NAME: Final = "clinic.pub"
SAMPLES_NAME: Final = "samples"
_KEY_BYTES: Final = 32
_MAKE: Final = "make it with `sotto-clinic desk new FOLDER`, or a clinic's folder with `sotto-clinic init FOLDER`"
FOLDER: Final = "the clinic's folder"


@dataclass(frozen=True)
class Desk:
    """A desk that is open: nobody else writes to its log meanwhile."""

    folder: Path
    key: Ed25519PrivateKey
    log: AuditLog
    clock: Clock

    @property
    def fingerprint(self) -> str:
        """By which people compare its key."""
        return fingerprint_of(self.key)

    @property
    def samples(self) -> Path:
        """Where its samples are."""
        return self.folder / SAMPLES_NAME

    def now(self) -> str:
        """This moment, by the desk's clock."""
        return wire_time(self.clock.utc())

    def note(self, happened: Happened) -> Head:
        """Make an entry durable; the head that it is. Raises ``StoreError``: it is then not in the log."""
        return self.log.append(happened, Stamp(self.now(), trusted=self.clock.trusted()))


def make_desk(folder: Path, clock: Clock) -> str:
    """Make a desk with a new key; the key's fingerprint.

    Raises:
        OutputError: there is one already, or it cannot be written.
        StoreError: its log cannot be begun.
    """
    path = folder / KEY_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(folder)
    except FileExistsError as problem:
        raise OutputError(
            f"there is a desk in {folder} already", "use it, or give another folder: its key is never overwritten"
        ) from problem
    except OSError as problem:
        raise OutputError(
            f"a desk cannot be made in {folder}: {problem.strerror}", "choose a folder that you can write to"
        ) from problem
    with open_desk(folder, clock) as desk:
        desk.note(Happened(What.DESK_MADE, by=Who.CLINIC))
        return desk.fingerprint


@contextmanager
def open_desk(
    folder: Path, clock: Clock, *, passphrase: Callable[[], str] = lambda: passphrase_of(None, what=FOLDER)
) -> Iterator[Desk]:
    """The desk in a folder, until the end of the ``with``. ``passphrase``: asked for where the key is locked by one.

    Raises:
        UsageError: there is none, or its key is none.
        WrongKeyError: that is not its passphrase.
        StoreError: its log cannot be written, or another program writes it.
    """
    key = read_locked_key(folder, passphrase()) if is_locked(folder) else read_key(folder)
    log = AuditLog(folder / AUDIT_NAME, device_key=key)
    try:
        yield Desk(folder, key, log, clock)
    finally:
        log.close()


def read_key(folder: Path) -> Ed25519PrivateKey:
    """A desk's key.

    Raises:
        UsageError: there is no desk in that folder, or its key is none.
    """
    try:
        with (folder / KEY_NAME).open("rb") as file:
            seed = file.read(_KEY_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"there is no desk in {folder}: {problem.strerror}", _MAKE) from problem
    if len(seed) != _KEY_BYTES:
        raise UsageError(f"{folder / KEY_NAME} is no desk's key", "restore it from a copy of the desk")
    return Ed25519PrivateKey.from_private_bytes(seed)


def is_locked(folder: Path) -> bool:
    """Whether a desk's key is locked by a passphrase."""
    return (folder / LOCKED_NAME).exists() and not (folder / KEY_NAME).exists()


def read_locked_key(folder: Path, passphrase: str) -> Ed25519PrivateKey:
    """A clinic's key out of its folder.

    Raises:
        WrongKeyError: that is not its passphrase.
        AgeError, UsageError, DamagedError: it cannot be read, is none, or another than its public half says.
    """
    seed = unlock(_text(folder / LOCKED_NAME), passphrase, what=FOLDER)
    if len(seed) != _KEY_BYTES:
        raise UsageError(f"{folder / LOCKED_NAME} holds no clinic's key", "restore it from a copy of the folder")
    key = Ed25519PrivateKey.from_private_bytes(seed)
    if (folder / PUBLIC_NAME).exists() and public_key(folder) != key.public_key().public_bytes_raw():
        raise DamagedError(
            f"{PUBLIC_NAME} in the clinic's folder is not that of its key", "restore both from a copy of the folder"
        )
    return key


def public_key(folder: Path) -> bytes:
    """A desk's public key (32 bytes); no passphrase is needed for it.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    if not is_locked(folder):
        return read_key(folder).public_key().public_bytes_raw()
    try:
        key = bytes.fromhex(_text(folder / PUBLIC_NAME).strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise UsageError(f"{folder / PUBLIC_NAME} is no clinic's key", "restore it from a copy of the folder")
    return key


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as problem:
        raise UsageError(
            f"{path} cannot be read: {problem.strerror}", "restore it from a copy of the folder"
        ) from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path} is damaged", "restore it from a copy of the folder") from problem


def fingerprint_of(key: Ed25519PrivateKey) -> str:
    """By which people compare a desk's key."""
    return fingerprint(key.public_key().public_bytes_raw())
