"""The box's own Ed25519 key, which signs what it says. It opens nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.durable import sync_folder
from device.errors import AdminError
from device.recording.signing import fingerprint

SECRET_BYTES: Final = 32
_PUBLIC_BYTES: Final = 32
PUBLIC_NAME: Final = "device.pub"


def load_or_make_device_key(path: Path) -> Ed25519PrivateKey:
    """Read the key, or make one where there is none yet; nobody else may read it.

    Raises:
        AdminError: the file cannot be read or made, or is no key.
    """
    seed = load_or_make_secret(path, called="the device key", named_by="box.device_key")
    if len(seed) != SECRET_BYTES:
        raise AdminError("the device key is damaged", "restore it, or provision the box again")
    return Ed25519PrivateKey.from_private_bytes(seed)


def load_or_make_secret(path: Path, *, called: str, named_by: str) -> bytes:
    """Read random bytes that nobody else may read, or make them where there are none yet.

    Raises:
        AdminError: the file cannot be read or made.
    """
    try:
        if not path.exists():
            _make(path)
        return path.read_bytes()
    except OSError as problem:
        raise AdminError(
            f"{called} cannot be used: {problem.strerror}", f"check the folder that {named_by} names"
        ) from problem


def publish_public_key(key: Ed25519PrivateKey, run: Path) -> None:
    """Put the public half where the box's other processes read it, which may not read the key.

    Raises:
        AdminError: it cannot be written there.
    """
    beside = run / (PUBLIC_NAME + ".new")
    try:
        beside.write_bytes(key.public_key().public_bytes_raw())
        beside.rename(run / PUBLIC_NAME)
    except OSError as problem:
        raise AdminError(
            f"the device's public key cannot be published: {problem.strerror}", "check the folder that box.run names"
        ) from problem


def published_fingerprint(run: Path) -> str | None:
    """The fingerprint of the device's key; ``None`` before the capture service has published it."""
    try:
        key = (run / PUBLIC_NAME).read_bytes()
    except OSError:
        return None
    return fingerprint(key) if len(key) == _PUBLIC_BYTES else None


def throwaway_key() -> Ed25519PrivateKey:
    """A key that nobody keeps, for a rehearsal, which has no box."""
    return Ed25519PrivateKey.generate()


def _make(path: Path) -> None:
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, os.urandom(SECRET_BYTES))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.rename(path)
    sync_folder(path.parent)
