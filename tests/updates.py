"""A box that changes its version, without a machine: its disk, its links and its orders are real, systemd is not.

``SimulatedBox`` keeps to what ``device.updating_settle.Box`` promises; ``tests/deb/test_deb_update.py`` does the same
with systemd, mounts and kills in a Debian that boots.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.orders import Order, member_of, packed, sign_order
from device.updating import FACTS_NAME, Facts, Here, Offer, version_of
from device.updating_shelf import CURRENT_NAME, NOW_NAME, VersionShelf
from device.updating_trial import Health, Patience, Seen

CLINIC = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CLINIC_PUBLIC = CLINIC.public_key().public_bytes_raw()
BOX = "Room 3"
OWN = "0.1.0"  # the package's version
AT_ONCE = Patience(quiet_us=0, well_us=1_000_000, most_us=60_000_000)


def facts_of(version: str, **changes: object) -> Facts:
    plain = {"version": version, "machine": "arm64", "python": "3.13", "debian": "13", "frame": 1}
    return Facts.model_validate({**plain, **changes})


def image_of(version: str, size_bytes: int = 3000) -> bytes:
    """What stands for a version's image: bytes that no other version has."""
    return hashlib.shake_256(version.encode()).digest(size_bytes)


def offer_of(version: str, *, order: int, image: bytes | None = None) -> tuple[Offer, bytes]:
    image = image_of(version) if image is None else image
    return Offer(order, facts_of(version), len(image), hashlib.sha256(image).hexdigest()), image


def order_of(
    version: str, *, number: int, key: Ed25519PrivateKey = CLINIC, box: str = BOX, image: bytes | None = None
) -> bytes:
    """An order as the clinic's desk makes it."""
    facts = facts_of(version)
    contents = {
        FACTS_NAME: facts.model_dump_json().encode(),
        facts.image: image_of(version) if image is None else image,
    }
    members = tuple(member_of(name, [content]) for name, content in contents.items())
    order = Order(number=number, boxes=(box,), made="2026-03-02T10:00:00Z", what="update", files=members)
    pieces = [[content] for content in contents.values()]
    return b"".join(packed(sign_order(order, key), zip(members, pieces, strict=True)))


@dataclass
class SimulatedBox:
    """A machine. ``sick``: versions that are not well, and the word of it; ``then``: done each time it is looked at."""

    shelf: VersionShelf
    sick: dict[str, str] = field(default_factory=dict)
    state: str = "idle"
    runs: str = OWN
    changed: list[str] = field(default_factory=list)
    then: Callable[[], None] = lambda: None

    def here(self) -> Here:
        return Here(machine="arm64", python="3.13", debian="13", frame=1, newest=self.runs)

    def seen(self) -> Seen:
        self.then()
        return Seen(self.state)

    def health(self) -> Health:
        self.then()
        wrong = self.sick.get(self.runs)
        units = {"sotto-web.service": "failed" if wrong == "unit" else "active"}
        return Health(self.runs, units, restarts=0, seen=Seen(self.state), page_answers=wrong != "page")

    def change_over(self, link: Callable[[], None]) -> None:
        link()
        self.runs = runs(self.shelf)
        self.changed.append(self.runs)


def runs(shelf: VersionShelf) -> str:
    """Which version is mounted: what the link in memory names, else the package's."""
    image = shelf.now()
    return OWN if image is None else str(version_of(image))


def shelf_in(folder: Path) -> VersionShelf:
    """The shelf of a box that has just started, on the disk in ``folder``."""
    disk, memory = folder / "versions", folder / "run"
    for one in (disk, memory):
        one.mkdir(parents=True, exist_ok=True)
    started(disk, memory)
    return VersionShelf(disk, memory)


def started(disk: Path, memory: Path) -> None:
    """What systemd-tmpfiles does at each start of the machine (``deb/box/usr/lib/tmpfiles.d/sotto-versions.conf``)."""
    (memory / NOW_NAME).unlink(missing_ok=True)
    (memory / NOW_NAME).symlink_to(disk / CURRENT_NAME)
