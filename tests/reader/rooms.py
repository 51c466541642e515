"""A box as the reader meets it: a store of real recordings, an audit log, people with keys, and the page."""

from __future__ import annotations

import base64
import io
import json
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import KeyIdentity
from device.age.passphrase import PassphraseRecipient
from device.age.sealing import encrypt
from device.people.database import Database
from device.people.passwords import Passwords
from device.people.people import People
from device.people.person import Person, Role
from device.recording.chain import AUDIT_NAME
from device.recording.signing import fingerprint
from device.store import Store
from device.web.front import Front
from tests.front.nginx_server import HOST, nginx, page_at
from tests.remote.certificates import Authority
from tests.web.conftest import Box, audited
from tests.web.test_serve import serving

PASSPHRASE = "correct horse battery staple"  # noqa: S105  # of kits that are made here
MARK = "7e7a9157a000"
LOGIN = "ada"


@dataclass
class Room:
    """``address``: an origin. ``key``: the fingerprint by which the box is known."""

    address: str
    key: str
    box: Box
    name: str = "room-3"

    @property
    def place(self) -> dict[str, str]:
        """Its part of a kit."""
        return {"name": self.name, "address": self.address, "device_key": self.key}


def locked(text: str, passphrase: str = PASSPHRASE) -> str:
    """A text sealed by passphrase, as armored age; the passphrase costs little to stretch here."""
    sealed = io.BytesIO()
    encrypt(io.BytesIO(text.encode()), sealed, [PassphraseRecipient(passphrase, log_n=10)])
    letters = base64.b64encode(sealed.getvalue()).decode()
    lines = [letters[at : at + 64] for at in range(0, len(letters), 64)]
    return "\n".join(["-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""])


def kit_of(identity: KeyIdentity, places: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    """A kit for Ada, whose identity that is (docs/kit.md)."""
    person = {
        "mark": MARK,
        "login": LOGIN,
        "name": "Ada",
        "roles": ["therapist"],
        "recipient": str(identity.recipient()),
    }
    secret = f"# created for a test\n{identity.secret_text()}\n"
    return {"sotto_kit": 1, "person": person, "identity": locked(secret), "boxes": places, "people": [], **more}


def write_kit(folder: Path, kit: dict[str, Any]) -> Path:
    """The kit as a file."""
    path = folder / "ada.kit.json"
    path.write_text(json.dumps(kit), encoding="utf-8")
    return path


@contextmanager
def box_of(store: Path, device_key: Ed25519PrivateKey, identity: KeyIdentity) -> Iterator[Box]:
    """What stands behind the page: the store, its audit log, and Ada, who has that identity."""
    key = fingerprint(device_key.public_key().public_bytes_raw())
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        database = Database(folder)
        ends.callback(database.close)
        people = People(database, fingerprint=lambda: key, passwords=Passwords(memory_kib=8, passes=1))
        people.put(Person(MARK, LOGIN, "Ada", frozenset({Role.THERAPIST}), recipient=str(identity.recipient())))
        (run := folder / "run").mkdir()
        box = Box(Store(store, device_key=device_key), run, store / AUDIT_NAME, people, name="Room 3")
        ends.enter_context(audited(box))
        yield box


@contextmanager
def room(store: Path, device_key: Ed25519PrivateKey, identity: KeyIdentity) -> Iterator[Room]:
    """A box that answers by plain http on this computer."""
    with box_of(store, device_key, identity) as box, serving(box) as address:
        yield Room(address.rstrip("/"), fingerprint(device_key.public_key().public_bytes_raw()), box)


@contextmanager
def room_by_tls(
    store: Path,
    device_key: Ed25519PrivateKey,
    identity: KeyIdentity,
    *,
    between: Callable[[int], Any],
    authority: Authority | None = None,
) -> Iterator[Room]:
    """A box behind its nginx; ``between(port)`` gives a context whose value is the port that browsers get to."""
    with ExitStack() as ends:
        box = ends.enter_context(box_of(store, device_key, identity))
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        given = socket.create_server((HOST, 0))
        port = ends.enter_context(between(given.getsockname()[1]))
        app = box.app(room=False, front=Front((HOST,), port))
        ends.enter_context(page_at(folder / "page.sock", app))
        ends.enter_context(
            nginx(folder, authority or Authority(), store=store, page=folder / "page.sock", listening=given)
        )
        key = fingerprint(device_key.public_key().public_bytes_raw())
        yield Room(f"https://{HOST}:{port}", key, box)
