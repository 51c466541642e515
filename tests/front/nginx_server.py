"""A real nginx with the configuration of ``sotto nginx``, started as systemd does it: on a socket that it is given."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from device.web.nginx import Places, nginx_config
from device.web.serve import PageServer, listen_for_nginx
from tests.remote.certificates import Authority, apart

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
NAME = "room-3.practice.example"
PATIENCE_S = 30.0
FETCHED = ROOT / ".cache/nginx/usr/sbin"


def nginx_program() -> str:
    """nginx, as the system has it or as it was fetched."""
    found = shutil.which("nginx", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin", str(FETCHED)]))
    if found is None:
        pytest.fail("there is no nginx; run tests/tools/fetch-nginx first")
    return found


@dataclass
class Nginx:
    """A running nginx. ``trust``: what a browser of the clinic trusts."""

    port: int
    run: Path
    trust: ssl.SSLContext
    process: subprocess.Popen[bytes]
    host: str = HOST

    @property
    def netloc(self) -> str:
        return f"{self.host}:{self.port}"

    @contextmanager
    def talking(self, *, source: str = HOST, timeout_s: float = PATIENCE_S) -> Iterator[http.client.HTTPSConnection]:
        """A connection; from ``source``, one of this computer's many loopback addresses."""
        connection = http.client.HTTPSConnection(
            self.host, self.port, context=self.trust, timeout=timeout_s, source_address=(source, 0)
        )
        try:
            yield connection
        finally:
            connection.close()

    def ask(
        self, path: str, *, method: str = "GET", source: str = HOST, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status, headers by lower-case name, body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.talking(source=source) as connection:
            connection.request(method, path, body=body, headers=named)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def workers(self) -> list[int]:
        """The processes that answer."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]


@contextmanager
def nginx(
    folder: Path,
    authority: Authority,
    *,
    store: Path,
    page: Path,
    listening: socket.socket | None = None,
    change: Callable[[str], str] = str,
    host: str = HOST,
    clinic_ca: Path | None = None,
) -> Iterator[Nginx]:
    """nginx in front of the page whose socket is ``page``; ``folder`` is its own. It ends with this.

    ``change``: what a test makes of its configuration.
    """
    with listening or socket.create_server((host, 0)) as given, (folder / "said").open("wb") as said:
        port = int(given.getsockname()[1])
        pem, key = folder / "page.pem", folder / "page.key"
        for path, data in zip((pem, key), apart(authority.issue(NAME, host)), strict=True):
            path.write_bytes(data)
        places = Places(store=store, socket=page, run=folder, certificate=pem, key=key, clinic_ca=clinic_ca)
        config = folder / "nginx.conf"
        config.write_text(change(nginx_config(places, port=port, address=host)))
        # Who may read the tests' folders: where they run as root, its workers would be nobody.
        more = ["-g", "user root;"] if os.geteuid() == 0 else []
        process = subprocess.Popen(
            [nginx_program(), "-e", "stderr", "-p", str(folder), "-c", str(config), *more],
            env={**os.environ, "NGINX": f"{given.fileno()};"},
            pass_fds=[given.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    made = Nginx(port, folder, ssl.create_default_context(cadata=authority.pem.decode()), process, host)
    try:
        _wait(made)
        yield made
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _wait(made: Nginx) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        assert made.process.poll() is None, (made.run / "said").read_text()
        with suppress(OSError), socket.create_connection((made.host, made.port), timeout=PATIENCE_S) as plain:
            made.trust.wrap_socket(plain, server_hostname=made.host).close()
            return
        assert time.monotonic() < until_s, (made.run / "said").read_text()


@contextmanager
def page_at(path: Path, app: Flask | Any) -> Iterator[PageServer]:
    """The page on its socket, as nginx finds it."""
    server = PageServer(app, listen_for_nginx(path))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()
