"""The manifest beside a recording: whether its signature holds, and whether the file is what it says.

An age file can be shortened and closed again by whoever holds the box's disk, for the closing is written together with
every chunk. The signed number of chunks and their digest show it (ARCHITECTURE, section 6). Whose key signed is for a
person to compare: the fingerprint is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from device.errors import DamagedError
from device.recording.manifest import Manifest, RecordingState
from device.recording.signing import fingerprint, verify
from provisioning.errors import AlteredError

_HINT = "do not rely on it; fetch it again from the box, and tell whoever looks after the box"


@dataclass(frozen=True, slots=True)
class Beside:
    """A manifest whose signature holds, and the fingerprint of the key that made it."""

    manifest: Manifest
    key: str

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
    except ValidationError as problem:
        raise DamagedError(
            "the manifest says things that are not known here",
            "use the version of sotto-clinic that belongs to the box",
        ) from problem
