"""What `sotto-clinic device add` asks of a box: one table, as `init` has one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from device.shapes import ShapeError
from provisioning.card.machine import Machine
from provisioning.clinic.questions import Question, words
from provisioning.errors import UsageError

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}")
_MICROPHONES: Final = ("card", "usb_path", "serial", "device", "simulated")
_CAMERAS: Final = ("picamera2", "disabled", "simulated")
_PANELS: Final = ("gpio", "simulated")


@dataclass(frozen=True, slots=True)
class BoxQuestion(Question):
    """A question about a box. ``values`` gives what the answer comes to, and refuses what is none."""

    def check(self, answer: str) -> None:
        self.values(answer)


def _host(answer: str) -> Mapping[str, Any]:
    if not _LABEL.fullmatch(answer):
        raise UsageError(f"{answer[:60]!r} is no host name", "small letters, digits and hyphens: room-3")
    return {"host_name": answer}


def _zone(answer: str) -> Mapping[str, Any]:
    if not _ZONE.fullmatch(answer):
        raise UsageError(f"{answer[:60]!r} is no time zone", "write it like Europe/Berlin")
    return {"timezone": answer}


def _address(answer: str) -> Mapping[str, Any]:
    wrong = UsageError(
        f"{answer[:60]!r} is no address with its length", "write it like 192.168.7.31/24, or leave it empty for DHCP"
    )
    if answer and "/" not in answer:
        raise wrong
    try:
        return {"address": str(ipaddress.ip_interface(answer)) if answer else ""}
    except ValueError as problem:
        raise wrong from problem


def _addresses(name: str, answer: str) -> Mapping[str, Any]:
    try:
        return {name: [str(ipaddress.ip_address(one)) for one in words(answer)]}
    except ValueError as problem:
        raise UsageError(f"{answer[:60]!r} is no address", "write it like 192.168.7.1") from problem


def _microphone(answer: str) -> Mapping[str, Any]:
    key, mark, value = answer.partition("=")
    if key not in _MICROPHONES or not mark or not value:
        raise UsageError(
            f"{answer[:60]!r} names no microphone", "card=Mic, usb_path=1-1.2 or serial=…: docs/configuration.md"
        )
    return {"microphone": (key, value)}


def _one_of(name: str, kinds: tuple[str, ...], answer: str) -> Mapping[str, Any]:
    if answer not in kinds:
        raise UsageError(f"{answer[:60]!r} is none", f"one of {', '.join(kinds)}")
    return {name: answer}


def _file(answer: str) -> Mapping[str, Any]:
    if answer and not Path(answer).is_file():
        raise UsageError(f"there is no file {answer[:200]}", "docs/clinic-server.md shows what has to be in it")
    return {"remote": Path(answer) if answer else None}


def questions_of(name: str) -> tuple[BoxQuestion, ...]:
    """The questions about a box of that name, in their order."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (
        BoxQuestion("host_name", "Host name", slug or None, _host),
        BoxQuestion("timezone", "Time zone of the room (like Europe/Berlin)", None, _zone),
        BoxQuestion("address", "Fixed address with its length (like 192.168.7.31/24; empty: by DHCP)", "", _address),
        BoxQuestion("gateway", "Gateway (where the address is fixed)", "", lambda a: _addresses("gateway", a)),
        BoxQuestion("dns", "Name servers (where the address is fixed)", "", lambda a: _addresses("dns", a)),
        BoxQuestion("microphone", "Microphone (card=…, usb_path=… or serial=…: docs/hardware.md)", None, _microphone),
        BoxQuestion(
            "camera", "Camera (picamera2; disabled: sound alone)", None, lambda a: _one_of("camera", _CAMERAS, a)
        ),
        BoxQuestion(
            "panel",
            "Buttons and lamps (gpio: as docs/hardware.md wires them)",
            "gpio",
            lambda a: _one_of("panel", _PANELS, a),
        ),
        BoxQuestion("remote", "File that says where the clinic's server is (empty: none yet)", "", _file),
    )


def values_of(name: str, answers: Mapping[str, str]) -> dict[str, Any]:
    """What all answers come to. Raises ``UsageError``: they do not go together."""
    values: dict[str, Any] = {}
    for question in questions_of(name):
        values |= question.values(answers[question.name])
    if bool(values["address"]) != bool(values["gateway"]):
        raise UsageError("address and gateway belong together", "give both, or none for DHCP")
    return values


def machine_of(values: Mapping[str, Any]) -> Machine:
    """The same as ``machine.toml`` has it. Raises ``UsageError``: address and gateway do not go together."""
    ethernet = None
    if values["address"]:
        ethernet = {"address": values["address"], "gateway": values["gateway"][0], "dns": tuple(values["dns"])}
    try:
        return Machine.model_validate(
            {"host_name": values["host_name"], "timezone": values["timezone"], "ethernet": ethernet}
        )
    except ShapeError as problem:
        raise UsageError(
            "the gateway is not in the network of that address", "give both again: --address and --gateway"
        ) from problem
