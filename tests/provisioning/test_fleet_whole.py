"""Orders gone through whole: from the clinic's desk over TLS to a box's spool, carried out, told by page and desk.

A box's programs take seconds to start on one core, and most orders have them begin anew: `make test` has one box go
the whole way with each order that it takes; `make fleet-desk` has two, and all that can go wrong.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest

from device.age.identities import generate_identity
from device.applying_services import CAPTURE, NGINX, WEB
from device.people.database import Database
from device.people.people import People
from device.recording.audited import What
from device.store import StoreReader
from device.tls_certificate import parse_certificate
from device.tls_series import read_series
from device.updating import Facts
from device.updating_trial import Patience
from device.web.box.entries import newest_entry
from device.web.doors import PAGE_COOKIE
from provisioning.clinic.box_folders import BoxFolder
from provisioning.clinic.series import ALL_DAYS
from provisioning.fleet.fleet_verb import _UPDATE_PATIENCE_S
from provisioning.fleet.key import make_desk_key
from provisioning.locked import lock, unlock
from tests.provisioning.boxes import Said
from tests.provisioning.clinics import LOG_N, PASSPHRASE
from tests.provisioning.desk_boxes import admin_with_roster
from tests.provisioning.folders import Admin
from tests.provisioning.whole_boxes import WholeOne, whole_boxes
from tests.support import PATIENCE_S
from tests.sync_faults.box import ROOT
from tests.web.visitors import begin

NAMES = ("room-1", "room-2")


class Desk:
    """The clinic's folder with its boxes; ``room-3`` is entered, and nobody is there."""

    def __init__(self, admin: Admin, boxes: list[WholeOne], nobody: str) -> None:
        self.admin, self.boxes, self.path = admin, boxes, admin.folder.path
        entered = [*(box.entered() for box in boxes), {"name": "room-3", "address": nobody, "device_key": "1" * 16}]
        admin.folder.write_clinic(admin.folder.read().changed(boxes=entered))
        for one in entered:
            BoxFolder.of(admin.folder, one["name"]).settings.parent.mkdir(parents=True)
        for box in boxes:
            self.settings(box).write_text(box.text())

    @property
    def there(self) -> tuple[str, ...]:
        """The boxes that are."""
        return tuple(word for box in self.boxes for word in ("--box", box.name))

    def settings(self, box: WholeOne) -> Path:
        return BoxFolder.of(self.admin.folder, box.name).settings

    def does(self, *what: object, words: tuple[object, ...] = ()) -> Said:
        """``what``: the verb's words, before the clinic's folder; ``words``: what follows it."""
        return self.admin.does("fleet", *what, self.path, *words)

    def sends(self, *what: object, words: tuple[object, ...] = (), to: tuple[str, ...] | None = None) -> Said:
        return self.does(*what, words=(*words, *(self.there if to is None else to), "--yes", "--patience", PATIENCE_S))

    def told(self, box: WholeOne) -> dict[str, object]:
        said = self.does("status", words=("--json", "--box", box.name))
        (one,) = said.told["boxes"]
        assert one["reachable"], one
        status: dict[str, object] = one["status"]
        return status

    def begun(self, *words: object) -> subprocess.Popen[str]:
        """The command line as a program of its own, whose words are read while it runs."""
        command = [sys.executable, "-m", "provisioning", "fleet", *map(str, words)]
        command += ["--passphrase-file", str(self.admin.passphrase)]
        return subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture(scope="module")
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    names = NAMES if request.config.getoption("--desk-long") else NAMES[:1]
    home = tmp_path_factory.mktemp("fleet")
    admin, _ = admin_with_roster(home / "admin", networks="127.0.0.0/8", rooms="room-1, room-2, room-3")
    admin.has("cy", None, role="admin")
    admin.has("anna", generate_identity(post_quantum=True).recipient())
    make_desk_key(admin.folder, PASSPHRASE, now=datetime.now(UTC))
    key = admin.folder.path / "fleet/desk.key.age"  # each call unlocks it: with less work than a person's costs
    key.write_text(lock(unlock(key.read_text(), PASSPHRASE, what="it"), PASSPHRASE, log_n=LOG_N))
    with (
        socket.socket() as nobody,
        whole_boxes(home, admin, *names) as boxes,
    ):
        nobody.bind(("127.0.0.1", 0))
        yield Desk(admin, boxes, f"https://127.0.0.1:{nobody.getsockname()[1]}")


@pytest.fixture
def both(request: pytest.FixtureRequest, desk: Desk) -> Desk:
    """The same, with two boxes that are there."""
    if not request.config.getoption("--desk-long"):
        pytest.skip("it takes minutes; make fleet-desk does it")
    return desk


