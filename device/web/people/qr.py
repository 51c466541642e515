"""QR codes, drawn on the page itself. The only home of ``segno``."""

from __future__ import annotations

import segno
from markupsafe import Markup

_QUIET_MODULES = 4  # ISO/IEC 18004, section 6.3.8: what a camera needs around it


def qr(content: str) -> Markup:
    """A QR code as SVG, black on white whatever the page's colours are: many cameras read no other."""
    code = segno.make(content, error="m", micro=False)
    drawn = code.svg_inline(
        scale=4, border=_QUIET_MODULES, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=False
    )
    return Markup(drawn)  # noqa: S704  # drawn from nothing but squares
