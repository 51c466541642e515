"""What starts and watches services: the real systemd, where one runs this machine, and that of the tests are alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.applying_services import Services, Systemd
from device.errors import AdminError
from tests.applying.services import SimulatedServices

GOOD, BAD, NOWHERE = "sotto-test-good.service", "sotto-test-bad.service", "sotto-test-nowhere.service"
UNITS = Path("/run/systemd/system")
_UNIT = "[Service]\nType=exec\nExecStart=/bin/sh -c '{command}'\nExecReload=/bin/true\n"


@pytest.fixture(params=["simulated", "systemd"])
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    """One service that comes up, and one that does not any more."""
    if request.param == "simulated":
        yield SimulatedServices(GOOD, BAD, comes_up=lambda unit: unit != BAD)
        return
    if not UNITS.is_dir() or os.geteuid() != 0:
        pytest.skip("no systemd runs this machine, or this is not root")
    for unit, command in ((GOOD, "exec sleep 1000"), (BAD, "exit 1")):
        (UNITS / unit).write_text(_UNIT.format(command=command))
    made = Systemd(rest=lambda _s: None)
    made._call("daemon-reload")
    made._call("start", GOOD)
    yield Systemd()
    made._call("stop", GOOD, BAD)
    for unit in (GOOD, BAD):
        (UNITS / unit).unlink()
    made._call("daemon-reload")


def test_what_runs_is_known_and_what_is_not_installed_does_not(services: Services) -> None:
    assert services.running([GOOD, NOWHERE]) == (GOOD,)


def test_what_begins_anew_runs_afterwards(services: Services) -> None:
    services.restart([GOOD])
    services.reload([GOOD])
    assert services.running([GOOD]) == (GOOD,)


def test_what_does_not_come_up_is_told(services: Services) -> None:
    with pytest.raises(AdminError) as told:
        services.restart([GOOD, BAD])
    assert told.value.hint
    assert services.running([BAD]) == ()
    with pytest.raises(AdminError):
        services.reload([BAD])


def test_nothing_to_begin_or_reload_is_nothing(services: Services) -> None:
    services.restart([])
    services.reload([])
