"""A recording fetched from a remote as it is there: sealed, with its manifest and its attachments.

It goes into a folder of its own, named by its id, as in a box's store. Each file is written aside under ``….part`` and
goes on there at its size the next time. The recording gets its name only once its bytes are those that the box sealed
and signed; the manifest comes last, so a folder that has one is whole. What is there already is never overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from device.durable import sync_folder
from device.recording import MANIFEST_NAME, REWRAPPED_NAME, SESSION_NAME
from device.recording.manifest import RecordingState
from provisioning.beside import Beside, as_it_is_now, must_be_known, read_beside
from provisioning.errors import AlteredError, OutputError, UnreachableError
from provisioning.findings import layout_of
from provisioning.headed_source import HeadedSource
from provisioning.judging import judge
from provisioning.output import output_error
from provisioning.place import in_folder
from provisioning.remote_place import RemotePlace
from provisioning.remote_source import pieces
from provisioning.rewraps import AttachmentFact, read_rewrap
from provisioning.sealed_pass import pass_over
from provisioning.source import FileSource

_AGAIN: Final = "find out what that file is, and move it away; then pull again"

Progress = Callable[[int, int | None], None]
"""Told how many bytes are here, of how many."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of it: where the recording is, how many bytes were moved for it, and whose key signed it."""

    name: str
    folder: Path
    moved_bytes: int
    size_bytes: int
    key: str

    def line(self) -> str:
        """It for a person."""
        if not self.moved_bytes:
            return f"{self.name}: there already, and whole: {self.folder}"
        return f"{self.name}: whole, as the box sealed it: {self.folder}"


def pull(place: RemotePlace, into: Path, *, device_keys: frozenset[str], progress: Progress) -> Pulled:
    """Fetch a recording into a folder beneath ``into``, or go on with it.

    Raises:
        UnreachableError: the remote does not answer, or does not hold all of it yet.
        AlteredError, DamagedError: what the remote holds is not what the box signed; nothing of that is kept.
        OrderedErasedError: an erase order waits there.
        OutputError: it cannot be written here, or something else is there under that name.
    """
    place.let_be_if_ordered_erased()
    document, beside = _manifest(place, device_keys)
    job = _Job(place, into / place.name, beside, progress)
    try:
        job.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        job.session()
        for file in place.held.attachments:
            job.attachment(file)
        job.manifest(document)
    except OSError as problem:
        raise output_error(problem) from problem
    return Pulled(place.name, job.folder, job.moved_bytes, place.held.size_bytes, beside.key)


def _manifest(place: RemotePlace, device_keys: frozenset[str]) -> tuple[bytes, Beside]:
    """The manifest, which has to hold and to be final before anything is fetched."""
    document = place.read_manifest()
    if document is None:
        raise UnreachableError(f"the remote holds no manifest of {place.name} yet", "pull it once the box has sent it")
    beside = read_beside(document)
    if beside.manifest.id != place.name:
        raise AlteredError(
            f"the manifest beside {place.name} is that of another recording", "verify what the remote holds"
        )
    must_be_known(beside, device_keys)
    if beside.manifest.state is RecordingState.OPEN:
        raise UnreachableError(f"the manifest of {place.name} is from before the box closed it", "pull it later")
    return document, beside


