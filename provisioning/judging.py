"""Whether a sealed file is the one that its manifest speaks of, and where not; pure.

Without an identity the signed digests decide, and place what was altered within 64 chunks. With one every chunk
authenticates itself, which places it exactly; the digests then still show what somebody who holds a key sealed anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from device.age.stream import SEALED_CHUNK_BYTES
from device.recording.digests import GROUP_CHUNKS
from device.recording.manifest import Manifest, RecordingState
from provisioning.findings import CLOSING_BYTES, Bad, Finding, Found, Inside, Layout, Part, Where, layout_of

_NOT_SEALED = "not what the box sealed"


def judge(manifest: Manifest, found: Found) -> list[Finding]:
    """What of a file is not as the manifest of its closed recording says; nothing where all is."""
    layout = layout_of(manifest)
    if layout is None:
        return judge_alone(found)
    return list(_judged(manifest, layout, found))


def judge_alone(found: Found) -> list[Finding]:
    """What shows of a file that no final manifest speaks of: whether it ends as it should, and whether it opens."""
    layout = Layout(found.payload_offset, found.chunks, None)
    end = layout.chunk_at(found.chunks)
    findings = []
    if found.tail_bytes != CLOSING_BYTES or (found.inside is not None and not found.inside.closing_holds):
        what = "the file does not end as a sealed file ends: it was cut, or changed there"
        findings.append(Finding(Part.CLOSING, what, Where(end, found.size_bytes)))
    if found.inside is not None:
        findings += [_bad_chunks(bad, layout, time_us=bad.time_us) for bad in found.inside.bad]
    return findings


def _judged(manifest: Manifest, layout: Layout, found: Found) -> Iterator[Finding]:
    wrong_groups = _wrong_groups(manifest, found)
    header_differs = layout.header_digest is not None and found.header_digest != layout.header_digest
    if header_differs and wrong_groups and len(wrong_groups) == len(manifest.digest_groups):
        what = "this is not the file that the manifest speaks of: its header and all of its chunks are others"
        yield Finding(Part.FILE, what, Where(0, found.size_bytes))
        return
    if header_differs or found.recipients is None:
        yield Finding(Part.HEADER, f"the header is {_NOT_SEALED}", Where(0, layout.payload_offset))
    else:
        yield from _recipients(manifest, layout, found)
    yield from _chunks(manifest, layout, found, wrong_groups)
    yield from _length(manifest, layout, found)
    if found.chunks == layout.chunks:
        yield from _end(manifest, layout, found)


def _wrong_groups(manifest: Manifest, found: Found) -> list[int]:
    """The groups of chunks that are all there and are others; where the file was cut, its last group is not judged."""
    whole = found.chunks // GROUP_CHUNKS if found.chunks < manifest.chunks else len(manifest.digest_groups)
    pairs = list(zip(manifest.digest_groups, found.groups, strict=False))[:whole]
    return [number for number, (said, there) in enumerate(pairs) if said != there]


def _recipients(manifest: Manifest, layout: Layout, found: Found) -> Iterator[Finding]:
    header = Where(0, layout.payload_offset)
    said = manifest.recipients
    if said and found.recipients != len(said):
        what = f"the file is sealed to {found.recipients} recipients, the manifest names {len(said)}"
        yield Finding(Part.RECIPIENTS, what, header)
    elif said and found.inside is not None and found.inside.key not in said:
        what = f"the file opens with the key {found.inside.key}, which the manifest does not name"
        yield Finding(Part.RECIPIENTS, what, header)


def _chunks(manifest: Manifest, layout: Layout, found: Found, wrong_groups: list[int]) -> Iterator[Finding]:
    bad = () if found.inside is None else found.inside.bad
    there = [Bad(one.first, min(one.last, layout.chunks - 1), one.time_us) for one in bad if one.first < layout.chunks]
    yield from (_bad_chunks(one, layout, time_us=_time(one, manifest, layout)) for one in there)
    unplaced = [number for number in wrong_groups if not any(_touches(number, one) for one in there)]
    how = _NOT_SEALED if found.inside is None else f"{_NOT_SEALED}: somebody who holds a key sealed them anew"
    for first, last in _runs(unplaced):
        chunks = first * GROUP_CHUNKS, min((last + 1) * GROUP_CHUNKS, layout.chunks) - 1
        yield Finding(Part.CHUNKS, f"some of these chunks are {how}", _roughly(chunks, manifest, layout))
    if found.chunks < layout.chunks or manifest.digest in {None, found.digest} or there or wrong_groups:
        return
    if manifest.digest_groups:
        yield Finding(Part.MANIFEST, "the manifest contradicts itself about the digests of the chunks")
    else:
        yield Finding(Part.CHUNKS, f"some chunks are {how}; a manifest of this age does not say which")


def _bad_chunks(bad: Bad, layout: Layout, *, time_us: tuple[int, int] | None) -> Finding:
    one = bad.first == bad.last
    where = Where(
        layout.chunk_at(bad.first),
        layout.chunk_at(bad.last + 1),
        chunks=(bad.first, bad.last),
        time_us=time_us,
    )
    return Finding(Part.CHUNKS, f"{'a chunk is' if one else 'chunks are'} {_NOT_SEALED} at this place", where)


def _time(bad: Bad, manifest: Manifest, layout: Layout) -> tuple[int, int] | None:
    """The time that bad chunks cover; up to the end where nothing after them tells how far they reach."""
    if bad.time_us is None:
        return _roughly((bad.first, bad.last), manifest, layout).time_us
    if bad.last == layout.chunks - 1:
        return bad.time_us[0], max(bad.time_us[1], manifest.duration_us)
    return bad.time_us


def _touches(group: int, bad: Bad) -> bool:
    return bad.first < (group + 1) * GROUP_CHUNKS and group * GROUP_CHUNKS <= bad.last


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Rising numbers as runs that have no hole: first and last of each."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _roughly(chunks: tuple[int, int], manifest: Manifest, layout: Layout) -> Where:
    """A place known by digests alone; the time is reckoned, as if every chunk lasted as long as the others."""
    first, last = chunks
    each = manifest.duration_us / layout.chunks
    time_us = int(first * each), int((last + 1) * each)
    return Where(layout.chunk_at(first), layout.chunk_at(last + 1), chunks=chunks, time_us=time_us, exact=first == last)


def _length(manifest: Manifest, layout: Layout, found: Found) -> Iterator[Finding]:
    if found.chunks < layout.chunks:
        first, last = found.chunks, layout.chunks - 1
        rough = _roughly((first, last), manifest, layout)
        from_us = rough.time_us[0] if rough.time_us and found.inside is None else _reached(found.inside)
        closed = found.inside is not None and found.inside.closing_holds
        lost_mark = ", and the end mark with them" if manifest.state is RecordingState.COMPLETE else ""
        what = f"{last - first + 1} of {layout.chunks} chunks are missing{lost_mark}: the file was cut"
        what += " and closed again" if closed else ""
        where = Where(
            layout.chunk_at(first),
            manifest.size_bytes,
            chunks=(first, last),
            time_us=(from_us, max(from_us, manifest.duration_us)),
            exact=found.inside is not None,
        )
        yield Finding(Part.MISSING, what, where)
    elif found.size_bytes > manifest.size_bytes:
        more = found.size_bytes - manifest.size_bytes
        # Told from where the closing should be, for whatever was put in before it moved it.
        where = Where(layout.chunk_at(layout.chunks), found.size_bytes)
        yield Finding(Part.EXTRA, f"the file is {more} bytes longer than what the box sealed", where)


def _reached(inside: Inside | None) -> int:
    return 0 if inside is None else inside.reached_us


def _end(manifest: Manifest, layout: Layout, found: Found) -> Iterator[Finding]:
    end = layout.chunk_at(layout.chunks)
    inside = found.inside
    closing_differs = manifest.closing_digest not in {None, found.closing_digest}
    if found.size_bytes <= manifest.size_bytes and (
        closing_differs or found.tail_bytes != CLOSING_BYTES or (inside is not None and not inside.closing_holds)
    ):
        where = Where(end, manifest.size_bytes)
        yield Finding(Part.CLOSING, f"the closing behind the last chunk is {_NOT_SEALED}", where)
    if inside is None or not inside.last_opens:
        return
    last = Where(end - SEALED_CHUNK_BYTES, end, chunks=(layout.chunks - 1, layout.chunks - 1))
    if (inside.index is not None) != (manifest.state is RecordingState.COMPLETE):
        there = "no end mark" if inside.index is None else "an end mark"
        yield Finding(Part.END_MARK, f"there is {there}, but the manifest says {manifest.state}", last)
    elif inside.index is not None and inside.index.duration_us != manifest.duration_us:
        yield Finding(Part.END_MARK, "the end mark and the manifest tell two lengths of the recording", last)
