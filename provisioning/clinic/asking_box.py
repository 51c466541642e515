"""Asks a box for its key, over TLS under the clinic's own authority and no other."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from device.recording.enrolment import CHALLENGE_BYTES, key_of_enrolment
from provisioning.errors import UnreachableError

_PATH: Final = "/api/v1/device"
_PORT: Final = 443
_TIMEOUT_S: Final = 30.0
_MOST_BYTES: Final = 64 * 1024


def key_of_box(address: str, *, room: str, authority: Path, at: tuple[str, int] | None = None) -> bytes:
    """The device key (32 bytes) that the box at an address proves to have.

    ``authority``: the clinic's (PEM); ``at``: where to connect to instead, while its names are not known yet. Its
    certificate has to be for the address all the same.

    Raises:
        UnreachableError: nothing answers there, or something that has no certificate of this clinic for that name.
        DamagedError: another box answers, or what it says was changed on its way.
    """
    host, port = urlsplit(address).hostname or "", urlsplit(address).port or _PORT
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    try:
        trust = ssl.create_default_context(cafile=authority)
        with socket.create_connection(at or (host, port), timeout=_TIMEOUT_S) as plain:
            connection = HTTPConnection(host, port, timeout=_TIMEOUT_S)
            connection.sock = trust.wrap_socket(plain, server_hostname=host)
            try:
                status, said = _asked(connection, challenge)
            finally:
                connection.close()
    except ssl.SSLCertVerificationError as problem:
        raise UnreachableError(
            f"what answers has no certificate of this clinic for {host}: {problem.verify_message}",
            "is it that box, and the newest card? Else another computer answers in its place",
        ) from problem
    except (OSError, HTTPException) as problem:
        reason = getattr(problem, "strerror", None) or "it broke off"
        raise UnreachableError(
            f"{host} does not answer: {reason}",
            "is it on, and on this network? --at ADDRESS where its name is not known",
        ) from problem
    if status != 200:
        raise UnreachableError(
            f"{host} does not prove its key now ({status})", "wait until it has started, then try again"
        )
    return key_of_enrolment(said, box=room, challenge=challenge)


def _asked(connection: HTTPConnection, challenge: bytes) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json", "User-Agent": "sotto-clinic"}
    connection.request("POST", _PATH, body=json.dumps({"challenge": challenge.hex()}), headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(_MOST_BYTES)
