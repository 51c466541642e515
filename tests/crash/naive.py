"""The same store as somebody might write it who never lost power: each leaves out one thing, and must be found out.

A variant replaces a few functions of the real code while it is entered; all else stays as it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import device.durable
import device.erasing
import device.overwriting
import device.sealed_file
import device.store
from device.age.chunks import ChunkCipher
from device.capture.sealer import Sealer
from device.clock import Stamp
from device.durable import aside, sync_folder, write_all
from device.erasing import Erasing
from device.overwriting import GoOn, mark, overwrite_header, overwrite_rest, remove
from device.recording import ERASED_NAME, LEDGER_NAME, SESSION_NAME, WITHDRAWN_NAME
from device.recording.erasure import CERTIFICATE_KIND, How
from device.recording.ledger import CLOSING_BYTES
from device.sealed_file import SealedFile
from device.words import By
from tests.crash.play import Scene, replaced, store_of, telling


def no_folder_sync() -> AbstractContextManager[None]:
    """A rename is believed to be durable once it returned."""
    modules = (device.durable, device.erasing, device.overwriting, device.sealed_file, device.store)
    return replaced(*((module, "sync_folder", lambda _folder: None) for module in modules))


def rename_before_sync() -> AbstractContextManager[None]:
    """The manifest gets its name before its data is on the disk."""

    def write_whole(path: Path, data: bytes) -> None:
        beside = aside(path)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            beside.rename(path)
            sync_folder(path.parent)
            os.fsync(file.fileno())

    return replaced((device.store, "write_whole", write_whole))


def in_place() -> AbstractContextManager[None]:
    """The manifest is written where it stands."""

    def write_whole(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)

    return replaced((device.store, "write_whole", write_whole))


def no_sync() -> AbstractContextManager[None]:
    """Chunks are written, and nothing waits for them."""

    def append(self: SealedFile, sealed: bytes, closing: bytes, records: bytes) -> None:
        first = _begin(self, aside(Path(SESSION_NAME)).name)
        write_all(self._ledger_fd, records, self._ledger_end)
        write_all(self._file_fd, sealed + closing, self._end)
        _name(self, first=first)
        self._ledger_end, self._end = self._ledger_end + len(records), self._end + len(sealed)

    return replaced((SealedFile, "_append", append))


def ledger_later() -> AbstractContextManager[None]:
    """The ledger follows its chunk, one call late."""
    waiting: list[bytes] = []

    def append(self: SealedFile, sealed: bytes, closing: bytes, records: bytes) -> None:
        first = _begin(self, aside(Path(SESSION_NAME)).name)
        write_all(self._file_fd, sealed + closing, self._end)
        os.fdatasync(self._file_fd)
        _name(self, first=first)
        earlier = b"".join(waiting)
        waiting[:] = [records]
        write_all(self._ledger_fd, earlier, self._ledger_end)
        os.fdatasync(self._ledger_fd)
        self._ledger_end, self._end = self._ledger_end + len(earlier), self._end + len(sealed)

    return replaced((SealedFile, "_append", append))


def name_first() -> AbstractContextManager[None]:
    """The recording has its name before its first chunk."""

    def append(self: SealedFile, sealed: bytes, closing: bytes, records: bytes) -> None:
        _begin(self, SESSION_NAME)
        write_all(self._ledger_fd, records, self._ledger_end)
        write_all(self._file_fd, sealed + closing, self._end)
        os.fdatasync(self._ledger_fd)
        os.fdatasync(self._file_fd)
        self._ledger_end, self._end = self._ledger_end + len(records), self._end + len(sealed)

    return replaced((SealedFile, "_append", append))


def _begin(file: SealedFile, name: str) -> bool:
    """Make both files at the first call; whether this is it."""
    if file._file_fd >= 0:
        return False
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    file._ledger_fd = os.open(file._folder / LEDGER_NAME, flags, 0o640)
    file._file_fd = os.open(file._folder / name, flags, 0o640)
    sync_folder(file._folder)
    return True


def _name(file: SealedFile, *, first: bool) -> None:
    if first:
        aside(file._folder / SESSION_NAME).rename(file._folder / SESSION_NAME)
        sync_folder(file._folder)


def room_kept() -> AbstractContextManager[None]:
    """What was set aside for a recording stays so when it is over."""
    return replaced((device.sealed_file, "give_back", lambda _descriptor: None))


def closing_at_the_end() -> AbstractContextManager[None]:
    """The file is closed when the recording is over, as any age file is: until then nobody can open it."""
    real = SealedFile._append

    def append(self: SealedFile, sealed: bytes, closing: bytes, records: bytes) -> None:
        real(self, sealed, b"" if len(sealed) else closing, records)

    return replaced((SealedFile, "_append", append))


def closing_unknown() -> AbstractContextManager[None]:
    """The ledger does not keep the closing, which only the key could make again."""
    real = Sealer.write

    def write(self: Sealer, chunks: bytes, end_us: int) -> None:
        seal = ChunkCipher.seal

        def without(cipher: ChunkCipher, counter: int, plaintext: bytes, *, last: bool) -> bytes:
            return bytes(CLOSING_BYTES) if last else seal(cipher, counter, plaintext, last=last)

        with replaced((ChunkCipher, "seal", without)):
            real(self, chunks, end_us)

    return replaced((Sealer, "write", write))


def mark_unsynced() -> AbstractContextManager[None]:
    """A withdrawal is marked, and not waited for."""
    return replaced((device.overwriting, "make_name", lambda path: path.touch()))


def erase_by_unlink() -> AbstractContextManager[None]:
    """The names go, and what they led to stays on the disk with its header."""

    def erase(self: Erasing, folder: Path, *, by: By, at: Stamp, go_on: GoOn) -> bool:
        _certify(self, folder, by=by, at=at)
        shutil.rmtree(folder)
        sync_folder(self._store)
        return True

    return replaced((Erasing, "_erase", erase))


def overwrite_unsynced() -> AbstractContextManager[None]:
    """The header is overwritten, and unlinked before that has reached the disk."""

    def zero(descriptor: int, start: int, end: int) -> How:
        write_all(descriptor, bytes(end - start), start)
        return How.OVERWRITTEN

    return replaced((device.overwriting, "_zero", zero))


def mark_goes_first() -> AbstractContextManager[None]:
    """The mark is taken away before the recording is."""
    real = Erasing._erase

    def erase(self: Erasing, folder: Path, *, by: By, at: Stamp, go_on: GoOn) -> bool:
        (folder / WITHDRAWN_NAME).unlink(missing_ok=True)
        sync_folder(folder)
        with replaced((device.erasing, "mark", lambda _folder, _by: None)):
            return real(self, folder, by=by, at=at, go_on=go_on)

    return replaced((Erasing, "_erase", erase))


def certificate_last() -> AbstractContextManager[None]:
    """The certificate comes when everything is gone: then nobody knows any more that there was something."""

    def erase(self: Erasing, folder: Path, *, by: By, at: Stamp, go_on: GoOn) -> bool:
        mark(folder, by)
        overwrite_header(folder)
        overwrite_rest(folder, go_on=go_on)
        remove(folder)
        _certify(self, folder, by=by, at=at)
        return True

    return replaced((Erasing, "_erase", erase))


def order_forgotten() -> AbstractContextManager[None]:
    """The recording is gone from the box, and the remote is never told."""
    return replaced((device.erasing, "order_of", lambda _certificate: None))


def _certify(erasing: Erasing, folder: Path, *, by: By, at: Stamp) -> None:
    certificate = erasing._certificate(folder, by=by, at=at, header=How.CUT, rest=How.CUT)
    erasing._write(erasing._store / ERASED_NAME / f"{folder.name}.json", CERTIFICATE_KIND, certificate)


# Each with what it must be found to break.
VARIANTS: dict[str, tuple[Callable[[], AbstractContextManager[None]], str]] = {
    variant.__name__: (variant, breaks)
    for variant, breaks in (
        (no_folder_sync, "durable pieces are lost with the whole recording"),
        (rename_before_sync, "this is not a signed manifest"),
        (in_place, "this is not a signed manifest"),
        (no_sync, "pieces were durable, "),
        (room_kept, "keeps room behind its end"),
        (ledger_later, "pieces were durable, "),
        (name_first, "its file cannot be opened"),
        (closing_at_the_end, "between two writes its file was no whole age file"),
        (closing_unknown, "durable pieces are lost with the whole recording"),
        (mark_unsynced, "withdrawn, and still there"),
        (erase_by_unlink, "its header is still on the disk"),
        (overwrite_unsynced, "its header is still on the disk"),
        (mark_goes_first, "withdrawn, and still there"),
        (certificate_last, "withdrawn, and there is no certificate"),
        (order_forgotten, "withdrawn, and there is no order for the remote"),
    )
}


def play_all(scene: Scene, scenario: Callable[[Scene], None]) -> None:
    """Play one scenario as each of them would, in a store of its own."""
    for name, (variant, _) in VARIANTS.items():
        place = scene.store.path / name
        place.mkdir()
        scene.disk.mark(do="round", store=name)
        with variant(), telling(scene.disk):
            scenario(replace(scene, store=store_of(place)))
