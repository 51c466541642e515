"""The C2SP vectors (https://c2sp.org/CCTV/age): what every age must open, and what none may."""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from device.age.armor import dearmor
from device.age.errors import AgeError, DamagedChunkError, HeaderError, NotAgeError, WrongKeyError
from device.age.header import encode_header, read_header
from device.age.identities import Identity, parse_identity
from device.age.opening import open_at, open_header
from device.age.passphrase import PassphraseIdentity
from device.age.stream import Reader

OUTCOMES: list[tuple[str, type[AgeError] | tuple[type[AgeError], ...] | None]] = [
    ("success", None),
    ("no match", WrongKeyError),
    ("HMAC failure", HeaderError),
    ("header failure", (HeaderError, NotAgeError)),
    ("payload failure", DamagedChunkError),
]


def identities(vector) -> list[Identity]:
    keys = [parse_identity(text) for text in vector.identities]
    return [*keys, *(PassphraseIdentity(text) for text in vector.passphrases)]


def in_order(vector) -> Iterator[bytes]:
    source = io.BytesIO(vector.data)
    cipher, _ = open_header(source, identities(vector))
    yield from Reader(source, cipher)


def anywhere(vector) -> Iterator[bytes]:
    read_at = lambda offset, size: vector.data[offset : offset + size]  # noqa: E731
    reader = open_at(read_at, len(vector.data), identities(vector))
    yield from (reader.chunk(index) for index in range(reader.chunk_count))


def outcome(vector, read: Callable[..., Iterator[bytes]]) -> tuple[AgeError | None, str]:
    released = hashlib.sha256()
    try:
        for chunk in read(vector):
            released.update(chunk)
    except AgeError as error:
        return error, released.hexdigest()
    return None, released.hexdigest()


@pytest.mark.parametrize(("expect", "errors"), OUTCOMES)
def test_every_vector_ends_as_it_must(cctv, expect: str, errors) -> None:
    chosen = [vector for vector in cctv if vector.expect == expect and not vector.armored]
    assert chosen
    wrong = {}
    for vector in chosen:
        for read in (in_order, anywhere):
            error, released = outcome(vector, read)
            fits = error is None if errors is None else isinstance(error, errors)
            # Read in order, exactly the sound chunks before the damage come out; read anywhere, the end is looked at
            # first, and so less may.
            if not fits or (read is in_order and vector.payload_sha256 not in ("", released)):
                wrong[vector.name, read.__name__] = repr(error)
    assert wrong == {}


def test_no_armored_file_is_taken_for_a_binary_one(cctv) -> None:
    chosen = [vector for vector in cctv if vector.armored]
    assert chosen
    for vector in chosen:
        with pytest.raises((NotAgeError, HeaderError)):
            list(in_order(vector))


def test_every_armored_vector_ends_as_it_must(cctv) -> None:
    errors = dict(OUTCOMES)
    wrong = {}
    for vector in (vector for vector in cctv if vector.armored):
        try:
            file = dearmor(vector.data.decode("latin-1"))
        except NotAgeError as error:
            if vector.expect != "armor failure":
                wrong[vector.name] = repr(error)
            continue
        error, _ = outcome(replace(vector, data=file), in_order)
        expected = errors.get(vector.expect, ())
        if vector.expect == "armor failure" or not (error is None if expected is None else isinstance(error, expected)):
            wrong[vector.name] = (vector.expect, repr(error))
    assert wrong == {}


def test_headers_are_spelled_back_as_they_were_read(cctv) -> None:
    for vector in cctv:
        if vector.armored or vector.expect == "header failure":
            continue
        header = read_header(io.BytesIO(vector.data))
        assert encode_header(header.stanzas, bytes(16)).startswith(header.covered), vector.name


def test_the_vectors_are_all_there(cctv) -> None:
    assert len(cctv) > 120
    assert {vector.expect for vector in cctv} == {expect for expect, _ in OUTCOMES} | {"armor failure"}
