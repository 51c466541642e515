"""The clinic's end of the way: the admin's desk and its people's own computers, with the real ``sotto-clinic``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from tests.appliance.build import ARCH, ROOT
from tests.appliance.clinic_server import ClinicServer
from tests.appliance.hardware import Microphone
from tests.appliance.journey import Journey
from tests.appliance.network import BOX, DESK, NETWORK, Wire
from tests.provisioning.clinics import PASSPHRASE

ROOM: Final = "room-3"
NAME: Final = f"{ROOM}.practice.internal"
THERAPIST, SUPERVISOR = "tom", "sue"
# The microphone's other end is the first device of its card, so that its own is the second.
_BOX: Final = {
    "timezone": "Europe/Berlin",
    "address": f"{BOX}/24",
    "gateway": DESK,
    "dns": DESK,
    "microphone": f"device={Microphone.DEVICE}",
    "camera": "disabled",
    "panel": "gpio",
}


class ClinicDesk:
    """The admin's desk, in ``home``; its people's identities lie beside it, each of them on a computer of their own."""

    def __init__(self, home: Path, journey: Journey, wire: Wire) -> None:
        self.home = home
        self.folder = home / "clinic"
        self._journey = journey
        self._wire = wire
        self._passphrase = home / "passphrase"
        self._passphrase.write_text(f"{PASSPHRASE}\n")

    def sotto_clinic(self, *words: object, locked: bool = False) -> str:
        """The admin's or somebody's command, in the clinic's network; what it said."""
        more = ["--passphrase-file", self._passphrase] if locked else []
        command = ["sotto-clinic", *map(str, [*words, *more])]
        program = str(Path(sys.executable).with_name("sotto-clinic"))
        within = (*self._wire.at_desk, "env", f"PATH={Path(program).parent}:/usr/bin:/bin")
        return self._journey.run(command, within=within, shown={f"{self.home}/": "", f"{ROOT}/": ""})

    def identity(self, login: str) -> Path:
        """What somebody keeps to themselves, on a computer of their own."""
        return self.home / f"{login}.key"

    def found_clinic(self) -> None:
        """A clinic that has nobody yet."""
        answers = {"name": "Practice", "policy": "supervised", "languages": "en", "keep-days": "30"}
        answers |= {"withdrawal-days": "", "rooms": ROOM, "domains": "practice.internal, local", "networks": NETWORK}
        options = [word for name, answer in answers.items() for word in (f"--{name}", answer)]
        self.sotto_clinic("init", self.folder, *options, locked=True)

    def set_recovery(self) -> None:
        """The papers are made on another machine; only the recipient comes here."""
        papers = self.home / "papers"
        self.sotto_clinic("recovery", "new", "--shares", 3, "--need", 2, "-o", papers)
        self.sotto_clinic("recovery", "set", self.folder, papers / "recovery.recipient", locked=True)

    def take_in_people(self) -> None:
        """A therapist, and who supervises them; each made the identity where nobody else sees it."""
        add = ("person", "add", self.folder)
        for login in (THERAPIST, SUPERVISOR):
            self.sotto_clinic("key", "new", "-o", self.identity(login))
            recipient = self.home / f"{login}.recipient"
            recipient.write_text(self.sotto_clinic("key", "recipient", self.identity(login)))
        tom = ("--name", "Tom", "--role", "therapist", "--recipient", self.home / f"{THERAPIST}.recipient")
        sue = ("--name", "Sue", "--role", "supervisor", "--recipient", self.home / f"{SUPERVISOR}.recipient")
        self.sotto_clinic(*add, THERAPIST, *tom, locked=True)
        self.sotto_clinic(*add, SUPERVISOR, *sue, "--supervises", THERAPIST, locked=True)

    def add_box(self, server: ClinicServer) -> None:
        """The room gets a box: its folder, which holds no secret."""
        options = [word for name, answer in _BOX.items() for word in (f"--{name}", answer)]
        remote = ("--remote", server.address, "--remote-user", server.box)
        self.sotto_clinic("device", "add", self.folder, ROOM, *options, *remote, locked=True)

    def write_card(self, packages: Path, image: Path) -> Path:
        """Everything onto the card, and read back from it; the public half of the box's way in to the server."""
        where = ("--packages", packages, "--image", image, "--arch", ARCH)
        self.sotto_clinic("device", "card", self.folder, ROOM, *where, "--yes", locked=True)
        return self.folder / "boxes" / ROOM / "remote.pub"

    def enrol(self) -> None:
        """The key that the box made is taken, by TLS under the clinic's authority."""
        self.sotto_clinic("device", "enrol", self.folder, ROOM, "--at", BOX, "--yes", locked=True)

    def device_key(self) -> str:
        """The fingerprint that the clinic knows the box by."""
        (box,) = json.loads(self.sotto_clinic("device", "list", self.folder, "--json"))["boxes"]
        return str(box["device_key"])
