"""What an admin and a thief have together: the desk with its passphrase, the server, and the box's card. Nothing opens.

The whole card is searched for identities in age's letters. Where it is the box's own (its configuration, its state, its
journal) also for 32 secret bytes in every other way in which they could lie there; files of packages and of the stock
image, which all boxes have alike, are left out of that, and so is what comes after the first part of large files.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Final

from device.age.identities import parse_identity_file
from provisioning.desk import read_locked_key
from provisioning.locked import unlock
from tests.appliance.clinic_desk import SUPERVISOR, THERAPIST
from tests.appliance.way import Way
from tests.provisioning.clinics import PASSPHRASE
from tests.provisioning.test_admin_opens_nothing import Pile, tail

_IDENTITY: Final = re.compile(rb"AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+", re.IGNORECASE)
_OWN: Final = ("boot", "etc", "home", "root", "var/lib", "var/log")
_PACKAGES: Final = ("var/lib/dpkg", "var/lib/apt", "etc/ssl")
_MOST_BYTES: Final = 8 << 10
_DATA: Final = "3"  # what the box keeps


def loot_of(way: Way) -> Pile:
    """All of it together."""
    disk, stock = way.home / "disk", way.built / "stock-base"
    way.card.take_out(disk)
    loot = Pile(way.desk.folder, way.home / "server")
    for name, data in way.card.boot_files().items():
        assert not name.startswith("sotto/"), f"{name} is still on the boot partition"
        loot.add(data[:_MOST_BYTES])
    for path in (one for one in disk.rglob("*") if one.is_file() and not one.is_symlink()):
        data, (partition, *parts) = path.read_bytes(), path.relative_to(disk).parts
        name = "/".join(parts)
        is_system = not name.startswith(_OWN) or name.startswith(_PACKAGES) or _is_same(data, stock / name)
        if partition == _DATA or not is_system:
            loot.files.append(path)
            loot.add(data[:_MOST_BYTES])
        else:
            loot.add(b"\n".join(_IDENTITY.findall(data)))
    key = (way.desk.folder / "ca.key.age").read_text()
    authority = unlock(key, PASSPHRASE, what="the authority").splitlines()[1:-1]
    loot.add(base64.b64decode(b"".join(authority)))
    loot.add(read_locked_key(way.desk.folder, PASSPHRASE).private_bytes_raw())
    return loot


def wanted_of(way: Way) -> set[bytes]:
    """The public keys of all for whom the recording opens."""
    keys = [way.desk.identity(login).read_text() for login in (THERAPIST, SUPERVISOR)]
    recipients = [str(one.recipient()) for key in keys for one in parse_identity_file(key)]
    recovery = (way.home / "papers" / "recovery.recipient").read_text().split()
    return {tail(one) for one in (*recipients, *(word for word in recovery if word.startswith("age1")))}


def _is_same(data: bytes, path: Path) -> bool:
    return path.is_file() and path.read_bytes() == data
