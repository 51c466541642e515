"""A clinic's boxes from its desk: real pages behind real nginx, and some that are not well."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.devicekey import publish_public_key
from device.recording.audited import What
from device.recording.chain import AUDIT_NAME
from device.recording.signing import fingerprint
from device.status import publish
from provisioning.clinic.box_folders import BoxFolder
from provisioning.desk import public_key
from provisioning.fleet.calling import Caller, Target
from provisioning.fleet.key import desk_trust, make_desk_key
from provisioning.fleet.many import one_first, with_each
from provisioning.orders import last_number
from tests.applying.world import HARMFUL_MIN, OneBox
from tests.front.desks import ClinicCa, Reached, reached
from tests.provisioning.boxes import Said
from tests.provisioning.clinics import PASSPHRASE
from tests.provisioning.folders import Admin
from tests.support import PATIENCE_S
from tests.web.conftest import Box, people_in
from tests.web.published import make_store, status

NAMES = ("room-1", "room-2", "room-3")


@dataclass
class OneOfMany:
    """A box, and what carries its orders out."""

    name: str
    box: OneBox
    page: Box
    reached: Reached
    key: Ed25519PrivateKey

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.key.public_key().public_bytes_raw())

    def entered(self, **changes: str) -> dict[str, str]:
        return {"name": self.name, "address": self.reached.address, "device_key": self.fingerprint} | changes

    def publish(self, **facts: object) -> None:
        publish(status(**facts), self.page.run)


@dataclass
class Fleet:
    admin: Admin
    ca: ClinicCa
    boxes: list[OneOfMany] = field(default_factory=list)

    def enter(self, *entered: dict[str, str]) -> None:
        """What the clinic's file says of boxes."""
        folder = self.admin.folder
        folder.write_clinic(folder.read().changed(boxes=list(entered)))
        for one in entered:
            path = BoxFolder.of(folder, one["name"]).settings
            path.parent.mkdir(parents=True, exist_ok=True)
        for box in self.boxes:
            BoxFolder.of(folder, box.name).settings.write_text(box.box.text())

    def does(self, *words: object) -> Said:
        what, *others = words
        return self.admin.does("fleet", what, *others)

    def pushes(self, name: str) -> Said:
        """One box gets its configuration."""
        words = ("--yes", "--box", name, "--patience", PATIENCE_S)
        return self.does("config", "push", self.admin.folder.path, *words)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Three boxes that are well, and the clinic's folder that knows them."""
    admin = Admin(tmp_path / "admin", domains="example", networks="127.0.0.0/8")
    made = Fleet(admin, ClinicCa(admin.folder, PASSPHRASE))
    make_desk_key(admin.folder, PASSPHRASE, now=datetime.now(UTC))
    with ExitStack() as ends:
        for number, name in enumerate(NAMES, start=2):
            made.boxes.append(ends.enter_context(one_of_many(made, tmp_path / name, name, f"127.0.0.{number}")))
        made.enter(*(box.entered() for box in made.boxes))
        yield made


@contextmanager
def one_of_many(fleet: Fleet, folder: Path, name: str, host: str, *, ca: ClinicCa | None = None) -> Iterator[OneOfMany]:
    own, over = OneBox(folder / "box", clinic_key=public_key(fleet.admin.folder.path)), threading.Event()
    key = Ed25519PrivateKey.generate()
    with people_in(folder) as people:
        page = Box(make_store(folder / "recordings"), own.folder / "run", own.folder / AUDIT_NAME, people)
        publish_public_key(key, page.run)
        with reached(page, ca or fleet.ca, host=host, name="Room 1", own=own.folder) as there:

            def carry_out() -> None:
                while not over.wait(0.05):
                    own.applying().run()

            thread = threading.Thread(target=carry_out)
            thread.start()
            made = OneOfMany(name, own, page, there, key)
            made.publish(published_unix_s=datetime.now(UTC).timestamp() + 3)
            try:
                yield made
            finally:
                over.set()
                thread.join(PATIENCE_S)


def caller(fleet: Fleet, **settings: float) -> Caller:
    return Caller(desk_trust(fleet.admin.folder, lambda: PASSPHRASE), **settings)


def test_the_status_of_all_boxes_is_one_table_and_one_object(fleet: Fleet) -> None:
    for box in fleet.boxes:
        box.publish()
    said = fleet.does("status", fleet.admin.folder.path)
    head, *rows = said.out.splitlines()
    assert head.split()[:3] == ["box", "state", "version"]
    assert [row.split()[0] for row in rows[:3]] == list(NAMES)
    for box in fleet.boxes:
        box.publish()
    told = fleet.does("status", fleet.admin.folder.path, "--json").told
    assert [one["reachable"] for one in told["boxes"]] == [True] * 3
    assert told["boxes"][0]["status"]["box"] == "Room 1"


