"""Boxes that a clinic's desk reaches: the page and what is for the desk, behind a real nginx."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from device.store import StoreReader
from device.web.fleet.app import beside, create_fleet_app
from device.web.front import Front
from provisioning.clinic.authority import authority_certificate, authority_key, issue, network_of, new_authority_key
from provisioning.clinic.folder import Folder
from provisioning.fleet.key import issue_desk, unlock_ca
from tests.front.nginx_server import HOST, Nginx, nginx, page_at
from tests.web.conftest import Box


class ClinicCa:
    """The clinic's authority as `sotto-clinic init` makes it, for addresses of this computer."""

    def __init__(self, folder: Folder | None = None, passphrase: str = "") -> None:
        """``folder``: whose it is; none: a new one."""
        if folder is not None:
            self.key, self.pem = unlock_ca(folder, passphrase), folder.ca.read_bytes()
            return
        self.key = authority_key(new_authority_key())
        self.pem = authority_certificate(
            self.key,
            clinic="Practice",
            domains=["example"],
            networks=[network_of("127.0.0.0/8")],
            now=datetime.now(UTC),
        )

    def issue(self, *names: str) -> bytes:
        """Of a box: key and certificate (as ``tests.remote.certificates.Authority``)."""
        key = ec.generate_private_key(ec.SECP256R1())
        dns = [name for name in names if not name[0].isdigit()]
        addresses = [ipaddress.ip_address(name) for name in names if name[0].isdigit()]
        pem = issue(
            self.pem, self.key, names=dns, addresses=addresses, public_key=key.public_key(), now=datetime.now(UTC)
        )
        return _pem(key) + pem

    def desk(self, *, days: int = 30, ago: timedelta = timedelta()) -> bytes:
        """Of a desk: key and certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = issue_desk(self.pem, self.key, public_key=key.public_key(), now=datetime.now(UTC) - ago, days=days)
        return _pem(key) + made


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass
class Reached:
    """A box behind nginx at an address of its own."""

    nginx: Nginx
    spool: Path
    state: Path
    ca: ClinicCa
    host: str = HOST

    @property
    def address(self) -> str:
        return f"https://{self.host}:{self.nginx.port}"

    def asks(
        self, path: str, shown: bytes | None, *, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """What whoever shows that certificate is answered; 0 where TLS already ends."""
        self.nginx.trust = ssl.create_default_context(cadata=self.ca.pem.decode())
        with tempfile.NamedTemporaryFile() as file:
            if shown is not None:
                file.write(shown)
                file.flush()
                self.nginx.trust.load_cert_chain(file.name)
            try:
                status, _, said = self.nginx.ask(path, method=method, body=body, **headers)
            except (ssl.SSLError, ConnectionError):
                return 0, b""
        return status, said


@contextmanager
def reached(
    box: Box, ca: ClinicCa, *, host: str = HOST, name: str | None = None, own: Path | None = None
) -> Iterator[Reached]:
    """That box at an address of this computer. ``own``: the folder with its spool and state."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        given = socket.create_server((host, 0))
        front = Front((host,), given.getsockname()[1])
        spool, state = (own or folder) / "spool", (own or folder) / "state"
        state.mkdir(exist_ok=True)
        (folder / "ca.crt").write_bytes(ca.pem)
        desk = create_fleet_app(
            store=StoreReader(box.store.path),
            run=box.run,
            box=name or box.name,
            front=front,
            certificate=folder / "page.pem",
            spool=spool,
            state=state,
        )
        page = folder / "page.sock"
        ends.enter_context(page_at(page, beside(box.app(room=False, front=front), desk)))
        started = ends.enter_context(
            nginx(
                folder,
                ca,
                store=box.store.path,
                page=page,
                listening=given,
                host=host,
                clinic_ca=folder / "ca.crt",
            )
        )
        yield Reached(started, spool, state, ca, host)
