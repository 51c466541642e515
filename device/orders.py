"""An order: what the clinic tells a box later, as one file, signed by the clinic's key; pure.

It is a tar whose first member, ``order.json``, is signed as a roster is (``sotto order v1``) and names every member
that follows, in that order, with its size and SHA-256. Of the tar there is nothing left to chance: each header is the
one that ``header_of`` makes of what was signed, what fills a block up is zero, and after the end there is nothing. So
no bit of it can change unseen, no member can be called a path, and nobody's tar is ever interpreted.

    with path.open("rb") as file:
        order = read_order(file, clinic_key=key)        # what was signed; nothing of the members is read yet
        for member, pieces in members_of(file, order):  # nothing of them counts before the last one was read
            ...
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, BinaryIO, Final, Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.digests import sha256
from device.errors import DamagedError, OrderError
from device.recording.signing import sign_line, verify_line
from device.shapes import Shape, ShapeError, rule

ORDER_KIND: Final = "order"
ORDER_NAME: Final = "order.json"
MOST_HEAD_BYTES: Final = 256 << 10
_BLOCK_BYTES: Final = 512
_PIECE_BYTES: Final = 1 << 18
_SIZE_FIELD: Final = slice(124, 136)  # of a header, in octal (POSIX.1-1988, ustar)
_MANY: Final = 1000
_AGAIN: Final = "send it again from the clinic's desk"

About: TypeAlias = Literal["roster", "config", "certificates", "people", "update"]

# All members of an order together, by what it is about. A box has to have room for twice as much.
MOST_BYTES: Final[Mapping[About, int]] = {
    "roster": 4 << 20,
    "config": 1 << 20,
    "certificates": 1 << 20,
    "people": 16 << 20,
    "update": 1 << 30,
}
MOST_ORDER_BYTES: Final = max(MOST_BYTES.values()) + (1 << 20)

PlainName = Annotated[str, rule(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]


class Member(Shape):
    """One file of an order."""

    name: PlainName
    size_bytes: Annotated[int, rule(ge=0, le=MOST_ORDER_BYTES)]
    sha256: Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")]


class Order(Shape):
    """What the clinic signed. ``number`` goes up with each order: a box takes none that is not above the last one."""

    sotto_order: Literal[1] = 1
    number: Annotated[int, rule(ge=1, le=2**53)]
    boxes: Annotated[
        tuple[Annotated[str, rule(min_length=1, max_length=60)], ...], rule(min_length=1, max_length=_MANY)
    ]
    made: Annotated[str, rule(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")]
    what: About
    files: Annotated[tuple[Member, ...], rule(min_length=1, max_length=64)]

    def _check(self) -> None:
        names = [one.name for one in self.files]
        if len(set(names)) != len(names) or ORDER_NAME in names or len(set(self.boxes)) != len(self.boxes):
            raise ValueError("something is there twice")
        if sum(one.size_bytes for one in self.files) > MOST_BYTES[self.what]:
            raise ValueError(f"that is too much for an order about {self.what}")

    def names(self) -> tuple[str, ...]:
        """What its members are called, in their order."""
        return tuple(one.name for one in self.files)


def member_of(name: str, content: Iterable[bytes]) -> Member:
    """What an order says of a file. Raises ``ValueError``: it cannot be called that, or is too large."""
    digest, size_bytes = sha256(), 0
    for piece in content:
        digest.update(piece)
        size_bytes += len(piece)
    return Member(name=name, size_bytes=size_bytes, sha256=digest.hexdigest())


def sign_order(order: Order, key: Ed25519PrivateKey) -> bytes:
    """Its first member, as boxes take it."""
    return sign_line(ORDER_KIND, order.model_dump(mode="json"), key)


def digest_of(document: bytes) -> str:
    """By which the audit logs of clinic and box name an order: the SHA-256 (hex) of its first member."""
    return sha256(document).hexdigest()


def packed(document: bytes, members: Iterable[tuple[Member, Iterable[bytes]]]) -> Iterator[bytes]:
    """The bytes of an order, in pieces. ``document``: its first member; ``members``: the others, as it names them."""
    yield header_of(ORDER_NAME, len(document)) + document + _filling(len(document))
    for member, content in members:
        yield header_of(member.name, member.size_bytes)
        yield from content
        yield _filling(member.size_bytes)
    yield bytes(2 * _BLOCK_BYTES)


def header_of(name: str, size_bytes: int) -> bytes:
    """The one header that a member can have: owned by nobody, made at no time."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size_bytes, 0o444
    return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def read_order(source: BinaryIO, *, clinic_key: bytes) -> Order:
    """What the clinic signed, from the beginning of a file; it is then at the first member that follows.

    ``clinic_key``: its public key, 32 bytes. Whether this box may take it says ``check_order``.

    Raises:
        OrderError: it was changed after that, another key signed it, or it makes no sense.
        OSError: the file cannot be read.
    """
    return _judged(read_head(source), clinic_key)


