"""An order as a box takes it: signed, whole, unchanged, for this box, and never an old one."""

from __future__ import annotations

import io
import tarfile
from typing import Any, BinaryIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import OrderError
from device.orders import (
    MOST_BYTES,
    MOST_HEAD_BYTES,
    Member,
    Order,
    check_names,
    check_order,
    digest_of,
    header_of,
    member_of,
    members_of,
    packed,
    read_head,
    read_order,
    sign_order,
)
from device.recording.signing import sign, sign_line

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
FILES = {"page-1.pem": b"the first" * 70, "page-2.pem": b"", "page-3.pem": b"x" * 512}


def an_order(content: dict[str, bytes] | None = None, **changes: Any) -> Order:
    facts: dict[str, Any] = {
        "number": 7,
        "boxes": ("Room 1", "Room 2"),
        "made": "2026-03-02T09:00:00Z",
        "what": "certificates",
        "files": tuple(member_of(name, [content]) for name, content in (FILES if content is None else content).items()),
    }
    return Order(**facts | changes)


def written(files: dict[str, bytes] | None = None, key: Ed25519PrivateKey = KEY, **changes: Any) -> bytes:
    order = an_order(files, **changes)
    contents = [[content] for content in (FILES if files is None else files).values()]
    return b"".join(packed(sign_order(order, key), zip(order.files, contents, strict=True)))


def taken(data: bytes | BinaryIO) -> dict[str, bytes]:
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    order = read_order(source, clinic_key=PUBLIC)
    return {member.name: b"".join(pieces) for member, pieces in members_of(source, order)}


def test_what_the_clinic_signed_is_read_as_it_was() -> None:
    assert taken(written()) == FILES
    assert read_order(io.BytesIO(written()), clinic_key=PUBLIC) == an_order()


def test_any_tar_reads_it_as_well() -> None:
    with tarfile.open(fileobj=io.BytesIO(written())) as tar:
        assert tar.getnames() == ["order.json", *FILES]
        assert tar.extractfile("page-1.pem").read() == FILES["page-1.pem"]


def test_a_flipped_bit_anywhere_is_refused() -> None:
    document = written()
    for at in range(len(document)):
        changed = bytearray(document)
        changed[at] ^= 1 << at % 8
        with pytest.raises(OrderError) as refused:
            taken(bytes(changed))
        assert refused.value.hint


def test_one_that_is_cut_anywhere_is_refused() -> None:
    document = written()
    for end in (0, 1, 511, 512, *range(600, len(document), 97), len(document) - 1):
        with pytest.raises(OrderError, match="damaged, or was changed"):
            taken(document[:end])


def test_nothing_can_follow_or_come_first_or_be_put_between() -> None:
    document = written()
    more = header_of("page-4.pem", 0)
    changes = [document + b"\0", document + b"x", bytes(512) + document, document[:-1024] + more + document[-1024:]]
    at = document.index(header_of("page-2.pem", 0))
    changes.append(document[:at] + more + document[at:])
    changes.append(document[:at] + document[at + 512 :])  # one is left out
    for changed in changes:
        with pytest.raises(OrderError):
            taken(changed)


def test_members_in_another_order_or_with_each_others_names_are_refused() -> None:
    order = an_order()
    document = sign_order(order, KEY)
    contents = [(member, [FILES[member.name]]) for member in order.files]
    with pytest.raises(OrderError):
        taken(b"".join(packed(document, reversed(contents))))
    swapped = [(contents[0][0], [b"y" * order.files[0].size_bytes]), *contents[1:]]
    with pytest.raises(OrderError):
        taken(b"".join(packed(document, swapped)))


def test_pieces_that_nobody_takes_are_judged_all_the_same() -> None:
    changed = written().replace(b"the first", b"the worst", 1)
    source = io.BytesIO(changed)
    order = read_order(source, clinic_key=PUBLIC)
    with pytest.raises(OrderError):
        for _ in members_of(source, order):
            pass


def test_it_is_read_in_pieces_from_whatever_gives_few_bytes_at_a_time() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 13) if size is not None and size > 0 else size)

    assert taken(Trickle(written())) == FILES


