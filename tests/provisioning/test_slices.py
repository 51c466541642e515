"""Slices: which samples they hold, that they play on their own, and how little is read for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.recording import CHUNK_BYTES
from provisioning.recording import SealedRecording
from provisioning.slices import MOST_LEAD_US, Span, write_slice
from provisioning.source import FileSource

RATE_HZ = 48_000
FRAGMENT_S = 0.75
GOP_S = 2.0
SEALED_BYTES = CHUNK_BYTES + 16
ENDS_BYTES = 3 * SEALED_BYTES  # header and first chunk, end mark and closing


class Taken:
    """A slice as it is written, in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes, /) -> None:
        self.data += data


def take(clinic: Any, sealed: Any, from_us: int, to_us: int) -> tuple[bytes, Span, int]:
    """A slice without the command line: its bytes, its span, and how much was read for it."""
    source = FileSource(sealed.file)
    taken = Taken()
    try:
        recording = SealedRecording(source, [clinic.identities["clinic"]])
        span = write_slice(recording, taken, from_us=from_us, to_us=to_us, progress=lambda *_: None)
    finally:
        source.close()
    return bytes(taken.data), span, source.bytes_read


def placed(part: bytes, whole: bytes) -> tuple[float, float]:
    """From when to when a part is in the whole, in seconds; it has to be there once, sample for sample."""
    at = whole.find(part)
    assert part
    assert at >= 0
    assert at % 3 == 0
    return at / 3 / RATE_HZ, (at + len(part)) / 3 / RATE_HZ


@pytest.mark.parametrize(
    ("words", "from_s", "to_s"),
    [
        (("--last", "5s"), 15, 20),
        (("--from", "8", "--to", "0:12"), 8, 12),
        (("--from", "17.5"), 17.5, 20),
        (("--to", "3s"), 0, 3),
        (("--last", "15m"), 0, 20),
        (("--from", "0:19.9", "--to", "9:00"), 19.9, 20),
        (("--from", "10", "--to", "10.001"), 10, 10.001),
    ],
)
def test_a_slice_of_sound_is_the_samples_asked_for_and_little_more(
    clinic: Any, sound_24: Any, words: Any, from_s: float, to_s: float
) -> None:
    sealed = clinic.seal(*sound_24)
    told = clinic.open(sealed.folder, "-o", "slice.mp4", *words)
    out = clinic.home / "slice.mp4"
    start_s, end_s = placed(clinic.player.samples(out), sealed.sound)
    assert from_s - FRAGMENT_S < start_s <= from_s
    assert to_s <= end_s < to_s + FRAGMENT_S
    assert told["slice"] == {"start_s": pytest.approx(start_s, abs=1e-5), "end_s": pytest.approx(end_s, abs=1e-5)}
    assert clinic.player.starts_s(out) == {"audio": 0.0, "file": 0.0}
    assert float(clinic.player.probe(out)["format"]["duration"]) == pytest.approx(end_s - start_s, abs=1e-3)


@pytest.mark.parametrize(
    ("words", "from_s", "to_s"),
    [
        (("--last", "5s"), 15, 20),
        (("--from", "8", "--to", "0:12"), 8, 12),
        (("--from", "8.004", "--to", "8.1"), 8.004, 8.1),
        (("--to", "3s"), 0, 3),
        (("--from", "19.9"), 19.9, 20),
    ],
)
def test_a_slice_with_picture_starts_with_a_key_picture(
    clinic: Any, with_picture: Any, words: Any, from_s: float, to_s: float
) -> None:
    sealed = clinic.seal(*with_picture)
    clinic.open(sealed.folder, "-o", "slice.mp4", *words)
    out = clinic.home / "slice.mp4"
    assert clinic.player.kinds(out) == ["audio", "video"]
    start_s, end_s = placed(clinic.player.samples(out), sealed.sound)
    assert from_s - 2 * GOP_S < start_s <= from_s, "also the sound of the first moment asked for is there"
    assert to_s <= end_s < to_s + FRAGMENT_S
    starts = clinic.player.starts_s(out)
    assert starts["file"] == 0.0
    assert max(starts.values()) < 0.2
    # Sound and picture keep their places: a picture every 40 ms from 4 ms on.
    shift_s = start_s - starts["audio"]
    assert (starts["video"] + shift_s) % 0.04 == pytest.approx(0.004, abs=1e-3)
    assert clinic.player.pictures(out) == pytest.approx((end_s - shift_s) * 25, abs=4)


