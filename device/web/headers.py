"""What every answer carries, so that a browser does nothing with it that was not meant."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response

from device.web.front import Front

# No inline code or style at all, so that a text that escapes its place is still only text. "same-origin" and not
# "no-referrer": with that, forms of our own would come with "Origin: null" (Fetch, "append a request Origin header").
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}


_ONLY_TLS: Final = "max-age=31536000"


def headers(app: Flask, *, front: Front) -> None:
    """Let every answer of ``app`` carry them, and none be kept that does not say so itself."""

    @app.after_request
    def _add(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        if front.tls:  # a browser that was here once does not come in plain again
            response.headers["Strict-Transport-Security"] = _ONLY_TLS
        return response
