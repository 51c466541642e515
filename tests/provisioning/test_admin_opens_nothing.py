"""The admin's folder with its passphrase, and every file of a box together: not one recording opens.

A box runs as it is, by its own program, with the roster that the clinic signed. Then all that an admin or a thief
of both could find is searched for a key, in every way in which one could lie there; and the search finds one that is
put there, so that it would.
"""

from __future__ import annotations

import base64
import hashlib
import re
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from device.age.identities import (
    HybridIdentity,
    KeyIdentity,
    X25519Identity,
    generate_identity,
    parse_identity,
    parse_identity_file,
)
from device.age.recipients import parse_recipient
from device.audit import newest_entries
from device.naming_requests import OnDuty, ask_naming
from device.recording import SESSION_NAME
from device.recording.chain import AUDIT_NAME
from device.words import Button
from provisioning.desk import read_locked_key
from provisioning.locked import unlock
from tests.provisioning.boxes import call
from tests.provisioning.clinics import PASSPHRASE
from tests.provisioning.folders import Admin
from tests.provisioning.test_recovery_shares import typed
from tests.support import own_open
from tests.test_cli import capture, config, finger, until

__all__ = ["config"]  # a box with a simulated room

MOST_SEALED_BYTES = 8 << 10  # of a sealed file: its header is within it, and what follows are random bytes
RECIPIENTS = re.compile(r"\[recipients\]\nkeys = .*\n")
SEED_BYTES = 32