class _Job:
    def __init__(self, place: RemotePlace, folder: Path, beside: Beside, progress: Progress) -> None:
        self.folder = folder
        self.moved_bytes = 0
        self._place = place
        self._beside = beside
        self._now = as_it_is_now(beside, place)
        self._progress = progress

    def session(self) -> None:
        """The recording itself, whose name says that it was verified."""
        target = self.folder / SESSION_NAME
        if target.exists():
            if self._wrong_in(target) is not None:
                raise OutputError(f"{target} is there already, and is not what the remote holds", _AGAIN)
            return
        part = _aside(target)
        went_on = part.exists()
        self._fetch(SESSION_NAME, part)
        wrong = self._wrong_in(part)
        if wrong is not None and went_on:  # what was found here may have been another's: once more, from the start
            part.unlink()
            self._fetch(SESSION_NAME, part)
            wrong = self._wrong_in(part)
        if wrong is not None:
            part.unlink()
            raise AlteredError(f"what the remote holds is not what the box sealed: {wrong}", "verify it there")
        self._rewrap()
        part.rename(target)

    def attachment(self, file: str) -> None:
        """A small sealed file: nothing signed speaks of it, but it opens as it was sealed, or not at all."""
        target = self.folder / file
        if target.exists():
            self._compare(file, target)
            return
        target.parent.mkdir(mode=0o700, exist_ok=True)
        if self._place.is_shared_here:
            self._write(self._place.read_attachment(target.name), target)
            return
        part = _aside(target)
        part.unlink(missing_ok=True)
        self._fetch(file, part)
        part.rename(target)

    def manifest(self, document: bytes) -> None:
        """The manifest, which says that all of it is here."""
        target = self.folder / MANIFEST_NAME
        if target.exists():
            if target.read_bytes() != document:
                raise OutputError(f"{target} is there already, and is not what the remote holds", _AGAIN)
            return
        self._write(document, target)
        sync_folder(self.folder)

    def _write(self, document: bytes, target: Path) -> None:
        part = _aside(target)
        part.unlink(missing_ok=True)
        self._append(part, iter((document,)), at=0)
        part.rename(target)

    def _wrong_in(self, path: Path) -> str | None:
        """What of a sealed file here is not as the manifest says."""
        manifest = self._now.manifest
        if path.name == SESSION_NAME:  # it may have been shared here since
            manifest = as_it_is_now(self._beside, in_folder(self.folder)).manifest
        source = FileSource(path)
        try:
            found = pass_over(source, layout_of(manifest), (), progress=lambda _done, _of: None)
        finally:
            source.close()
        findings = judge(manifest, found)
        return findings[0].line() if findings else None

    def _fetch(self, file: str, part: Path) -> None:
        size_bytes = self._place.held.files.get(file)
        if size_bytes is None:
            raise UnreachableError(f"the remote holds no {file} of {self._place.name} yet", "pull it later")
        headed = self._headed() if file == SESSION_NAME else None
        size_bytes = size_bytes if headed is None else headed.size_bytes()
        at = part.stat().st_size if part.exists() else 0
        if at > size_bytes:  # no part of this file
            part.unlink()
            at = 0
        name = self._place.held.name(file)
        coming: Iterator[bytes] = iter(())
        if at < size_bytes:
            coming = pieces(self._place.remote, name, start=at, end=size_bytes) if headed is None else headed.pieces(at)
        self._append(part, coming, at=at, of=size_bytes)
        if part.stat().st_size != size_bytes:
            raise UnreachableError(f"{name} became shorter while it was read", "pull it again")

    def _append(self, part: Path, coming: Iterator[bytes], *, at: int, of: int | None = None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(part, flags, 0o600), "ab") as opened:
            for piece in coming:
                opened.write(piece)
                at += len(piece)
                self.moved_bytes += len(piece)
                if of is not None:
                    self._progress(at, of)
            opened.flush()
            os.fsync(opened.fileno())

    def _compare(self, file: str, target: Path) -> None:
        coming = pieces(self._place.remote, self._place.held.name(file))
        known = self._remade_here().get(file.rpartition("/")[2])
        if known is not None and sha256(target.read_bytes()).hexdigest() == known.digest:
            if sha256(b"".join(coming)).hexdigest() in {known.of, known.digest}:
                return
            raise OutputError(f"{target} was shared here, and the remote holds another now", _AGAIN)
        with target.open("rb") as here:
            same = all(here.read(len(piece)) == piece for piece in coming) and not here.read(1)
        if not same:
            raise OutputError(f"{target} is there already, and is not what the remote holds", _AGAIN)

    def _rewrap(self) -> None:
        """What the clinic said of the header, where it made it anew there."""
        document = self._place.read_rewrap()
        if document is not None:
            self._write(document, self.folder / REWRAPPED_NAME)

    def _headed(self) -> HeadedSource | None:
        """The recording, where the clinic made its header anew at the remote."""
        source = self._place.source() if self._place.is_shared_here else None
        return source if isinstance(source, HeadedSource) else None

    def _remade_here(self) -> Mapping[str, AttachmentFact]:
        """The attachments that were shared here since they were fetched."""
        document = in_folder(self.folder).read_rewrap()
        return {} if document is None else read_rewrap(document, self._beside.manifest).rewrap.attachments


def _aside(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")
