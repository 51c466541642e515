"""The roster as a box takes it: signed, unchanged, newer, for this box; and who opens what by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import generate_identity
from device.age.recipients import fingerprint, parse_recipient
from device.clinic_list import digest_of
from device.errors import RecipientError, StoreError
from device.recording.audited import Happened, What
from device.recording.signing import sign, sign_line
from device.roster import ROSTER_NAME, Opener, Roster, Seat, check_roster, read_roster, sign_roster
from device.roster_shelf import RosterShelf

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
KEYS = [str(generate_identity(post_quantum=False).recipient()) for _ in range(4)]
ANNA, BEN, CY = "a" * 12, "b" * 12, "c" * 12


def a_roster(**changes: Any) -> Roster:
    """Anna and Ben see clients, Ben alone opens Anna's besides her; Cy is nobody's."""
    facts: dict[str, Any] = {
        "number": 1,
        "made": "2026-03-02T09:00:00Z",
        "boxes": ("Room 1", "Room 2"),
        "policy": "supervised",
        "people": tuple(Opener(mark=mark, recipient=key) for mark, key in zip((ANNA, BEN, CY), KEYS[1:], strict=True)),
        "therapists": (Seat(mark=ANNA, opened_by=(ANNA, BEN)), Seat(mark=BEN, opened_by=(BEN,))),
        "recovery": (KEYS[0],),
    }
    return Roster(**facts | changes)


def opens(roster: Roster, therapist: str | None) -> list[str]:
    return [str(recipient) for recipient in roster.recipients_for(therapist)]


def test_each_therapists_recordings_open_for_whom_the_roster_says_and_for_recovery() -> None:
    assert opens(a_roster(), ANNA) == [KEYS[1], KEYS[2], KEYS[0]]
    assert opens(a_roster(), BEN) == [KEYS[2], KEYS[0]]


@pytest.mark.parametrize("whoever", [None, CY, "d" * 12])
def test_nobody_is_guessed_into_a_recording(whoever: str | None) -> None:
    assert opens(a_roster(), whoever) == [KEYS[0]]


def test_the_one_therapist_there_is_needs_not_be_named() -> None:
    alone = a_roster(therapists=(Seat(mark=ANNA, opened_by=(ANNA,)),))
    assert opens(alone, None) == [KEYS[1], KEYS[0]]
    assert opens(alone, BEN) == [KEYS[0]]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"recovery": ()}, "at least 1"),
        ({"therapists": (Seat(mark=ANNA, opened_by=("e" * 12,)),)}, "no recipient"),
        ({"therapists": (Seat(mark=ANNA, opened_by=(BEN, BEN)),)}, "twice"),
        ({"therapists": (Seat(mark=ANNA, opened_by=(ANNA,)),) * 2}, "twice"),
        ({"people": (Opener(mark=ANNA, recipient=KEYS[0]),), "therapists": ()}, "twice"),
        ({"people": (Opener(mark=ANNA, recipient=KEYS[1]),) * 2, "therapists": ()}, "twice"),
        ({"boxes": ("Room 1", "Room 1")}, "twice"),
        ({"recovery": (str(generate_identity(post_quantum=True).recipient()),)}, "cannot share"),
        ({"number": 0}, "greater"),
        ({"policy": "open"}, "private-first"),
        ({"made": "yesterday"}, "match"),
    ],
)
def test_a_roster_that_makes_no_sense_is_none(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        a_roster(**changes)


def test_what_the_clinic_signed_is_read_as_it_was() -> None:
    document = sign_roster(a_roster(), KEY)
    assert document.count(b"\n") == 1
    assert read_roster(document, clinic_key=PUBLIC) == a_roster()


def test_a_flipped_bit_anywhere_is_refused() -> None:
    document = sign_roster(a_roster(), KEY)
    for at in range(len(document)):
        for bit in (0, 3, 7):
            changed = bytearray(document)
            changed[at] ^= 1 << bit
            with pytest.raises(RecipientError) as refused:
                read_roster(bytes(changed), clinic_key=PUBLIC)
            assert refused.value.hint


def test_a_cut_or_a_longer_roster_is_refused() -> None:
    document = sign_roster(a_roster(), KEY)
    for changed in (b"", document[:-1], document[:100], document + b"\n", document * 2, b" " + document):
        with pytest.raises(RecipientError, match="damaged, or was changed"):
            read_roster(changed, clinic_key=PUBLIC)


def test_somebody_elses_signature_and_one_for_another_kind_do_not_count() -> None:
    other = Ed25519PrivateKey.generate()
    with pytest.raises(RecipientError, match="another key"):
        read_roster(sign_roster(a_roster(), other), clinic_key=PUBLIC)
    payload = a_roster().model_dump(mode="json")
    for document in (sign_line("manifest", payload, KEY), sign("roster", payload, KEY)):
        with pytest.raises(RecipientError, match="damaged, or was changed"):
            read_roster(document, clinic_key=PUBLIC)


@pytest.mark.parametrize(
    "change",
    [{"sotto_roster": 2}, {"more": 1}, {"number": "7"}, {"recovery": ["AGE-SECRET-KEY-1X"]}, {"people": None}],
)
def test_what_is_signed_and_is_no_roster_is_refused_and_not_shown(change: dict[str, Any]) -> None:
    payload = a_roster().model_dump(mode="json") | change
    with pytest.raises(RecipientError) as refused:
        read_roster(sign_line("roster", payload, KEY), clinic_key=PUBLIC)
    assert "SECRET" not in refused.value.what


def test_a_box_takes_no_roster_for_others_and_none_that_is_old() -> None:
    with pytest.raises(RecipientError, match="not for Room 9"):
        check_roster(a_roster(), box="Room 9", taken=None)
    taken = a_roster(number=7)
    check_roster(taken, box="Room 1", taken=taken)
    check_roster(a_roster(number=8), box="Room 1", taken=taken)
    for number in (6, 7):
        with pytest.raises(RecipientError, match="took number 7 before"):
            check_roster(a_roster(number=number, boxes=("Room 1",)), box="Room 1", taken=taken)


# -- on the box -------------------------------------------------------------------------------------------------------


class Place:
    """A box's roster: where the admin puts it, and what the box notes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "given.json"
        self.store = folder / "store"
        self.store.mkdir()
        self.noted: list[Happened] = []

    def put(self, roster: Roster, key: Ed25519PrivateKey = KEY) -> bytes:
        document = sign_roster(roster, key)
        self.path.write_bytes(document)
        return document

    def shelf(self, box: str = "Room 1") -> RosterShelf:
        return RosterShelf(self.path, clinic_key=PUBLIC, box=box, store=self.store, tell=self.noted.append)

    def whats(self) -> list[What]:
        return [happened.what for happened in self.noted]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_before_it_was_read_nobody_is_sealed_to(place: Place) -> None:
    place.put(a_roster())
    assert place.shelf().recipients_for(ANNA) == []


