"""A slice of a recording: found by its index, or without one by bisection, and written so that it plays on its own.

It starts with the last fragment at or before the moment asked for that begins with a key frame and has the sound of
that moment, too; it ends with the first fragment that starts at or after the other moment. Times are compared in whole
milliseconds, which is what the index has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from provisioning.fragments import Fragment, Track, init_without, move, mute
from provisioning.recording import SealedRecording

# A key frame comes every two seconds or so. Where none came for this long the camera was given up: the slice then
# starts with sound alone, and its picture (if there is one again) with the next key frame.
MOST_LEAD_US: Final = 10_000_000
_MOST_FRAGMENTS_WITHOUT_SOUND: Final = 8
# A slice is brought in batches that grow to this: without an index, what is brought in vain is less than what was not.
_FIRST_BATCH_CHUNKS: Final = 16
_MOST_BATCH_CHUNKS: Final = 128


class Sink(Protocol):
    """Where a slice goes."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``, or raise."""


Progress = Callable[[int, int], None]
"""Told how many chunks are done, of how many."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a slice really covers, in microseconds of the recording."""

    start_us: int
    end_us: int


def start_fragment(recording: SealedRecording, from_us: int) -> Fragment:
    """The fragment that a slice from ``from_us`` on starts with."""
    candidates = _candidates(recording, from_us)
    fragment = next(candidates)
    if not recording.has_picture:
        return fragment
    # Sound comes in its own rhythm: that of a key frame's moment may lie in the fragment before it.
    while fragment.chunk > 1 and _sound_start_us(recording, fragment) > from_us:
        fragment = next(candidates)
    return fragment


def _sound_start_us(recording: SealedRecording, fragment: Fragment) -> int:
    """When the first sound from a fragment on starts, to the millisecond below; a large picture may stand alone."""
    for _ in range(_MOST_FRAGMENTS_WITHOUT_SOUND):
        if fragment.sound is not None:
            return fragment.sound.start_us // 1000 * 1000
        following = fragment.chunk + fragment.chunks
        if following >= recording.fragments_end:
            break
        fragment = recording.fragment_at(following, reached_us=fragment.end_us)
    return fragment.start_us


def _candidates(recording: SealedRecording, from_us: int) -> Iterator[Fragment]:
    """Where a slice could start, the best first; the last is always the first fragment of all."""
    keys = _keys_by_index(recording, from_us) if recording.index else _keys_by_stepping(recording, from_us)
    first_of_all = True
    for fragment in keys:
        if first_of_all and from_us - fragment.start_us > MOST_LEAD_US:
            yield _last_before(recording, from_us, known=fragment)
        first_of_all = False
        yield fragment
    if first_of_all:  # the camera came later: no earlier start has more of the picture
        yield _last_before(recording, from_us, known=recording.fragment_at(1))
    yield recording.fragment_at(1)


def _keys_by_index(recording: SealedRecording, from_us: int) -> Iterator[Fragment]:
    entries = recording.index.entries if recording.index else ()
    for entry in reversed(entries):
        if entry.key and entry.start_us <= from_us:
            yield recording.fragment_at(entry.chunk, reached_us=entry.start_us)


def _keys_by_stepping(recording: SealedRecording, from_us: int) -> Iterator[Fragment]:
    fragment = found = _last_before(recording, from_us, known=recording.fragment_at(1))
    while from_us - fragment.start_us <= MOST_LEAD_US:
        if fragment.key or not recording.has_picture:
            yield fragment
        if fragment.chunk == 1:
            return
        fragment = recording.fragment_over(fragment.chunk - 1, first=1)
    yield found


