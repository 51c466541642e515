"""Boxes that announce themselves on this network (mDNS): where they are, and nothing else of them is believed.

The only home of zeroconf.
"""

from __future__ import annotations

import threading
import time
from typing import Final

from zeroconf import ServiceBrowser, ServiceListener, Zeroconf

from device.announcing import SERVICE_TYPE
from provisioning.fleet.calling import Target

_TYPE: Final = f"{SERVICE_TYPE}.local."
_RESOLVE_MS: Final = 2000


class _Heard(ServiceListener):
    def __init__(self) -> None:
        self.found: dict[str, Target] = {}
        self.lock = threading.Lock()

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        info = zc.get_service_info(type_, name, timeout=_RESOLVE_MS)
        if info is None or not info.port or not (addresses := info.parsed_addresses()):
            return
        said = {key: value or b"" for key, value in info.properties.items()}
        called = said.get(b"name", b"").decode(errors="replace")[:60] or name.removesuffix(f".{type_}")[:60]
        host = addresses[0] if ":" not in addresses[0] else f"[{addresses[0]}]"
        port = "" if info.port == 443 else f":{info.port}"
        target = Target(called, f"https://{host}{port}", said.get(b"key", b"").decode(errors="replace")[:16] or None)
        with self.lock:
            self.found[name] = target

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:  # noqa: ARG002  # zeroconf's own names
        with self.lock:
            self.found.pop(name, None)


def find_boxes(for_s: float, *, interfaces: list[str] | None = None) -> list[Target]:
    """Who announces itself within that time, by name. ``interfaces``: addresses of this computer; none: all."""
    heard = _Heard()
    zeroconf = Zeroconf() if interfaces is None else Zeroconf(interfaces=interfaces)
    try:
        browser = ServiceBrowser(zeroconf, _TYPE, listener=heard)
        time.sleep(for_s)
        browser.cancel()
    finally:
        zeroconf.close()
    with heard.lock:
        return sorted(heard.found.values(), key=lambda one: one.name)
