"""Erasing all beneath a folder of a bucket, with every version that the bucket keeps of it."""

from __future__ import annotations

from typing import Final

from device.errors import RemoteAwayError, RemoteError, SottoError
from device.recording import SESSION_NAME
from device.s3_answers import Listed
from device.s3_http import S3Http
from device.s3_listing import list_objects, list_uploads, list_versions
from device.s3_notebook import Notebook

_ROUNDS: Final = 3  # somebody else's upload may still come in between


def erase_beneath(http: S3Http, notebook: Notebook, prefix: str) -> None:
    """Erase what is there and what is under way; the recording itself first.

    Raises:
        RemoteError: it may not be erased, or not looked at.
    """
    for _ in range(_ROUNDS):
        found = sorted(_held(http, prefix), key=lambda one: (not one.key.endswith(f"/{SESSION_NAME}"), one.key))
        under_way = list(list_uploads(http, prefix))
        if not found and not under_way:
            for noted in list(notebook.beneath(prefix)):
                notebook.drop(noted.name)
            return
        for one in (*found, *under_way):
            _delete(http, one)
    raise RemoteAwayError("the remote says that it erased, and still lists what it erased", "it is tried again")


def _held(http: S3Http, prefix: str) -> list[Listed]:
    """Every version, or every object where the server knows no versions or does not show them."""
    try:
        return list(list_versions(http, prefix))
    except RemoteError as refused:
        return _without_versions(http, prefix, refused)


def _without_versions(http: S3Http, prefix: str, refused: SottoError) -> list[Listed]:
    try:
        return list(list_objects(http, prefix))
    except RemoteError:
        raise refused from None


def _delete(http: S3Http, one: Listed) -> None:
    named = {"versionId": one.version, "uploadId": one.upload}
    query = {name: text for name, text in named.items() if text is not None}
    answer = http.ask("DELETE", one.key, query=query, also=frozenset({404}))
    if not query and answer.headers.get("x-amz-delete-marker") == "true":
        raise RemoteError(
            "the bucket keeps versions, and only hides what is erased",
            "give whoever erases the right to list and delete versions (docs/clinic-server.md)",
        )