def _last_before(recording: SealedRecording, time_us: int, *, known: Fragment) -> Fragment:
    """The last fragment that starts at or before a moment, by bisection over the chunks behind one that does."""
    best = known
    low, high = best.chunk + best.chunks, recording.fragments_end
    while low < high:
        fragment = recording.fragment_over((low + high) // 2, first=low)
        if fragment.start_us <= time_us:
            best, low = fragment, fragment.chunk + fragment.chunks
        else:
            high = fragment.chunk
    return best


def write_slice(recording: SealedRecording, sink: Sink, *, from_us: int, to_us: int, progress: Progress) -> Span:
    """Write the slice from ``from_us`` to ``to_us`` as a file of its own; what it covers.

    The sink is given the tracks (``ftyp`` and ``moov``), and then one whole fragment at a time.

    Raises:
        DamagedError: a chunk of it is not what was sealed; what was written so far is authentic, but not all.
    """
    first = start_fragment(recording, from_us)
    with_picture = recording.has_picture and _has_key_picture(recording, first, to_us=to_us)
    left_out = {track.track_id for track in recording.tracks.values() if track.picture and not with_picture}
    sink.write(init_without(recording.chunk(0), left_out))
    waiting: list[tuple[Fragment, bytearray]] = []
    unseen = set(recording.tracks) - left_out
    moment_us, end_us = -1, 0
    for fragment, content in _fragments(recording, first, to_us=to_us, progress=progress):
        end_us = max(end_us, fragment.end_us)
        waiting.append((fragment, content))
        unseen -= {run.track.track_id for run in fragment.runs}
        if moment_us < 0 and unseen and fragment.chunk - first.chunk < _FIRST_BATCH_CHUNKS:
            continue  # the track that is still to come may start a little earlier than the others
        moment_us = _flush(waiting, sink, moment_us=moment_us)
    moment_us = _flush(waiting, sink, moment_us=moment_us)
    return Span(moment_us, end_us)


def _flush(waiting: list[tuple[Fragment, bytearray]], sink: Sink, *, moment_us: int) -> int:
    """Write what waits, moved to the slice's own beginning; the moment that this is."""
    if moment_us < 0:
        moment_us = min((run.start_us for fragment, _ in waiting for run in fragment.runs), default=0)
    for fragment, content in waiting:
        move(content, fragment, by_us=moment_us)
        sink.write(bytes(content))
    waiting.clear()
    return moment_us


def _has_key_picture(recording: SealedRecording, first: Fragment, *, to_us: int) -> bool:
    """Whether a slice has any picture that can be shown; players complain about a track with nothing in it."""
    if first.key:
        return True
    entries = recording.index.entries if recording.index else ()
    if all(entry.key for entry in entries):  # no index, or one that had to be thinned: look
        return any(fragment.key for fragment in _walk(recording, first, to_us=to_us))
    return any(entry.key for entry in entries if first.chunk <= entry.chunk and entry.start_us < to_us)


def _bound(recording: SealedRecording, to_us: int) -> int:
    """The first chunk that surely is not needed."""
    entries = recording.index.entries if recording.index else ()
    return next((entry.chunk for entry in entries if entry.start_us >= to_us), recording.fragments_end)


def _walk(recording: SealedRecording, first: Fragment, *, to_us: int) -> Iterator[Fragment]:
    """The fragments of a slice, a batch of chunks brought at a time, so that a far server is asked a few times only."""
    bound = max(_bound(recording, to_us), first.chunk + first.chunks)
    fragment, following = first, first.chunk + first.chunks
    fetched, batch = first.chunk, _FIRST_BATCH_CHUNKS
    while True:
        while fetched < min(following + 1, bound):  # all of this fragment, and where the next one begins
            batch_end = min(fetched + batch, bound)
            recording.fetch(fetched, batch_end)
            fetched, batch = batch_end, min(2 * batch, _MOST_BATCH_CHUNKS)
        yield fragment
        if following >= bound:
            return
        fragment = recording.fragment_at(following, reached_us=fragment.end_us)
        following = fragment.chunk + fragment.chunks
        if fragment.start_us >= to_us:
            return


def _fragments(
    recording: SealedRecording, first: Fragment, *, to_us: int, progress: Progress
) -> Iterator[tuple[Fragment, bytearray]]:
    """The fragments of a slice without their padding; pictures before the first key frame are left out."""
    mute_until_key = {track for track in recording.tracks.values() if track.picture}
    count = max(_bound(recording, to_us) - first.chunk, 1)
    for fragment in _walk(recording, first, to_us=to_us):
        chunks = range(fragment.chunk, fragment.chunk + fragment.chunks)
        content = bytearray().join(recording.chunk(chunk, reached_us=fragment.start_us) for chunk in chunks)
        del content[fragment.content_bytes :]
        heard = _heard(fragment, content, mute_until_key)
        if heard.runs:
            yield heard, content
        progress(min(chunks.stop - first.chunk, count), count)


def _heard(fragment: Fragment, content: bytearray, mute_until_key: set[Track]) -> Fragment:
    """The fragment without the pictures that need one from before the slice."""
    kept = []
    for run in fragment.runs:
        if run.key:
            mute_until_key.discard(run.track)
        if run.track in mute_until_key:
            mute(content, run)
        else:
            kept.append(run)
    return Fragment(fragment.chunk, fragment.chunks, fragment.content_bytes, tuple(kept))