def test_sound_and_picture_are_moved_by_the_same_moment(clinic: Any, with_picture: Any) -> None:
    sealed = clinic.seal(*with_picture)
    _, span, _ = take(clinic, sealed, 9_000_000, 12_000_000)
    clinic.open(sealed.folder, "-o", "slice.mp4", "--from", "9", "--to", "12")
    start_s, _ = placed(clinic.player.samples(clinic.home / "slice.mp4"), sealed.sound)
    starts = clinic.player.starts_s(clinic.home / "slice.mp4")
    assert span.start_us / 1e6 + starts["audio"] == pytest.approx(start_s, abs=1 / RATE_HZ)


@pytest.mark.parametrize("recorded", ["sound_24", "with_picture", "camera_given_up", "camera_came_late"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(data=st.data())
def test_bisection_gives_the_very_slice_that_the_index_gives(
    request: pytest.FixtureRequest, clinic: Any, recorded: str, data: st.DataObject
) -> None:
    chunks, sound = request.getfixturevalue(recorded)
    whole = clinic.seal(chunks, sound, folder="000001-aaaaaaaaaa")
    cut = clinic.seal(chunks, sound, most=-1, folder="000002-aaaaaaaaaa")
    assert (whole.index is not None, cut.index) == (True, None)
    length_us = whole.index.duration_us
    from_us = data.draw(st.integers(0, length_us - 1))
    to_us = data.draw(st.integers(from_us + 1, length_us + 1_000_000))
    assert take(clinic, cut, from_us, to_us)[:2] == take(clinic, whole, from_us, to_us)[:2]


@pytest.mark.parametrize("recorded", ["sound_24", "with_picture"])
def test_an_interrupted_recording_gives_its_last_part(
    request: pytest.FixtureRequest, clinic: Any, recorded: str
) -> None:
    chunks, sound = request.getfixturevalue(recorded)
    sealed = clinic.seal(chunks, sound, most=30)
    told = clinic.open(sealed.folder, "-o", "slice.mp4", "--last", "1s")
    assert told["state"] == "interrupted"
    start_s, end_s = placed(clinic.player.samples(clinic.home / "slice.mp4"), sealed.sound)
    assert start_s <= told["duration_s"] - 1
    assert end_s == pytest.approx(told["duration_s"], abs=0.2)
    assert clinic.player.starts_s(clinic.home / "slice.mp4")["file"] == 0.0


def test_a_slice_reads_only_the_ends_and_what_it_needs(clinic: Any, sound_quiet: Any) -> None:
    sealed = clinic.seal(*sound_quiet)
    size = sealed.file.stat().st_size
    for from_s, to_s in ((0, 30), (300, 330), (570, 600)):
        data, span, read = take(clinic, sealed, from_s * 1_000_000, to_s * 1_000_000)
        chunks = sum(
            from_s * 1_000_000 <= entry.start_us + 750_000 <= to_s * 1_000_000 + 1_500_000
            for entry in sealed.index.entries
        )
        assert read <= ENDS_BYTES + (chunks + 1) * SEALED_BYTES < size / 8
        assert span.end_us - span.start_us < 32_000_000
        assert len(data) < read, "the padding is left out"


@pytest.mark.parametrize("kind", ["sound", "sound without an index", "picture"])
def test_a_long_slice_is_brought_in_a_few_reads(
    clinic: Any, sound_quiet: Any, with_picture: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box may be far away: each read costs the way there and back. Fragments of a picture lie over several chunks."""
    made = {"sound": (sound_quiet, {}), "sound without an index": (sound_quiet, {"most": 250})}
    media, words = made.get(kind, (with_picture, {}))
    sealed = clinic.seal(*media, **words)
    reads: list[int] = []
    read_at = FileSource.read_at

    def counted(source: FileSource, offset: int, size: int) -> bytes:
        reads.append(size)
        return read_at(source, offset, size)

    monkeypatch.setattr(FileSource, "read_at", counted)
    _, _, read_bytes = take(clinic, sealed, 0, 180_000_000)
    batches = [size for size in reads if size > 2 * SEALED_BYTES]
    assert sum(batches) > read_bytes * 0.8
    assert len(batches) <= 5
    assert len(reads) - len(batches) <= 12  # header, end, and the halves by which a moment is found


def test_without_an_index_few_chunks_more_are_read(clinic: Any, sound_quiet: Any) -> None:
    chunks, sound = sound_quiet
    whole = clinic.seal(chunks, sound, folder="000001-aaaaaaaaaa")
    cut = clinic.seal(chunks, sound, most=-1, folder="000002-aaaaaaaaaa")
    _, _, by_index = take(clinic, whole, 300_000_000, 310_000_000)
    _, _, by_bisection = take(clinic, cut, 300_000_000, 310_000_000)
    assert by_bisection - by_index <= 14 * SEALED_BYTES


def test_a_camera_that_was_given_up_does_not_make_the_slice_longer(clinic: Any, camera_given_up: Any) -> None:
    """The last key picture is half a minute before: from there the slice would be mostly what nobody asked for."""
    sealed = clinic.seal(*camera_given_up)
    told = clinic.open(sealed.folder, "-o", "slice.mp4", "--last", "5s")
    start_s, end_s = placed(clinic.player.samples(clinic.home / "slice.mp4"), sealed.sound)
    assert (35 - FRAGMENT_S < start_s <= 35, end_s) == (True, 40)
    assert told["slice"]["start_s"] == pytest.approx(start_s, abs=1e-5)
    # Shortly after the last picture it still starts with a key one.
    _, span, _ = take(clinic, sealed, 8_000_000, 9_000_000)
    assert 8_000_000 - MOST_LEAD_US < span.start_us < 5_000_000


def test_a_camera_that_came_late_does_not_make_the_slice_longer(clinic: Any, camera_came_late: Any) -> None:
    """On a busy machine the camera's program takes seconds to start: the slice began with the recording then."""
    for most in (None, -1):
        sealed = clinic.seal(*camera_came_late, **({} if most is None else {"most": most}))
        _, span, _ = take(clinic, sealed, 9_000_000, 11_000_000)
        assert 9_000_000 - 1_000_000 * FRAGMENT_S < span.start_us <= 9_000_000
        _, span, _ = take(clinic, sealed, 11_000_000, 14_000_000)
        assert 11_000_000 - 1_000_000 * FRAGMENT_S < span.start_us <= 11_000_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "21"), "the recording is over at 0:20"),
        (("--from", "5", "--to", "5"), "would be empty"),
        (("--from", "0:06", "--to", "5"), "would be empty"),
        (("--last", "0"), "would be empty"),
        (("--last", "5", "--to", "5"), "does not go with"),
        (("--last", "soon"), "'soon' is not a time"),
    ],
)
def test_a_slice_that_makes_no_sense_is_wrong_usage(clinic: Any, sound_24: Any, words: Any, said: str) -> None:
    sealed = clinic.seal(*sound_24)
    code, told = clinic.fail(sealed.folder, "-o", "x.mp4", *words)
    assert code == 2
    assert said in told


