"""How nginx serves the page: its whole configuration, made from ours; pure, but for the template beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import ConfigError
from device.web.front import MOST_BODY_BYTES
from device.web.headers import HEADERS
from device.web.texts import text

SEALED: Final = "/sealed/"
"""Where nginx finds the store, for the page alone."""

_PER_S: Final = 30
_BURST: Final = 120
_AT_A_TIME: Final = 48
_PLAIN_PATH: Final = re.compile(r"/[A-Za-z0-9_./-]+")
_MARK: Final = re.compile(r"@([A-Z_]+)@")


@dataclass(frozen=True, slots=True)
class Places:
    """What nginx has to find. ``run``: a folder of its own."""

    store: Path
    socket: Path
    run: Path
    certificate: Path
    key: Path


def nginx_config(places: Places, *, port: int, address: str = "") -> str:
    """The configuration. ``address``: the one IPv4 address to listen at; else it is every one of this computer.

    Raises:
        ConfigError: a path has letters that mean something to nginx.
    """
    listen = f"{address}:{port}" if address else f"[::]:{port}"
    values = {
        "RUN": _plain(places.run),
        "SOCKET": _plain(places.socket),
        "STORE": _plain(places.store),
        "CERTIFICATE": _plain(places.certificate),
        "KEY": _plain(places.key),
        "LISTEN": listen,
        "LISTEN_MORE": "" if address else " ipv6only=off",
        "SEALED": SEALED,
        "MOST_BODY": str(MOST_BODY_BYTES),
        "PER_S": str(_PER_S),
        "BURST": str(_BURST),
        "AT_A_TIME": str(_AT_A_TIME),
        "HEADERS": "\n            ".join(_header(name) for name in HEADERS),
        "SLOWER": _sentences("nginx.429"),
        "AWAY": _sentences("nginx.503"),
    }
    template = Path(__file__).with_suffix(".conf").read_text(encoding="utf-8")
    return _MARK.sub(lambda mark: values[mark[1]], template)


def _header(name: str) -> str:
    """Nginx keeps only some of what the page says beside a file: the rest is said again."""
    return f"add_header {name} $upstream_http_{name.lower().replace('-', '_')};"


def _plain(path: Path) -> str:
    if not _PLAIN_PATH.fullmatch(str(path)):
        raise ConfigError(f"{path} cannot be told to nginx", "use a path of letters, digits, and . _ - alone")
    return str(path)


def _sentences(key: str) -> str:
    """What happened and what to do, as nginx says it while the page cannot."""
    return f"{text(key)}\\n{text(f'{key}.do')}\\n".replace('"', "'").replace("$", "")
