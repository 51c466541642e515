"""People and their browsers in words. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from device.people.person import Person, Role
from device.web.texts import text

# The first that fits counts: each browser names the ones that it wants to be taken for, too.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser_text(user_agent: str) -> str:
    """A browser by the names that people know it by."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if browser and system:
        return text("account.browser", browser=browser, system=system)
    return browser or system or text("account.browser.unknown")


def moment_text(unix_s: float) -> str:
    """A moment by the clock on the wall."""
    moment = datetime.fromtimestamp(unix_s).astimezone()
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M}"


def roles_text(person: Person) -> str:
    """What somebody is, in the order in which people say it."""
    return ", ".join(text(f"role.{role}") for role in Role if role in person.roles)
