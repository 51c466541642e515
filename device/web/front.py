"""How browsers reach the page: straight, on this very computer, or through nginx by the box's names.

Behind nginx the page listens on a Unix socket that only nginx may open, so whatever comes from there came by TLS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_BODY_BYTES: Final = 128 * 1024
"""The longest that anybody has to say: a clip or a review that somebody's program has sealed."""

_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Front:
    """``names``: those that nginx answers to, lower case; none: there is no nginx. ``port``: nginx's own."""

    names: tuple[str, ...] = ()
    port: int = 443

    @property
    def tls(self) -> bool:
        """Whether the page is reached by https."""
        return bool(self.names)

    def answers(self, host: str, *, server_port: str) -> bool:
        """Whether a request with this Host header is for this page.

        A name that somebody else owns can be pointed here (DNS rebinding), and another program's page on this computer
        is none of ours: name and port are those that we really go by.
        """
        bare = host.endswith("]") or ":" not in host
        name, _, port = (host, "", self._usual_port) if bare else host.rpartition(":")
        if self.tls:
            return name.lower() in self.names and port == str(self.port)
        return name.lower() in _LOOPBACK_NAMES and port == server_port

    def address(self, *, server_port: str) -> str:
        """Where to go instead."""
        if self.tls:
            port = "" if str(self.port) == self._usual_port else f":{self.port}"
            return f"https://{self.names[0]}{port}/"
        return f"http://127.0.0.1:{server_port}/"

    def cookie(self, name: str) -> str:
        """The name of a cookie. By https no other host and no plain page can set one in its place (RFC 6265bis)."""
        return f"__Host-{name}" if self.tls else name

    @property
    def _usual_port(self) -> str:
        return "443" if self.tls else "80"
