"""Builds the page's people of a box."""

from __future__ import annotations

from typing import Final

from device.config import Config
from device.devicekey import SECRET_BYTES, load_or_make_secret, published_fingerprint
from device.errors import AdminError
from device.people.database import Database
from device.people.people import People

FORM_KEY_NAME: Final = "forms.key"


def people_of(config: Config) -> People:
    """The people of a box, from the page's own folder.

    Raises:
        AdminError: their database cannot be used.
    """
    return People(Database(config.web.state), fingerprint=lambda: published_fingerprint(config.box.run))


def form_key_of(config: Config) -> bytes:
    """What signs the tokens of the page's forms: a form that is open while the page starts anew can still be sent.

    Raises:
        AdminError: it cannot be read or made.
    """
    secret = load_or_make_secret(config.web.state / FORM_KEY_NAME, called="the key of forms", named_by="web.state")
    if len(secret) != SECRET_BYTES:
        raise AdminError("the key of forms is damaged", f"remove {FORM_KEY_NAME} from the folder that web.state names")
    return secret
