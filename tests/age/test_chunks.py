import pytest

from device.age.chunks import CHUNK_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES, ChunkCipher, payload_key
from device.age.errors import DamagedChunkError

CIPHER = ChunkCipher(bytes(32))
WHOLE = bytes(CHUNK_BYTES)


def test_a_sealed_chunk_is_a_tag_longer_than_its_plaintext() -> None:
    assert len(CIPHER.seal(0, WHOLE, last=False)) == SEALED_CHUNK_BYTES == 65552
    assert len(CIPHER.seal(0, b"", last=True)) == TAG_BYTES


@pytest.mark.parametrize(("counter", "last"), [(0, False), (0, True), (1, False), (2**88 - 1, True)])
def test_a_chunk_opens_only_at_its_place_and_with_its_flag(counter: int, *, last: bool) -> None:
    sealed = CIPHER.seal(counter, WHOLE, last=last)
    assert CIPHER.open(counter, sealed, last=last) == WHOLE
    for other, flag in [(counter, not last), ((counter + 1) % 2**88, last), ((counter + 1) % 2**88, not last)]:
        with pytest.raises(DamagedChunkError) as caught:
            CIPHER.open(other, sealed, last=flag)
        assert caught.value.index == other


def test_a_chunk_of_bytes_a_bytearray_and_a_memoryview_seal_alike() -> None:
    data = bytes(range(200))
    assert CIPHER.seal(0, bytearray(data), last=True) == CIPHER.seal(0, memoryview(data), last=True)
    assert CIPHER.open(0, memoryview(CIPHER.seal(0, data, last=True)), last=True) == data


@pytest.mark.parametrize(
    ("counter", "size", "last"),
    [(0, CHUNK_BYTES - 1, False), (0, 0, False), (0, CHUNK_BYTES + 1, False), (0, CHUNK_BYTES + 1, True), (1, 0, True)],
)
def test_a_length_that_no_reader_accepts_is_never_sealed(counter: int, size: int, *, last: bool) -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        CIPHER.seal(counter, bytes(size), last=last)


@pytest.mark.parametrize(("counter", "size"), [(1, 0), (0, CHUNK_BYTES + 1)])
def test_a_length_that_the_format_forbids_is_damage_even_if_it_authenticates(counter: int, size: int) -> None:
    sealed = CIPHER._aead.encrypt(counter.to_bytes(11, "big") + b"\x01", bytes(size), None)
    with pytest.raises(DamagedChunkError):
        CIPHER.open(counter, sealed, last=True)


@pytest.mark.parametrize("size", [0, 1, TAG_BYTES - 1])
def test_what_is_shorter_than_a_tag_is_damage(size: int) -> None:
    with pytest.raises(DamagedChunkError):
        CIPHER.open(0, bytes(size), last=True)


def test_the_payload_key_depends_on_file_key_and_nonce() -> None:
    keys = {payload_key(key, nonce) for key in (bytes(16), b"k" * 16) for nonce in (bytes(16), b"n" * 16)}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
