"""Codes from an app (TOTP, RFC 6238). The only home of ``pyotp``.

They need a clock that is right to within half a minute. Where the box's is not, a recovery code or a passkey helps.
"""

from __future__ import annotations

import hmac
from typing import Final

import pyotp

_STEP_S: Final = 30
# A phone's clock may be a step off, either way (RFC 6238, section 5.2).
_STEPS_OFF: Final = (0, -1, 1)


def new_secret() -> str:
    """A secret for an app, in base32: 160 bits."""
    return pyotp.random_base32()


def uri_of(secret: str, *, login: str, box: str) -> str:
    """The same as apps read it from a QR code (``otpauth:``)."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=f"Sotto {box}")


def step_of(secret: str, code: str, *, now_s: float) -> int | None:
    """The step of time that a code is good for now; ``None``: none. A step that was used must not be used again."""
    plain = "".join(code.split())
    for off in _STEPS_OFF:
        step = int(now_s) // _STEP_S + off
        if step >= 0 and hmac.compare_digest(pyotp.TOTP(secret).at(step * _STEP_S).encode(), plain.encode()):
            return step
    return None


def code_of(secret: str, *, now_s: float) -> str:
    """What the app shows at that moment."""
    return pyotp.TOTP(secret).at(int(now_s))


def newest_step(now_s: float) -> int:
    """No code of a later step is taken now."""
    return int(now_s) // _STEP_S + max(_STEPS_OFF)
