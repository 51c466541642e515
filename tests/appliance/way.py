"""The steps from a stock card to a recording that its supervisor opens; ``test_appliance_way`` takes them one by one.

Each step is a function of its own, which needs only what those before it left in the ``Way``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device.age.identities import parse_identity_file
from tests.appliance.box import STORE, Box
from tests.appliance.card import Card
from tests.appliance.clinic_desk import NAME, SUPERVISOR, ClinicDesk
from tests.appliance.clinic_server import ClinicServer
from tests.appliance.hardware import Noise
from tests.appliance.journey import Journey
from tests.appliance.network import BOX, Wire
from tests.appliance.stock import written_card
from tests.appliance.vm import Vm
from tests.support import sound_of

NOISE_S: Final = 10.0
_LOOK: Final = Path(__file__).parent / "scripts" / "look_at_page.py"
_PATIENCE_S: Final = 900.0


@dataclass
class Way:
    """What there is so far."""

    home: Path
    built: Path
    wire: Wire
    server: ClinicServer
    journey: Journey
    desk: ClinicDesk
    card: Card = field(init=False)
    vm: Vm | None = None
    withdrawn: str = ""
    recording: str = ""
    noise: Noise | None = None

    @property
    def box(self) -> Box:
        """The box that is on, with hands on its panel."""
        assert self.vm is not None
        (identity,) = parse_identity_file(self.desk.identity(SUPERVISOR).read_text())
        return Box(self.vm, identity)

    def page(self, authority: Path) -> str:
        """What somebody in the clinic's network gets at the box's address who trusts this authority alone."""
        words = [*self.wire.at_desk, sys.executable, str(_LOOK), BOX, NAME, str(authority)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    def switch_off(self) -> None:
        """Pull the plug."""
        if self.vm is not None:
            self.vm.__exit__(None, None, None)
        self.vm = self.journey.box = None


def prepare_clinic(way: Way) -> None:
    """A clinic with a recovery, a therapist, a supervisor and a room; nobody types anything."""
    with way.journey.step("the clinic is founded"):
        way.desk.found_clinic()
    with way.journey.step("recovery, in three papers on another machine"):
        way.desk.set_recovery()
    with way.journey.step("a therapist and a supervisor"):
        way.desk.take_in_people()


def prepare_card(way: Way) -> None:
    """A stock image is written to a card, and the card made that of one box."""
    with way.journey.step("the box is entered"):
        way.desk.add_box(way.server)
    with way.journey.step("the stock image goes onto the card"):
        image = written_card(way.built / "stock" / "stock.img", way.home / "card.img")
        way.card = Card(image, way.built / "kernel")
    with way.journey.step("the card is prepared"):
        way.server.let_in(way.desk.write_card(way.built / "packages", way.card.image))


def first_boot(way: Way) -> None:
    """The box is switched on, installs itself, and asks to be started anew; nothing is there but the card."""
    with way.journey.step("first start: it installs itself") as step:
        vm = way.vm = way.card.switched_on(way.wire)
        step.box_took_s = vm.wait_until_it_restarts(fault="/boot/firmware/sotto-fault.txt")
        way.switch_off()


def comes_back(way: Way) -> None:
    """It starts as a box; ready is it when its page answers somebody at the desk who trusts the clinic's authority."""
    with way.journey.step("second start: until the page answers at the desk") as step:
        vm = way.vm = way.card.switched_on(way.wire)
        until_s = time.monotonic() + _PATIENCE_S
        while (said := way.page(way.desk.folder / "ca.crt")) != "401":
            assert time.monotonic() < until_s, f"{said}\n{vm.agent.sh('journalctl -b --no-pager | tail -80')}"
            vm.agent.sh("sleep 1")
        way.journey.say(f"https://{NAME}/ answers {said}: sign in")
        step.box_took_s = vm.agent.monotonic_s()
        assert vm.wait_until_up() == "running", vm.agent.sh("systemctl --failed; journalctl -b -p warning --no-pager")
    way.journey.box = way.vm


def enrol(way: Way) -> None:
    """The clinic takes the box's key; from then on it knows whose recordings are this box's."""
    with way.journey.step("the box's key is taken"):
        way.desk.enrol()


def withdraw(way: Way) -> None:
    """A first client thinks better of it while it is recorded; with the next one's press it is gone for good."""
    box = way.box
    with way.journey.step("a session is recorded, and the client withdraws"):
        box.until_state("idle")
        withdrawn = box.begin()
        box.panel.press("consent")
        box.until_state("withdrawn")
        assert box.devices_open() == set()
        assert not box.lit("room_light")
    with way.journey.step("it is erased, and a certificate remains"):
        box.agent.sh("sleep 5")
        box.panel.press("consent")  # the next client's
        box.until(f"[ -e {STORE}/erased/{withdrawn}.json ]")
        assert withdrawn not in box.recordings()
        box.panel.press("consent")
        box.until_state("idle")
        way.journey.say(f"{withdrawn}: " + box.agent.sh(f"ls {STORE}/erased").strip())
    way.withdrawn = withdrawn


def record(way: Way) -> None:
    """The client consents, the therapist records, something is said; RECORD again, and it is sealed."""
    box = way.box
    with way.journey.step("consent is given"):
        box.until_state("idle")
        box.consent()
    with way.journey.step(f"a session, with {NOISE_S:.0f} s of sound in the room"):
        box.panel.press("record")
        box.until("""grep -qE '"durable_us":[1-9]' /run/sotto/status.json""")
        way.recording = str(box.status()["recording"]["id"])
        assert box.lit("room_light")
        way.noise = box.microphone.noise(NOISE_S)
        way.noise.player.wait()
    with way.journey.step("the recording is sealed"):
        box.end()
        assert not box.lit("room_light")
        way.journey.say(f"{way.recording}: " + box.agent.sh(f"ls {STORE}/{way.recording}").replace("\n", " "))


def sync(way: Way) -> None:
    """The next client comes and goes, so that nobody can withdraw it any more; then the box sends it by itself."""
    box = way.box
    with way.journey.step("the window in which it can be withdrawn is closed"):
        for _ in range(2):
            box.panel.press("consent")
            box.agent.sh("sleep 0.5")
        box.until_state("idle")
    with way.journey.step("it is sent, and read again at the server"):
        box.until(f"[ -e {STORE}/{way.recording}/receipts/clinic.json ]", seconds=600, every_s=1)


def open_it(way: Way) -> None:
    """The supervisor fetches it from the clinic's server, opens it, and hears what was said, to the sample."""
    address = way.server.address
    with way.journey.step("the supervisor fetches it"):
        known = ("--device-key", way.desk.device_key())
        assert way.withdrawn not in way.desk.sotto_clinic("list", address)
        way.desk.sotto_clinic("pull", address, way.recording, *known, "-o", way.home / "pulled")
    opened = way.home / "opened.mp4"
    with way.journey.step("the supervisor opens it"):
        key = way.desk.identity(SUPERVISOR)
        way.desk.sotto_clinic("open", way.home / "pulled" / way.recording, *known, "-i", key, "-o", opened)
    assert way.noise is not None
    assert way.noise.samples in sound_of(opened, 24)
    way.journey.say(f"{NOISE_S:.0f} s of sound are in it as they were in the room, sample for sample")
