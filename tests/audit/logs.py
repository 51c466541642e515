"""Logs to spoil: written by the real ``AuditLog``, read and written here as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.audit import AuditLog, audit_files
from device.clock import Stamp
from device.recording.audited import Happened, What, Who

ID = "000007-abcdefghij"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def stamp(number: int = 1) -> Stamp:
    return Stamp(f"2026-03-02T09:00:{number % 60:02d}.000Z", trusted=True, boot="b", monotonic_us=number)


def gap(number: int) -> Happened:
    """One of many things that can happen."""
    return Happened(What.GAP, ID, Who.BOX, {"start_sample": number, "samples": 480, "cause": "other"})


def write(folder: Path, count: int, *, key: Ed25519PrivateKey = KEY, rotate_bytes: int = 1 << 20) -> None:
    """So many more entries."""
    log = AuditLog(folder, device_key=key, rotate_bytes=rotate_bytes)
    for number in range(count):
        log.append(gap(number), stamp(number))
    log.close()


def files_of(folder: Path) -> list[Path]:
    return [path for _, path in audit_files(folder)]


def lines_of(folder: Path) -> list[tuple[str, bytes]]:
    """Every line of a log with the name of its file."""
    return [
        (path.name, part + b"\n")
        for path in files_of(folder)
        for part in path.read_bytes().removesuffix(b"\n").split(b"\n")
    ]


def put_back(folder: Path, lines: Sequence[tuple[str, bytes]]) -> None:
    """Write a log anew, with exactly these lines in these files."""
    folder.mkdir(exist_ok=True)
    for path in files_of(folder):
        path.unlink()
    for name, line in lines:
        with (folder / name).open("ab") as file:
            file.write(line)