def test_each_box_that_is_not_the_clinics_or_not_there_is_told_and_the_others_are_shown(
    fleet: Fleet, tmp_path: Path
) -> None:
    good, other_key, wrong_ca = fleet.boxes
    with socket.socket() as nobody, one_of_many(fleet, tmp_path / "x", "x", "127.0.0.9", ca=ClinicCa()) as stranger:
        nobody.bind(("127.0.0.1", 0))
        fleet.enter(
            good.entered(),
            other_key.entered(device_key="0" * 16),
            wrong_ca.entered(address=stranger.reached.address),
            {"name": "room-4", "address": f"https://127.0.0.1:{nobody.getsockname()[1]}", "device_key": "1" * 16},
        )
        said = fleet.does("status", fleet.admin.folder.path, "--json")
    told = {one["name"]: one for one in said.told["boxes"]}
    assert said.code == said.told["exit_code"] == 6
    assert told["room-1"]["reachable"]
    assert "another device key" in told["room-2"]["error"]
    assert "no certificate of the clinic's" in told["room-3"]["error"]
    assert "does not answer" in told["room-4"]["error"]
    assert all(one.get("hint") for name, one in told.items() if name != "room-1")


def test_nothing_is_signed_for_a_box_that_is_not_the_clinics(fleet: Fleet, tmp_path: Path) -> None:
    good, other_key, wrong_ca = fleet.boxes
    with one_of_many(fleet, tmp_path / "x", "x", "127.0.0.9", ca=ClinicCa()) as stranger:
        fleet.enter(
            good.entered(),
            other_key.entered(device_key="0" * 16),
            wrong_ca.entered(address=stranger.reached.address),
        )
        for box in fleet.boxes:
            BoxFolder.of(fleet.admin.folder, box.name).settings.write_text(box.box.text(45))
        for name, why in (("room-2", "another device key"), ("room-3", "no certificate of the clinic's")):
            for kind in (("config", "push"), ("rotate-certificates",)):
                words = ("--yes", "--box", name, "--patience", PATIENCE_S)
                said = fleet.does(*kind, fleet.admin.folder.path, *words)
                assert (said.code, why in said.complaints) == (6, True), said.complaints
        assert not list((stranger.box.folder / "spool").iterdir())
    assert What.ORDER_SIGNED not in fleet.admin.log()
    assert [box.box.length() for box in fleet.boxes] == [60] * 3
    assert [len(box.box.results().results) for box in fleet.boxes] == [0] * 3


def test_a_certificate_of_this_desk_is_for_boxes_alone_and_ends(fleet: Fleet) -> None:
    said = fleet.does("key", fleet.admin.folder.path)
    assert said.code == 0
    assert "until" in said.out
    for path in (fleet.admin.folder.path / "fleet").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"BEGIN PRIVATE KEY" not in path.read_bytes()
    make_desk_key(fleet.admin.folder, PASSPHRASE, now=datetime.now(UTC) - timedelta(days=40))
    said = fleet.does("status", fleet.admin.folder.path)
    assert said.code == 2
    assert "ended" in said.complaints


def test_without_a_certificate_or_a_box_it_is_said_what_to_do(tmp_path: Path) -> None:
    admin = Admin(tmp_path / "admin")
    said = admin.does("fleet", "status", admin.folder.path)
    assert said.code == 2
    assert "device add" in said.complaints


def test_a_configuration_goes_to_one_box_first_and_then_to_the_others(fleet: Fleet) -> None:
    for box in fleet.boxes:
        BoxFolder.of(fleet.admin.folder, box.name).settings.write_text(box.box.text(45))
    said = fleet.does("config", "push", fleet.admin.folder.path, "--dry-run")
    assert said.code == 0
    assert "+max_length_min = 45" in said.out
    assert [box.box.length() for box in fleet.boxes] == [60] * 3
    said = fleet.does("config", "push", fleet.admin.folder.path, "--yes", "--patience", PATIENCE_S)
    assert said.code == 0, said.complaints
    assert said.out.splitlines()[-3].startswith("room-1: done")
    assert [box.box.length() for box in fleet.boxes] == [45] * 3
    assert fleet.admin.log().count(What.ORDER_SIGNED) == last_number(fleet.admin.folder.path) == 3
    said = fleet.does("config", "push", fleet.admin.folder.path, "--dry-run")
    assert "nothing changes" in said.out


