"""Sealed bytes sent to a box, for it to keep beside a recording."""

from __future__ import annotations

from http import HTTPStatus
from http.client import HTTPException
from typing import Final

from provisioning.connections import connect
from provisioning.errors import UnreachableError
from provisioning.http_source import checked, unreachable

_MOST_ANSWER_BYTES: Final = 64 * 1024
_WHY: Final = {
    HTTPStatus.NOT_FOUND: ("there is no such recording, or none that you may know of", "check its id"),
    HTTPStatus.FORBIDDEN: ("you may put nothing beside this recording", "only its therapist and supervisor may"),
    HTTPStatus.CONFLICT: ("the box puts nothing beside this recording now", "wait until it is closed; it may be full"),
    HTTPStatus.BAD_REQUEST: ("the box does not take this", "is its software older than this program?"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("this is too long for the box", "write it as two"),
}


def post_sealed(address: str, sealed: bytes, *, token: str) -> bytes:
    """Send it; the answer. It goes where the address says and nowhere else: no redirect is followed.

    Raises:
        UnreachableError: the box does not answer, or does not keep it.
    """
    place = checked(address)
    connection = connect(place)
    headers = {"Content-Type": "application/octet-stream", "Authorization": f"Bearer {token}"}
    try:
        connection.request("POST", f"{place.path}?{place.query}", body=sealed, headers=headers)
        response = connection.getresponse()
        data = response.read(_MOST_ANSWER_BYTES)
    except (OSError, HTTPException) as problem:
        raise unreachable(place, problem) from problem
    finally:
        connection.close()
    if response.status != HTTPStatus.CREATED:
        try:
            what, hint = _WHY[HTTPStatus(response.status)]
        except (KeyError, ValueError):
            what, hint = f"{place.hostname} answers with an error ({response.status})", "try again in a minute"
        raise UnreachableError(what, hint)
    return data