def test_a_roster_that_is_taken_is_noted_with_the_keys_that_came(place: Place) -> None:
    document = place.put(a_roster())
    shelf = place.shelf()
    assert shelf.look() is None
    assert [str(one) for one in shelf.recipients_for(BEN)] == [KEYS[2], KEYS[0]]
    (noted,) = place.noted
    ids = sorted(fingerprint(parse_recipient(key)) for key in KEYS[:3])  # nobody's recording opens for Cy
    assert noted.what is What.ROSTER_TAKEN
    assert noted.facts == {"roster": 1, "digest": digest_of(document), "added": tuple(ids), "removed": ()}
    assert (place.store / ROSTER_NAME).read_bytes() == document
    assert shelf.look() is None
    assert len(place.noted) == 1


def test_a_new_one_is_taken_while_the_box_runs_and_tells_whose_keys_went(place: Place) -> None:
    place.put(a_roster())
    shelf = place.shelf()
    shelf.look()
    place.put(a_roster(number=2, therapists=(Seat(mark=ANNA, opened_by=(ANNA,)), Seat(mark=BEN, opened_by=()))))
    assert shelf.look() is None
    assert [str(one) for one in shelf.recipients_for(ANNA)] == [KEYS[1], KEYS[0]]
    assert place.noted[1].facts["removed"] == (fingerprint(parse_recipient(KEYS[2])),)
    assert place.noted[1].facts["added"] == ()


def test_an_old_one_is_refused_after_a_restart_too(place: Place) -> None:
    old = place.put(a_roster())
    place.shelf().look()
    place.put(a_roster(number=2))
    place.shelf().look()
    place.path.write_bytes(old)
    shelf = place.shelf()
    fault = shelf.look()
    assert isinstance(fault, RecipientError)
    assert "took number 2 before" in fault.what
    assert shelf.recipients_for(ANNA) == []
    assert place.whats() == [What.ROSTER_TAKEN, What.ROSTER_TAKEN, What.ROSTER_REFUSED]


def test_one_that_was_changed_on_its_way_ends_all_sealing_until_it_is_put_right(place: Place) -> None:
    document = place.put(a_roster())
    shelf = place.shelf()
    shelf.look()
    place.path.write_bytes(document.replace(ANNA.encode(), BEN.encode(), 1))
    assert isinstance(shelf.look(), RecipientError)
    assert isinstance(shelf.look(), RecipientError)
    assert shelf.recipients_for(ANNA) == []
    assert place.whats() == [What.ROSTER_TAKEN, What.ROSTER_REFUSED]  # once, however often it is looked at
    place.path.write_bytes(document)
    assert shelf.look() is None
    assert len(shelf.recipients_for(ANNA)) == 3


def test_a_roster_that_is_not_there_is_a_fault_with_its_reason(place: Place) -> None:
    fault = place.shelf().look()
    assert isinstance(fault, RecipientError)
    assert "No such file" in fault.what
    assert fault.hint


def test_a_roster_that_cannot_be_kept_is_not_taken(place: Place) -> None:
    place.put(a_roster())
    place.store.rmdir()
    shelf = place.shelf()
    assert isinstance(shelf.look(), StoreError)
    assert shelf.recipients_for(ANNA) == []
    assert place.noted == []
    place.store.mkdir()
    assert shelf.look() is None  # the store is asked again


def test_a_clinic_with_a_new_key_begins_its_numbers_anew(place: Place) -> None:
    place.put(a_roster(number=9))
    place.shelf().look()
    new = Ed25519PrivateKey.generate()
    place.put(a_roster(number=1), new)
    public = new.public_key().public_bytes_raw()
    shelf = RosterShelf(place.path, clinic_key=public, box="Room 1", store=place.store, tell=place.noted.append)
    assert shelf.look() is None


def test_no_name_and_no_login_is_in_a_roster() -> None:
    said = json.loads(sign_roster(a_roster(), KEY))["payload"]
    assert set(said["people"][0]) == {"mark", "recipient"}
    assert set(said["therapists"][0]) == {"mark", "opened_by"}