def test_what_harms_the_first_box_is_undone_there_and_never_reaches_the_others(fleet: Fleet) -> None:
    for box in fleet.boxes:
        BoxFolder.of(fleet.admin.folder, box.name).settings.write_text(box.box.text(HARMFUL_MIN))
    said = fleet.does("config", "push", fleet.admin.folder.path, "--yes", "--patience", PATIENCE_S)
    assert said.code == 1
    assert "room-1: undone: a service does not come up" in said.complaints
    assert "room-2, room-3: nothing was sent" in said.complaints
    assert [box.box.length() for box in fleet.boxes] == [60] * 3
    assert [len(box.box.results().results) for box in fleet.boxes] == [1, 0, 0]


def test_a_configuration_that_does_not_hold_is_not_even_signed(fleet: Fleet) -> None:
    BoxFolder.of(fleet.admin.folder, "room-2").settings.write_text("[box]\nname = 1\n")
    said = fleet.does("config", "push", fleet.admin.folder.path, "--yes")
    assert said.code == 1
    assert "does not hold" in said.complaints
    assert What.ORDER_SIGNED not in fleet.admin.log()


def test_nothing_is_sent_without_a_yes(fleet: Fleet) -> None:
    said = fleet.does("config", "push", fleet.admin.folder.path)
    assert said.code == 2
    assert "--dry-run" in said.complaints


def test_a_box_in_a_session_says_so_and_does_it_by_itself_afterwards(fleet: Fleet) -> None:
    one = fleet.boxes[0]
    busy = threading.Event()
    one.box.reasons = _Until(busy)
    BoxFolder.of(fleet.admin.folder, "room-1").settings.write_text(one.box.text(45))
    said = fleet.does("config", "push", fleet.admin.folder.path, "--yes", "--box", "room-1", "--patience", 0)
    assert said.code == 6
    assert "did not do it yet" in said.complaints
    assert one.box.length() == 60
    busy.set()
    _until(lambda: one.box.length() == 45)


def test_a_restored_folder_signs_above_what_boxes_dealt_with(fleet: Fleet) -> None:
    one = fleet.boxes[0]
    for length, number in ((45, 1), (50, 2)):
        BoxFolder.of(fleet.admin.folder, "room-1").settings.write_text(one.box.text(length))
        said = fleet.does(
            "config", "push", fleet.admin.folder.path, "--yes", "--box", "room-1", "--patience", PATIENCE_S
        )
        assert f"order {number}" in said.out
    for log in (fleet.admin.folder.path / AUDIT_NAME).iterdir():
        log.unlink()
    BoxFolder.of(fleet.admin.folder, "room-1").settings.write_text(one.box.text(55))
    assert "order 3" in fleet.pushes("room-1").out


def test_one_slow_box_holds_up_nobody() -> None:
    slow = threading.Event()
    ready: list[str | None] = []
    boxes = [Target(name, "https://x") for name in ("slow", "a", "b")]

    def ask(box: Target) -> str:
        if box.name == "slow":
            assert slow.wait(PATIENCE_S)
        return box.name

    for outcome in with_each(boxes, ask):
        ready.append(outcome.told)
        if len(ready) == 2:
            slow.set()
    assert sorted(ready[:2], key=str) == ["a", "b"]
    assert ready[2] == "slow"


def test_one_first_then_no_more_at_a_time_than_was_said() -> None:
    boxes, under_way, most, lock = (
        [Target(str(number), "https://x") for number in range(9)],
        set(),
        [],
        threading.Lock(),
    )

    def do(box: Target) -> None:
        with lock:
            under_way.add(box.name)
            most.append(frozenset(under_way))
        with lock:
            under_way.discard(box.name)

    assert len(list(one_first(boxes, do, at_a_time=3))) == 9
    assert most[0] == {"0"}
    assert max(map(len, most)) <= 3


def test_a_large_order_goes_on_where_it_was_cut(fleet: Fleet, tmp_path: Path) -> None:
    one, order = fleet.boxes[0], tmp_path / "large"
    order.write_bytes(bytes(1 << 20))
    box = Target("room-1", one.reached.address)
    seen: list[int] = []

    def cut(done: int, _whole: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        caller(fleet).send(box, order, progress=cut)
    again: list[int] = []
    caller(fleet).send(box, order, progress=lambda done, _whole: again.append(done))
    assert again[0] == seen[-1]  # what it has is told first
    assert again[-1] == 1 << 20


def test_a_desk_trusts_its_own_authority_alone(fleet: Fleet) -> None:
    context = desk_trust(fleet.admin.folder, lambda: PASSPHRASE)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


class _Until(list):
    """Why a box is not to be changed, for as long as an event is not set."""

    def __init__(self, over: threading.Event) -> None:
        super().__init__()
        self.over = over

    def __bool__(self) -> bool:
        return not self.over.wait(0.01)

    def pop(self, _at: object = 0) -> str:
        return "a session is under way"


def _until(holds: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(int(PATIENCE_S * 10)):
        if holds():
            return
        waited.wait(0.1)
    raise AssertionError("it did not happen")