def test_a_large_member_is_never_held_whole() -> None:
    class Zeros(io.RawIOBase):
        """An order whose last member is 64 MiB, made as it is read."""

        def __init__(self) -> None:
            member = member_of("sotto.raw", (bytes(1 << 20) for _ in range(64)))
            order = an_order(what="update", files=(member,))
            self.left = packed(sign_order(order, KEY), [(member, (bytes(1 << 20) for _ in range(64)))])
            self.rest = b""
            self.most = 0

        def read(self, size: int = -1) -> bytes:
            self.most = max(self.most, size)
            while not self.rest and (piece := next(self.left, None)) is not None:
                self.rest = piece
            piece, self.rest = self.rest[:size], self.rest[size:]
            return piece

    source = Zeros()
    order = read_order(source, clinic_key=PUBLIC)
    total = sum(len(piece) for _, pieces in members_of(source, order) for piece in pieces)
    assert total == 64 << 20
    assert source.most <= 1 << 18


def test_somebody_elses_signature_and_one_for_another_kind_do_not_count() -> None:
    with pytest.raises(OrderError, match="another key"):
        taken(written(key=Ed25519PrivateKey.generate()))
    payload = an_order().model_dump(mode="json")
    for document in (sign_line("roster", payload, KEY), sign("order", payload, KEY)):
        with pytest.raises(OrderError, match="damaged, or was changed"):
            read_order(io.BytesIO(b"".join(packed(document, []))), clinic_key=PUBLIC)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/b", "..", ".hidden", "", "a" * 61, "ü.pem", "a\n", "a b", "order.json", "-x"]
)
def test_no_member_is_called_anything_but_a_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        an_order({name: b""})


@pytest.mark.parametrize(
    "changes",
    [
        {"files": ()},
        {"files": (member_of("a", [b""]),) * 2},
        {"files": tuple(member_of(f"a{number}", [b""]) for number in range(65))},
        {"files": (Member(name="a", size_bytes=MOST_BYTES["certificates"] + 1, sha256="0" * 64),)},
        {"boxes": ()},
        {"boxes": ("Room 1", "Room 1")},
        {"number": 0},
        {"what": "erase"},
        {"made": "today"},
        {"more": 1},
        {"sotto_order": 2},
    ],
)
def test_an_order_that_makes_no_sense_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        an_order(**changes)
    payload = an_order().model_dump(mode="json")
    values = {
        key: [one.model_dump(mode="json") for one in value] if key == "files" else value
        for key, value in changes.items()
    }
    document = sign_line("order", payload | values, KEY)
    with pytest.raises(OrderError, match="cannot be used"):
        read_order(io.BytesIO(b"".join(packed(document, []))), clinic_key=PUBLIC)


def test_a_first_member_without_end_is_not_read() -> None:
    with pytest.raises(OrderError):
        read_head(io.BytesIO(header_of("order.json", MOST_HEAD_BYTES + 1) + bytes(MOST_HEAD_BYTES + 1024)))


def test_an_order_for_others_and_an_old_one_are_refused() -> None:
    check_order(an_order(), box="Room 2", last=6)
    with pytest.raises(OrderError, match="not for Room 9"):
        check_order(an_order(), box="Room 9", last=0)
    for last in (7, 8):
        with pytest.raises(OrderError, match=f"dealt with number {last}"):
            check_order(an_order(), box="Room 1", last=last)


def test_an_order_has_the_members_that_its_kind_has() -> None:
    check_names(an_order(), tuple(FILES))
    for names in (["page-1.pem"], [*FILES, "more"], list(reversed(FILES))):
        with pytest.raises(OrderError, match="nothing else"):
            check_names(an_order(), names)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=3000))
def test_whatever_comes_is_an_order_or_is_refused(data: bytes) -> None:
    for document in (data, header_of("order.json", max(1, len(data))) + data + bytes(-len(data) % 512)):
        with pytest.raises(OrderError):
            taken(document)


def test_it_is_named_by_what_was_signed() -> None:
    assert digest_of(read_head(io.BytesIO(written()))) == digest_of(sign_order(an_order(), KEY))
