"""The muxer: one fragment per chunk, every chunk a place to cut, and files that stock players read without a word."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from device.capture.boxes import FRAGMENT_OVERHEAD_BYTES, RUN_OVERHEAD_BYTES, RUN_SAMPLE_BYTES, PictureTrack, SoundTrack
from device.capture.encoder import BLOCK_SAMPLES, stream_info
from device.capture.mux import MAX_FRAGMENT_US, Muxer, annexb_to_lengths, padded_bytes
from device.capture.packets import Frames, Picture, SoundFormat, Wire
from device.recording import CHUNK_BYTES, CLOSING
from device.recording.index import parse_index

STEREO = SoundFormat(48_000, 2, Wire.S24_3LE)
MONO = SoundFormat(48_000, 1, Wire.S24_3LE)
CD = SoundFormat(44_100, 2, Wire.S16_LE)
FRAME_US = 1_000_000 * BLOCK_SAMPLES // 44_100 + 1
SOUND, PICTURE = 1, 2
START_CODE = b"\0\0\0\1"


def muxer(kept: Any, *, picture: bool = False, sound: SoundFormat = STEREO) -> Muxer:
    track = SoundTrack(sound.rate_hz, sound.channels, sound.bits, stream_info(sound))
    made = Muxer(track, PictureTrack(320, 180) if picture else None, sink=kept)
    made.open()
    return made


def shot(size: int, at_us: int, *, key: bool) -> Picture:
    """A picture of no meaning that is ``size`` bytes long in the file."""
    return Picture(START_CODE + b"\x65" * (size - 4), at_us, key=key)


def check_chunks(kept: Any, read: Any) -> list[Any]:
    """What holds for every recording; its fragments."""
    for write in kept.writes:
        assert len(write) % CHUNK_BYTES == 0
        assert write[4:8] in {b"ftyp", b"moof", b"uuid"}
        for found in read.boxes(write):
            assert found.kind in {b"ftyp", b"moov", b"moof", b"mdat", b"uuid", b"free"}
    found = read.fragments(kept)
    assert len(found) == len(kept.writes) - 2
    assert [each.sequence for each in found] == list(range(1, len(found) + 1))
    for each in found:
        assert each.padding == 0 or each.padding >= 8
        assert each.chunks == 1 or each.chunks * CHUNK_BYTES - each.padding > CHUNK_BYTES - 8
    for track in (SOUND, PICTURE):
        check_times([part for each in found if (part := each.part(track))])
    return list(found)


def check_times(parts: list[Any]) -> None:
    """A track's fragments follow each other, and none starts before the last has ended."""
    for one, other in itertools.pairwise(parts):
        assert other.start >= one.end


