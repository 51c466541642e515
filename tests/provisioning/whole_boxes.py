"""Boxes as they stand at a clinic: capture, page and nginx are real programs, each box at an address of its own.

What systemd does is done here: nginx is handed its socket, services begin anew, ``sotto apply``'s work is done once
something came (``sotto-apply.path``), and that of ``sotto update settle`` once a version is staged.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from device.apply_verb import applying_of
from device.applying_kinds import KINDS, Here, Plan
from device.applying_services import CAPTURE, NGINX, WEB
from device.clock import SystemClock
from device.config import load_config
from device.devicekey import load_or_make_device_key
from device.errors import AdminError, UpdateError
from device.orders import Order
from device.recording.signing import fingerprint
from device.status import read_status
from device.update_verb import bring_in
from device.updating_order import UPDATE
from device.updating_settle import settle
from device.updating_shelf import VersionShelf
from device.updating_trial import Health, Patience, Seen
from provisioning.clinic.authority import issue, network_of
from provisioning.clinic.series import as_pem, new_page_key
from provisioning.desk import public_key
from provisioning.fleet.key import unlock_ca
from tests.front.nginx_server import nginx_program
from tests.provisioning.clinics import PASSPHRASE
from tests.provisioning.folders import Admin
from tests.support import PATIENCE_S, noise, write_wav
from tests.sync_faults.box import ROOT, Program
from tests.updates import SimulatedBox, runs, started

_TEXT: Final = """\
[box]
name = "{name}"
device_key = "{folder}/device.key"
run = "{folder}/run"
[store]
path = "{folder}/store"
[recipients]
roster = "{folder}/etc/roster.json"
clinic_key = "{clinic_key}"
[people]
file = "{folder}/etc/people.json"
[session]
max_length_min = {length}
[microphone]
driver = "simulated"
wav = "{folder}/room.wav"
[camera]
driver = "disabled"
[panel]
driver = "simulated"
[web]
state = "{folder}/web"
port = {port}
[web.nginx]
names = ["{name}.practice.internal", "{host}"]
certificate = "{certificates}"
key = "{folder}/etc/page.key"
authority = "{folder}/etc/ca.crt"
socket = "{folder}/page.sock"
[orders]
spool = "{folder}/spool"
state = "{folder}/state"
"""
QUICK: Final = Patience(quiet_us=0, well_us=0, most_us=3_000_000)
_SERVICES: Final = (CAPTURE, WEB, NGINX)
_LOOK_EVERY_S: Final = 0.05


@dataclass
class WholeOne:
    """A box in a folder. ``certificate_days``: how long the one that it was given holds."""

    folder: Path
    name: str
    host: str
    admin: Admin
    certificate_days: int = 20
    sick: frozenset[str] = frozenset()  # versions whose page does not come up
    programs: dict[str, Program] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event = field(default_factory=threading.Event)  # cleared: a trial goes on until it is set
    went_wrong: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        for one in ("run", "store", "spool", "state", "web", "nginx", "etc/certificates"):
            (self.folder / one).mkdir(parents=True)
        facts = {"rate_hz": 48_000, "channels": 1, "bits": 16}
        write_wav(self.folder / "room.wav", noise(1, **facts), **facts)
        self.key = load_or_make_device_key(self.folder / "device.key")
        versions, run = self.folder / "versions", self.folder / "run-versions"
        for one in (versions, run):
            one.mkdir()
        started(versions, run)
        self.shelf = VersionShelf(versions, run)
        self.hold.set()
        self._card()
        self.listening = socket.create_server((self.host, 0))
        self.port = int(self.listening.getsockname()[1])
        self.config.write_text(self.text())

    # -- what it is

    @property
    def config(self) -> Path:
        return self.folder / "sotto.toml"

    @property
    def address(self) -> str:
        return f"https://{self.host}:{self.port}"

    def text(self, length: int = 60, **changes: object) -> str:
        values = {"name": self.name, "folder": self.folder, "host": self.host, "port": self.port, "length": length}
        key = public_key(self.admin.folder.path).hex()
        return _TEXT.format(
            **{**values, "clinic_key": key, "certificates": self.folder / "etc/certificates", **changes}
        )

    def entered(self) -> dict[str, str]:
        return {"name": self.name, "address": self.address, "device_key": self.fingerprint}

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.key.public_key().public_bytes_raw())

    def said(self) -> str:
        path = self.folder / "said"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def _card(self) -> None:
        """What its card brought: the clinic's lists, its authority, the page's key and its certificates."""
        clinic, etc, key = self.admin.folder, self.folder / "etc", new_page_key()
        brought = {"roster.json": clinic.roster, "people.json": clinic.people_list, "ca.crt": clinic.ca}
        for name, source in brought.items():
            (etc / name).write_bytes(source.read_bytes())
        (etc / "page.key").write_bytes(as_pem(key))
        first = issue(
            clinic.ca.read_bytes(),
            unlock_ca(clinic, PASSPHRASE),
            names=[f"{self.name}.practice.internal"],
            addresses=[network_of(self.host).network_address],
            public_key=key.public_key(),
            now=datetime.now(UTC),
            days=self.certificate_days,
        )
        (etc / "certificates/0.pem").write_bytes(first)

    # -- its services (``device.applying_services.Services``)

    def running(self, units: Sequence[str]) -> tuple[str, ...]:
        return tuple(unit for unit in units if unit in self.programs and self.programs[unit].alive)

    def restart(self, units: Sequence[str]) -> None:
        for unit in units:
            self.end(unit)
        for unit in units:
            self._start(unit)

    def reload(self, units: Sequence[str]) -> None:
        assert not units, "no order reloads anything"

    def end(self, unit: str) -> None:
        program = self.programs.pop(unit, None)
        if program is not None and program.alive:
            program.end()

    def _start(self, unit: str) -> None:
        begun_s = time.time()
        command, is_ready = {
            CAPTURE: (self._sotto("capture"), lambda: self._published_after(begun_s)),
            WEB: (self._sotto("web"), lambda: _answers(self.folder / "page.sock")),
            NGINX: (self._nginx, self._shakes_hands),
        }[unit]
        (self.folder / "page.sock").unlink(missing_ok=True) if unit == WEB else None
        self.programs[unit] = program = command()
        until_s = time.monotonic() + PATIENCE_S
        while program.alive and not is_ready():
            assert time.monotonic() < until_s, self.said()
            time.sleep(_LOOK_EVERY_S)
        if not program.alive:
            raise AdminError(f"a service does not come up: {unit}", "its journal says why")

    def _sotto(self, verb: str) -> Callable[[], Program]:
        command = [sys.executable, "-m", "tests.provisioning.whole_page", verb, "--config", str(self.config)]
        return lambda: Program(command, self.folder / "said", environment=self._environment())

    def _environment(self) -> dict[str, str]:
        """Of the version that is mounted: what it says of itself lies before what is installed here."""
        version = runs(self.shelf)
        said = self.folder / f"mounted/{version}/sotto-{version}.dist-info/METADATA"
        said.parent.mkdir(parents=True, exist_ok=True)
        said.write_text(f"Metadata-Version: 2.1\nName: sotto\nVersion: {version}\n")
        path = os.pathsep.join((str(said.parents[1]), str(ROOT)))
        versions = {"SOTTO_VERSIONS": str(self.shelf.folder), "SOTTO_RUN": str(self.folder / "run-versions")}
        return {**os.environ, "PYTHONPATH": path, **versions}

    def _nginx(self) -> Program:
        """On the socket that systemd keeps open for it, which here listens at one address of this computer's own."""
        own = self.folder / "nginx"
        asked = [sys.executable, "-m", "device", "nginx", "--config", str(self.config), "--run", str(own)]
        written = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
        if written.returncode:
            raise AdminError(f"a service does not come up: {NGINX}", "its journal says why")
        text = written.stdout.replace(f"[::]:{self.port}", f"{self.host}:{self.port}").replace(" ipv6only=off", "")
        (own / "nginx.conf").write_text(text)
        # Who may read the tests' folders: where they run as root, its workers would be nobody.
        more = ["-g", "user root;"] if os.geteuid() == 0 else []
        given = self.listening.fileno()
        command = [nginx_program(), "-e", "stderr", "-p", str(own), "-c", str(own / "nginx.conf"), *more]
        environment = {**os.environ, "NGINX": f"{given};"}
        return Program(command, self.folder / "said", environment=environment, inherits=(given,))

    def _published_after(self, unix_s: float) -> bool:
        status = read_status(self.folder / "run")
        return status is not None and status.published_unix_s >= unix_s and status.state == "idle"

    def _shakes_hands(self) -> bool:
        """Its socket is open all the time, and so says nothing; who answers by TLS is nginx."""
        try:
            ssl.get_server_certificate((self.host, self.port), timeout=1.0)
        except OSError:
            return False
        return True

    # -- what its units do

    def look_after_itself(self) -> None:
        """As ``sotto-apply.path`` and ``sotto-update.service``, until the box is switched off."""
        try:
            while not self.over.wait(_LOOK_EVERY_S):
                if list((self.folder / "spool").glob("*.order")):
                    self.applies()
                if (staged := self.shelf.state().staged) is not None and staged.failed is None:
                    self.settles()
        except BaseException as problem:  # the test's own thread tells
            self.went_wrong.append(problem)
            raise

    def applies(self) -> None:
        """What ``sotto apply`` does, but for where it finds services and versions."""

        def judge_update(order: Order, staged: Path, _here: Here) -> Plan:
            return Plan(act=lambda: bring_in(order, staged, shelf=self.shelf, box=Versions(self.shelf, own=self)))

        kinds = {**KINDS, UPDATE: judge_update}
        applying_of(self.config, load_config(self.config), services=self, kinds=kinds).run()

    def settles(self) -> None:
        """What ``sotto-update.service`` does, and what it does when that has ended without settling (``back``)."""
        box = Versions(self.shelf, own=self, runs=runs(self.shelf))
        with suppress(UpdateError):
            settle(self.shelf, box, SystemClock(), patience=QUICK, say=lambda _line: None)
        if self.shelf.is_trial():
            self.sick = frozenset()
            box.change_over(lambda: self.shelf.use(None))

    @contextmanager
    def switched_on(self) -> Iterator[None]:
        thread = threading.Thread(target=self.look_after_itself)
        try:
            self.restart(_SERVICES)
            thread.start()
            yield
        finally:
            self.over.set()
            if thread.ident is not None:
                thread.join(PATIENCE_S)
            for unit in reversed(_SERVICES):
                self.end(unit)
            self.listening.close()
        assert not self.went_wrong, self.went_wrong


