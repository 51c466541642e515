import io
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.age.errors import DamagedChunkError
from device.age.stream import (
    CHUNK_BYTES,
    SEALED_CHUNK_BYTES,
    TAG_BYTES,
    ChunkCipher,
    RandomReader,
    ReadAt,
    Reader,
    Writer,
)

CIPHER = ChunkCipher(bytes(32))
SIZES = [0, 1, 65535, 65536, 65537, 131071, 131072, 131073, 200000]
NOISE = random.Random(1).randbytes(max(SIZES))
OFFSET = 100


def sealed(size: int, piece: int = CHUNK_BYTES) -> bytes:
    sink = io.BytesIO()
    writer = Writer(sink, CIPHER)
    for start in range(0, size, piece):
        writer.write(NOISE[start : min(size, start + piece)])
    writer.close()
    return sink.getvalue()


def at(data: bytes) -> ReadAt:
    return lambda offset, size: data[offset : offset + size]


def read_in_order(payload: bytes) -> bytes:
    return b"".join(Reader(io.BytesIO(payload), CIPHER))


def read_anywhere(payload: bytes) -> bytes:
    data = bytes(OFFSET) + payload
    reader = RandomReader(at(data), size_bytes=len(data), payload_offset=OFFSET, cipher=CIPHER)
    chunks = [reader.chunk(index) for index in reversed(range(reader.chunk_count))]
    plaintext = b"".join(reversed(chunks))
    assert len(plaintext) == reader.plaintext_size
    return plaintext


both_readers = pytest.mark.parametrize("read", [read_in_order, read_anywhere])


@both_readers
@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_read_back(size: int, read: Callable[[bytes], bytes]) -> None:
    assert read(sealed(size)) == NOISE[:size]


