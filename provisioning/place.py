"""Where a recording is: its folder, its sealed file, or an address; and what lies beside it.

``remote_place`` has the one for what a remote holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from device.recording import MANIFEST_NAME, REWRAPPED_NAME, SESSION_NAME, WITHDRAWN_NAME, is_recording_id
from device.recording.beside import Kind
from provisioning.attaching import names_beside, put_beside, read_beside
from provisioning.errors import OrderedErasedError, UnreachableError, UsageError
from provisioning.http_source import HttpSource
from provisioning.source import FileSource, Source

MOST_MANIFEST_BYTES: Final = 4 << 20
_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Place(Protocol):
    """One recording, wherever it is kept."""

    @property
    def name(self) -> str:
        """Its id, where that is known; else what to call it."""

    def source(self) -> Source:
        """The sealed file, not opened yet. Raises ``UsageError`` for an impossible address."""

    def read_manifest(self) -> bytes | None:
        """The manifest's document, or ``None`` where there is none. Raises ``UnreachableError``."""

    def read_rewrap(self) -> bytes | None:
        """What the clinic said of a header that it made anew, or ``None``. Raises ``UnreachableError``."""

    def has_sealed(self) -> bool:
        """Whether the sealed file is there, as far as that is known without reading it."""

    def is_marked_withdrawn(self) -> bool:
        """Whether something beside it says that it is to be erased, as far as that is told here."""

    def attachments(self) -> tuple[str, ...]:
        """The names of what lies beside it, as far as that is told here: ``label.age``. Raises ``UnreachableError``."""

    def read_attachment(self, name: str) -> bytes:
        """One of them, sealed. Raises ``UnreachableError``."""

    def put_review(self, sealed: bytes, /) -> str:
        """Put a sealed review beside it, durably; where it is now. Raises ``UsageError`` where nothing can be put."""


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A recording's sealed file and its manifest, as paths or addresses; no manifest belongs to a file on its own."""

    name: str
    sealed: str
    manifest: str | None
    is_address: bool
    token: str | None = field(default=None, repr=False)

    def source(self) -> Source:
        return HttpSource(self.sealed, token=self.token) if self.is_address else FileSource(Path(self.sealed))

    def read_manifest(self) -> bytes | None:
        return None if self.manifest is None else self._read(self.manifest)

    def read_rewrap(self) -> bytes | None:
        if self.manifest is None or self.token is not None:  # a box's own copy stays as it was sealed
            return None
        return self._read(self.manifest.removesuffix(MANIFEST_NAME) + REWRAPPED_NAME)

    def _read(self, beside: str) -> bytes | None:
        if not self.is_address:
            return _read_file(Path(beside))
        source = HttpSource(beside, token=self.token)
        try:
            return source.read_all(MOST_MANIFEST_BYTES)
        finally:
            source.close()

    def has_sealed(self) -> bool:
        return self.is_address or Path(self.sealed).exists()

    def is_marked_withdrawn(self) -> bool:
        folder = self._folder
        return folder is not None and (folder / WITHDRAWN_NAME).exists()

    def attachments(self) -> tuple[str, ...]:
        return () if self._folder is None else names_beside(self._folder)

    def read_attachment(self, name: str) -> bytes:
        if self._folder is None:
            raise UnreachableError(f"nothing lies beside {self.name}", "give the folder of a recording")
        return read_beside(self._folder, name)

    def put_review(self, sealed: bytes, /) -> str:
        if self._folder is None:
            raise UsageError(f"nothing can be put beside {self.name}", "write it to a file with -o")
        return put_beside(self._folder, Kind.REVIEW, sealed)

    @property
    def _folder(self) -> Path | None:
        """The recording's folder, where it has one on this machine."""
        return None if self.manifest is None or self.is_address else Path(self.sealed).parent


def find(text: str, *, token: str | None = None) -> Place:
    """What a person meant: an address, a folder, or a file. ``token``: what signs requests to that address.

    Raises:
        UnreachableError: there is nothing.
    """
    return _at_address(text, token) if _ADDRESS.match(text) else _at_path(Path(text))


def _at_path(path: Path) -> Place:
    sealed = path / SESSION_NAME if path.is_dir() else path
    if not sealed.exists():
        if path.is_dir():
            raise UnreachableError(
                f"there is no {SESSION_NAME} in {path}", "give the folder of one recording, or an .age file"
            )
        raise UnreachableError(f"there is no {path}", "check the name")
    return _of_file(sealed)


def in_folder(folder: Path) -> NamedPlace:
    """The recording of a folder, whose sealed file may be gone."""
    return _of_file(folder / SESSION_NAME)


def _of_file(sealed: Path) -> NamedPlace:
    whole = sealed.absolute()
    beside = str(whole.with_name(MANIFEST_NAME)) if sealed.name == SESSION_NAME else None
    return NamedPlace(_name(whole.parent.name, whole.name), str(sealed), beside, is_address=False)


def _at_address(text: str, token: str | None) -> Place:
    parts = urlsplit(text)
    path = parts.path if parts.path.endswith(".age") else f"{parts.path.rstrip('/')}/{SESSION_NAME}"
    folder, _, file = path.rpartition("/")
    sealed = parts._replace(path=path, fragment="")
    beside = parts._replace(path=f"{folder}/{MANIFEST_NAME}", fragment="").geturl() if file == SESSION_NAME else None
    name = _name(unquote(PurePosixPath(folder).name), unquote(file))
    return NamedPlace(name, sealed.geturl(), beside, is_address=True, token=token)


def let_be_if_withdrawn(place: Place) -> None:
    """Raises ``OrderedErasedError`` where a recording is to be erased: nothing of it is handed on any more."""
    if place.is_marked_withdrawn():
        raise OrderedErasedError(f"{place.name} is to be erased: nobody is to hand it on", "have it erased")


def _name(folder: str, file: str) -> str:
    """What to call the opened recording: its id where its folder bears it, or else the file's own stem."""
    if file == SESSION_NAME and is_recording_id(folder):
        return folder
    stem = file.removesuffix(".age").removesuffix(".mp4")
    return _ODD.sub("-", stem).strip(".-") or "recording"


def _read_file(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MOST_MANIFEST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise UnreachableError(f"{path} cannot be read: {problem.strerror}", "check that you may read it") from problem
