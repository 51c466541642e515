"""How nginx serves the page: its whole configuration, made from ours; pure, but for the template beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import ConfigError
from device.web.cors import ANY_ORIGIN, READABLE
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


# Who shows a certificate has to have one of the clinic's authority that is for clients: those of boxes are for servers
# alone, and OpenSSL refuses them here (X509_PURPOSE_SSL_CLIENT). Nobody else is kept out of anything but /fleet/.
_DESK_TLS: Final = """\
# The clinic's desk shows a certificate of its own; browsers need none.
        ssl_client_certificate {ca};
        ssl_verify_client optional;
        ssl_verify_depth 1;"""
_DESK: Final = """
        # For the clinic's desk alone.
        location /fleet/ {
            if ($ssl_client_verify != SUCCESS) {
                return 403;
            }
            proxy_pass http://page;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Sotto-Desk $ssl_client_verify;
            proxy_connect_timeout 5s;
            proxy_read_timeout 60s;
        }
"""
_NO_DESK: Final = """
        location /fleet/ {
            return 403;
        }
"""


@dataclass(frozen=True, slots=True)
class Places:
    """What nginx has to find. ``run``: a folder of its own. ``clinic_ca``: by whom the desk's certificate is issued."""

    store: Path
    socket: Path
    run: Path
    certificate: Path
    key: Path
    clinic_ca: Path | None = None


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
        "HEADERS": "\n            ".join(_header(name) for name in (*HEADERS, ANY_ORIGIN, READABLE)),
        "DESK_TLS": "" if places.clinic_ca is None else _DESK_TLS.format(ca=_plain(places.clinic_ca)),
        "DESK": _NO_DESK if places.clinic_ca is None else _DESK,
        "SLOWER": _sentences(text("nginx.429"), text("nginx.429.do")),
        "AWAY": _sentences(text("nginx.503"), text("nginx.503.do")),
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


def _sentences(what: str, hint: str) -> str:
    """What happened and what to do, as nginx says it while the page cannot."""
    return f"{what}\\n{hint}\\n".replace('"', "'").replace("$", "")