class Pile:
    """All that lies in some folders, and what the admin's passphrase unlocks of it."""

    def __init__(self, *folders: Path) -> None:
        self.files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
        self.contents = [
            path.read_bytes()[: MOST_SEALED_BYTES if path.name == SESSION_NAME else None] for path in self.files
        ]

    def add(self, content: bytes) -> None:
        self.contents.append(content)

    def seeds(self) -> Iterator[bytes]:
        """Whatever could be 32 secret bytes: as they are, in hex, in base64, as an age identity, whatever is around."""
        for content in self.contents:
            for token in re.findall(rb"[0-9A-Fa-f]{64,}", content):
                yield from windows(bytes.fromhex(token[: len(token) // 2 * 2].decode()))
            for token in re.findall(rb"[A-Za-z0-9+/]{43,}", content):
                if not token.startswith(b"age1"):  # a public key in letters of another code
                    yield from windows(base64.b64decode(token[: len(token) - (len(token) % 4 == 1)] + b"=="))
            if not content.isascii():
                yield from windows(content)

    def identities(self) -> Iterator[KeyIdentity]:
        for content in self.contents:
            for text in re.findall(rb"AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+", content.upper()):
                yield parse_identity(text.decode())

    def opener(self, wanted: set[bytes]) -> KeyIdentity | None:
        """An identity out of this pile that opens for one of the wanted, which are the ends of their public keys."""
        for found in self.identities():
            if tail(str(found.recipient())) in wanted:
                return found
        for seed in dict.fromkeys(self.seeds()):
            if public(seed) in wanted:
                return X25519Identity(seed)
            if public(hashlib.shake_256(seed).digest(96)[64:]) in wanted:
                return HybridIdentity(seed)
        return None


def windows(content: bytes) -> Iterator[bytes]:
    for at in range(len(content) - SEED_BYTES + 1):
        yield content[at : at + SEED_BYTES]


def public(secret: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def tail(recipient: str) -> bytes:
    """The X25519 half of a recipient: both kinds end with it."""
    return parse_recipient(recipient).public_key[-32:]


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    home = tmp_path / "desk"
    home.mkdir()
    return Admin(home, policy="supervised", rooms="Demo")


def on_the_box(admin: Admin, config: Path) -> None:
    """What the admin puts there: the roster, and the key that it is signed by."""
    (config.parent / "roster.json").write_bytes(admin.folder.roster.read_bytes())
    key = admin.folder.public.read_text().strip()
    named = f'[recipients]\nroster = "{config.parent}/roster.json"\nclinic_key = "{key}"\n'
    text, count = RECIPIENTS.subn(named, config.read_text())
    assert count == 1
    config.write_text(re.sub(r'(\[box\]\nname = )".*"', r'\1"Demo"', text))


def record(config: Path, therapist: str) -> Path:
    run = config.parent / "run"
    with capture(config) as program:
        until(program, run, "idle")
        ask_naming(OnDuty(by=therapist, therapist=therapist, for_s=3600), run)
        finger(run, Button.CONSENT)
        until(program, run, "armed")
        finger(run, Button.RECORD)
        until(program, run, "recording")
        for _ in range(600):
            if list((config.parent / "store").glob("0*/session.mp4.age")):
                break
            select.select([], [], [], 0.05)
        finger(run, Button.RECORD)
        until(program, run, "kept")
    (sealed,) = (config.parent / "store").glob("0*/session.mp4.age")
    return sealed


def test_the_admins_folder_and_every_file_of_the_box_open_nothing(admin: Admin, config: Path, tmp_path: Path) -> None:
    anna, ben = (generate_identity(post_quantum=True) for _ in range(2))
    papers = tmp_path / "elsewhere"  # the other machine
    assert call("recovery", "new", "--shares", 3, "--need", 2, "-o", papers).code == 0
    admin.has("anna", anna.recipient(), "--mark", "a" * 12)
    admin.has("ben", ben.recipient(), "--mark", "b" * 12, "--supervises", "anna", role="supervisor")
    assert admin.does("recovery", "set", admin.folder.path, papers / "recovery.recipient").code == 0
    on_the_box(admin, config)
    sealed = record(config, "a" * 12)

    # Those who are to open it do.
    key = tmp_path / "joined.key"
    shares = [word for path in typed(papers, 1, 3) for word in ("--share", path)]
    assert call("recovery", "join", *shares, "-o", key).code == 0
    (recovery,) = parse_identity_file(key.read_text())
    assert len({own_open(sealed, one)[:12] for one in (anna, ben, recovery)}) == 1
    (taken,) = [one for one in newest_entries(config.parent / "store" / AUDIT_NAME) if one["what"] == "roster taken"]
    assert len(taken["facts"]["added"]) == 3

    # The admin and a thief of the box together do not.
    box = [config.parent / name for name in ("store", "run")]
    pile = Pile(admin.home, *box)
    for path in [config, *config.parent.glob("*.json"), *config.parent.glob("*.key")]:
        if path != key:
            pile.add(path.read_bytes())
    pile.add(read_locked_key(admin.folder.path, PASSPHRASE).private_bytes_raw())
    authority = unlock(admin.folder.ca_key.read_text(), PASSPHRASE, what="it")
    pile.add(base64.b64decode(b"".join(authority.splitlines()[1:-1])))
    names = {path.name for path in pile.files}
    assert {"clinic.toml", "clinic.key.age", "ca.key.age", "session.mp4.age", "manifest.json", "roster.json"} <= names
    wanted = {tail(str(one.recipient())) for one in (anna, ben, recovery)}
    assert pile.opener(wanted) is None


def test_the_search_finds_a_key_however_it_lies_there() -> None:
    seed = hashlib.sha256(b"a seed for the control").digest()
    control = {public(seed)}, {tail(str(HybridIdentity(seed).recipient()))}
    for hidden in (b"\0\1" + seed + b"\2", base64.b64encode(seed), seed.hex().encode()):
        for of in control:
            assert found_in(hidden, of)
    text = HybridIdentity(seed).secret_text().encode()
    assert found_in(b"# kept by mistake\n" + text.lower() + b"\n", control[1])


def found_in(content: bytes, wanted: set[bytes]) -> bool:
    pile = Pile()
    pile.add(content)
    return pile.opener(wanted) is not None
