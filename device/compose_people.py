"""Builds the page's people of a box."""

from __future__ import annotations

from device.config import Config
from device.devicekey import published_fingerprint
from device.people.database import Database
from device.people.people import People


def people_of(config: Config) -> People:
    """The people of a box, from the page's own folder.

    Raises:
        AdminError: their database cannot be used.
    """
    return People(Database(config.web.state), fingerprint=lambda: published_fingerprint(config.box.run))
