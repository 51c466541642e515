"""Who may speak to the page, before there are accounts: only pages that this page itself gave out.

The page listens on loopback, so what threatens it is a browser on this very computer that shows somebody else's page.
- A name that somebody else owns can be pointed at 127.0.0.1 (DNS rebinding): only our own names are answered.
- Any page can send a form to any address (CSRF): what changes something has to come from the same origin, by the
  browser's own word (Sec-Fetch-Site, Origin), and carry what only a page of ours can: a header that no form can set,
  or the token of the form twice, as field and as cookie.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from flask import Flask, Response, g, request
from werkzeug.exceptions import Forbidden, MisdirectedRequest, UnsupportedMediaType

PAGE_HEADER: Final = "X-Sotto-Page"
FORM_COOKIE: Final = "sotto-form"
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_TYPES: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_DEFAULT_PORT: Final = "80"


def guard(app: Flask) -> None:
    """Let ``app`` answer nothing but what passes."""
    app.before_request(_check_host)
    app.before_request(_check_origin)
    app.after_request(_give_token)
    app.add_template_global(form_token, "form_token")


def form_token() -> str:
    """The token for a form on the page that is being made; the cookie goes out with it."""
    if "token" not in g:
        g.token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    token: str = g.token
    return token


def _check_host() -> None:
    host = request.environ.get("HTTP_HOST", "")
    name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", _DEFAULT_PORT)
    # The port is the one that the server really listens on: another program's page on this computer is none of ours.
    if name.lower() not in _LOOPBACK_NAMES or port != request.environ.get("SERVER_PORT"):
        raise MisdirectedRequest


def _check_origin() -> None:
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin", _own_origin())
    if site not in ("same-origin", "none") or origin != _own_origin():
        raise Forbidden
    if request.mimetype == "application/json":
        allowed = request.headers.get(PAGE_HEADER) == "1"
    elif request.mimetype in _FORM_TYPES:
        allowed = _token_holds()
    else:
        raise UnsupportedMediaType
    if not allowed:
        raise Forbidden


def _own_origin() -> str:
    return f"{request.scheme}://{request.environ.get('HTTP_HOST', '')}"


def _token_holds() -> bool:
    cookie, field = request.cookies.get(FORM_COOKIE, ""), request.form.get("token", "")
    return bool(cookie) and hmac.compare_digest(cookie.encode(), field.encode())


def _give_token(response: Response) -> Response:
    if "token" in g and request.cookies.get(FORM_COOKIE) != g.token:
        response.set_cookie(FORM_COOKIE, g.token, httponly=True, samesite="Strict")
    return response
