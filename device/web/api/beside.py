"""What lies beside a recording, for programs: its attachments, out and in, and the receipts of its remotes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from flask import Blueprint, Response, request

from device.errors import DamagedError
from device.recording import ATTACHMENTS_NAME, RECEIPTS_NAME
from device.recording.receipt import RECEIPT_KIND
from device.recording.signing import verify
from device.web.api.edges import answer
from device.web.api.shapes import Receipts, SignedDocument, is_attachment_name
from device.web.download import not_going
from device.web.files import Opened, open_inside, pieces, sizes_inside
from device.web.house import House
from device.web.refusals import Refusal

_MOST_RECEIPT_BYTES: Final = 1 << 20


def beside(blueprint: Blueprint, house: House) -> None:
    """The routes beneath one recording."""

    @blueprint.get("/recordings/<recording_id>/attachments/<name>")
    def attachment(recording_id: str, name: str) -> Response:
        not_going(house.find(recording_id))
        folder = house.store.folder(recording_id)
        opened = open_inside(folder, name, within=ATTACHMENTS_NAME) if is_attachment_name(name) else None
        if opened is None:
            raise Refusal(404, "error.404.attachment")
        return _sealed(house, recording_id, opened)

    @blueprint.get("/recordings/<recording_id>/receipts")
    def receipts(recording_id: str) -> Response:
        not_going(house.find(recording_id))
        house.noting.must_view("facts", recording_id)
        return answer(Receipts(receipts=tuple(_receipts(house, recording_id))))


def _sealed(house: House, recording_id: str, opened: Opened) -> Response:
    """The sealed bytes of an attachment; that they leave is noted first."""
    response = Response(mimetype="application/octet-stream", direct_passthrough=True)
    if request.method == "HEAD":
        opened.file.close()
    else:
        try:
            house.noting.must_view("attachment", recording_id)
        except Refusal:
            opened.file.close()
            raise
        response.response = pieces(opened.file, opened.size_bytes)
    response.headers["Content-Length"] = str(opened.size_bytes)
    return response


def _receipts(house: House, recording_id: str) -> Iterator[SignedDocument]:
    """The receipts whose signature holds; by whose key, is the program's to judge."""
    folder = house.store.folder(recording_id)
    for name in sizes_inside(folder, RECEIPTS_NAME):
        opened = open_inside(folder, name, within=RECEIPTS_NAME)
        if opened is None:
            continue  # taken away or replaced by something else just now
        with opened.file as file:
            document = file.read(_MOST_RECEIPT_BYTES)
        try:
            verify(RECEIPT_KIND, document)
        except DamagedError:
            continue  # it proves nothing: sync has it made anew
        yield SignedDocument.model_validate(json.loads(document))