@dataclass
class Versions(SimulatedBox):
    """Its versions: what is mounted is what the real page says of itself; ``own``: whose services begin anew for it."""

    own: WholeOne | None = None

    def seen(self) -> Seen:
        assert self.own is not None
        status = read_status(self.own.folder / "run")
        return Seen(None if status is None else str(status.state))

    def health(self) -> Health:
        assert self.own is not None
        assert self.own.hold.wait(PATIENCE_S)
        units = {unit: "active" if self.own.running([unit]) else "failed" for unit in _SERVICES}
        page = _answers(self.own.folder / "page.sock")
        return Health(runs(self.shelf), units, restarts=0, seen=self.seen(), page_answers=page)

    def change_over(self, link: Callable[[], None]) -> None:
        assert self.own is not None
        for unit in (NGINX, WEB, CAPTURE):
            self.own.end(unit)
        link()
        self.runs = runs(self.shelf)
        self.own.restart((CAPTURE, WEB, NGINX) if self.runs not in self.own.sick else (CAPTURE,))


def _answers(page: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(PATIENCE_S)
        try:
            asked.connect(str(page))
        except OSError:
            return False
    return True


@contextmanager
def whole_boxes(folder: Path, admin: Admin, *names: str) -> Iterator[list[WholeOne]]:
    """Boxes that are switched on, one after the other."""
    with ExitStack() as ends:
        made = [WholeOne(folder / name, name, f"127.0.0.{number}", admin) for number, name in enumerate(names, start=2)]
        for one in made:
            ends.enter_context(one.switched_on())
        yield made
