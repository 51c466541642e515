"""Speaks to boxes as the clinic's desk (``device/fleet_status.py``): by mutual TLS, under the clinic's authority alone.

A box is who its certificate says. That another device key is in it than the desk knows is found by ``judge``.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import file_digest
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from ssl import DER_cert_to_PEM_cert, SSLCertVerificationError, SSLContext, SSLError, SSLSocket
from typing import Final
from urllib.parse import urlsplit

from device.errors import SottoError
from device.fleet_status import ORDERS_PATH, PIECE_BYTES, STATUS_PATH, FleetStatus, Received
from device.shapes import ShapeError
from provisioning.errors import UnreachableError

TIMEOUT_S: Final = 20.0
_MOST_ANSWER_BYTES: Final = 1 << 20
_TOO_OFTEN: Final = 429
_AGAIN_S: Final = 2.0
_MOST_TRIES: Final = 60


@dataclass(frozen=True, slots=True)
class Target:
    """A box: what the clinic calls it, where it is, and its key's fingerprint, where that is known."""

    name: str
    address: str
    device_key: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks boxes. Safe to be used by several threads; each call opens a connection of its own.

    Every call raises ``UnreachableError`` where the box does not answer, does not prove to be the clinic's, or refuses.
    """

    trust: SSLContext
    timeout_s: float = TIMEOUT_S
    rest: Callable[[float], None] = time.sleep

    def status(self, box: Target) -> FleetStatus:
        """How it is."""
        connection = self._connection(box)
        try:
            code, said = self._ask(connection, box, "GET", STATUS_PATH, b"", {})
        finally:
            connection.close()
        if code != 200:
            raise _refusal(box, code, said)
        try:
            return FleetStatus.model_validate_json(said)
        except ShapeError as problem:
            raise UnreachableError(
                f"{box.name} answers as no box does", "compare its version with this one, and its address"
            ) from problem

    def certificate(self, box: Target) -> bytes:
        """The certificate that it shows now, in PEM; the clinic's authority issued it."""
        connection = self._connection(box)
        try:
            connection.connect()
            shown = connection.sock.getpeercert(binary_form=True) if isinstance(connection.sock, SSLSocket) else None
        except OSError as problem:
            raise _away(box, problem) from problem
        finally:
            connection.close()
        if shown is None:
            raise UnreachableError(f"{box.name} shows no certificate", "check its address")
        return DER_cert_to_PEM_cert(shown).encode()

    def send(
        self, box: Target, order: Path, *, progress: Callable[[int, int], None] = lambda _done, _whole: None
    ) -> None:
        """Hand it an order, from where an earlier try was cut."""
        whole_bytes = order.stat().st_size
        digest = b64encode(_digest_of(order)).decode()
        connection, have, tries = self._connection(box), 0, 0
        try:
            with order.open("rb") as file:
                while True:
                    file.seek(have)
                    piece = file.read(PIECE_BYTES)
                    said = {
                        "Content-Range": f"bytes {have}-{have + len(piece) - 1}/{whole_bytes}",
                        "Repr-Digest": f"sha-256=:{digest}:",
                    }
                    code, answer = self._ask(connection, box, "PUT", ORDERS_PATH, piece, said)
                    if code == _TOO_OFTEN and (tries := tries + 1) < _MOST_TRIES:
                        self.rest(_AGAIN_S)
                        continue
                    if code not in (202, 409) or (code == 409 and (tries := tries + 1) >= _MOST_TRIES):
                        raise _refusal(box, code, answer)
                    received = Received.model_validate_json(answer)
                    have = received.have
                    progress(have, whole_bytes)
                    if received.whole:
                        return
        except ShapeError as problem:
            raise UnreachableError(
                f"{box.name} answers as no box does", "compare its version with this one"
            ) from problem
        finally:
            connection.close()

    def _connection(self, box: Target) -> HTTPSConnection:
        address = urlsplit(box.address)
        return HTTPSConnection(address.hostname or "", address.port or 443, timeout=self.timeout_s, context=self.trust)

    def _ask(
        self, connection: HTTPSConnection, box: Target, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        try:
            connection.request(method, path, body=body or None, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_MOST_ANSWER_BYTES)
        except (OSError, HTTPException) as problem:
            connection.close()
            raise _away(box, problem) from problem


def judge(box: Target, told: FleetStatus) -> None:
    """Whether that is the box that the clinic enrolled. Raises ``UnreachableError``: another answers in its place."""
    if box.device_key is not None and told.device_key not in (None, box.device_key):
        raise UnreachableError(
            f"{box.name} has another device key than the one that was enrolled",
            "if the box was replaced, enrol the new one; else find out what answers there",
        )


def _away(box: Target, problem: Exception) -> SottoError:
    if isinstance(problem, SSLCertVerificationError):
        return UnreachableError(
            f"{box.name} shows no certificate of the clinic's for {urlsplit(box.address).hostname}",
            f"check the address ({problem.verify_message})",
        )
    if isinstance(problem, SSLError):
        return UnreachableError(
            f"{box.name} does not take this desk's certificate", "make a new one with `sotto-clinic fleet key`"
        )
    reason = getattr(problem, "strerror", None) or type(problem).__name__
    return UnreachableError(f"{box.name} does not answer: {reason}", "check its cable, its power and its address")


def _refusal(box: Target, code: int, said: bytes) -> UnreachableError:
    try:
        told = json.loads(said)
        what, hint = str(told["what"])[:300], str(told["hint"])[:300]
    except (ValueError, KeyError, TypeError):
        if code in (400, 403):
            what, hint = "this desk's certificate is not taken", "make a new one with `sotto-clinic fleet key`"
        else:
            what, hint = f"answer {code}", "compare its version with this one"
    return UnreachableError(f"{box.name} refuses: {what}", hint)


def _digest_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file_digest(file, "sha256").digest()
