import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.age.errors import AgeError, HeaderError, NotAgeError, RecipientSetError
from device.age.header import (
    HEADER_LIMIT_BYTES,
    Header,
    Stanza,
    decode_base64,
    encode_base64,
    encode_header,
    read_header,
)

KEY = bytes(range(16))
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=100)
stanzas = st.builds(Stanza, words, st.lists(words, max_size=4).map(tuple), st.binary(max_size=200))


def read(data: bytes) -> Header:
    return read_header(io.BytesIO(data))


def sample(body: bytes = b"body") -> bytes:
    return encode_header([Stanza("test", ("one", "two"), body)], KEY)


@given(st.lists(stanzas, min_size=1, max_size=5), st.binary(max_size=100))
def test_a_header_is_read_back_to_its_last_byte_and_no_further(made: list[Stanza], payload: bytes) -> None:
    encoded = encode_header(made, KEY)
    source = io.BytesIO(encoded + payload)
    header = read_header(source)
    header.verify(KEY)
    assert header.stanzas == tuple(made)
    assert header.size_bytes == len(encoded)
    assert source.read() == payload


@given(st.data())
def test_no_byte_of_a_header_can_be_changed(draw: st.DataObject) -> None:
    encoded = bytearray(sample())
    place = draw.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= draw.draw(st.integers(1, 255))
    with pytest.raises(AgeError):
        read(bytes(encoded)).verify(KEY)


@given(st.integers(0, len(sample()) - 1))
def test_a_header_that_ends_early_is_refused(size: int) -> None:
    with pytest.raises((NotAgeError, HeaderError)):
        read(sample()[:size])


def test_the_body_wraps_at_64_columns_and_ends_with_a_shorter_line() -> None:
    assert sample(bytes(48)).split(b"\n")[2:4] == [b"A" * 64, b""]
    assert sample(bytes(49)).split(b"\n")[2:4] == [b"A" * 64, b"AA"]
    assert sample(b"").split(b"\n")[2:3] == [b""]


def test_another_file_key_does_not_verify() -> None:
    with pytest.raises(HeaderError, match="changed"):
        read(sample()).verify(bytes(16))


MAC = b"--- " + b"A" * 43 + b"\n"
START = b"age-encryption.org/v1\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(START + MAC, id="no stanza"),
        pytest.param(START + b"-> \n\n" + MAC, id="empty argument"),
        pytest.param(START + b"->\n\n" + MAC, id="no argument"),
        pytest.param(START + b"-> a  b\n\n" + MAC, id="two spaces"),
        pytest.param(START + b"-> a \n\n" + MAC, id="space at the end"),
        pytest.param(START + b"-> a\tb\n\n" + MAC, id="tab"),
        pytest.param(START + "-> ä\n\n".encode() + MAC, id="not ASCII"),
        pytest.param(START + b"-> a\r\n\r\n" + MAC, id="CRLF"),
        pytest.param(START + b"-- a\n\n" + MAC, id="bad start"),
        pytest.param(START + b"-> a\n" + MAC, id="no body"),
        pytest.param(START + b"-> a\n" + b"A" * 64 + b"\n" + MAC, id="no short line"),
        pytest.param(START + b"-> a\n" + b"A" * 68 + b"\n\n" + MAC, id="long line"),
        pytest.param(START + b"-> a\nAA==\n" + MAC, id="padding"),
        pytest.param(START + b"-> a\nAB\n" + MAC, id="not canonical"),
        pytest.param(START + b"-> a\nA\n" + MAC, id="impossible length"),
        pytest.param(START + b"-> a\nA-_A\n" + MAC, id="URL alphabet"),
        pytest.param(START + b"-> a\nAA A\n" + MAC, id="space in the body"),
        pytest.param(START + b"-> a\n\n---" + MAC[4:], id="no space before the MAC"),
        pytest.param(START + b"-> a\n\n---  " + MAC[4:], id="two spaces before the MAC"),
        pytest.param(START + b"-> a\n\n" + MAC[:-1] + b" \n", id="space after the MAC"),
        pytest.param(START + b"-> a\n\n" + MAC[:-1] + b"\r\n", id="CRLF after the MAC"),
        pytest.param(START + b"-> a\n\n" + MAC[:-2] + b"\n", id="short MAC"),
        pytest.param(START + b"-> a\n\n" + MAC[:-2] + b"B\n", id="MAC not canonical"),
        pytest.param(b"age-encryption.org/v2\n-> a\n\n" + MAC, id="another version"),
        pytest.param(b"age-encryption.org/v1\r\n-> a\n\n" + MAC, id="CRLF after the version"),
    ],
)
def test_a_malformed_header_is_refused(data: bytes) -> None:
    with pytest.raises(HeaderError):
        read(data)


@pytest.mark.parametrize("data", [b"", b"\n", b"hello\n", bytes(100), b"-----BEGIN AGE ENCRYPTED FILE-----\n"])
def test_what_is_not_an_age_file_is_called_that(data: bytes) -> None:
    with pytest.raises(NotAgeError):
        read(data)


@pytest.mark.parametrize("data", [b"A" * 100, b"A" * 63 + b"\n", b"\n-> a\n"])
def test_a_header_without_end_is_given_up(data: bytes) -> None:
    endless = io.BytesIO(START + b"-> a\n" + data * (2 * HEADER_LIMIT_BYTES // len(data)))
    with pytest.raises(HeaderError):
        read_header(endless)
    assert endless.tell() <= HEADER_LIMIT_BYTES


def test_twenty_post_quantum_stanzas_fit_and_what_nobody_could_read_is_not_written() -> None:
    stanza = Stanza("mlkem768x25519", ("A" * 1494,), bytes(32))
    assert len(read(encode_header([stanza] * 20, KEY)).stanzas) == 20
    with pytest.raises(RecipientSetError):
        encode_header([stanza] * 200, KEY)


@pytest.mark.parametrize("word", ["", "a b", "a\n", "ä"])
def test_a_stanza_with_an_impossible_argument_is_never_written(word: str) -> None:
    with pytest.raises(ValueError, match="argument"):
        Stanza("test", (word,), b"").encode()


@given(st.binary())
def test_base64_round_trips(data: bytes) -> None:
    assert decode_base64(encode_base64(data)) == data
