"""A box that takes orders: real files, real orders, and services that look into their files when they begin."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.applying import Applying, World
from device.applying_kinds import KINDS, Here, Judge
from device.applying_services import ALL, CAPTURE, WEB
from device.config import load_config, parse_config
from device.errors import ConfigError
from device.order_results import Result, Results, read_results
from device.orders import Order, member_of, packed, sign_order
from device.roster import sign_roster
from tests.applying.services import SimulatedServices
from tests.test_roster import a_roster

KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(32))
BOX: Final = "Room 1"
_TEXT: Final = """\
[box]
name = "{box}"
device_key = "{folder}/device.key"
run = "{folder}/run"
[store]
path = "{folder}/store"
[recipients]
roster = "{folder}/roster.json"
clinic_key = "{clinic_key}"
[session]
max_length_min = {length}
[microphone]
driver = "alsa"
device = "hw:0"
[camera]
driver = "disabled"
[panel]
driver = "simulated"
[web]
state = "{folder}/web"
port = 8300
[orders]
spool = "{folder}/spool"
state = "{folder}/state"
"""
HARMFUL_MIN: Final = 13  # with which this box's capture does not come up


@dataclass
class OneBox:
    """``folder`` is all of it. ``reasons``: why it is not to be changed, one for each look, then never again."""

    folder: Path
    reasons: list[str | None] = field(default_factory=list)
    noted: list[Result] = field(default_factory=list)
    can_note: bool = True
    kinds: dict[str, Judge] = field(default_factory=lambda: dict(KINDS))
    waited: int = 0
    clinic_key: bytes = KEY.public_key().public_bytes_raw()

    def __post_init__(self) -> None:
        for name in ("run", "store", "spool", "state"):
            (self.folder / name).mkdir(parents=True)
        self.config.write_text(self.text())
        self.config.chmod(0o640)
        self.services = SimulatedServices(*ALL, comes_up=self._comes_up)

    @property
    def config(self) -> Path:
        return self.folder / "sotto.toml"

    @property
    def roster(self) -> Path:
        return self.folder / "roster.json"

    def text(self, length: int = 60, **changes: str) -> str:
        values = {"box": BOX, "folder": self.folder, "clinic_key": self.clinic_key.hex()}
        return _TEXT.format(**{**values, "length": length, **changes})

    def _comes_up(self, unit: str) -> bool:
        try:
            config = parse_config(self.config.read_text())
        except ConfigError:
            return False
        return unit not in (CAPTURE, WEB) or config.session.max_length_min != HARMFUL_MIN

    def send(
        self, about: str, files: dict[str, bytes], number: int = 1, key: Ed25519PrivateKey = KEY, **facts: Any
    ) -> Path:
        """What the page leaves of an order."""
        members = tuple(member_of(name, [content]) for name, content in files.items())
        given = {"number": number, "boxes": (BOX,), "made": "2026-03-02T09:00:00Z", "what": about, "files": members}
        order = Order(**given | facts)
        path = self.folder / "spool" / f"{number:06}.order"
        contents = zip(members, ([content] for content in files.values()), strict=True)
        path.write_bytes(b"".join(packed(sign_order(order, key), contents)))
        return path

    def send_config(self, length: int, number: int = 1, **changes: str) -> Path:
        return self.send("config", {"sotto.toml": self.text(length, **changes).encode()}, number)

    def send_roster(self, number: int = 1, **changes: Any) -> bytes:
        document = sign_roster(a_roster(**changes), KEY)
        self.send("roster", {"roster.json": document}, number)
        return document

    def applying(self) -> Applying:
        """The program as it is when it has just been started."""

        def why_not() -> str | None:
            return self.reasons.pop(0) if self.reasons else None

        def rest(_seconds: float) -> None:
            self.waited += 1

        def note(result: Result) -> bool:
            if self.can_note:
                self.noted.append(result)
            return self.can_note

        world = World(
            here=lambda: Here(self.config, load_config(self.config)),
            services=self.services,
            kinds=self.kinds,
            why_not_now=why_not,
            note=note,
            now=lambda: "2026-03-02T09:00:01Z",
            rest=rest,
        )
        return Applying(spool=self.folder / "spool", state=self.folder / "state", world=world)

    def start(self) -> None:
        """The machine starts: what was interrupted is put right, then the services come."""
        self.applying().settle(services_run=False)
        self.services.up = {unit: self.services.comes_up(unit) for unit in ALL}

    def run(self) -> Results:
        self.applying().run()
        assert not list((self.folder / "spool").iterdir())
        assert {path.name for path in (self.folder / "state").iterdir()} <= {"results.json"}
        return self.results()

    def results(self) -> Results:
        return read_results(self.folder / "state")

    def length(self) -> int:
        return load_config(self.config).session.max_length_min

    def close(self) -> None:
        shutil.rmtree(self.folder)
