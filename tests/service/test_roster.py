"""Who can open what: real recordings, sealed to whoever the clinic's signed roster names for who works in the room."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.errors import WrongKeyError
from device.age.identities import KeyIdentity, generate_identity
from device.naming_requests import Label, OnDuty
from device.recording import ATTACHMENTS_NAME
from device.recording.audited import Happened, What
from device.roster import Opener, Roster, Seat, sign_roster
from device.roster_shelf import RosterShelf
from tests.service.rooms import MakeBox
from tests.support import Box, own_open, store_at

KEY = Ed25519PrivateKey.generate()
ANNA, BEN = "a" * 12, "b" * 12
SHIFT_S = 3600


class Clinic:
    """Anna and Ben, each with an identity of their own, and a recovery identity."""

    def __init__(self, home: Path) -> None:
        self.path = home / "roster.json"
        self.noted: list[Happened] = []
        self.identities = {name: generate_identity(post_quantum=False) for name in (ANNA, BEN, "recovery")}
        self.store = store_at(home / "store")
        self.sign(1, {ANNA: (ANNA,), BEN: (BEN,)})

    def sign(self, number: int, seats: dict[str, tuple[str, ...]]) -> None:
        texts = {name: str(identity.recipient()) for name, identity in self.identities.items()}
        roster = Roster(
            number=number,
            made="2026-03-02T09:00:00Z",
            boxes=("Room 1",),
            policy="private-first",
            people=tuple(Opener(mark=mark, recipient=texts[mark]) for mark in (ANNA, BEN)),
            therapists=tuple(Seat(mark=mark, opened_by=opened_by) for mark, opened_by in seats.items()),
            recovery=(texts["recovery"],),
        )
        self.path.write_bytes(sign_roster(roster, KEY))

    def shelf(self) -> RosterShelf:
        public = KEY.public_key().public_bytes_raw()
        return RosterShelf(self.path, clinic_key=public, box="Room 1", store=self.store.path, tell=self.noted.append)

    def who_opens(self, path: Path) -> set[str]:
        return {name for name, identity in self.identities.items() if _opens(path, identity)}


def _opens(path: Path, identity: KeyIdentity) -> bool:
    try:
        return bool(own_open(path, identity))
    except WrongKeyError:
        return False


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def record(box: Box) -> Path:
    known = set(box.store.ids())
    box.begin()
    box.pass_s(2)
    box.end()
    (new,) = set(box.store.ids()) - known
    return box.sealed(new)


def on_duty(box: Box, therapist: str) -> None:
    box.desk.answer(OnDuty(by=therapist, therapist=therapist, for_s=SHIFT_S))


def test_a_recording_opens_for_who_was_on_duty_and_for_recovery_alone(make_box: MakeBox, clinic: Clinic) -> None:
    box = make_box(store=clinic.store, shelf=clinic.shelf())
    on_duty(box, ANNA)
    hers = record(box)
    label = box.desk.answer(Label(by=BEN, client="A-17", recording=hers.parent.name))
    assert label.recording == hers.parent.name
    on_duty(box, BEN)
    his = record(box)
    box.stop()
    assert clinic.who_opens(hers) == {ANNA, "recovery"}
    assert clinic.who_opens(his) == {BEN, "recovery"}
    # What lies beside a recording is for those who can open it, whoever wrote it.
    assert clinic.who_opens(hers.parent / ATTACHMENTS_NAME / "label.age") == {ANNA, "recovery"}


def test_where_nobody_said_who_works_there_recovery_alone_opens_it(make_box: MakeBox, clinic: Clinic) -> None:
    box = make_box(store=clinic.store, shelf=clinic.shelf())
    nobodys = record(box)
    box.stop()
    assert clinic.who_opens(nobodys) == {"recovery"}


def test_a_new_roster_takes_effect_with_the_next_session(make_box: MakeBox, clinic: Clinic) -> None:
    box = make_box(store=clinic.store, shelf=clinic.shelf())
    on_duty(box, ANNA)
    box.begin()
    clinic.sign(2, {ANNA: (ANNA, BEN), BEN: (BEN,)})
    box.until(lambda _status: len(clinic.noted) == 2)
    box.end()
    (first,) = box.store.ids()
    after = record(box)
    box.stop()
    assert clinic.who_opens(box.sealed(first)) == {ANNA, "recovery"}
    assert clinic.who_opens(after) == {ANNA, BEN, "recovery"}
    assert [one.what for one in clinic.noted] == [What.ROSTER_TAKEN] * 2


def test_one_flipped_bit_in_the_roster_keeps_the_box_from_recording_and_says_so(
    make_box: MakeBox, clinic: Clinic
) -> None:
    right = clinic.path.read_bytes()
    changed = bytearray(right)
    changed[len(changed) // 2] ^= 1
    clinic.path.write_bytes(changed)
    box = make_box(store=clinic.store, shelf=clinic.shelf())
    seen = box.until_state("fault")
    assert seen.faults[0][0] == "the roster is damaged, or was changed after the clinic signed it"
    assert seen.faults[0][1]
    box.consent()
    box.record()
    box.pass_s(20)
    assert box.log.events == []
    assert box.store.ids() == []
    clinic.path.write_bytes(right)
    box.until_state("idle")
    record(box)