def read_head(source: BinaryIO) -> bytes:
    """The first member, as it is; nobody has looked yet who signed it. Raises as ``read_order``."""
    header = _exactly(source, _BLOCK_BYTES)
    try:
        size_bytes = int(header[_SIZE_FIELD].rstrip(b"\0 ") or b"-", 8)
    except ValueError as problem:
        raise _changed() from problem
    if not 0 < size_bytes <= MOST_HEAD_BYTES or header != header_of(ORDER_NAME, size_bytes):
        raise _changed()
    document = _exactly(source, size_bytes)
    _check_filling(source, size_bytes)
    return document


def members_of(source: BinaryIO, order: Order) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """The members that follow, each with its bytes in pieces, from where ``read_order`` left off.

    Nothing of them counts before all of this has ended without an error: only then is it known that nothing was
    changed, left out or added. Pieces that nobody took are read all the same.

    Raises:
        OrderError: that is not what was signed.
        OSError: the file cannot be read.
    """
    for member in order.files:
        if _exactly(source, _BLOCK_BYTES) != header_of(member.name, member.size_bytes):
            raise _changed()
        pieces = _pieces(source, member)
        yield member, pieces
        for _ in pieces:
            pass
        _check_filling(source, member.size_bytes)
    if _exactly(source, 2 * _BLOCK_BYTES).strip(b"\0") or source.read(1):
        raise _changed()


def check_order(order: Order, *, box: str, last: int) -> None:
    """Whether this box may take it. ``last``: the number of the last order about the same that it dealt with; 0: none.

    Raises:
        OrderError: it is for other boxes, or not newer than that.
    """
    if box not in order.boxes:
        raise OrderError(f"the order is for other boxes, not for {box}", "send this box an order of its own")
    if order.number <= last:
        raise OrderError(
            f"the order is number {order.number}, and this box dealt with number {last} about {order.what} before",
            "an old one is never taken again: make a new one at the clinic's desk",
        )


def check_names(order: Order, names: Sequence[str]) -> None:
    """Whether it has exactly these members. Raises ``OrderError``."""
    if order.names() != tuple(names):
        raise OrderError(f"an order about {order.what} has to hold {', '.join(names)}, and nothing else", _AGAIN)


def _judged(document: bytes, clinic_key: bytes) -> Order:
    try:
        signed = verify_line(ORDER_KIND, document)
    except DamagedError as problem:
        raise _changed() from problem
    if signed.key != clinic_key:
        raise OrderError(
            "the order is signed by another key than the clinic's",
            "trust nothing in it; compare recipients.clinic_key with clinic.pub in the clinic's folder",
        )
    try:
        return Order.model_validate_json(json.dumps(signed.payload))
    except ShapeError as problem:
        first = problem.faults[0]
        raise OrderError(
            f"the order cannot be used: {first.words}", "make it anew at the clinic's desk, with this version"
        ) from problem


def _pieces(source: BinaryIO, member: Member) -> Iterator[bytes]:
    digest, left_bytes = sha256(), member.size_bytes
    while left_bytes:
        piece = source.read(min(left_bytes, _PIECE_BYTES))
        if not piece:
            raise _changed()
        digest.update(piece)
        left_bytes -= len(piece)
        yield piece
    if digest.hexdigest() != member.sha256:
        raise _changed()


def _filling(size_bytes: int) -> bytes:
    """What fills the last block of a member up."""
    return bytes(-size_bytes % _BLOCK_BYTES)


def _check_filling(source: BinaryIO, size_bytes: int) -> None:
    if _exactly(source, -size_bytes % _BLOCK_BYTES).strip(b"\0"):
        raise _changed()


def _exactly(source: BinaryIO, size_bytes: int) -> bytes:
    data = b""
    while len(data) < size_bytes:
        if not (piece := source.read(size_bytes - len(data))):
            raise _changed()
        data += piece
    return data


def _changed() -> OrderError:
    return OrderError("the order is damaged, or was changed after the clinic signed it", _AGAIN)
