"""What is to be verified, by what a person named: recordings, whole stores of them, erase certificates, audit logs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from device.recording import ERASED_NAME, MANIFEST_NAME, SESSION_NAME
from device.recording.chain import AUDIT_NAME
from device.remote import Remote
from provisioning import place
from provisioning.errors import UnreachableError
from provisioning.keeping import Keeping
from provisioning.place import Place
from provisioning.remote_place import MOST_ORDER_BYTES
from provisioning.remote_source import read_small
from provisioning.verify_audit import is_audit


@dataclass(frozen=True, slots=True)
class Certificate:
    """The erase certificate of a recording that should be gone."""

    path: Path

    @property
    def name(self) -> str:
        """The recording's id."""
        return self.path.stem

    def read(self) -> bytes:
        """The document. Raises ``UnreachableError``."""
        try:
            return self.path.read_bytes()
        except OSError as problem:
            raise UnreachableError(
                f"{self.path} cannot be read: {problem.strerror}", "check that you may read it"
            ) from problem

    def folder_is_there(self) -> bool:
        """Whether the recording is still in the store."""
        return (self.path.parent.parent / self.name).exists()


@dataclass(frozen=True, slots=True)
class Log:
    """An audit log, or one file of it."""

    path: Path


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """The erase order of a recording that should be gone from a remote."""

    remote: Remote
    room: str
    name: str
    is_there: bool

    def read(self) -> bytes:
        """The document. Raises ``UnreachableError``."""
        path = f"{self.room}/{ERASED_NAME}/{self.name}.json"
        return read_small(self.remote, path, most_bytes=MOST_ORDER_BYTES)

    def folder_is_there(self) -> bool:
        """Whether anything of the recording is still at the remote."""
        return self.is_there


Subject = Place | Certificate | CarriedOut | Log


def find_subjects(texts: Sequence[str]) -> list[Subject]:
    """All that the named places hold, in order; each once.

    Raises:
        UnreachableError: there is nothing at one of them.
    """
    found = {subject: None for text in texts for subject in _find(text)}
    return list(found)


def subjects_at(keeping: Keeping, texts: Sequence[str]) -> list[Subject]:
    """The same of what is kept at one place, by ids and paths there; all of it where none is named.

    Raises:
        UsageError: one of them can name nothing there.
        UnreachableError: there is nothing.
        SottoError: the remote does not answer, or refuses.
    """
    found: dict[Subject, None] = {}
    for text in texts or (None,):
        held = keeping.held(text)
        found |= {keeping.place(recording): None for recording in held.recordings}
        there = {recording.recording for recording in held.recordings}
        for room in held.rooms:
            found |= {CarriedOut(keeping.remote, room.folder, one, is_there=one in there): None for one in room.erased}
    if not found:
        raise UnreachableError("there is no recording", "see with `sotto-clinic list` what it holds")
    return list(found)


def _find(text: str) -> Iterator[Subject]:
    path = Path(text)
    certificate = path.parent / ERASED_NAME / f"{path.name}.json"
    if path.name == AUDIT_NAME or is_audit(path):
        yield from _in_store(path)
    elif path.is_dir():
        yield from _in_folder(path)
    elif path.suffix == ".json" and path.parent.name == ERASED_NAME and path.is_file():
        yield Certificate(path)
    elif not path.exists() and certificate.is_file():
        yield Certificate(certificate)
    else:
        yield place.find(text)


def _in_store(path: Path) -> Iterator[Subject]:
    """The log itself, or a store that has one: everything in it."""
    if path.is_file() or path.name == AUDIT_NAME:
        yield Log(path)
        return
    with contextlib.suppress(UnreachableError):  # a store without a recording has a log all the same
        yield from _in_folder(path)
    yield Log(path / AUDIT_NAME)


def _in_folder(folder: Path) -> Iterator[Subject]:
    try:
        if _is_recording(folder):
            yield place.in_folder(folder)
            return
        recordings = [entry for entry in sorted(folder.iterdir()) if entry.is_dir() and _is_recording(entry)]
        certificates = sorted((folder / ERASED_NAME).glob("*.json"))
    except OSError as problem:
        raise UnreachableError(
            f"{folder} cannot be read: {problem.strerror}", "check that you may read it"
        ) from problem
    if not recordings and not certificates:
        raise UnreachableError(f"there is no recording in {folder}", "give a recording's folder, or a store")
    yield from map(place.in_folder, recordings)
    yield from map(Certificate, certificates)


def _is_recording(folder: Path) -> bool:
    return (folder / SESSION_NAME).exists() or (folder / MANIFEST_NAME).exists()
