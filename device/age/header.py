"""The textual head of an age file: for whom the file key was wrapped, and the MAC that binds it all together.

Strict to the letter of c2sp.org/age, "Header" and "ABNF definition of file header": one spelling for each header, so
that nobody can change a file's bytes without changing what it says. The header is read line by line and never beyond
its end; a file that is not one of ours is given up after HEADER_LIMIT_BYTES at the latest.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from device.age.errors import HeaderError, NotAgeError, RecipientSetError

FILE_KEY_BYTES = 16
# Some 165 post-quantum stanzas of 1.6 KB; far more than a clinic has supervisors, far less than memory.
HEADER_LIMIT_BYTES = 256 * 1024

_VERSION_LINE = b"age-encryption.org/v1\n"
_ANY_VERSION = b"age-encryption.org/"
_ARMOR = b"-----BEGIN AGE"
_MAC_MARK = b"---"
_COLUMNS = 64
_ARGUMENT = re.compile(r"[\x21-\x7e]+")
_ARGUMENT_LINE = re.compile(rb"->((?: [\x21-\x7e]+)+)\n")
_BODY_LINE = re.compile(rb"([A-Za-z0-9+/]{0,64})\n")
_MAC_LINE = re.compile(rb"--- ([A-Za-z0-9+/]{43})\n")


class LineSource(Protocol):
    """Where a header is read from: any buffered binary file. Neither call may return more than it was asked for."""

    def readline(self, limit: int, /) -> bytes:
        """Return the bytes up to and with the next line feed, or ``limit`` of them, or fewer at the end."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; none only at the end."""


@dataclass(frozen=True)
class Stanza:
    """The file key, wrapped for one recipient (c2sp.org/age, "Recipient stanza").

    ``kind`` is the first argument and says how; ``args`` are the others; ``body`` is what was wrapped.
    """

    kind: str
    args: tuple[str, ...]
    body: bytes

    def encode(self) -> bytes:
        """Spell the stanza: arguments, then the body in 64 columns. Raises ValueError for an impossible argument."""
        words = (self.kind, *self.args)
        if not all(_ARGUMENT.fullmatch(word) for word in words):
            raise ValueError("an argument of a stanza is empty or not printable ASCII")
        body = encode_base64(self.body)
        # The last line is always shorter than the others: after a full one, an empty one says that the body is over.
        lines = [body[start : start + _COLUMNS] for start in range(0, len(body) + 1, _COLUMNS)]
        return "\n".join(["-> " + " ".join(words), *lines, ""]).encode("ascii")


@dataclass(frozen=True)
class Header:
    """A header as it was read. Nothing in it can be trusted before ``verify`` has returned.

    ``covered`` is what the MAC is over; ``size_bytes`` is where the payload's nonce starts.
    """

    stanzas: tuple[Stanza, ...]
    mac: bytes
    covered: bytes
    size_bytes: int

    def verify(self, file_key: bytes) -> None:
        """Check the MAC under the unwrapped file key. Raises HeaderError if the header was altered."""
        try:
            _mac(file_key, self.covered).verify(self.mac)
        except InvalidSignature as problem:
            raise HeaderError(
                "The file's header was changed after it was sealed.", "Do not trust this file; fetch another copy."
            ) from problem


def encode_header(stanzas: Iterable[Stanza], file_key: bytes) -> bytes:
    """Spell a header with its MAC. Raises RecipientSetError if it would be larger than any reader accepts."""
    covered = _VERSION_LINE + b"".join(stanza.encode() for stanza in stanzas) + _MAC_MARK
    header = covered + b" " + encode_base64(_mac(file_key, covered).finalize()).encode("ascii") + b"\n"
    if len(header) > HEADER_LIMIT_BYTES:
        raise RecipientSetError("There are too many recipients for one file.", "Seal to fewer recipients.")
    return header


def read_header(source: LineSource) -> Header:
    """Read a header and not a byte more. Raises NotAgeError or HeaderError."""
    lines = _Lines(source)
    _check_version(lines.next())
    stanzas: list[Stanza] = []
    while not (line := lines.next()).startswith(_MAC_MARK):
        stanzas.append(_read_stanza(line, lines))
    if not stanzas or not (match := _MAC_LINE.fullmatch(line)):
        raise _malformed()
    mac = decode_base64(match[1].decode("ascii"))
    covered = lines.taken[: len(lines.taken) - len(line) + len(_MAC_MARK)]
    return Header(tuple(stanzas), mac, bytes(covered), len(lines.taken))


def encode_base64(data: bytes) -> str:
    """Standard base64 without padding, as the whole header uses it."""
    return base64.b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64(text: str) -> bytes:
    """Canonical base64 without padding, or HeaderError: each value has one spelling only (RFC 4648, section 3.5)."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise _malformed() from error
    if encode_base64(data) != text:
        raise _malformed()
    return data


class _Lines:
    """The header's lines, within the limit, and all that was taken so far."""

    def __init__(self, source: LineSource) -> None:
        self._source = source
        self.taken = bytearray()

    def next(self) -> bytes:
        line = self._source.readline(HEADER_LIMIT_BYTES - len(self.taken))
        first = not self.taken
        self.taken += line
        if not line.endswith(b"\n") and not first:
            raise HeaderError(
                "The file ends inside its header, or the header is too large.", "Fetch another copy of the file."
            )
        return line


def _check_version(line: bytes) -> None:
    if line == _VERSION_LINE:
        return
    if line.startswith(_ARMOR):
        raise NotAgeError("This is an armored age file.", "Turn it into a binary one first.")
    if line.startswith(_ANY_VERSION):
        raise HeaderError("The file is in a version of the age format that is not known here.", "Use a newer reader.")
    raise NotAgeError("This is not an age file.", "Check that it is the right file, and that it is complete.")


def _read_stanza(first_line: bytes, lines: _Lines) -> Stanza:
    match = _ARGUMENT_LINE.fullmatch(first_line)
    if not match:
        raise _malformed()
    kind, *args = match[1].decode("ascii")[1:].split(" ")
    body = bytearray()
    while True:
        match = _BODY_LINE.fullmatch(lines.next())
        if not match:
            raise _malformed()
        body += decode_base64(match[1].decode("ascii"))
        if len(match[1]) < _COLUMNS:
            return Stanza(kind, tuple(args), bytes(body))


def _mac(file_key: bytes, covered: bytes) -> HMAC:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"header").derive(file_key)
    mac = HMAC(key, SHA256())
    mac.update(covered)
    return mac


def _malformed() -> HeaderError:
    return HeaderError("The file's header is malformed.", "Do not trust this file; fetch another copy.")
