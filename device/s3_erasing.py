"""Erasing all beneath a folder of a bucket, with every version that the bucket keeps of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from device.errors import RemoteAwayError, RemoteError
from device.recording import SESSION_NAME
from device.s3_answers import Listed, keeps_versions
from device.s3_http import S3Http
from device.s3_listing import list_objects, list_uploads, list_versions
from device.s3_notebook import Notebook

_ROUNDS: Final = 3  # somebody else's upload may still come in between
_UNKNOWN: Final = frozenset({404, 405, 501})  # what a server says of versions that knows of none


def erase_beneath(http: S3Http, notebook: Notebook, prefix: str) -> None:
    """Erase what is there and what is under way; the recording itself first.

    Raises:
        RemoteError: it may not be erased, or not looked at.
    """
    for noted in list(notebook.beneath(prefix)):
        with suppress(RemoteError):  # what may not be given up so is listed below, where that is allowed
            _delete(http, Listed(noted.name, upload=noted.upload))
            notebook.drop(noted.name)
    for _ in range(_ROUNDS):
        found = sorted(_held(http, prefix), key=lambda one: (not one.key.endswith(f"/{SESSION_NAME}"), one.key))
        under_way = _under_way(http, prefix)
        if not found and not under_way:
            return
        for one in (*found, *under_way):
            _delete(http, one)
    raise RemoteAwayError("the remote says that it erased, and still lists what it erased", "it is tried again")


def _under_way(http: S3Http, prefix: str) -> list[Listed]:
    """Uploads that nobody finished. Who may not list them leaves them to the bucket's rule: nobody can read a part."""
    try:
        return list(list_uploads(http, prefix))
    except RemoteError:
        return []


def _held(http: S3Http, prefix: str) -> list[Listed]:
    """Every version of what is there; every object, where the bucket keeps no others.

    Raises:
        RemoteError: it may not be looked at, or whether there are others cannot be known.
    """
    try:
        return list(list_versions(http, prefix))
    except RemoteError:
        answer = http.ask("GET", query={"versioning": ""}, also=_UNKNOWN)
        if answer.status not in _UNKNOWN and keeps_versions(answer.body):
            raise _hidden() from None
        return list(list_objects(http, prefix))


def _delete(http: S3Http, one: Listed) -> None:
    named = {"versionId": one.version, "uploadId": one.upload}
    query = {name: text for name, text in named.items() if text is not None}
    answer = http.ask("DELETE", one.key, query=query, also=frozenset({404}))
    if not query and answer.headers.get("x-amz-delete-marker") == "true":
        raise _hidden()


def _hidden() -> RemoteError:
    return RemoteError(
        "the bucket keeps versions, and would only hide what is erased",
        "give whoever erases the right to list and delete versions (docs/clinic-server.md)",
    )
