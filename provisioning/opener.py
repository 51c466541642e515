"""One request to open a recording, carried out: manifest, whole or slice, output, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.age.identities import KeyIdentity
from provisioning.beside import Beside, as_it_is_now, read_beside
from provisioning.errors import UsageError
from provisioning.opening import Progress, open_whole
from provisioning.output import FileOutput, Output, StandardOutput
from provisioning.place import Place
from provisioning.recording import SealedRecording
from provisioning.report import Opened
from provisioning.slices import write_slice
from provisioning.source import Source
from provisioning.times import format_time

STANDARD_OUTPUT: Final = "-"
_END_US: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; times in microseconds.

    Raises:
        UsageError: the times contradict each other.
    """

    last_us: int | None = None
    from_us: int | None = None
    to_us: int | None = None

    def __post_init__(self) -> None:
        if self.last_us is not None and (self.from_us is not None or self.to_us is not None):
            raise UsageError("--last does not go with --from and --to", "give one or the other")
        if self.last_us == 0 or (self.to_us is not None and self.to_us <= (self.from_us or 0)):
            raise UsageError("the slice would be empty", "let --to be later than --from, and --last more than nothing")

    @property
    def is_slice(self) -> bool:
        """Whether only a part was asked for."""
        return any(time_us is not None for time_us in (self.last_us, self.from_us, self.to_us))

    def span_us(self, duration_us: int) -> tuple[int, int]:
        """The first and last moment asked for, in a recording of that length. Raises ``UsageError``."""
        if self.last_us is not None:
            return max(0, duration_us - self.last_us), _END_US
        from_us = self.from_us or 0
        if from_us >= duration_us:
            raise UsageError(
                f"the recording is over at {format_time(duration_us)}", "let --from be earlier, or use --last"
            )
        return from_us, _END_US if self.to_us is None else self.to_us


def output_at(to: str, *, force: bool) -> Output:
    """Where an opened recording goes: a file, or ``-`` for standard output. Raises ``UsageError``."""
    return StandardOutput() if to == STANDARD_OUTPUT else FileOutput(Path(to), force=force)


def open_recording(
    request: Request, found: Place, identities: Sequence[KeyIdentity], output: Output, to: str, *, progress: Progress
) -> Opened:
    """Open what was found into ``output``, which is called ``to``.

    Raises:
        SottoError, AgeError: it failed, and nothing was kept.
    """
    document = found.read_manifest()
    beside = None if document is None else as_it_is_now(read_beside(document), found)
    source = found.source()
    job = _Job(request, found.name, source, identities, beside, output, to, progress)
    try:
        return job.slice() if request.is_slice else job.whole()
    finally:
        source.close()


def checked_recording(source: Source, identities: Sequence[KeyIdentity], beside: Beside | None) -> SealedRecording:
    """A recording to be read in places, once it is what the manifest beside it says, as far as that shows.

    Raises:
        SottoError, AgeError: it is not, or does not open.
    """
    recording = SealedRecording(source, identities)
    if beside is not None:
        beside.check_size(recording.size_bytes)
        beside.check_header(recording.header_digest)
        beside.check(chunks=recording.chunks, has_end_mark=recording.index is not None, digest=None)
    return recording


@dataclass(frozen=True, slots=True)
class _Job:
    request: Request
    name: str
    source: Source
    identities: Sequence[KeyIdentity]
    beside: Beside | None
    output: Output
    to: str
    progress: Progress

    def whole(self) -> Opened:
        with self.output:
            whole = open_whole(self.source, self.identities, self.output, progress=self._checked_progress)
            self._check(chunks=whole.chunks, has_end_mark=whole.index is not None, digest=whole.digest)
            self.output.keep()
        return Opened(
            name=self.name,
            index=whole.index,
            duration_us=whole.duration_us,
            has_picture=any(track.picture for track in whole.tracks.values()),
            chunks=whole.chunks,
            size_bytes=self.source.size_bytes(),
            bytes_read=self.source.bytes_read,
            output=self.to,
            beside=self.beside,
            digest_checked=self.beside is not None and self.beside.manifest.digest == whole.digest,
        )

    def slice(self) -> Opened:
        recording = checked_recording(self.source, self.identities, self.beside)
        duration_us = recording.duration_us()
        from_us, to_us = self.request.span_us(duration_us)
        with self.output:
            span = write_slice(recording, self.output, from_us=from_us, to_us=to_us, progress=self.progress)
            self.output.keep()
        return Opened(
            name=self.name,
            index=recording.index,
            duration_us=duration_us,
            has_picture=recording.has_picture,
            chunks=recording.chunks,
            size_bytes=recording.size_bytes,
            bytes_read=self.source.bytes_read,
            output=self.to,
            span=span,
            beside=self.beside,
        )

    def _check(self, *, chunks: int, has_end_mark: bool, digest: str | None) -> None:
        if self.beside is not None:
            self.beside.check(chunks=chunks, has_end_mark=has_end_mark, digest=digest)

    def _checked_progress(self, done: int, total: int | None) -> None:
        # The size is known with the first chunk: there is no need to read an hour to find out that it was cut.
        if self.beside is not None:
            self.beside.check_size(total)
        self.progress(done, total)
