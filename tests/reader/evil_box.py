"""A box that lies: it knows whoever reads, answers as a box does, and worse wherever it is told to."""

from __future__ import annotations

import io
import json
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from device.age.identities import KeyIdentity
from device.age.sealing import encrypt

RECORDING_ID = "000007-abcdefghij"
KEY = "00112233aabbccdd"
PIECE = bytes(1 << 16)
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Expose-Headers": "Content-Range, ETag",
}


@dataclass
class Answer:
    """What is answered. A body that is no bytes is sent piece by piece, without a length, until nobody takes it."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Lie = Callable[[str, dict[str, str]], Answer]


def as_json(value: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json"})


def entry(**facts: Any) -> dict[str, Any]:
    """A recording of a listing, as boxes tell of one."""
    usual: dict[str, Any] = {
        "id": RECORDING_ID,
        "box": "Room 3",
        "state": "complete",
        "started": "2026-03-02T09:00:00.000Z",
        "ended": "2026-03-02T09:50:00.000Z",
        "clock_trusted": True,
        "duration_us": 1_200_000_000,
        "consent": "sound",
        "picture": False,
        "sound": "good",
        "bookmarks": 0,
        "therapist": None,
        "size_bytes": 1_000_000,
        "digest": "ab" * 32,
        "held": False,
        "going": None,
        "downloadable": True,
    }
    return usual | facts


@dataclass
class EvilBox:
    """``lies``: what is answered instead, by the end of a path. ``asked``: each request; ``questions``: what a
    browser wanted to know first; ``sent_bytes``: what left.
    """

    reader: KeyIdentity
    key: str = KEY
    lies: dict[str, Lie] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=lambda: [entry()])
    asked: list[str] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    sent_bytes: int = 0
    address: str = ""

    @property
    def place(self) -> dict[str, str]:
        return {"name": "room-3", "address": self.address, "device_key": self.key}

    def sealed(self, words: str) -> str:
        """Something sealed to whoever reads, in base64."""
        sealed = io.BytesIO()
        encrypt(io.BytesIO(words.encode()), sealed, [self.reader.recipient()])
        return b64encode(sealed.getvalue()).decode()

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        for end, lie in self.lies.items():
            if path.endswith(end):
                return lie(path, headers)
        if path.endswith("/challenges"):
            words = f"sotto-login:v1:{self.key}:{secrets.token_urlsafe(32)}"
            return as_json({"id": "one", "sealed": self.sealed(words)}, 201)
        if path.endswith("/tokens"):
            return as_json({"token": secrets.token_urlsafe(32)}, 201)
        if path.endswith("/recordings"):
            return as_json({"recordings": self.entries, "more": False})
        return Answer(status=404)


@contextmanager
def evil_box(reader: KeyIdentity) -> Iterator[EvilBox]:  # noqa: C901  # its handler is a class of its own
    """Such a box, on this computer."""
    box = EvilBox(reader)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_words: object) -> None:
            pass

        def do_OPTIONS(self) -> None:
            box.questions.append(self.path)
            self._send(Answer(status=204))

        def do_HEAD(self) -> None:
            self._send(Answer())

        def do_POST(self) -> None:
            box.told.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self._respond()

        def do_GET(self) -> None:
            self._respond()

        def _respond(self) -> None:
            path = self.path.partition("?")[0]
            box.asked.append(f"{self.command} {path}")
            self._send(box.answer(path, {name.lower(): value for name, value in self.headers.items()}))

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in {**CORS, **answer.headers}.items():
                self.send_header(name, value)
            whole = isinstance(answer.body, bytes)
            if isinstance(answer.body, bytes):
                self.send_header("Content-Length", str(len(answer.body)))
            else:
                self.send_header("Connection", "close")
            self.end_headers()
            try:
                for piece in [answer.body] if isinstance(answer.body, bytes) else answer.body:
                    self.wfile.write(piece)
                    box.sent_bytes += len(piece)
            except OSError:
                pass  # whoever asked has had enough, which is what is tested
            self.close_connection = not whole

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    box.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def endless(most_bytes: int) -> Iterator[bytes]:
    """Zeros, almost without an end."""
    for _ in range(most_bytes // len(PIECE)):
        yield PIECE
