"""The whole way, unattended (``make appliance-way``): from a stock card to a recording that its supervisor opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.age.identities import parse_identity_file
from tests.appliance import way as steps
from tests.appliance.build import ARCH, ROOT
from tests.appliance.clinic_desk import SUPERVISOR, ClinicDesk
from tests.appliance.clinic_server import ClinicServer
from tests.appliance.journey import Journey
from tests.appliance.look import looked_around, reached, surprises
from tests.appliance.network import Wire
from tests.appliance.sets import SETS
from tests.appliance.stock import build_stock
from tests.appliance.thieves import loot_of, wanted_of
from tests.appliance.way import Way
from tests.remote.certificates import Authority


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    """A desk with nothing on it, a server with nobody in it, and a wire between them and where the box will be."""
    journey, built = Journey(ARCH), build_stock()
    (tmp_path / "server").mkdir()
    with Wire() as wire, ClinicServer(tmp_path / "server", wire) as server:
        begun = Way(tmp_path, built, wire, server, journey, ClinicDesk(tmp_path, journey, wire))
        try:
            yield begun
        finally:
            begun.switch_off()


def test_a_stock_card_becomes_a_box_and_its_supervisor_hears_what_was_said(way: Way, tmp_path: Path) -> None:
    steps.prepare_clinic(way)
    steps.prepare_card(way)
    steps.first_boot(way)
    steps.comes_back(way)
    stranger = tmp_path / "stranger.crt"
    stranger.write_bytes(Authority().pem)
    assert way.page(stranger).startswith("refused"), "whoever does not trust the clinic's authority is shown no page"
    steps.enrol(way)
    steps.withdraw(way)
    steps.record(way)
    steps.sync(way)
    steps.open_it(way)
    is_closed_and_as_it_was_made(way)
    nothing_opens(way)
    way.journey.write(ROOT / "docs" / "journey.md")


def is_closed_and_as_it_was_made(way: Way) -> None:
    """From outside 443 alone; inside what docs/machine.md says, and nothing that nobody decided on."""
    with way.journey.step("who reaches what from the clinic's network"):
        assert reached(way) == {"443/open/tcp"}
    assert way.vm is not None
    with way.journey.step("what the box says about itself"):
        found = looked_around(way.vm)
        way.journey.say(*(f"{name}: {', '.join(sorted(lines)) or 'none'}" for name, lines in found.items()))
    assert surprises(found, SETS) == []


def nothing_opens(way: Way) -> None:
    """Neither the admin, nor a thief of the box, nor who has the server, nor all of them together."""
    way.switch_off()
    with way.journey.step("an admin and a thief try everything that they have"):
        loot, wanted = loot_of(way), wanted_of(way)
        assert {"clinic.key.age", "device.key", "session.mp4.age", "page.key", "remote.key"} <= {
            path.name for path in loot.files
        }
        assert loot.opener(wanted) is None
    (own,) = parse_identity_file(way.desk.identity(SUPERVISOR).read_text())
    loot.add(own.secret_text().encode())
    assert loot.opener(wanted) is not None, "a key that was there would be found"
