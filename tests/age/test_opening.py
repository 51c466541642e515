import io
import os
from pathlib import Path

import pytest

from device.age.errors import AgeError, DamagedChunkError, HeaderError, NotAgeError, WrongKeyError
from device.age.identities import KeyIdentity, generate_identity
from device.age.opening import decrypt, open_at, open_header, open_header_at
from device.age.sealing import encrypt, new_header
from device.age.stream import CHUNK_BYTES, ReadAt

DATA = os.urandom(3 * CHUNK_BYTES + 5)


@pytest.fixture(params=["classic", "hybrid"])
def identity(request: pytest.FixtureRequest) -> KeyIdentity:
    return request.getfixturevalue(request.param)


@pytest.fixture
def sealed(identity: KeyIdentity) -> bytes:
    sink = io.BytesIO()
    encrypt(io.BytesIO(DATA), sink, [identity.recipient()])
    return sink.getvalue()


def at(data: bytes) -> ReadAt:
    return lambda offset, size: data[offset : offset + size]


def test_a_file_on_disk_is_sealed_and_opened(identity: KeyIdentity, tmp_path: Path) -> None:
    plain, age, out = tmp_path / "plain", tmp_path / "plain.age", tmp_path / "out"
    plain.write_bytes(DATA)
    with plain.open("rb") as source, age.open("wb") as sink:
        encrypt(source, sink, [identity.recipient()])
    with age.open("rb") as source, out.open("wb") as sink:
        decrypt(source, sink, [identity])
    assert out.read_bytes() == DATA


def test_any_chunk_is_opened_without_the_others(identity: KeyIdentity, sealed: bytes) -> None:
    reader = open_at(at(sealed), len(sealed), [identity])
    assert (reader.chunk_count, reader.plaintext_size) == (4, len(DATA))
    assert reader.chunk(2) == DATA[2 * CHUNK_BYTES : 3 * CHUNK_BYTES]
    assert reader.chunk(3) == DATA[3 * CHUNK_BYTES :]


def test_a_header_is_found_alike_by_offset_and_in_order(identity: KeyIdentity, sealed: bytes) -> None:
    source = io.BytesIO(sealed)
    cipher, payload_offset = open_header(source, [identity])
    assert source.tell() == payload_offset
    assert open_header_at(at(sealed), [identity])[1] == payload_offset
    assert cipher.open(0, source.read(CHUNK_BYTES + 16), last=False) == DATA[:CHUNK_BYTES]


def test_a_slice_needs_the_head_the_last_chunk_and_its_own_chunks_only(identity: KeyIdentity, sealed: bytes) -> None:
    _, payload_offset = open_header_at(at(sealed), [identity])
    gap = range(payload_offset + CHUNK_BYTES + 16, payload_offset + 2 * (CHUNK_BYTES + 16))
    holed = sealed[: gap.start] + bytes(len(gap)) + sealed[gap.stop :]
    reader = open_at(at(holed), len(holed), [identity])
    assert reader.chunk(0) == DATA[:CHUNK_BYTES]
    assert reader.chunk(2) == DATA[2 * CHUNK_BYTES : 3 * CHUNK_BYTES]


def test_a_wrong_key_and_no_key_are_told_from_damage(identity: KeyIdentity, sealed: bytes) -> None:
    strangers = [generate_identity(post_quantum=kind) for kind in (True, False)]
    for identities in ([], strangers):
        with pytest.raises(WrongKeyError):
            open_header(io.BytesIO(sealed), identities)
    open_header(io.BytesIO(sealed), [*strangers, identity])


def test_a_header_whose_mac_does_not_hold_is_refused_though_the_key_fits(identity: KeyIdentity, sealed: bytes) -> None:
    start = sealed.index(b"\n--- ") + 5
    other = b"A" if sealed[start : start + 1] != b"A" else b"B"
    with pytest.raises(HeaderError, match="changed"):
        open_header(io.BytesIO(sealed[:start] + other + sealed[start + 1 :]), [identity])


def test_a_stanza_added_to_a_header_is_noticed(identity: KeyIdentity, sealed: bytes) -> None:
    start = sealed.index(b"\n--- ") + 1
    with pytest.raises(HeaderError, match="changed"):
        open_header(io.BytesIO(sealed[:start] + b"-> joint\n\n" + sealed[start:]), [identity])


def test_a_file_cut_off_anywhere_is_refused(identity: KeyIdentity) -> None:
    head, cipher = new_header([identity.recipient()])
    data = head + cipher.seal(0, b"short", last=True)
    for size in range(0, len(data), 1 if len(data) < 400 else 37):
        with pytest.raises(AgeError):
            decrypt(io.BytesIO(data[:size]), io.BytesIO(), [identity])
        with pytest.raises(AgeError):
            open_at(at(data[:size]), size, [identity])


def test_another_nonce_damages_every_chunk(identity: KeyIdentity, sealed: bytes) -> None:
    _, payload_offset = open_header(io.BytesIO(sealed), [identity])
    wrong = bytearray(sealed)
    wrong[payload_offset - 1] ^= 1
    with pytest.raises(DamagedChunkError) as caught:
        decrypt(io.BytesIO(wrong), io.BytesIO(), [identity])
    assert caught.value.index == 0


def test_a_size_that_is_not_the_files_is_refused(identity: KeyIdentity, sealed: bytes) -> None:
    for size in (len(sealed) - 1, len(sealed) + 1, len(sealed) - 21, 0):
        with pytest.raises(AgeError):
            open_at(at(sealed), size, [identity])


def test_what_is_not_an_age_file_is_called_that(identity: KeyIdentity) -> None:
    with pytest.raises(NotAgeError):
        open_at(at(b"\0" * 1000), 1000, [identity])