@pytest.mark.parametrize("size", SIZES)
def test_the_last_chunk_is_empty_only_if_the_payload_is(size: int) -> None:
    chunks = max(1, -(-size // CHUNK_BYTES))
    assert len(sealed(size)) == size + chunks * TAG_BYTES


@given(st.lists(st.integers(0, 70000), max_size=5), st.integers(1, 70000))
@settings(max_examples=30)
def test_the_pieces_in_which_it_is_written_do_not_show(sizes: list[int], piece: int) -> None:
    size = min(sum(sizes), len(NOISE))
    sink = io.BytesIO()
    writer = Writer(sink, CIPHER)
    start = 0
    for each in sizes:
        writer.write(memoryview(NOISE)[start : min(size, start + each)])
        start += each
    writer.close()
    assert sink.getvalue() == sealed(size, piece)


class Trickle(io.RawIOBase):
    """A pipe that gives what it has, never what was asked for."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = io.BytesIO(data)

    def read(self, size: int = -1, /) -> bytes:
        return self._data.read(min(size, 7919))


def test_a_source_that_trickles_is_read_to_its_end() -> None:
    assert b"".join(Reader(Trickle(sealed(200000)), CIPHER)) == NOISE[:200000]


@both_readers
@pytest.mark.parametrize(
    "cut",
    [
        0,
        1,
        TAG_BYTES - 1,
        TAG_BYTES,
        SEALED_CHUNK_BYTES - 1,
        SEALED_CHUNK_BYTES,
        SEALED_CHUNK_BYTES + 1,
        SEALED_CHUNK_BYTES + TAG_BYTES,
        2 * SEALED_CHUNK_BYTES - 1,
        2 * SEALED_CHUNK_BYTES,
        2 * SEALED_CHUNK_BYTES + TAG_BYTES,
    ],
)
def test_a_payload_that_was_cut_off_is_damaged(cut: int, read: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DamagedChunkError):
        read(sealed(200000)[:cut])


@both_readers
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("extra", [1, TAG_BYTES, SEALED_CHUNK_BYTES])
def test_a_payload_that_goes_on_behind_its_end_is_damaged(
    size: int, extra: int, read: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(DamagedChunkError):
        read(sealed(size) + bytes(extra))


@both_readers
@given(st.integers(0, 3 * SEALED_CHUNK_BYTES), st.integers(0, 7))
@settings(max_examples=30)
def test_a_single_flipped_bit_is_damage_to_its_chunk(read: Callable[[bytes], bytes], place: int, bit: int) -> None:
    payload = bytearray(sealed(3 * CHUNK_BYTES // 2 + CHUNK_BYTES))
    place %= len(payload)
    payload[place] ^= 1 << bit
    with pytest.raises(DamagedChunkError) as caught:
        read(bytes(payload))
    assert caught.value.index == place // SEALED_CHUNK_BYTES


@both_readers
def test_swapped_repeated_and_missing_chunks_are_damage(read: Callable[[bytes], bytes]) -> None:
    payload = sealed(200000)
    first, second, third, rest = (
        payload[start : start + SEALED_CHUNK_BYTES] for start in range(0, len(payload), SEALED_CHUNK_BYTES)
    )
    for wrong in (
        second + first + third + rest,
        first + first + second + third + rest,
        first + third + rest,
        rest,
        first + rest,
    ):
        with pytest.raises(DamagedChunkError):
            read(wrong)


@both_readers
def test_a_chunk_marked_as_last_in_the_middle_is_damage(read: Callable[[bytes], bytes]) -> None:
    early_end = CIPHER.seal(0, NOISE[:CHUNK_BYTES], last=True)
    with pytest.raises(DamagedChunkError):
        read(early_end + CIPHER.seal(1, b"more", last=True))


@both_readers
def test_a_payload_without_a_chunk_marked_as_last_is_damage(read: Callable[[bytes], bytes]) -> None:
    first = CIPHER.seal(0, NOISE[:CHUNK_BYTES], last=False)
    second = CIPHER.seal(1, NOISE[:CHUNK_BYTES], last=False)
    for payload in (first, first + second):
        with pytest.raises(DamagedChunkError):
            read(payload)


@both_readers
def test_an_empty_chunk_at_the_end_is_damage_even_if_it_authenticates(read: Callable[[bytes], bytes]) -> None:
    first = CIPHER.seal(0, NOISE[:CHUNK_BYTES], last=False)
    empty = CIPHER._aead.encrypt((1).to_bytes(11, "big") + b"\x01", b"", None)
    with pytest.raises(DamagedChunkError) as caught:
        read(first + empty)
    assert caught.value.index == 1


def test_everything_before_the_damage_is_given_out_and_nothing_behind_it() -> None:
    payload = bytearray(sealed(200000))
    payload[2 * SEALED_CHUNK_BYTES] ^= 1
    chunks = iter(Reader(io.BytesIO(payload), CIPHER))
    assert next(chunks) + next(chunks) == NOISE[: 2 * CHUNK_BYTES]
    with pytest.raises(DamagedChunkError) as caught:
        next(chunks)
    assert caught.value.index == 2


def test_damage_elsewhere_does_not_keep_a_sound_chunk_from_being_read_anywhere() -> None:
    payload = bytearray(sealed(200000))
    payload[0] ^= 1
    reader = RandomReader(at(bytes(payload)), size_bytes=len(payload), payload_offset=0, cipher=CIPHER)
    assert reader.chunk(2) == NOISE[2 * CHUNK_BYTES : 3 * CHUNK_BYTES]
    with pytest.raises(DamagedChunkError):
        reader.chunk(0)


def test_storage_that_gives_less_than_its_size_says_is_damage() -> None:
    payload = sealed(200000)
    short = lambda offset, size: payload[offset : offset + size - (offset == SEALED_CHUNK_BYTES)]  # noqa: E731
    reader = RandomReader(short, size_bytes=len(payload), payload_offset=0, cipher=CIPHER)
    with pytest.raises(DamagedChunkError, match="inside chunk 1"):
        reader.chunk(1)


@pytest.mark.parametrize("index", [-1, 4])
def test_a_chunk_outside_of_the_file_is_a_mistake_of_the_caller(index: int) -> None:
    payload = sealed(200000)
    reader = RandomReader(at(payload), size_bytes=len(payload), payload_offset=0, cipher=CIPHER)
    with pytest.raises(IndexError):
        reader.chunk(index)


class FullDisk(io.BytesIO):
    """Takes one chunk."""

    def write(self, data, /) -> int:
        if self.tell():
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_failed_write_fails_every_later_call_and_writes_nothing_more() -> None:
    disk = FullDisk()
    writer = Writer(disk, CIPHER)
    with pytest.raises(OSError, match="No space"):
        writer.write(NOISE)
    for call in (lambda: writer.write(b"more"), writer.close):
        with pytest.raises(OSError, match="No space"):
            call()
    assert disk.tell() == SEALED_CHUNK_BYTES


def test_closing_twice_is_harmless_and_writing_after_it_is_not() -> None:
    sink = io.BytesIO()
    writer = Writer(sink, CIPHER)
    writer.close()
    writer.close()
    assert len(sink.getvalue()) == TAG_BYTES
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"more")
