"""What changes something has to come from a page of ours. The only home of Flask-WTF.

Any page can send a form to any address (CSRF). So a browser's own word counts first (Sec-Fetch-Site, Origin); then the
request has to carry what only a page of ours can: the token of a form, which holds for the one who asked for that form
and as long as they stay signed in, or a header that no form can set. A program that shows a bearer token carries
nothing that a browser would send by itself, and is let through, also where it is a page of another origin.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, request, session
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf  # type: ignore[import-untyped]  # it ships no types
from werkzeug.exceptions import Forbidden, UnsupportedMediaType

from device.web.front import Front
from device.web.permissions import PERMISSIONS
from device.web.visitor import By, visitor_or_none

PAGE_HEADER: Final = "X-Sotto-Page"
TOKEN_FIELD: Final = "token"  # noqa: S105  # a field's name
FORM_COOKIE: Final = "sotto-form"
_OF: Final = "of"
_PROGRAMS: Final = frozenset({By.PROGRAM})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_TYPES: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def forms(app: Flask, *, front: Front, key: bytes) -> None:
    """Let ``app`` change nothing that was not asked for by a page of ours. ``key`` signs the cookie of its forms."""
    app.secret_key = key
    app.config.update(
        SESSION_COOKIE_NAME=front.cookie(FORM_COOKIE),
        SESSION_COOKIE_SECURE=front.tls,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        WTF_CSRF_CHECK_DEFAULT=False,  # asked below, once it is known who asks
        WTF_CSRF_FIELD_NAME=TOKEN_FIELD,
        WTF_CSRF_TIME_LIMIT=None,  # a note may take its time; it ends with the session of whoever writes it
        WTF_CSRF_SSL_STRICT=False,  # the Referer: Origin says the same, and nobody strips it
    )
    protect = CSRFProtect(app).protect

    @app.before_request
    def _check() -> None:
        if session and session.get(_OF) != _whose():
            session.clear()
        if request.method in _SAFE_METHODS or _by_a_program():
            return
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin", _own_origin())
        if site not in ("same-origin", "none") or origin != _own_origin():
            raise Forbidden
        if request.mimetype in _FORM_TYPES:
            try:
                protect()
            except CSRFError as problem:
                raise Forbidden from problem
        elif request.mimetype != "application/json":
            raise UnsupportedMediaType
        elif request.headers.get(PAGE_HEADER) != "1":
            raise Forbidden

    app.add_template_global(form_token, "form_token")


def form_token() -> str:
    """The token for a form on the page that is being made; the cookie goes out with it."""
    session[_OF] = _whose()
    token: str = generate_csrf()
    return token


def _whose() -> str:
    found = visitor_or_none()
    return "" if found is None else found.session


def _by_a_program() -> bool:
    """Whether nothing is won by making a browser send this: it shows a token, or it is for those alone who have one."""
    found = visitor_or_none()
    if found is not None:
        return found.by is By.PROGRAM
    rule = PERMISSIONS.get(request.endpoint or "")
    return rule is not None and rule.by == _PROGRAMS


def _own_origin() -> str:
    return f"{request.scheme}://{request.environ.get('HTTP_HOST', '')}"
