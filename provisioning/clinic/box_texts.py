"""The two files of a box's folder that are made of the clinic's: ``sotto.toml`` and ``machine.toml``; pure.

What is written is read by the box's own configuration before it is kept, so that a card with it starts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from device.config import AnyRemote, S3Remote, SftpRemote, parse_config
from provisioning.card.machine import Machine
from provisioning.clinic.people_lists import has_admin
from provisioning.clinic_file import ClinicFile
from provisioning.errors import UsageError
from provisioning.papers.kept_texts import KeptText

CERTIFICATES: Final = "certificates"
PAGE_KEY: Final = "tls/page.key"
AUTHORITY: Final = "ca.crt"
ROSTER: Final = "roster.json"
PEOPLE: Final = "people.json"
FIRST_ADMIN: Final = "first-admin"
REMOTE_KEY: Final = "remote.key"
REMOTE_CREDENTIALS: Final = "remote.toml"
REMOTE_CA: Final = "remote-ca.pem"
_ETC: Final = "/etc/sotto"
_HEAD: Final = (
    "# A box, made of the clinic's folder by `sotto-clinic device add`; docs/configuration.md says what it may hold.\n"
)
# As docs/hardware.md wires them.
_GPIO: Final[Mapping[str, Any]] = {
    "driver": "gpio",
    "consent": 17,
    "record": 27,
    "room_light": 22,
    "consent_lamp": [5, 6, 13],
    "record_lamp": [16, 26, 12],
    "sounder": 24,
}


def sotto_toml(
    book: ClinicFile,
    *,
    box: str,
    room: str,
    clinic_key: bytes,
    names: tuple[str, ...],
    values: Mapping[str, Any],
    remote: AnyRemote | None,
    remote_user: str | None,
    consent: KeptText,
) -> str:
    """The box's configuration. ``names``: those that it goes by; ``remote``: where the clinic's server is.

    ``consent``: the text that the clinic's clients are given to read.

    Raises:
        ConfigError: a box would not take it.
        UsageError: the clinic's name is no name at a remote.
    """
    key, value = values["microphone"]
    microphone = {"driver": "simulated", "wav": value} if key == "simulated" else {"driver": "alsa", key: value}
    sections: dict[str, Mapping[str, Any]] = {
        "box": {"name": room, "device_key": "/var/lib/sotto/device.key", "run": "/run/sotto"},
        "store": {"path": "/var/lib/sotto/store"},
        "recipients": {"roster": f"{_ETC}/{ROSTER}", "clinic_key": clinic_key.hex()},
        "consent": {"text_version": consent.version, "text_sha256": consent.sha256},
        "microphone": microphone,
        "camera": {"driver": values["camera"]},
        "panel": _GPIO if values["panel"] == "gpio" else {"driver": "simulated"},
        "web": {"state": "/var/lib/sotto-web", "port": 443, "first_admin": f"{_ETC}/{FIRST_ADMIN}"},
        "web.nginx": {
            "names": list(names),
            "certificate": f"{_ETC}/{CERTIFICATES}",
            "key": f"{_ETC}/{PAGE_KEY}",
            "authority": f"{_ETC}/{AUTHORITY}",
            "socket": "/run/sotto-web/page.sock",
        },
    }
    sections["orders"] = {"spool": "/var/lib/sotto-web/orders", "state": "/var/lib/sotto-apply"}
    if has_admin(book):  # else the folder signs no list yet, and the first admin makes people on the page
        sections["people"] = {"file": f"{_ETC}/{PEOPLE}"}
    if book.policy is not None and book.policy.keep_days is not None:
        sections["retention"] = {"keep_days": book.policy.keep_days}
    if remote is not None:
        sections["remote"] = _remote(remote, clinic=slug_of(book.name or ""), box=box, user=remote_user)
        sections["sync"] = {"state": "/var/lib/sotto-sync"}
    text = _HEAD + "".join(_lines(sections))
    parse_config(text)
    return text


def machine_toml(machine: Machine) -> str:
    """The machine's name and network."""
    said = machine.model_dump(mode="json", exclude_none=True)
    head = {name: value for name, value in said.items() if not isinstance(value, dict)}
    tables = {name: value for name, value in said.items() if isinstance(value, dict)}
    return "".join([*(f"{name} = {json.dumps(value)}\n" for name, value in head.items()), *_lines(tables)])


def slug_of(name: str) -> str:
    """A name as every server can hold it. Raises ``UsageError``: nothing is left of it."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    if not slug:
        raise UsageError(
            "the clinic's name has no letters that a server could hold", "give `clinic` in the remote's file"
        )
    return slug


def _remote(remote: AnyRemote, *, clinic: str, box: str, user: str | None) -> dict[str, Any]:
    """The clinic's server as this box has it: its own place and account there; its secrets come with the card."""
    said = remote.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    said |= {"driver": remote.driver, "room": box, "clinic": clinic if remote.clinic == "-" else remote.clinic}
    said["name"] = "clinic" if remote.name == "remote" else remote.name
    if isinstance(remote, SftpRemote):
        said |= {"user": user or box, "key": f"{_ETC}/{REMOTE_KEY}"}
    if isinstance(remote, S3Remote):
        said["credentials"] = f"{_ETC}/{REMOTE_CREDENTIALS}"
        if remote.ca is not None:
            said["ca"] = f"{_ETC}/{REMOTE_CA}"
    return said


def _lines(sections: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, values in sections.items():
        yield f"\n[{name}]\n"
        yield from (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
