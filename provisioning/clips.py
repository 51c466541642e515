"""A slice made into a file like a recording's: chunk 0 with the tracks, one fragment in each chunk, end mark, closing.

So it opens with the reader and with `open`, is sought in by its own index, and opens with stock age as well. Its times
start at 0. It is sealed anew, under a key of its own: whoever can open it can open nothing else of the recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from device.age.recipients import Recipient
from device.age.sealing import new_header
from device.age.stream import Writer
from device.errors import DamagedError
from device.recording import CHUNK_BYTES, CLOSING
from device.recording.index import Entry, Index
from provisioning.fragments import Track, Tracks, init_without, parse_fragment, parse_init
from provisioning.recording import SealedRecording
from provisioning.samples import Samples, fragment, fragment_bytes, padded, samples_of
from provisioning.slices import Progress, Sink, Span, write_slice

_MOST_MERGED_US = 2_000_000  # a fragment of sound alone: what a seek is exact to

Gaps = Sequence[tuple[int, int]]
"""Start and length of missing sound, in samples of the recording."""


class Sealing:
    """What is written goes to ``sink`` as one age file. Raises ``AgeError`` where it cannot be sealed to these."""

    def __init__(self, sink: Sink, recipients: Sequence[Recipient]) -> None:
        head, cipher = new_header(recipients)
        sink.write(head)
        self._writer = Writer(sink, cipher)

    def write(self, data: bytes, /) -> None:
        """Seal more."""
        self._writer.write(data)

    def close(self) -> None:
        """That was all."""
        self._writer.close()


def write_clip(
    recording: SealedRecording,
    sink: Sink,
    *,
    from_us: int,
    to_us: int,
    gaps: Gaps,
    progress: Progress,
    sound_only: bool = False,
) -> Span:
    """Write a slice of a recording as a recording of its own, in the plain; what it covers.

    Raises:
        DamagedError: a chunk of it is not what was sealed; what was written so far is authentic, but not all.
    """
    clip = _Clip(sink, sound_only=sound_only)
    span = write_slice(recording, clip, from_us=from_us, to_us=to_us, progress=progress)
    clip.close(span, gaps)
    return span


@dataclass(slots=True)
class _Clip:
    """Takes what ``write_slice`` writes: first the tracks, then one fragment at a time."""

    sink: Sink
    sound_only: bool
    tracks: Tracks = field(default_factory=dict)
    chunks: int = 0
    fragments: int = 0
    entries: list[Entry] = field(default_factory=list)
    sound_end: int = 0
    reached_us: int = 0
    waiting: Samples | None = None

    def write(self, data: bytes, /) -> None:
        if not self.tracks:
            self._begin(data)
            return
        runs = [run for run in _taken_apart(data) if run.track_id in self.tracks]
        if len(self.tracks) > 1:
            self._emit(runs)
        else:
            for run in runs:
                for one in run.each():
                    self._merge(one)

    def close(self, span: Span, gaps: Gaps) -> None:
        """Write what waits, the end mark, and the closing."""
        if self.waiting is not None:
            self._emit([self.waiting])
        sound = self._sound()
        index = Index(
            rate_hz=sound.timescale,
            samples=self.sound_end,
            duration_us=sound.us(self.sound_end) or self.reached_us,
            gaps=_moved(gaps, by=sound.ticks(span.start_us), until=self.sound_end),
            entries=tuple(self.entries),
        )
        self.sink.write(padded(index.box()))
        self.sink.write(CLOSING)

    def _begin(self, init: bytes) -> None:
        tracks = parse_init(padded(init)) or {}
        pictures = {track.track_id for track in tracks.values() if track.picture and self.sound_only}
        chunk = padded(init_without(padded(init), pictures))
        self.tracks = {track_id: track for track_id, track in tracks.items() if track_id not in pictures}
        if not self.tracks or len(chunk) != CHUNK_BYTES:
            raise _unknown()
        self.sink.write(chunk)
        self.chunks = 1

    def _merge(self, run: Samples) -> None:
        """Sound alone: as much of it in a chunk as goes in."""
        waiting, track = self.waiting, self.tracks[run.track_id]
        if waiting is not None:
            both = fragment_bytes([waiting, run])
            long = track.us(run.end - waiting.start) > _MOST_MERGED_US
            if run.start == waiting.end and both <= CHUNK_BYTES - 8 and not long:
                waiting.go_on_with(run)
                return
            self._emit([waiting])
        self.waiting = run

    def _emit(self, runs: Sequence[Samples]) -> None:
        if not runs:
            return
        self.fragments += 1
        content = fragment(self.fragments, runs)
        parsed = parse_fragment(content[:CHUNK_BYTES], self.chunks, self.tracks)
        if parsed is None:
            raise _unknown()
        is_key = parsed.key or not any(track.picture for track in self.tracks.values())
        self.entries.append(Entry(self.chunks, parsed.start_us, is_key))
        self.sound_end = max([self.sound_end, *(run.end for run in runs if not self.tracks[run.track_id].picture)])
        self.reached_us = max(self.reached_us, parsed.end_us)
        self.sink.write(content)
        self.chunks += len(content) // CHUNK_BYTES

    def _sound(self) -> Track:
        return next((track for track in self.tracks.values() if not track.picture), next(iter(self.tracks.values())))


def _taken_apart(content: bytes) -> list[Samples]:
    try:
        return samples_of(content)
    except (ValueError, StopIteration) as problem:
        raise _unknown() from problem


def _moved(gaps: Gaps, *, by: int, until: int) -> tuple[tuple[int, int], ...]:
    """The gaps as the clip has them: those of its own time, from its own beginning."""
    cut = [(max(0, start - by), min(until, start + length - by)) for start, length in gaps]
    return tuple((start, end - start) for start, end in cut if end > start)


def _unknown() -> DamagedError:
    return DamagedError(
        "the recording is written in a way that is not known here",
        "use the version of sotto-clinic that belongs to the box; `age -d` opens it whole",
    )
