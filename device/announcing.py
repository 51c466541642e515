"""What a box says about itself on the local network (mDNS, RFC 6762 and 6763), as avahi reads it (avahi.service(5)).

A desk finds boxes by it, and believes none of it: a box is known by its device key, which it has to prove.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

SERVICE_TYPE: Final = "_sotto._tcp"
_MOST_TXT_BYTES: Final = 255
"""One entry of a TXT record (RFC 6763, 6.1)."""


def announcement(*, name: str, version: str, fingerprint: str, port: int) -> str:
    """The service file. ``fingerprint``: of the device key. A name is cut where it would not fit into an entry."""
    entries = {"name": name, "version": version, "key": fingerprint}
    txt = "".join(
        f"    <txt-record>{escape(_fitting(f'{key}={value}'))}</txt-record>\n" for key, value in entries.items()
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        "<service-group>\n"
        f"  <name>{escape(_label(name))}</name>\n"
        "  <service>\n"
        f"    <type>{SERVICE_TYPE}</type>\n"
        f"    <port>{port}</port>\n"
        f"{txt}"
        "  </service>\n"
        "</service-group>\n"
    )


def _label(name: str) -> str:
    """The service's own name: at most 63 bytes (RFC 6763, 4.1.1), and no letter cut in two."""
    return name.encode()[:63].decode(errors="ignore")


def _fitting(entry: str) -> str:
    return entry.encode()[:_MOST_TXT_BYTES].decode(errors="ignore")
