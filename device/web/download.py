"""The sealed bytes of a recording, whole or a slice of them, and its signed manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.http import quote_etag, unquote_etag

from device.recording import MANIFEST_NAME, SESSION_NAME
from device.store import Listed
from device.web.api import PREFIX
from device.web.files import Opened, open_inside, pieces
from device.web.house import House, is_open
from device.web.nginx import SEALED
from device.web.noting import not_noted
from device.web.ranges import Span, UnsatisfiableError, parse_range
from device.web.refusals import Refusal, no_such_recording
from device.web.texts import text


def download(house: House) -> Blueprint:
    """The routes under ``/recordings/<id>/`` that hand out files."""
    blueprint = Blueprint("download", __name__)

    # The same view for people and for programs: there is one door through which sealed bytes leave.
    @blueprint.get(f"{PREFIX}/recordings/<recording_id>/session.mp4.age")
    @blueprint.get("/recordings/<recording_id>/session.mp4.age")
    def session(recording_id: str) -> Response:
        listed = not_going(house.find(recording_id))
        if is_open(listed):
            raise Refusal(409, "error.409")
        opened = open_inside(house.store.folder(recording_id), SESSION_NAME)
        if opened is None:
            raise no_such_recording()

        def pull(wanted_bytes: int) -> None:
            _pull(house, recording_id, opened, wanted_bytes)

        by_nginx = f"{SEALED}{recording_id}/{SESSION_NAME}" if house.front.tls else None
        response = _answer(opened, _etag(listed, opened), pull=pull, by_nginx=by_nginx)
        response.headers["Content-Disposition"] = f'attachment; filename="{recording_id}.mp4.age"'
        return response

    @blueprint.get(f"{PREFIX}/recordings/<recording_id>/manifest.json")
    @blueprint.get("/recordings/<recording_id>/manifest.json")
    def manifest(recording_id: str) -> Response:
        not_going(house.find(recording_id))
        opened = open_inside(house.store.folder(recording_id), MANIFEST_NAME)
        if opened is None:
            raise no_such_recording()
        with opened.file as file:
            if request.method != "HEAD":  # which tells that there is one, and nothing of what it says
                house.noting.must_view("manifest", recording_id)
            return Response(file.read(), mimetype="application/json")

    return blueprint


def not_going(listed: Listed) -> Listed:
    """A recording of which something may be handed out.

    Raises:
        Refusal: somebody wants it erased.
    """
    if listed.withdrawn:
        raise Refusal(404, "error.404.withdrawn")
    if listed.going is not None:
        raise no_such_recording()
    return listed


def _etag(listed: Listed, opened: Opened) -> str:
    """A strong one: a closed recording changes only by being closed anew, and then its time changes too."""
    return f"{(listed.manifest.digest or 'none')[:32]}-{opened.size_bytes:x}-{opened.changed_ns:x}"


def _pull(house: House, recording_id: str, opened: Opened, wanted_bytes: int) -> None:
    """Have it noted that so many bytes are about to leave.

    Raises:
        Refusal: that cannot be noted, so they do not leave.
    """
    if not house.noting.pull(recording_id, wanted_bytes=wanted_bytes, size_bytes=opened.size_bytes):
        opened.file.close()
        raise not_noted()


def _answer(opened: Opened, etag: str, *, pull: Callable[[int], None], by_nginx: str | None) -> Response:
    """200, 206, 304 or 416. The file belongs to the answer, or is closed here where there is no body.

    ``by_nginx``: where nginx finds the file, if it stands in front.
    """
    response = _unchanged_or_body(opened, etag, pull=pull, by_nginx=by_nginx)
    response.headers["ETag"] = quote_etag(etag)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _unchanged_or_body(opened: Opened, etag: str, *, pull: Callable[[int], None], by_nginx: str | None) -> Response:
    if request.if_none_match.contains(etag):  # comes before any range (RFC 9110, 13.2.2)
        opened.file.close()
        return Response(status=304)
    try:
        span = _span(opened.size_bytes, etag)
    except UnsatisfiableError:
        opened.file.close()
        return _unsatisfiable(opened.size_bytes)
    if by_nginx is not None and request.method == "GET" and _nginx_agrees(span, etag):
        with opened.file:
            pull(opened.size_bytes if span is None else span.stop - span.start)
        return Response(mimetype="application/octet-stream", headers={"X-Accel-Redirect": by_nginx})
    return _body(opened, span, pull=pull)


def _nginx_agrees(span: Span | None, etag: str) -> bool:
    """Whether nginx, which reads Range and If-Range itself, hands out what is noted here, and no more.

    A Range that is none to us it would refuse, where the whole is to be sent.
    """
    return span is not None or "Range" not in request.headers or not _condition_holds(etag)


def _span(size_bytes: int, etag: str) -> Span | None:
    """The span that counts. A condition that does not hold (If-Range) makes it the whole file."""
    if request.method != "GET":
        return None  # RFC 9110, 14.2: Range is defined for GET alone
    if not _condition_holds(etag):
        return None
    return parse_range(request.headers.get("Range"), size=size_bytes)


def _condition_holds(etag: str) -> bool:
    condition = request.headers.get("If-Range")
    return condition is None or unquote_etag(condition) == (etag, False)


def _unsatisfiable(size_bytes: int) -> Response:
    sentences = f"{text('error.416')}\n{text('error.416.do', size=size_bytes)}\n"
    return Response(sentences, 416, {"Content-Range": f"bytes */{size_bytes}"}, mimetype="text/plain")


def _body(opened: Opened, span: Span | None, *, pull: Callable[[int], None]) -> Response:
    start, stop = (span.start, span.stop) if span else (0, opened.size_bytes)
    response = Response(status=206 if span else 200, mimetype="application/octet-stream", direct_passthrough=True)
    if request.method == "HEAD":
        opened.file.close()
    else:
        pull(stop - start)
        opened.file.seek(start)
        response.response = _stream(opened, stop - start)
    response.headers["Content-Length"] = str(stop - start)
    if span:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{opened.size_bytes}"
    return response


def _stream(opened: Opened, length: int) -> Iterable[bytes]:
    """The bytes, by the server's own means where it has some: waitress then needs no thread for a slow reader.

    It sends as much as Content-Length says from where the file stands (PEP 3333, "Optional Platform-Specific File
    Handling").
    """
    wrapper: Callable[[Any], Iterable[bytes]] | None = request.environ.get("wsgi.file_wrapper")
    return wrapper(opened.file) if wrapper else pieces(opened.file, length)
