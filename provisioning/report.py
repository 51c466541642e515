"""What is told about an opened recording: lines for a person, or one object for a script; and how far the work is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TextIO

from device.recording.index import Index
from device.recording.manifest import RecordingState
from provisioning.beside import Beside
from provisioning.slices import Span
from provisioning.times import SECOND_US, format_time

_BAR_LETTERS: Final = 30
_BAR_EVERY_S: Final = 0.1
_MOST_GAPS_TOLD: Final = 5
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Opened:
    """Everything that is known once a recording, or a slice of it, was opened."""

    name: str
    index: Index | None
    duration_us: int
    has_picture: bool
    chunks: int
    size_bytes: int | None
    bytes_read: int
    output: str
    span: Span | None = None
    beside: Beside | None = None
    digest_checked: bool = False

    @property
    def state(self) -> str:
        """``complete`` where the end mark is there, ``interrupted`` where not."""
        return "interrupted" if self.index is None else "complete"

    @property
    def signer(self) -> str | None:
        """The fingerprint of the key that signed its manifest, where there is one."""
        return None if self.beside is None else self.beside.key

    @property
    def gaps(self) -> tuple[tuple[float, float], ...] | None:
        """Start and length in seconds of the sound that is missing; ``None`` where nothing says it."""
        if self.index is not None:
            return tuple(
                (start / self.index.rate_hz, samples / self.index.rate_hz) for start, samples in self.index.gaps
            )
        manifest = None if self.beside is None else self.beside.manifest
        if manifest is None or manifest.sound is None:
            return None
        rate_hz = manifest.sound.rate_hz
        return tuple((gap.start_sample / rate_hz, gap.samples / rate_hz) for gap in manifest.gaps)

    def lines(self) -> Iterator[str]:
        """It all for a person."""
        what = "sound and picture" if self.has_picture else "sound"
        yield f"{self.name}: {self.state}, {format_time(self.duration_us)}, {what}"
        if self.index is None:
            yield "it has no end mark: the box lost power, or was stopped by force; all that was saved is here"
        if self.span is not None:
            length = format_time(self.span.end_us - self.span.start_us)
            yield f"slice: {format_time(self.span.start_us)} to {format_time(self.span.end_us)}, {length} long"
        yield f"sound gaps: {self._gap_words()}"
        yield f"manifest: {self._manifest_words()}"
        of_all = "" if self.size_bytes is None else f" of {self.size_bytes / _MIB:.1f}"
        yield f"read {self.bytes_read / _MIB:.1f}{of_all} MiB; written to {self.output}"

    def _gap_words(self) -> str:
        gaps = self.gaps
        if gaps is None:
            return "unknown"
        if not gaps:
            return "none"
        places = [format_time(int(start * SECOND_US)) for start, _ in gaps[:_MOST_GAPS_TOLD]]
        more = f" and {len(gaps) - _MOST_GAPS_TOLD} more" if len(gaps) > _MOST_GAPS_TOLD else ""
        return f"{len(gaps)}, {sum(length for _, length in gaps):.3f} s in all, at {', '.join(places)}{more}"

    def _manifest_words(self) -> str:
        if self.beside is None:
            return "none beside it, so nothing says whether something was taken from its end"
        checked = "chunk for chunk" if self.digest_checked else "in size and end"
        signer = f"signed by box {self.beside.manifest.box!r} (key {self.beside.key})"
        if self.beside.manifest.state is RecordingState.OPEN:
            return f"{signer} while the recording was still open, so it says nothing about its end"
        remade = self.beside.remade
        anew = "" if remade is None else f"; its header was made anew by the clinic (key {remade.key})"
        return f"{signer}; the file is what it says, {checked}{anew}"

    def as_json(self) -> dict[str, Any]:
        """It all for a script; times in seconds."""
        gaps = self.gaps
        return {
            "opened": True,
            "name": self.name,
            "state": self.state,
            "duration_s": self.duration_us / SECOND_US,
            "picture": self.has_picture,
            "slice": None
            if self.span is None
            else {"start_s": self.span.start_us / SECOND_US, "end_s": self.span.end_us / SECOND_US},
            "gaps": None if gaps is None else [{"start_s": start, "length_s": length} for start, length in gaps],
            "chunks": self.chunks,
            "size_bytes": self.size_bytes,
            "bytes_read": self.bytes_read,
            "manifest": None
            if self.beside is None
            else {
                "id": self.beside.manifest.id,
                "box": self.beside.manifest.box,
                "key": self.beside.key,
                "state": str(self.beside.manifest.state),
                "digest_checked": self.digest_checked,
                "header_by_clinic": None if self.beside.remade is None else self.beside.remade.key,
            },
            "output": self.output,
        }


class Bar:
    """How far the work is, on a terminal; where there is none, one plain line at the start."""

    def __init__(self, name: str, *, to: TextIO = sys.stderr, doing: str = "opening") -> None:
        self._name = name
        self._to = to
        self._terminal = to.isatty()
        self._drawn_s = 0.0
        if not self._terminal:
            to.write(f"{doing} {name}\n")

    def show(self, done: int, total: int | None) -> None:
        """Draw it, ten times a second at most."""
        now_s = time.monotonic()
        if not self._terminal or not total or now_s - self._drawn_s < _BAR_EVERY_S:
            return
        self._drawn_s = now_s
        share = min(1.0, done / total)
        bar = "#" * int(share * _BAR_LETTERS)
        self._to.write(f"\r{self._name} [{bar:<{_BAR_LETTERS}}] {share:4.0%}")
        self._to.flush()

    def clear(self) -> None:
        """Take it away."""
        if self._terminal and self._drawn_s:
            self._to.write("\r\x1b[K")
            self._to.flush()
