"""Signing in to a box's page with a key, for what is then fetched from it.

The box is asked for a challenge and given its answer (``provisioning/key_login.py``); what comes back is a token for an
hour. It is sent by https alone: by plain http anybody on the way could use it, so by that only this computer is spoken
to.
"""

from __future__ import annotations

import ipaddress
import json
from base64 import b64decode
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPException
from typing import Annotated, Final, TypeVar
from urllib.parse import SplitResult

from device.age.identities import Identity
from device.shapes import Hidden, Shape, ShapeError, rule, then
from provisioning.connections import Connections
from provisioning.errors import UnreachableError, UsageError
from provisioning.http_source import checked, unreachable
from provisioning.key_login import answer_challenge

_INTERFACE: Final = "/api/v1/"
_MOST_ANSWER_BYTES: Final = 64 * 1024
_PROGRAM: Final = "sotto-clinic"


def _base64(text: str) -> str:
    b64decode(text, validate=True)
    return text


class _Challenge(Shape, forbid_unknown_fields=False):
    id: Annotated[str, rule(max_length=100)]
    sealed: Annotated[str, then(_base64)]


class _Granted(Shape, forbid_unknown_fields=False):
    token: Hidden[Annotated[str, rule(min_length=1, max_length=1000, pattern=r"^[A-Za-z0-9._~+/=-]+$")]]


_Answer = TypeVar("_Answer", _Challenge, _Granted)


def sign_in(
    address: str, login: str, identities: Sequence[Identity], *, device: str, connections: Connections | None = None
) -> str:
    """A token for what is at ``address``, beneath the interface for programs of a box whose fingerprint is ``device``.

    ``connections``: where the one that it needs comes from, and is given back to.

    Raises:
        UsageError: that is no such address, or by plain http that of another computer.
        UnreachableError: the box does not answer, or does not know that key.
        ChallengeError, AgeError: what it sent is no challenge of that box for one of these identities.
    """
    place = checked(address)
    before, found, _ = place.path.partition(_INTERFACE)
    if not found:
        raise UsageError(
            "only a box can be signed in to", f"write its address like https://box.example{_INTERFACE}recordings/…"
        )
    if place.scheme != "https" and not _is_here(place.hostname or ""):
        raise UsageError("without https whoever listens could sign in as you", "write the address with https://")
    box = place._replace(path=before + _INTERFACE, query="", fragment="")
    kept = Connections() if connections is None else connections
    try:
        challenge = _post(kept, box, "challenges", {"login": login}, _Challenge)
        answer = answer_challenge(b64decode(challenge.sealed), identities, device=device)
        return _post(kept, box, "tokens", {"challenge": challenge.id, "answer": answer}, _Granted).token
    finally:
        if connections is None:
            kept.close()


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _post(
    connections: Connections, box: SplitResult, name: str, sent: dict[str, str], wanted: type[_Answer]
) -> _Answer:
    connection, response = connections.take(box), None
    try:
        headers = {"Content-Type": "application/json", "User-Agent": _PROGRAM}
        connection.request("POST", box.path + name, body=json.dumps(sent), headers=headers)
        response = connection.getresponse()
        data = response.read(_MOST_ANSWER_BYTES)
    except (OSError, HTTPException) as problem:
        connection.close()
        raise unreachable(box, problem) from problem
    finally:
        connections.give_back(box, connection, response)
    if response.status != HTTPStatus.CREATED:
        raise _refused(box, response.status)
    try:
        return wanted.model_validate_json(data)
    except ShapeError as problem:
        raise UnreachableError(f"{box.hostname} answers as no box does", "check the address") from problem


def _refused(box: SplitResult, status: int) -> UnreachableError:
    if status == HTTPStatus.UNAUTHORIZED:
        return UnreachableError(
            f"{box.hostname} does not know that key", "give the login and the identity that your admin entered there"
        )
    if status == HTTPStatus.NOT_FOUND:
        return UnreachableError(f"nobody can sign in at {box.hostname} with a key", "check the address")
    return UnreachableError(f"{box.hostname} answers with an error ({status})", "try again in a minute")
