"""A card's boot partition: mounted somewhere, or inside an image or a card that nobody mounts.

The latter is read and written by mtools, which needs no mount and, for an image, no root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, Protocol

from provisioning.card.partitions import TABLE_BYTES, Extent, boot_partition
from provisioning.errors import OutputError, UsageError

_MISSING: Final = "mtools is not installed here"


class Boot(Protocol):
    """A boot partition. Names are relative, with ``/``. Every call may raise ``OutputError``: it failed."""

    @property
    def free_bytes(self) -> int:
        """How much room there is."""

    def read(self, name: str) -> bytes | None:
        """What is in a file, as the card itself has it once ``settle`` was called; ``None``: there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Make or replace a file, with the folders above it."""

    def remove(self, name: str) -> None:
        """Take a folder away with all that is in it, if it is there."""

    def settle(self) -> None:
        """Everything is on the card, and nothing of it remembered here."""


class FolderBoot:
    """A boot partition that is mounted; or any folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: list[Path] = []

    @property
    def free_bytes(self) -> int:
        try:
            return shutil.disk_usage(self._folder).free
        except OSError as problem:
            raise _failed(problem) from problem

    def read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as problem:
            raise _failed(problem) from problem

    def write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(data)
        except OSError as problem:
            raise _failed(problem) from problem
        self._written.append(path)

    def remove(self, name: str) -> None:
        try:
            if (self._folder / name).exists():
                shutil.rmtree(self._folder / name)
        except OSError as problem:
            raise _failed(problem) from problem

    def settle(self) -> None:
        try:
            for path in self._written:
                _forget(path)
            os.sync()  # names, too
        except OSError as problem:
            raise _failed(problem) from problem
        self._written.clear()


class ImageBoot:
    """The boot partition inside an image or a card.

    Raises:
        UsageError: it is none of Raspberry Pi OS, or mtools is not here.
    """

    def __init__(self, disk: Path) -> None:
        if shutil.which("mcopy") is None:
            raise UsageError(_MISSING, "apt-get install mtools; or mount the boot partition and give --folder")
        try:
            with disk.open("rb") as file:
                table = file.read(TABLE_BYTES)
                disk_bytes = file.seek(0, os.SEEK_END)
        except OSError as problem:
            raise UsageError(f"{disk} cannot be read: {problem.strerror}", "give an image or a card") from problem
        self._disk = disk
        self.extent: Extent = boot_partition(table, disk_bytes=disk_bytes)

    @property
    def free_bytes(self) -> int:
        said = self._mtools("mdir", "::/").decode(errors="replace")  # "  530 882 560 bytes free" comes last
        last = said.strip().splitlines()[-1] if said.strip() else ""
        return int("".join(letter for letter in last.partition("bytes")[0] if letter.isdigit()) or 0)

    def read(self, name: str) -> bytes | None:
        run = self._try("mcopy", "-n", f"::/{name}", "-")
        if run.returncode == 0:
            return run.stdout
        if b"not found" in run.stderr:
            return None
        raise OutputError(f"{name} cannot be read from {self._disk.name}: {_last(run.stderr)}", "take another card")

    def write(self, name: str, data: bytes) -> None:
        above = name.split("/")[:-1]
        for depth in range(1, len(above) + 1):
            folder = "/".join(above[:depth])
            if self._try("mdir", "-b", f"::/{folder}").returncode:
                self._mtools("mmd", f"::/{folder}")
        self._mtools("mcopy", "-o", "-", f"::/{name}", data=data)

    def remove(self, name: str) -> None:
        if self._try("mdir", "-b", f"::/{name}").returncode == 0:
            self._mtools("mdeltree", f"::/{name}")

    def settle(self) -> None:
        try:
            _forget(self._disk)
        except OSError as problem:
            raise _failed(problem) from problem

    def _mtools(self, program: str, *words: str, data: bytes | None = None) -> bytes:
        run = self._try(program, *words, data=data)
        if run.returncode:
            raise OutputError(f"{self._disk.name} cannot be written: {_last(run.stderr)}", "take another card")
        return run.stdout

    def _try(self, program: str, *words: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        image = f"{self._disk}@@{self.extent.offset_bytes}"
        command = [program, "-i", image, *words]
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "MTOOLSRC": os.devnull}
        return subprocess.run(command, input=data or b"", env=env, capture_output=True, check=False)  # noqa: S603


def _forget(path: Path) -> None:
    """Onto the card, and out of this machine's memory, so that the next look is at the card."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _failed(problem: OSError) -> OutputError:
    return OutputError(
        f"the card cannot be read or written: {problem.strerror}", "is it write-protected, full or gone?"
    )


def _last(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "mtools does not say why"
