"""The manifest beside a recording: whether its signature holds, and whether the file is what it says.

An age file can be shortened and closed again by whoever holds the box's disk, for the closing is written together with
every chunk. The signed number of chunks and their digest show it (ARCHITECTURE, section 6). Whose key signed is for a
person to compare: the fingerprint is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from device.errors import DamagedError
from device.recording.manifest import Manifest, RecordingState
from device.recording.signing import fingerprint, verify
from device.shapes import ShapeError
from provisioning.errors import AlteredError, NoRangeError
from provisioning.place import Place
from provisioning.rewraps import Remade, header_of, read_rewrap, with_header
from provisioning.source import Source

_HINT = "do not rely on it; fetch it again from the box, and tell whoever looks after the box"


@dataclass(frozen=True, slots=True)
class Beside:
    """A manifest whose signature holds, and the fingerprint of the key that made it.

    ``remade``: the clinic made the header anew; the manifest then says of it what the clinic's signature says.
    """

    manifest: Manifest
    key: str
    remade: Remade | None = None

    def check_size(self, size_bytes: int | None) -> None:
        """Compare the file's size. Raises ``AlteredError``."""
        said = self.manifest.size_bytes
        if self._is_final and size_bytes is not None and said and size_bytes != said:
            difference = abs(said - size_bytes)
            which = "shorter" if size_bytes < said else "longer"
            raise AlteredError(f"altered: the file is {difference} bytes {which} than the box sealed", _HINT)

    def check_header(self, digest: str) -> None:
        """Compare the file's header, which alone ties a slice to its manifest. Raises ``AlteredError``."""
        said = self.manifest.header_digest
        if self._is_final and said is not None and digest != said:
            raise AlteredError("altered: this file is not the one that the manifest beside it speaks of", _HINT)

    def check(self, *, chunks: int, has_end_mark: bool, digest: str | None) -> None:
        """Compare what was found in the file; ``digest`` is known only when all of it was read.

        Raises:
            AlteredError: something was taken away, or put there.
        """
        said = self.manifest
        if not self._is_final:
            return
        if said.chunks and chunks != said.chunks:
            raise AlteredError(f"altered: the file has {chunks} chunks, the box sealed {said.chunks}", _HINT)
        if has_end_mark != (said.state is RecordingState.COMPLETE):
            ends = "an end mark" if has_end_mark else "no end mark"
            raise AlteredError(f"altered: the file has {ends}, but the box says it is {said.state}", _HINT)
        if digest and said.digest and digest != said.digest:
            raise AlteredError("altered: the file's chunks are not those that the box sealed", _HINT)

    @property
    def _is_final(self) -> bool:
        return self.manifest.state is not RecordingState.OPEN


def read_beside(document: bytes) -> Beside:
    """A manifest, once its signature holds.

    Raises:
        DamagedError: it does not, or the document is no manifest that is known here.
    """
    signed = verify("manifest", document)
    try:
        return Beside(Manifest.model_validate(signed.payload), fingerprint(signed.key))
    except ShapeError as problem:
        raise DamagedError(
            "the manifest says things that are not known here",
            "use the version of sotto-clinic that belongs to the box",
        ) from problem


def as_it_is_now(beside: Beside, place: Place) -> Beside:
    """The same, where the clinic made the recording's header anew (``rewraps``): with what it says of that header.

    Raises:
        DamagedError: what the clinic said of it does not hold, or is about another recording.
        UnreachableError: it cannot be read.
    """
    document = place.read_rewrap()
    if document is None:
        return beside
    said = read_rewrap(document, beside.manifest)
    if not said.rewrap.steps or not place.has_sealed():
        return beside
    source = place.source()
    try:
        header = header_of(said.rewrap, lambda size_bytes: _head(source, size_bytes))
    finally:
        source.close()
    return replace(beside, manifest=with_header(beside.manifest, header.step), remade=Remade(header, said.key))


def _head(source: Source, size_bytes: int) -> bytes:
    try:
        return source.read_at(0, size_bytes)
    except NoRangeError:  # a server that sends whole files only: the newest is then taken to be there, and compared
        return b""


def must_be_known(beside: Beside | None, device_keys: frozenset[str]) -> None:
    """Refuse what another box signed than those that are known. Raises ``AlteredError``."""
    if beside is not None and device_keys and beside.key not in device_keys:
        raise AlteredError(
            f"the manifest is signed by {beside.key}, which is none of the device keys given",
            "do not rely on it, and find out which box sent it",
        )
