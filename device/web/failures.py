"""What the page says when something does not work: what happened, what to do, and never a stack trace."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.routing import RequestRedirect

from device.errors import AdminError, SottoError
from device.web.api import PREFIX
from device.web.refusals import Refusal
from device.web.texts import text, text_or
from device.web.wording import sentence

# What is fetched by programs answers in plain text or JSON; everything else is a page.
_PLAIN_SUFFIXES: Final = (".age", ".json")
_SERVICE_UNAVAILABLE: Final = 503


def failures(app: Flask) -> None:
    """Let ``app`` answer every failure in words."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(SottoError, _failed)


def _refused(error: HTTPException) -> Response:
    if isinstance(error, RequestRedirect):
        return make_response(error.get_response(request.environ))
    code = error.code or InternalServerError.code
    key = error.key if isinstance(error, Refusal) else f"error.{code}"
    what, hint = text_or(key, "error.other"), text_or(f"{key}.do", "error.other.do", port=_port())
    response = _answer(what, hint, code=code)
    if error.code == 405 and (allow := dict(error.get_headers()).get("Allow")):
        response.headers["Allow"] = allow
    if error.code == 401 and _is_for_programs():
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _is_for_programs() -> bool:
    return request.path.startswith(f"{PREFIX}/")


def _port() -> str:
    port: str = request.environ.get("SERVER_PORT", "")
    return port


def _failed(error: SottoError) -> Response:
    code = _SERVICE_UNAVAILABLE if isinstance(error, AdminError) else InternalServerError.code
    return _answer(sentence(error.what), sentence(error.hint), code=code)


def _answer(what: str, hint: str, *, code: int) -> Response:
    if request.mimetype == "application/json" or request.path == "/status.json" or _is_for_programs():
        response = jsonify(what=what, hint=hint)
    elif request.path.endswith(_PLAIN_SUFFIXES):
        response = Response(f"{what}\n{hint}\n", mimetype="text/plain")
    else:
        status = text("error.status", code=code)
        response = make_response(render_template("error.html", what=what, hint=hint, status=status))
    response.status_code = code
    return response