def test_a_fragment_is_known_by_its_whole_structure(with_picture: Any) -> None:
    """Four letters prove nothing: the middle of a picture may hold them, too."""
    from provisioning.fragments import parse_fragment, parse_init

    chunks = list(with_picture[0])
    tracks = parse_init(chunks[0])
    assert tracks
    assert sorted(track.picture for track in tracks.values()) == [False, True]
    good = chunks[1]
    assert parse_fragment(good, 1, tracks)
    forged = bytearray(chunks[3])  # continues the key picture that starts in chunk 2
    assert parse_fragment(bytes(forged), 3, tracks) is None
    forged[:8] = good[:8]
    assert parse_fragment(bytes(forged), 3, tracks) is None
    for chunk in chunks:
        assert parse_init(chunk) is None or chunk is chunks[0]


@given(st.binary(max_size=200), st.integers(0, 300))
def test_no_bytes_upset_the_parsers(with_picture: Any, junk: bytes, at: int) -> None:
    from provisioning.fragments import parse_fragment, parse_init

    chunks = list(with_picture[0])
    tracks = parse_init(chunks[0]) or {}
    for chunk in chunks[:2]:
        changed = bytearray(chunk)
        changed[at : at + len(junk)] = junk
        parse_init(bytes(changed))
        parse_fragment(bytes(changed), 1, tracks)
        parse_fragment(junk, 1, tracks)


def test_a_slice_is_no_larger_than_its_media(clinic: Any, sound_quiet: Any) -> None:
    sealed = clinic.seal(*sound_quiet)
    data, _, _ = take(clinic, sealed, 0, 60_000_000)
    Path(clinic.home / "slice.mp4").write_bytes(data)
    assert (
        clinic.player.samples(clinic.home / "slice.mp4")
        == sealed.sound[: len(clinic.player.samples(clinic.home / "slice.mp4"))]
    )
    assert len(data) < 60 / 600 * len(sealed.plaintext)
