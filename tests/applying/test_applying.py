"""Orders are carried out whole or not at all, while nobody is there, and undone where they harm."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.applying import MOST_TRIES
from device.applying_kinds import Plan
from device.applying_services import ALL
from device.clinic_people import PEOPLE_LISTS, ListedPerson, PeopleList
from device.errors import OrderError, SottoError, StoreError
from provisioning.clinic.series import Dated, issue_series, new_page_key
from tests.applying.world import BOX, HARMFUL_MIN, KEY, OneBox
from tests.front.desks import ClinicCa


@pytest.fixture
def box(tmp_path: Path) -> OneBox:
    return OneBox(tmp_path / "box")


def test_a_new_configuration_is_taken_and_the_services_begin_anew_with_it(box: OneBox) -> None:
    box.send_config(45)
    (result,) = box.run().results
    assert (result.outcome, result.about, result.number) == ("done", "config", 1)
    assert box.length() == 45
    assert box.services.begun == list(ALL)
    assert box.config.stat().st_mode & 0o777 == 0o640  # as it was: it names where things are
    assert [one.outcome for one in box.noted] == ["done"]


def test_a_new_roster_is_put_there_for_capture_to_take_and_nothing_begins_anew(box: OneBox) -> None:
    document = box.send_roster()
    assert box.run().results[0].outcome == "done"
    assert box.roster.read_bytes() == document
    assert box.services.begun == []


def test_a_flipped_byte_anywhere_is_refused_and_changes_nothing(box: OneBox) -> None:
    good = box.send_config(45).read_bytes()
    before = box.config.read_bytes()
    for at in range(0, len(good), 37):
        changed = bytearray(good)
        changed[at] ^= 0x10
        (box.folder / "spool" / "x.order").write_bytes(changed)
        (box.folder / "spool" / "000001.order").unlink(missing_ok=True)
        results = box.run()
        assert results.results[-1].outcome == "refused"
        assert results.results[-1].hint
        assert results.last == {}  # the true one can still be sent
    assert box.config.read_bytes() == before
    assert box.services.begun == []
    (box.folder / "spool" / "x.order").write_bytes(good)
    assert box.run().results[-1].outcome == "done"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"box": "Room 2"}, "cannot change box.name"),
        ({"clinic_key": "ab" * 32}, "cannot change recipients.clinic_key"),
        ({"length": "1000"}, "does not hold"),
        ({"length": "60\nwhat = 1"}, "not a known key"),
        ({"length": '"'}, "no valid TOML"),
    ],
)
def test_a_configuration_that_does_not_hold_is_refused_before_anything_changes(
    box: OneBox, changes: dict[str, Any], why: str
) -> None:
    text = box.text(**changes)
    box.send("config", {"sotto.toml": text.encode()})
    (result,) = box.run().results
    assert result.outcome == "refused"
    assert why in result.what
    assert box.services.begun == []
    assert box.length() == 60


def test_what_keeps_the_services_from_coming_up_is_undone_and_they_run_as_before(box: OneBox) -> None:
    box.send_config(HARMFUL_MIN)
    (result,) = box.run().results
    assert result.outcome == "undone"
    assert "does not come up" in result.what
    assert "what was there before is back" in result.what
    assert box.length() == 60
    assert box.services.running(ALL) == ALL
    assert [one.outcome for one in box.noted] == ["undone"]


def test_services_that_did_not_run_are_left_alone(box: OneBox) -> None:
    box.services.up["sotto-nginx.service"] = False
    box.send_config(45)
    box.run()
    assert "sotto-nginx.service" not in box.services.begun


def test_nothing_is_changed_before_nobody_is_there(box: OneBox) -> None:
    box.reasons = ["a session is under way", "a session is under way", "a session ended a short while ago"]
    seen: list[tuple[str, str, int]] = []
    box.send_config(45)
    applying = box.applying()
    world = applying._world

    def rest(_seconds: float) -> None:
        (result,) = box.results().results
        seen.append((result.outcome, result.what, box.length()))

    object.__setattr__(world, "rest", rest)
    applying.run()
    assert seen == [
        ("waiting", "a session is under way", 60),
        ("waiting", "a session is under way", 60),
        ("waiting", "a session ended a short while ago", 60),
    ]
    assert box.length() == 45


def test_an_old_order_is_never_taken_again_also_where_it_was_refused_or_undone(box: OneBox) -> None:
    box.send_config(45, number=5)
    old = (box.folder / "spool" / "000005.order").read_bytes()
    box.run()
    box.send_config(HARMFUL_MIN, number=6)
    bad = (box.folder / "spool" / "000006.order").read_bytes()
    box.run()
    for document in (old, bad):
        (box.folder / "spool" / "x.order").write_bytes(document)
        begun = list(box.services.begun)
        box.run()
        assert box.services.begun == begun
    box.send_config(50, number=6)  # another with a number that was used
    assert "dealt with number 6" in box.run().results[-1].what
    box.send_roster(number=1)  # numbers count for each kind
    assert box.run().results[-1].outcome == "done"
    assert box.length() == 45


def test_orders_for_other_boxes_by_other_keys_and_of_unknown_kinds_are_refused(box: OneBox) -> None:
    box.send("config", {"sotto.toml": box.text(45).encode()}, 1, boxes=("Room 2",))
    assert "not for Room 1" in box.run().results[-1].what
    box.send("config", {"sotto.toml": box.text(45).encode()}, 2, key=Ed25519PrivateKey.generate())
    assert "another key" in box.run().results[-1].what
    box.send("update", {"a": b"{}"}, 3)
    assert "takes no order about update" in box.run().results[-1].what
    box.send("config", {"sotto.toml": box.text(45).encode(), "more": b""}, 4)
    assert "nothing else" in box.run().results[-1].what
    assert box.length() == 60


def test_a_roster_that_capture_would_refuse_is_refused_here(box: OneBox) -> None:
    box.send_roster(number=1, boxes=("Room 2",))
    assert "not for Room 1" in box.run().results[-1].what
    (box.folder / "store" / "roster.json").write_bytes(box.send_roster(number=2))
    box.run()
    box.send_roster(number=3)  # the same roster number as the one that was taken, and the same roster: nothing is wrong
    assert box.run().results[-1].outcome == "done"


def test_certificates_are_taken_where_they_are_the_authoritys_and_for_the_key_and_names_of_the_box(box: OneBox) -> None:
    page, authority, other, key = box.folder / "tls", ClinicCa(), ClinicCa(), new_page_key()
    page.mkdir()
    name, now = "room-1.example", datetime.now(UTC)

    def series(ca: ClinicCa, key: ec.EllipticCurvePrivateKey, *names: str) -> tuple[Dated, ...]:
        return issue_series(ca.pem, ca.key, names=names, addresses=[], public_key=key.public_key(), now=now)

    first, *later = series(authority, key, name)
    (page / first.name).write_bytes(first.pem)
    (box.folder / "ca.crt").write_bytes(authority.pem)
    more = f'[web.nginx]\nnames = ["{name}"]\ncertificate = "{page}"\nkey = "/k"\nsocket = "/s"\n'
    box.config.write_text(box.text() + more + f'authority = "{box.folder}/ca.crt"\n')
    for number, (members, outcome) in enumerate(
        (
            (series(authority, new_page_key(), name), "refused"),
            (series(other, key, name), "refused"),
            (series(authority, key, "room-2.example"), "refused"),
            ((*later, Dated("x.pem", b"")), "refused"),
            (later, "done"),
        ),
        start=1,
    ):
        box.send("certificates", {one.name: one.pem for one in members}, number)
        assert box.run().results[-1].outcome == outcome, number
        assert len(list(page.iterdir())) == (1 if outcome == "refused" else 1 + len(later))
    assert box.services.begun == ["sotto-nginx.service"]


def test_a_list_of_people_is_put_there_for_the_page_where_the_clinic_signed_it(box: OneBox) -> None:
    people = box.folder / "people.json"
    anna = ListedPerson(mark="a" * 12, login="anna", name="Anna", roles=("admin",))
    box.config.write_text(box.text() + f'[people]\nfile = "{people}"\n')
    given = PeopleList(number=1, made="2026-03-02T09:00:00Z", boxes=(BOX,), people=(anna,))
    for number, key, outcome in ((1, Ed25519PrivateKey.generate(), "refused"), (2, KEY, "done")):
        document = PEOPLE_LISTS.sign(given, key)
        box.send("people", {PEOPLE_LISTS.file_name: document}, number)
        assert box.run().results[-1].outcome == outcome
    assert people.read_bytes() == document


def test_what_could_not_be_noted_is_noted_the_next_time_once(box: OneBox) -> None:
    box.can_note = False
    box.send_config(45)
    assert not box.run().results[0].noted
    box.can_note = True
    assert box.run().results[0].noted
    box.run()
    assert len(box.noted) == 1


def test_another_part_of_the_program_can_carry_out_a_kind_of_its_own(box: OneBox) -> None:
    done = []
    box.kinds["people"] = lambda order, staged, _here: Plan(
        act=lambda: done.append((staged / "people.json").read_bytes())
    )

    def fails() -> None:
        raise OrderError("it does not fit", "send another")

    box.send("people", {"people.json": b"[1]"})
    assert box.run().results[-1].outcome == "done"
    assert done == [b"[1]"]
    box.kinds["people"] = lambda _order, _staged, _here: Plan(act=fails)
    box.send("people", {"people.json": b"[2]"}, 2)
    assert box.run().results[-1].outcome == "undone"


def test_without_its_memory_of_old_numbers_nothing_is_carried_out(box: OneBox) -> None:
    (box.folder / "state" / "results.json").write_bytes(b"{")
    box.send_config(45)
    with pytest.raises(StoreError):
        box.applying().run()
    assert box.length() == 60


# -- cuts


class Cut(BaseException):
    """The power is gone: nothing that the program still wants to do reaches the disk."""


class Knife:
    """Cuts at the n-th thing that the program does with a file; after that it can do nothing."""

    def __init__(self) -> None:
        self.left = -1
        self.armed = False
        self.fell = False
        sys.addaudithook(self._hook)  # there is no way to take it off again

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event == "open" and not _writes(arguments):
            return
        if event in {
            "open",
            "os.rename",
            "os.remove",
            "os.mkdir",
            "os.rmdir",
            "shutil.rmtree",
            "os.chmod",
            "os.truncate",
        }:
            if self.left <= 0:
                self.fell = True
                raise Cut
            self.left -= 1

    def cut(self, at: int, run: Callable[[], object]) -> bool:
        """Whether it fell before ``run`` was through."""
        self.left, self.armed, self.fell = at, True, False
        try:
            run()
        except Cut:
            pass
        finally:
            self.armed = False
        return self.fell


def _writes(arguments: tuple[Any, ...]) -> bool:
    mode, flags = arguments[1], arguments[2]
    return any(letter in (mode or "") for letter in "wxa+") or bool(flags & 3)


KNIFE = Knife()


def cuts() -> Iterator[int]:
    yield from range(1000)


@pytest.mark.parametrize("length", [45, HARMFUL_MIN])
@pytest.mark.parametrize("power", [True, False], ids=["power", "process"])
def test_a_cut_at_any_step_leaves_the_old_or_the_new_and_the_next_start_ends_it(
    tmp_path: Path, *, length: int, power: bool
) -> None:
    seen = set()
    for at in cuts():
        box = OneBox(tmp_path / str(at))
        box.send_config(length)
        fell = KNIFE.cut(at, lambda box=box: box.applying().run())
        text = box.config.read_text()
        assert text in (box.text(), box.text(length))  # never torn
        if power:
            box.start()
            seen.add(settled := box.config.read_text())
            outcome = [one.outcome for one in box.results().results]
            assert settled == (box.text(length) if outcome == ["done"] else box.text())
        results = box.run()  # and once they run
        assert [one.outcome for one in results.results] == ["done" if length == 45 else "undone"]
        assert box.config.read_text() == (box.text(length) if length == 45 else box.text())
        assert [one.noted for one in results.results] == [True]
        assert box.services.running(ALL) == ALL
        box.close()
        if not fell:
            break
    assert at > 20
    assert box.text(length) not in seen or length == 45


def test_a_second_cut_while_it_is_being_put_back_harms_no_more(tmp_path: Path) -> None:
    for first in range(14, 30, 2):
        for at in cuts():
            box = OneBox(tmp_path / f"{first}-{at}")
            box.send_config(45)
            KNIFE.cut(first, lambda box=box: box.applying().run())
            fell = KNIFE.cut(at, lambda box=box: box.start())
            assert box.config.read_text() in (box.text(), box.text(45))
            box.start()
            assert box.run().results[-1].outcome == "done"
            assert box.length() == 45
            box.close()
            if not fell:
                break


def test_what_cuts_the_box_off_each_time_is_given_up(box: OneBox) -> None:
    box.send_config(45)

    def power_goes(_unit: str) -> bool:
        raise Cut

    for _ in range(MOST_TRIES):
        box.services.comes_up = power_goes
        with pytest.raises(Cut):
            box.applying().run()
        box.services.comes_up = lambda _unit: True
        box.start()
    assert box.run().results[-1].outcome == "refused"
    assert "interrupted 3 times" in box.results().results[-1].what
    assert box.length() == 60


def test_after_a_crash_beside_running_services_it_is_put_right_only_while_nobody_is_there(box: OneBox) -> None:
    box.send_config(45)
    box.services.comes_up = lambda _unit: (_ for _ in ()).throw(Cut())
    with pytest.raises(Cut):
        box.applying().run()
    box.services.comes_up = lambda _unit: True
    box.reasons = ["a session is under way"] * 3
    waited = box.waited
    box.applying().settle(services_run=True)
    assert box.waited == waited + 3
    assert box.length() == 60
    assert box.services.begun[-4:] == list(ALL)


def test_every_refusal_is_a_pair(box: OneBox) -> None:
    (box.folder / "spool" / "x.order").write_bytes(b"nothing of the kind")
    (result,) = box.run().results
    assert result.what
    assert result.hint
    assert issubclass(OrderError, SottoError)
