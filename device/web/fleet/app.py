"""The application for the clinic's desk, and how it stands beside the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeAlias

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import Forbidden, HTTPException

from device.errors import SottoError
from device.fleet_status import METRICS_PATH, ORDERS_PATH, STATUS_PATH, Received, UpdateTold
from device.store import StoreReader
from device.web.fleet.metrics import METRICS_TYPE, metrics_of
from device.web.fleet.spool import Spool, range_of
from device.web.fleet.told import Box, told_of
from device.web.front import Front
from device.web.guard import guard
from device.web.headers import headers
from device.web.texts import text, text_or

Wsgi: TypeAlias = Callable[[dict[str, Any], Any], Iterable[bytes]]

DESK_HEADER: Final = "X-Sotto-Desk"
DESK_WORD: Final = "SUCCESS"
"""What nginx says of a certificate that it verified ($ssl_client_verify)."""

_PREFIX: Final = "/fleet/"


def create_fleet_app(
    *,
    store: StoreReader,
    run: Path,
    box: str,
    front: Front,
    certificate: Path | None,
    spool: Path | None,
    state: Path | None,
    update: Callable[[], UpdateTold | None] = lambda: None,
    unix_s: Callable[[], float] = time.time,
) -> Flask:
    """``spool``: where orders go; ``state``: where it stands what became of them. None: this box takes no orders.

    ``update``: asks which version came and is not settled.
    """
    app = Flask(__name__, static_folder=None)
    known = Box(store=store, run=run, name=box, certificate=certificate, state=state, update=update, unix_s=unix_s)
    taking = None if spool is None else Spool(spool)
    headers(app, front=front)
    guard(app, front=front)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(SottoError, _failed)

    @app.before_request
    def _only_the_desk() -> None:
        if request.headers.get(DESK_HEADER) != DESK_WORD:
            raise Forbidden

    @app.get(STATUS_PATH)
    def status() -> Response:
        return Response(told_of(known).model_dump_json(), mimetype="application/json")

    @app.get(METRICS_PATH)
    def metrics() -> Response:
        return Response(metrics_of(told_of(known)), content_type=METRICS_TYPE)

    @app.put(ORDERS_PATH)
    def orders() -> tuple[Response, int]:
        if taking is None:
            return _words("fleet.no_orders"), 404
        start, whole_bytes, digest = range_of(dict(request.headers))
        have = taking.have(digest)
        if start != have:  # another piece is due: said, so that what was cut goes on where it was
            return _received(Received(have=have, whole=False)), 409
        taken = taking.take(request.get_data(), whole_bytes=whole_bytes, digest=digest)
        return _received(taken), 202

    return app


def beside(page: Wsgi, desk: Wsgi) -> Wsgi:
    """Both, by the address: each has doors of its own."""

    def either(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        chosen = desk if environ.get("PATH_INFO", "").startswith(_PREFIX) else page
        return chosen(environ, start_response)

    return either


def _received(received: Received) -> Response:
    return Response(received.model_dump_json(), mimetype="application/json")


def _words(key: str) -> Response:
    return jsonify(what=text(key), hint=text(f"{key}.do"))


def _refused(error: HTTPException) -> tuple[Response, int]:
    code = error.code or 500
    what, hint = text_or(f"fleet.{code}", "error.other"), text_or(f"fleet.{code}.do", "fleet.other.do")
    return jsonify(what=what, hint=hint), code


def _failed(error: SottoError) -> tuple[Response, int]:
    return jsonify(what=error.what, hint=error.hint), 503