def health(box: WholeOne) -> str:
    """What the box's own page *Health* says to an admin, as words."""
    with closing(Database(box.folder / "web")) as database:
        people = People(database, fingerprint=lambda: None)
        (cy,) = [one for one in people.persons() if one.login == "cy"]
        known = {"Cookie": f"__Host-{PAGE_COOKIE}={begin(people, cy).token}"}
    trust = ssl.create_default_context(cafile=str(box.folder / "etc/ca.crt"))
    with closing(http.client.HTTPSConnection(box.host, box.port, context=trust, timeout=PATIENCE_S)) as connection:
        connection.request("GET", "/box/health", headers=known)
        answer = connection.getresponse()
        said = answer.read().decode()
    assert answer.status == 200, said
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", said)))


def shown(box: WholeOne) -> str:
    """The fingerprint of the certificate that nginx shows now."""
    return parse_certificate(ssl.get_server_certificate((box.host, box.port)).encode()).fingerprint


def pid(box: WholeOne, unit: str) -> int:
    return box.programs[unit].pid


def test_a_configuration_is_sent_taken_by_services_that_begin_anew_and_told(desk: Desk) -> None:
    before = {box.name: [pid(box, unit) for unit in (CAPTURE, WEB, NGINX)] for box in desk.boxes}
    for box in desk.boxes:
        desk.settings(box).write_text(box.text(45))
    said = desk.sends("config", "push")
    assert said.code == 0, said.complaints
    for box in desk.boxes:
        assert f"{box.name}: done: config, order" in said.out
        assert "max_length_min = 45" in box.config.read_text()
        assert not {pid(box, unit) for unit in (CAPTURE, WEB, NGINX)} & set(before[box.name])
        (order,) = [one for one in desk.told(box)["orders"] if one["about"] == "config"]
        assert order["outcome"] == "done"
        assert "The configuration" in health(box)
        assert "done." in health(box)
        entry = newest_entry(StoreReader(box.folder / "store"), What.ORDER_DONE, most=1000)
        assert entry is not None
        assert entry["facts"]["order"] == order["number"]


def test_a_configuration_with_which_nginx_does_not_come_up_is_undone_and_the_page_is_back(both: Desk) -> None:
    one, other = both.boxes
    before = {box.name: box.config.read_text() for box in both.boxes}
    for box in both.boxes:
        both.settings(box).write_text(box.text(50, certificates="/nowhere"))
    said = both.sends("config", "push")
    assert said.code == 1
    assert f"room-1: undone: a service does not come up: {NGINX}; what was there before is back" in said.complaints
    assert "room-2: nothing was sent" in said.complaints
    assert {box.name: box.config.read_text() for box in both.boxes} == before
    assert [order["outcome"] for order in both.told(one)["orders"] if order["about"] == "config"] == ["undone"]
    assert "undone again" in health(one)
    status = both.does("status", words=both.there)
    assert status.code == 7
    assert "about config was undone" in status.out
    assert "undone again" not in health(other)


def test_the_newest_lists_are_taken_by_capture_and_page(desk: Desk) -> None:
    dora = generate_identity(post_quantum=True).recipient()
    desk.admin.has("dora", dora)
    said = desk.sends("lists")
    assert said.code == 0, said.complaints
    number = desk.admin.folder.read_roster().number
    for box in desk.boxes:
        assert f"{box.name}: done: roster, order" in said.out
        _until(lambda box=box: _taken(box) == number)
        _until(lambda box=box: "dora" in _logins(box))
        told = {order["about"]: order["outcome"] for order in desk.told(box)["orders"]}
        assert (told["roster"], told["people"]) == ("done", "done")
        assert "The list of people" in health(box)


def test_certificates_that_end_are_told_and_the_next_ones_are_shown_for_the_same_key(desk: Desk) -> None:
    status = desk.does("status", words=desk.there)
    assert status.code == 7
    assert re.search(r"room-1: its certificates end in (19|20) days \(sotto-clinic fleet rotate-c", status.out)
    before, keys = ({box.name: told(box) for box in desk.boxes} for told in (shown, _page_key))
    said = desk.sends("rotate-certificates")
    assert said.code == 0, said.complaints
    for box in desk.boxes:
        assert f"{box.name}: done: certificates, order" in said.out
        assert desk.told(box)["certificate_days"] > ALL_DAYS - 2
        assert shown(box) != before[box.name]
        assert _page_key(box) == keys[box.name]
        members = read_series(box.folder / "etc/certificates").members
        assert shown(box) in {one.certificate.fingerprint for one in members}
        assert "The page's certificates" in health(box)


