"""The audit log on disk: one signed line per entry, each holding the hash of the line before it; all of it pure.

<store>/audit/000000000001.jsonl    the entries from number 1 on
              000000002417.jsonl    those from 2417 on, chained to the last line of the file before

A line is a signed document (``signing.sign_line``, kind ``audit``) whose payload holds ``number``, ``before`` (SHA-256
of the whole line before, its newline included: what ``tail -n 1 | sha256sum`` says), when it happened, and what
(``audited``). The *head* is the number and the hash of the last line. Whoever knows a head knows everything before it;
what was cut off after the last head that is known cannot be missed by anybody.

A line is complete once its newline is there. Bytes after the last newline were never a whole entry: a power cut left
them, nobody was told that they are durable, and they are no sign of anything. Neither is a last line with holes
(zeros), which a cut leaves where the later of two sectors was written first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.clock import Stamp
from device.digests import sha256
from device.errors import DamagedError
from device.recording.audited import Happened
from device.recording.signing import sign_line, verify_line

AUDIT_NAME: Final = "audit"
_KIND: Final = "audit"
_FILE: Final = re.compile(r"(\d{12})\.jsonl")
_ALWAYS: Final = frozenset({"number", "before", "at", "clock_trusted", "boot", "monotonic_us", "what"})
_HEAD: Final = re.compile(r"(0|[1-9]\d{0,11}):([0-9a-f]{64})")


def file_name(number: int) -> str:
    """The name of the file that begins with the entry of this number."""
    return f"{number:012d}.jsonl"


def first_number(name: str) -> int | None:
    """The number that a file's name says its first entry has; ``None`` for any other name."""
    match = _FILE.fullmatch(name)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log goes: the number of its last entry, and the SHA-256 of that line (hex)."""

    number: int = 0
    digest: str = "0" * 64

    def after(self, line: bytes) -> Head:
        """The head once ``line`` is the last."""
        return Head(self.number + 1, sha256(line).hexdigest())

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


def parse_head(text: str) -> Head | None:
    """A head as ``NUMBER:HEX``, or ``None`` for anything that is none."""
    match = _HEAD.fullmatch(text)
    return Head(int(match[1]), match[2]) if match else None


def line_of(head: Head, stamp: Stamp, happened: Happened, key: Ed25519PrivateKey) -> bytes:
    """The line that follows ``head``, its newline included."""
    payload = {
        "number": head.number + 1,
        "before": head.digest,
        "at": stamp.wall,
        "clock_trusted": stamp.trusted,
        "boot": stamp.boot,
        "monotonic_us": stamp.monotonic_us,
        **happened.as_json(),
    }
    return sign_line(_KIND, payload, key)


def split_lines(data: bytes) -> list[bytes]:
    """The lines of a file of the log, each with its newline; the last may have none: a power cut tore it."""
    whole = [part + b"\n" for part in data.split(b"\n")]
    end = whole.pop()[:-1]
    return [*whole, end] if end else whole


@dataclass(frozen=True, slots=True)
class Entry:
    """A line whose signature held; whether it is the right one in its place is another question."""

    number: int
    before: str
    payload: dict[str, Any]
    key: bytes


def read_line(line: bytes) -> Entry:
    """What a line says.

    Raises:
        DamagedError: it is no entry, or was changed after the box signed it.
    """
    signed = verify_line(_KIND, line)
    number, before = signed.payload.get("number"), signed.payload.get("before")
    if not isinstance(number, int) or isinstance(number, bool) or not isinstance(before, str):
        raise DamagedError("this is not an audit entry", "fetch it again from the box")
    return Entry(number, before, signed.payload, signed.key)


def said_in(line: bytes) -> dict[str, Any] | None:
    """What a line says, whoever wrote it: nothing is verified. ``None`` where it is no entry."""
    try:
        payload = json.loads(line)["payload"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return payload if isinstance(payload, dict) and payload.keys() >= _ALWAYS else None


@dataclass(frozen=True, slots=True)
class Line:
    """A line and where it stands. ``whole``: its newline is there; ``last``: nothing follows it in the log."""

    data: bytes
    file: str
    place: int
    last: bool = False

    @property
    def whole(self) -> bool:
        """Whether its newline is there."""
        return self.data.endswith(b"\n")


class Wrong(StrEnum):
    """What can be wrong with an entry."""

    EDITED = "edited"
    ANOTHER_KEY = "signed by another key"
    OUT_OF_ORDER = "out of order"
    MISSING = "missing"
    NOT_CHAINED = "does not follow the entry before it"
    MISNAMED = "in a file with another name"
    TRUNCATED = "cut off"
    REWRITTEN = "not the entry whose hash went out"


@dataclass(frozen=True, slots=True)
class Bad:
    """The first bad entry: its number, where it stands or should stand, and what is wrong."""

    number: int
    file: str
    place: int
    wrong: Wrong


@dataclass(slots=True)
class Verdict:
    """What a log is worth. ``torn``: where a power cut left bytes that were never an entry, and how many."""

    head: Head
    entries: int = 0
    key: bytes | None = None
    bad: Bad | None = None
    torn: tuple[tuple[str, int], ...] = ()
    head_seen: bool = False


def judge(lines: Iterable[Line], *, key: bytes | None, known: Head | None, start: Head = Head()) -> Verdict:
    """Go through a log in order, up to the first bad entry.

    ``key``: whose log it must be; without one, that of whoever signed its first entry. ``known``: a head that went out
    earlier. ``start``: the head before the first line.
    """
    verdict, here = Verdict(start, key=key), Line(b"", "", 0)
    rest = iter(lines)
    if known is not None and known == start:
        verdict.head_seen = True
    for line in rest:
        here = line
        if not line.whole or (line.last and b"\0" in line.data):
            verdict.torn += ((line.file, len(line.data)),)
            continue
        verdict.bad = _wrong_with(line, verdict, known, rest)
        if verdict.bad is not None:
            return verdict
        verdict.head = verdict.head.after(line.data)
        verdict.entries += 1
    if known is not None and known.number > verdict.head.number:
        place = here.place if not here.whole or here.last else here.place + 1
        verdict.bad = Bad(verdict.head.number + 1, here.file, max(1, place), Wrong.TRUNCATED)
    return verdict


def _wrong_with(line: Line, so_far: Verdict, known: Head | None, rest: Iterator[Line]) -> Bad | None:
    number = so_far.head.number + 1
    try:
        entry = read_line(line.data)
    except DamagedError:
        return Bad(number, line.file, line.place, Wrong.EDITED)
    if so_far.key is None:
        so_far.key = entry.key
    wrong = None
    if entry.key != so_far.key:
        wrong = Wrong.ANOTHER_KEY
    elif entry.number != number:
        elsewhere = entry.number < number or any(_number_of(later) == number for later in rest)
        wrong = Wrong.OUT_OF_ORDER if elsewhere else Wrong.MISSING
    elif entry.before != so_far.head.digest:
        wrong = Wrong.NOT_CHAINED
    elif line.place == 1 and (named := first_number(line.file)) is not None and named != number:
        wrong = Wrong.MISNAMED
    elif known is not None and known.number == number:
        so_far.head_seen = known.digest == so_far.head.after(line.data).digest
        wrong = None if so_far.head_seen else Wrong.REWRITTEN
    return None if wrong is None else Bad(number, line.file, line.place, wrong)


def _number_of(line: Line) -> int | None:
    try:
        return read_line(line.data).number
    except DamagedError:
        return None
