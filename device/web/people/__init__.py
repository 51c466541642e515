"""The pages about people: signing in, one's own account, and an admin's register."""

from __future__ import annotations

from typing import Final

from device.web.people.account import account
from device.web.people.joining import joining
from device.web.people.passkeys import passkeys
from device.web.people.persons import persons
from device.web.people.signing import signing

PEOPLE: Final = (signing, joining, account, persons, passkeys)
