"""Builds the page's people of a box."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from device.audit_requests import note_by_capture
from device.config import Config
from device.devicekey import SECRET_BYTES, load_or_make_secret, published_fingerprint
from device.errors import AdminError
from device.people.database import Database
from device.people.from_clinic import FromClinic
from device.people.passwords import Passwords
from device.people.people import People
from device.web.front import Front

if TYPE_CHECKING:
    from device.people.keyring import Keyring

FORM_KEY_NAME: Final = "forms.key"


def people_of(config: Config) -> People:
    """The people of a box, from the page's own folder.

    Raises:
        AdminError: their database cannot be used.
    """
    database, passwords = Database(config.web.state), Passwords()
    return People(
        database,
        fingerprint=lambda: published_fingerprint(config.box.run),
        passwords=passwords,
        keyring=_keyring_of(config, database, passwords),
        first_admin=config.web.first_admin,
        from_clinic=_from_clinic(config, database),
    )


def _from_clinic(config: Config, database: Database) -> FromClinic | None:
    """What keeps the people as the clinic's list says, where the configuration names one."""
    key = config.recipients.clinic_key
    if config.people is None or key is None:
        return None
    return FromClinic(
        database,
        config.people.file,
        clinic_key=bytes.fromhex(key),
        box=config.box.name,
        note=lambda request: note_by_capture(request, config.box.run) is not None,
    )


def _keyring_of(config: Config, database: Database, passwords: Passwords) -> Keyring | None:
    """Passkeys, where the box has a DNS name: they are bound to it, and to no address (WebAuthn, "RP ID")."""
    nginx = config.web.nginx
    name = next((name for name in nginx.names if not _is_address(name)), None) if nginx is not None else None
    if name is None:
        return None
    from device.people.keyring import Keyring
    from device.people.passkeys import Site

    origin = Front((name,), config.web.port).address(server_port="").rstrip("/")
    return Keyring(database, passwords, site=Site(name, (origin,), config.box.name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def form_key_of(config: Config) -> bytes:
    """What signs the tokens of the page's forms: a form that is open while the page starts anew can still be sent.

    Raises:
        AdminError: it cannot be read or made.
    """
    secret = load_or_make_secret(config.web.state / FORM_KEY_NAME, called="the key of forms", named_by="web.state")
    if len(secret) != SECRET_BYTES:
        raise AdminError("the key of forms is damaged", f"remove {FORM_KEY_NAME} from the folder that web.state names")
    return secret