def check_index(kept: Any, read: Any, rate_hz: int, *, picture: bool) -> Any:
    """The end mark says where every fragment is and when it starts."""
    index = parse_index(kept.writes[-1])
    assert index is not None
    found = read.fragments(kept)
    assert [entry.chunk for entry in index.entries] == [each.chunk for each in found]
    for entry, each in zip(index.entries, found, strict=True):
        starts = [part.start * 1_000_000 // (rate_hz if part.track == SOUND else 1_000_000) for part in each.parts]
        assert entry.start_us == min(starts) // 1000 * 1000
        shots = each.part(PICTURE)
        assert entry.key == (not picture or (shots is not None and shots.samples[0][2] == 0x02000000))
    return index


@pytest.mark.parametrize("sound", [STEREO, MONO, CD], ids=str)
@pytest.mark.parametrize("kind", ["noise", "silence", "extremes"])
def test_sound_alone_is_sample_exact_and_has_no_video_track(
    sound: SoundFormat, kind: str, make: Any, mux: Callable[..., Any], read: Any, player: Any, tmp_path: Path
) -> None:
    data = getattr(make, kind)(sound, 150_001)
    kept = mux(sound, data)
    fragments = check_chunks(kept, read)
    index = check_index(kept, read, sound.rate_hz, picture=False)
    assert (index.samples, index.duration_us) == (150_001, sound.us(150_001))
    assert sum(duration for each in fragments for duration, _, _ in each.part(SOUND).samples) == 150_001
    file = tmp_path / "out.mp4"
    file.write_bytes(kept.data + CLOSING)
    (stream,) = player.probe(file)["streams"]
    assert (stream["codec_type"], stream["codec_name"]) == ("audio", "flac")
    assert (int(stream["sample_rate"]), stream["channels"]) == (sound.rate_hz, sound.channels)
    assert int(stream["bits_per_raw_sample"]) == sound.bits
    assert player.samples(file, sound.wire) == data


def test_sound_and_picture_are_both_whole(
    make: Any, mux: Callable[..., Any], read: Any, player: Any, clock_pictures: Any, tmp_path: Path
) -> None:
    data = make.noise(STEREO, 5 * 48_000)
    pictures = clock_pictures(120)
    kept = mux(STEREO, data, pictures=pictures)
    fragments = check_chunks(kept, read)
    check_index(kept, read, 48_000, picture=True)
    file = tmp_path / "out.mp4"
    file.write_bytes(kept.data + CLOSING)
    streams = player.probe(file)["streams"]
    assert [stream["codec_type"] for stream in streams] == ["audio", "video"]
    assert (streams[1]["width"], streams[1]["height"]) == (320, 180)
    assert player.samples(file, STEREO.wire) == data
    assert player.pictures(file) == [picture.at_us / 1e6 for picture in pictures]
    starts = [each.part(PICTURE).start for each in fragments if check_key(each)]
    assert starts == [picture.at_us for picture in pictures if picture.key]


def check_key(fragment: Any) -> bool:
    """Whether a fragment has a key picture; it is then the first of its pictures and there is no other."""
    shots = fragment.part(PICTURE)
    keys = [place for place, (_, _, flags) in enumerate(shots.samples) if flags == 0x02000000] if shots else []
    assert keys in ([], [0])
    assert not keys or fragment.parts[0].track == PICTURE
    return keys == [0]


def test_a_file_cut_at_any_chunk_plays_up_to_there(
    make: Any, mux: Callable[..., Any], player: Any, clock_pictures: Any, tmp_path: Path
) -> None:
    data = make.noise(STEREO, 2 * 48_000)
    kept = mux(STEREO, data, pictures=clock_pictures(48))
    file = tmp_path / "cut.mp4"
    for count in range(3, len(kept.writes)):
        file.write_bytes(b"".join(kept.writes[:count]) + CLOSING)
        samples = player.samples(file, STEREO.wire)
        assert samples
        assert data.startswith(samples)


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_a_recording_of_almost_nothing_is_a_whole_file(
    seconds: float, make: Any, mux: Callable[..., Any], read: Any, player: Any, tmp_path: Path
) -> None:
    kept = mux(STEREO, make.noise(STEREO, int(seconds * 48_000)))
    check_chunks(kept, read)
    file = tmp_path / "short.mp4"
    file.write_bytes(kept.data + CLOSING)
    assert player.probe(file)["streams"][0]["codec_name"] == "flac"


def test_the_init_segment_is_alone_in_the_first_chunk(kept: Any, read: Any) -> None:
    muxer(kept, picture=True)
    assert [found.kind for found in read.boxes(kept.data)] == [b"ftyp", b"moov", b"free"]
    assert len(kept.data) == CHUNK_BYTES


def test_no_fragment_holds_more_than_its_time_of_sound(make: Any, mux: Callable[..., Any], read: Any) -> None:
    """Quiet sound needs little room, but a power cut must not cost more because of it."""
    for sound in (MONO, CD):
        kept = mux(sound, make.silence(sound, 10 * sound.rate_hz))
        for each in check_chunks(kept, read):
            part = each.part(SOUND)
            assert sound.us(part.end - part.start) < MAX_FRAGMENT_US + FRAME_US


def test_every_write_says_how_far_the_sound_then_reaches(make: Any, mux: Callable[..., Any], read: Any) -> None:
    kept = mux(STEREO, make.noise(STEREO, 100_000))
    ends = [STEREO.us(each.part(SOUND).end) for each in read.fragments(kept)]
    assert kept.ends_us == [0, *ends, STEREO.us(100_000)]


def test_the_gaps_stand_in_the_end_mark(make: Any, mux: Callable[..., Any]) -> None:
    index = parse_index(mux(MONO, make.silence(MONO, 9600), gaps=((4800, 100),)).writes[-1])
    assert index is not None
    assert index.gaps == ((4800, 100),)


def test_a_picture_larger_than_a_chunk_takes_several_whole_ones(kept: Any, read: Any) -> None:
    made = muxer(kept, picture=True)
    made.write_picture(shot(150_000, 0, key=True))
    made.write_sound(bytes(3000), BLOCK_SAMPLES)
    made.write_picture(shot(5000, 40_000, key=False))
    made.write_picture(shot(5000, 80_000, key=False))
    made.close(gaps=())
    fragments = check_chunks(kept, read)
    large = [each for each in fragments if each.chunks > 1]
    assert [(each.chunks, [part.track for part in each.parts]) for each in large] == [(3, [PICTURE])]
    index = check_index(kept, read, 48_000, picture=True)
    assert [entry.chunk for entry in index.entries] == [1, 2, 5]


# One byte more or less than what fills a chunk, and all that would leave no room for a box.
FULL = CHUNK_BYTES - FRAGMENT_OVERHEAD_BYTES - RUN_OVERHEAD_BYTES - RUN_SAMPLE_BYTES


@pytest.mark.parametrize("size", range(FULL - 10, FULL + 3))
def test_a_sample_near_the_boundary_leaves_room_for_a_box_or_none_at_all(size: int, kept: Any, read: Any) -> None:
    made = muxer(kept)
    made.write_sound(bytes(size), BLOCK_SAMPLES)
    made.write_sound(bytes(100), BLOCK_SAMPLES)
    made.close(gaps=())
    one, other = check_chunks(kept, read) if size > FULL - 8 - 112 else (None, None)
    assert one.chunks == (1 if size <= FULL - 8 or size == FULL else 2)
    assert other.parts[0].start == BLOCK_SAMPLES


BLOCK_US = BLOCK_SAMPLES * 1_000_000 // 48_000


def test_it_says_how_much_more_may_come_by_what_the_last_fragment_took(kept: Any) -> None:
    made = muxer(kept)
    raw = STEREO.rate_hz * STEREO.frame_bytes
    assert made.due_us(0) == pytest.approx(CHUNK_BYTES * 1_000_000 / raw, rel=0.01)  # nothing is known yet
    for _ in range(17):
        made.write_sound(bytes(4000), BLOCK_SAMPLES)
    assert made.due_us(0) == pytest.approx(15 * BLOCK_US, rel=0.05)  # sixteen fill one, one is there
    made.write_sound(bytes(4000), BLOCK_SAMPLES)
    assert made.due_us(0) == pytest.approx(14 * BLOCK_US, rel=0.05)


def test_quiet_sound_is_due_in_time_for_what_comes_next(kept: Any) -> None:
    made = muxer(kept)
    for _ in range(40):
        made.write_sound(bytes(100), BLOCK_SAMPLES)
    made.flush()
    assert made.due_us(180_000) == MAX_FRAGMENT_US - 180_000
    made.write_sound(bytes(100), 10 * BLOCK_SAMPLES)
    assert made.due_us(180_000) == MAX_FRAGMENT_US - 180_000 - 10 * BLOCK_US
    written = len(kept.writes)
    made.flush_if_due(MAX_FRAGMENT_US - 10 * BLOCK_US)
    assert len(kept.writes) == written
    made.flush_if_due(MAX_FRAGMENT_US - 10 * BLOCK_US + 1)
    assert len(kept.writes) == written + 1
    made.flush_if_due(MAX_FRAGMENT_US)
    assert len(kept.writes) == written + 1, "nothing is pending"
    assert made.due_us(MAX_FRAGMENT_US) == 0


def test_frames_that_come_together_lie_as_if_they_had_come_one_by_one(kept: Any) -> None:
    chance = random.Random(5)
    frames = [
        (chance.randbytes(chance.choice([40, 900, 4000, 30_000])), chance.choice([BLOCK_SAMPLES, 400]))
        for _ in range(200)
    ]
    one_by_one = type(kept)()
    made = muxer(one_by_one)
    for data, samples_ in frames:
        made.write_sound(data, samples_)
    made.close(gaps=())
    made = muxer(kept)
    for at in range(0, len(frames), 31):
        some = frames[at : at + 31]
        whole = b"".join(data for data, _ in some)
        made.write_frames(Frames(whole, [len(data) for data, _ in some], [count for _, count in some]))
    made.close(gaps=())
    assert kept.writes == one_by_one.writes


samples = st.one_of(
    st.tuples(st.just("sound"), st.integers(1, 9000)),
    st.tuples(st.just("picture"), st.integers(5, 9000)),
    st.tuples(st.sampled_from(["sound", "picture"]), st.integers(FULL - 200, FULL + 50)),
    st.tuples(st.just("key"), st.integers(5, 200_000)),
)


@settings(max_examples=150)
@given(items=st.lists(samples, max_size=40))
def test_whatever_comes_in_whatever_order_the_chunks_are_right(items: list[tuple[str, int]], read: Any) -> None:
    from dataclasses import dataclass, field

    @dataclass
    class Sink:
        writes: list[bytes] = field(default_factory=list)

        def write(self, chunks: bytes, end_us: int) -> None:
            self.writes.append(chunks)

    sink = Sink()
    made = muxer(sink, picture=True)
    at_us = sounds = shots = 0
    for kind, size in items:
        if kind == "sound":
            made.write_sound(bytes(size), BLOCK_SAMPLES)
            sounds += size
        else:
            at_us += 40_000
            made.write_picture(shot(size, at_us, key=kind == "key"))
            shots += size
    made.close(gaps=())
    fragments = check_chunks(sink, read)
    check_index(sink, read, 48_000, picture=True)
    for each in fragments:
        check_key(each)
        outgrown = each.chunks > 1
        assert not outgrown or sum(len(part.samples) for part in each.parts) == 1
    for track, total in ((SOUND, sounds), (PICTURE, shots)):
        assert sum(len(part.data) for each in fragments if (part := each.part(track))) == total


@given(size=st.integers(1, 5 * CHUNK_BYTES))
def test_padding_is_never_a_piece_too_small_for_a_box(size: int) -> None:
    padded = padded_bytes(size)
    room = padded - size
    assert padded % CHUNK_BYTES == 0
    assert room == 0 or 8 <= room < CHUNK_BYTES + 8


def test_pictures_for_a_sound_only_recording_are_not_in_it(kept: Any, read: Any) -> None:
    made = muxer(kept)
    made.write_picture(shot(500, 0, key=True))
    made.write_picture(shot(500, 40_000, key=False))
    made.write_sound(bytes(100), BLOCK_SAMPLES)
    made.close(gaps=())
    assert [[part.track for part in each.parts] for each in check_chunks(kept, read)] == [[SOUND]]


def test_a_camera_that_is_given_up_for_hours_does_not_spoil_the_end(kept: Any, read: Any) -> None:
    """Its last picture stood to the end, for longer than a 32-bit duration can say: the end mark was never written."""
    made = muxer(kept, picture=True, sound=MONO)
    made.write_picture(shot(500, 0, key=True))
    made.write_picture(shot(500, 40_000, key=False))
    for _ in range(90 * 60 * 10):
        made.write_sound(b"frame", 4800)
    made.close(gaps=())
    check_chunks(kept, read)
    index = check_index(kept, read, 48_000, picture=True)
    assert index.duration_us == 90 * 60 * 1_000_000


def test_after_a_camera_that_paused_every_fragment_is_still_about_its_own_time(kept: Any, read: Any) -> None:
    """The last picture before the pause waited for the next to tell its length, and then came a minute late."""
    made = muxer(kept, picture=True, sound=MONO)
    made.write_picture(shot(500, 0, key=True))
    for _ in range(600):
        made.write_sound(b"frame", 4800)
    made.write_picture(shot(500, 60_000_000, key=True))
    for _ in range(10):
        made.write_sound(b"frame", 4800)
    made.close(gaps=())
    check_chunks(kept, read)
    index = check_index(kept, read, 48_000, picture=True)
    starts = [entry.start_us for entry in index.entries]
    furthest = [max(starts[: place + 1]) for place in range(len(starts))]
    assert all(far - start <= 3_000_000 for far, start in zip(furthest, starts, strict=True))


@pytest.mark.parametrize("pause", [40_000, 2_500_000, 10_000_000])
def test_a_paused_camera_plays_on_where_it_came_back(
    pause: int, make: Any, mux: Callable[..., Any], read: Any, player: Any, clock_pictures: Any, tmp_path: Path
) -> None:
    before, after = clock_pictures(30), clock_pictures(30, start_us=1_200_000 + pause)
    kept = mux(MONO, make.noise(MONO, 14 * 48_000), pictures=before + after)
    check_chunks(kept, read)
    file = tmp_path / "paused.mp4"
    file.write_bytes(kept.data + CLOSING)
    assert player.pictures(file) == [picture.at_us / 1e6 for picture in before + after]


@given(units=st.lists(st.binary(min_size=1, max_size=60), max_size=6), zeros=st.integers(2, 5))
def test_every_unit_gets_its_length_in_place_of_its_start_code(units: list[bytes], zeros: int) -> None:
    for unit in units:
        # ISO/IEC 14496-10, 7.4.1: no unit holds three bytes like these, starts with zero here or ends with one.
        assume(not any(bad in unit for bad in (b"\0\0\0", b"\0\0\1", b"\0\0\2")))
        assume(unit[-1] and unit[0])
    stream = b"".join(bytes(zeros) + b"\1" + unit for unit in units)
    assert annexb_to_lengths(stream) == b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


@pytest.mark.parametrize("what", ["stereo noise", "speech"])
def test_padding_stays_a_small_price(
    what: str, make: Any, speech: bytes, mux: Callable[..., Any], read: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Noise is what a chunk is filled best with; a quiet mono room pays for losing no more than a second."""
    sound, data = (STEREO, make.noise(STEREO, 20 * 48_000)) if what == "stereo noise" else (MONO, speech * 3)
    fragments = check_chunks(mux(sound, data), read)
    total = sum(each.chunks for each in fragments) * CHUNK_BYTES
    share = sum(each.padding for each in fragments) / total
    seconds = len(data) / sound.frame_bytes / sound.rate_hz
    with capsys.disabled():
        print(f"\n{what}: padding {share:.1%}, {total / seconds / 1000:.0f} kB/s")
    assert share < (0.06 if sound is STEREO else 0.5)
    # A second has at most one fragment per MAX_FRAGMENT_US and one per chunk that it fills.
    assert total / seconds <= sound.rate_hz * sound.frame_bytes * 1.07 + CHUNK_BYTES / (MAX_FRAGMENT_US / 1e6)
