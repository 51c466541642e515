"""What the page says when something does not work: what happened, what to do, and never a stack trace."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import Flask, Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, InternalServerError, MisdirectedRequest, Unauthorized
from werkzeug.routing import RequestRedirect

from device.errors import AdminError, SottoError
from device.web.api import PREFIX
from device.web.front import Front
from device.web.refusals import Refusal
from device.web.texts import text, text_or
from device.web.wording import sentence

# What is fetched by programs answers in plain text or JSON; everything else is a page.
_PLAIN_SUFFIXES: Final = (".age", ".json")
_SERVICE_UNAVAILABLE: Final = 503
_SEE_OTHER: Final = 303
# What programs are told beside the words: which methods there are, and how to sign in.
_TOLD: Final = ("Allow", "WWW-Authenticate")


def failures(app: Flask, *, front: Front) -> None:
    """Let ``app`` answer every failure in words. ``front``: where it is really found."""
    app.register_error_handler(HTTPException, partial(_refused, front))
    app.register_error_handler(SottoError, _failed)


def _refused(front: Front, error: HTTPException) -> Response:
    if isinstance(error, RequestRedirect):
        return make_response(error.get_response(request.environ))
    if isinstance(error, Unauthorized) and _is_a_person_looking():
        return make_response(redirect(url_for("signing.sign_in", next=request.path), _SEE_OTHER))
    code = error.code or InternalServerError.code
    key = error.key if isinstance(error, Refusal) else f"error.{code}"
    address = front.address(server_port=request.environ.get("SERVER_PORT", ""))
    what, hint = text_or(key, "error.other"), text_or(f"{key}.do", "error.other.do", address=address)
    response = _answer(what, hint, code=code)
    told = dict(error.get_headers())
    for name in _TOLD:
        if name in told:
            response.headers[name] = told[name]
    if code == Unauthorized.code and _is_for_programs():
        response.headers.setdefault("WWW-Authenticate", "Bearer")
    return response


def _is_a_person_looking() -> bool:
    """Whether a browser wants to show a page: then the way to sign in is better than words."""
    return request.method == "GET" and "text/html" in request.headers.get("Accept", "")


def _is_for_programs() -> bool:
    return request.path.startswith(f"{PREFIX}/")


def _failed(error: SottoError) -> Response:
    code = _SERVICE_UNAVAILABLE if isinstance(error, AdminError) else InternalServerError.code
    return _answer(sentence(error.what), sentence(error.hint), code=code)


def _answer(what: str, hint: str, *, code: int) -> Response:
    if request.mimetype == "application/json" or request.path == "/status.json" or _is_for_programs():
        response = jsonify(what=what, hint=hint)
    elif request.path.endswith(_PLAIN_SUFFIXES) or code == MisdirectedRequest.code:  # no page under another's name
        response = Response(f"{what}\n{hint}\n", mimetype="text/plain")
    else:
        status = text("error.status", code=code)
        response = make_response(render_template("error.html", what=what, hint=hint, status=status))
    response.status_code = code
    return response
