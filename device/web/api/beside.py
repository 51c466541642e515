"""What lies beside a recording, for programs: its attachments, out and in, and the receipts of its remotes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from flask import Blueprint, Response, request

from device.errors import DamagedError
from device.naming_requests import (
    MOST_SEALED_BYTES,
    Asked,
    Clip,
    Label,
    Note,
    NotNamedError,
    Reason,
    Review,
    ask_naming,
)
from device.recording import ATTACHMENTS_NAME, RECEIPTS_NAME
from device.recording.receipt import RECEIPT_KIND
from device.recording.signing import verify
from device.web.api.edges import SEALED, answer, body, query, sealed_body
from device.web.api.shapes import AttachmentIn, Kept, NoteIn, Receipts, SealedQuery, SignedDocument, is_attachment_name
from device.web.download import not_going
from device.web.files import Opened, open_inside, pieces, sizes_inside
from device.web.house import House
from device.web.refusals import Refusal
from device.web.visitor import visitor

_MOST_RECEIPT_BYTES: Final = 1 << 20
_CREATED: Final = 201
# What capture says of something that it did not put beside a recording.
_STATUS: Final[Mapping[Reason, int]] = {
    Reason.NOT_SEALED: 400,
    Reason.GONE: 404,
    Reason.GOING: 409,
    Reason.NOT_CLOSED: 409,
    Reason.TOO_MANY: 409,
    Reason.NOT_ASKABLE: 503,
    Reason.BUSY: 503,
    Reason.NOT_NOTED: 503,
    Reason.STORE: 503,
    Reason.TOO_SLOW: 503,
}


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

    @blueprint.post("/recordings/<recording_id>/attachments")
    def attach(recording_id: str) -> Response:
        not_going(house.find(recording_id))
        asked = _asked(visitor().person.mark, recording_id)
        try:
            named = ask_naming(asked, house.run)
        except NotNamedError as problem:
            raise Refusal(_STATUS[problem.reason], f"error.named.{problem.reason.replace(' ', '_')}") from problem
        return answer(Kept(name=named.name or ""), _CREATED)

    @blueprint.get("/recordings/<recording_id>/receipts")
    def receipts(recording_id: str) -> Response:
        not_going(house.find(recording_id))
        house.noting.must_view("facts", recording_id)
        return answer(Receipts(receipts=tuple(_receipts(house, recording_id))))


def _asked(by: str, recording_id: str) -> Asked:
    """What capture is asked for. What a program has sealed itself is opened by nobody here, and only put away."""
    if request.mimetype == SEALED:
        kind = Review if query(SealedQuery).kind == "review" else Clip
        return kind(by=by, recording=recording_id, sealed=sealed_body(MOST_SEALED_BYTES))
    wanted: AttachmentIn = body(AttachmentIn)
    if isinstance(wanted, NoteIn):
        return Note(by=by, recording=recording_id, text=wanted.text)
    return Label(by=by, recording=recording_id, **wanted.model_dump(exclude={"kind"}))


def _sealed(house: House, recording_id: str, opened: Opened) -> Response:
    """The sealed bytes of an attachment; that they leave is noted first."""
    response = Response(mimetype=SEALED, direct_passthrough=True)
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