def test_a_version_is_done_once_it_is_settled_and_not_while_it_is_on_trial(desk: Desk, tmp_path: Path) -> None:
    for box in desk.boxes:
        box.hold.clear()
    try:
        sending = desk.begun(
            "update", desk.path, image(tmp_path, "9.1.0"), *desk.there, "--yes", "--patience", PATIENCE_S
        )
        assert sending.stderr is not None
        lines = iter(sending.stderr.readline, "")
        for line in lines:
            if "is on trial" in line:
                break
        one, *others = desk.boxes
        assert desk.told(one)["update"] == {"version": "9.1.0", "on_trial": True, "failed": None}
        assert "9.1.0 on trial" in desk.does("status", words=desk.there).out
        assert "Version 9.1.0 runs on trial." in health(one)
        assert [desk.told(other)["update"] for other in others] == [None] * len(others)
    finally:
        for box in desk.boxes:
            box.hold.set()
    rest, complaints = sending.communicate(timeout=PATIENCE_S)
    assert sending.returncode == 0, complaints
    for box in desk.boxes:
        assert f"{box.name}: done: update, order" in rest
        assert (desk.told(box)["version"], desk.told(box)["update"]) == ("9.1.0", None)
        assert box.shelf.current() == "sotto_9.1.0_arm64.squashfs"


def test_a_version_that_is_not_well_goes_back_and_no_other_box_gets_it(both: Desk, tmp_path: Path) -> None:
    one, other = both.boxes
    one.sick = other.sick = frozenset({"9.2.0"})
    said = both.sends("update", words=(image(tmp_path, "9.2.0"),))
    assert said.code == 1
    assert "room-1: version 9.2.0 was given up: not active: " in said.complaints
    assert "room-2: nothing was sent" in said.complaints
    _until(lambda: both.does("status", words=("--box", "room-1")).code == 7)  # the page is back
    assert both.told(one)["version"] == "9.1.0"
    assert "version 9.2.0 was given up" in both.does("status", words=both.there).out
    assert "Version 9.2.0 was given up: not active" in health(one)
    assert other.shelf.state().staged is None


def test_the_patience_for_a_version_suits_a_box_that_is_well() -> None:
    patience = Patience()
    assert (patience.quiet_us + patience.most_us) / 1e6 + 900 <= _UPDATE_PATIENCE_S


def test_one_that_is_not_there_is_told_first_or_last_and_keeps_nothing_from_those_before_it(both: Desk) -> None:
    for box in both.boxes:
        both.settings(box).write_text(box.text(55))
    both.settings(both.boxes[0]).parent.parent.joinpath("room-3/sotto.toml").write_text(both.boxes[0].text(55))
    said = both.sends("config", "push", to=("--box", "room-3", *both.there, "--timeout", "5"))
    assert said.code == 6
    assert "room-3 does not answer" in said.complaints
    assert "room-1, room-2: nothing was sent" in said.complaints
    said = both.sends("config", "push", to=("--box", "room-1", "--box", "room-3", "--box", "room-2"))
    assert said.code == 6
    assert "room-3 does not answer" in said.complaints
    assert all("max_length_min = 55" in box.config.read_text() for box in both.boxes)


def test_whoever_watches_sees_a_box_go_and_come_back(both: Desk) -> None:
    one, _ = both.boxes
    watching = both.begun("status", both.path, *both.there, "--watch", "--json")
    try:
        assert watching.stdout is not None
        looks = iter(watching.stdout.readline, "")
        assert _reachable(next(looks)) == {"room-1": True, "room-2": True}
        one.end(NGINX)
        _until(lambda: _reachable(next(looks)) == {"room-1": False, "room-2": True})
        one.restart([NGINX])
        _until(lambda: _reachable(next(looks)) == {"room-1": True, "room-2": True})
        watching.send_signal(signal.SIGINT)
        assert watching.wait(PATIENCE_S) == 0
    finally:
        watching.kill()
        _, complaints = watching.communicate()
    assert complaints == ""


def image(folder: Path, version: str) -> Path:
    """A version as `make update` leaves it, of more than one piece."""
    facts = Facts(version=version, machine="arm64", python="3.13", debian="13", frame=1)
    (folder / facts.image).write_bytes(b"hsqs" + hashlib.shake_256(version.encode()).digest(300_000))
    (folder / facts.image).with_suffix(".json").write_text(facts.model_dump_json())
    return folder / facts.image


def _reachable(line: str) -> dict[str, bool]:
    return {one["name"]: one["reachable"] for one in json.loads(line)["boxes"]}


def _page_key(box: WholeOne) -> str:
    return parse_certificate(ssl.get_server_certificate((box.host, box.port)).encode()).key_id


def _taken(box: WholeOne) -> int | None:
    """Which roster capture said that it took."""
    entry = newest_entry(StoreReader(box.folder / "store"), What.ROSTER_TAKEN, most=1000)
    return None if entry is None else int(entry["facts"]["roster"])


def _logins(box: WholeOne) -> set[str]:
    with closing(Database(box.folder / "web")) as database:
        return {one.login for one in People(database, fingerprint=lambda: None).persons()}


def _until(holds: Callable[[], bool]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s, "it did not happen"
        time.sleep(0.1)
