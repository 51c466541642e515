"""People come, change and go: who opens whose recordings by either policy, and what boxes and log get to know."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from device.age.identities import generate_identity
from device.age.recipients import KeyRecipient, fingerprint
from device.clinic_list import digest_of
from device.clock import SystemClock
from device.roster import MOST_OPENERS, Roster
from provisioning.clinic.changing import carry_out
from provisioning.clinic.who_opens import seats_of
from provisioning.clinic_file import Listed
from provisioning.errors import UsageError
from tests.provisioning.boxes import call
from tests.provisioning.clinics import PASSPHRASE
from tests.provisioning.folders import Admin, unchanged


def a_key() -> KeyRecipient:
    return generate_identity(post_quantum=False).recipient()


KEYS = [str(a_key()) for _ in range(6)]


def listed(number: int, *roles: str, supervises: tuple[int, ...] = (), key: bool = True) -> Listed:
    values = {"mark": f"{number:012x}", "login": f"p{number}", "name": f"P{number}", "roles": roles}
    recipient = KEYS[number] if key else None
    return Listed(**values, recipient=recipient, supervisees=tuple(f"{one:012x}" for one in supervises))


def seats(people: list[Listed], policy: str) -> dict[int, list[int]]:
    found = seats_of(people, policy)  # type: ignore[arg-type]
    return {int(seat.mark, 16): [int(mark, 16) for mark in seat.opened_by] for seat in found}


PEOPLE = [
    listed(1, "therapist"),
    listed(2, "therapist", "supervisor", supervises=(1, 2)),
    listed(3, "supervisor", supervises=(1,)),
    listed(4, "admin", supervises=(1, 2)),
    listed(5, "therapist", key=False),
    listed(0, "supervisor", supervises=(5,), key=False),
]


def test_private_first_is_the_therapist_alone() -> None:
    assert seats(PEOPLE, "private-first") == {1: [1], 2: [2], 5: []}


def test_supervised_is_the_therapist_and_who_supervises_them() -> None:
    assert seats(PEOPLE, "supervised") == {1: [1, 2, 3], 2: [2], 5: []}


@pytest.mark.parametrize("policy", ["private-first", "supervised"])
def test_no_order_of_people_changes_who_opens_and_nobody_opens_who_has_no_business_there(policy: str) -> None:
    lots = random.Random(1)
    for _ in range(300):
        people = [
            listed(
                number,
                *lots.sample(["therapist", "supervisor", "admin"], lots.randint(1, 3)),
                supervises=tuple(lots.sample(range(6), lots.randint(0, 3))),
                key=lots.random() < 0.8,
            )
            for number in range(6)
        ]
        found = seats(people, policy)
        assert seats(lots.sample(people, 6), policy) == found
        assert set(found) == {one for one in range(6) if "therapist" in people[one].roles}
        for therapist, openers in found.items():
            for one in openers:
                supervises = "supervisor" in people[one].roles and people[therapist].mark in people[one].supervisees
                assert people[one].recipient
                assert one == therapist or (supervises and policy == "supervised")


# -- at the desk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    made = Admin(tmp_path, policy="supervised")
    assert made.does("recovery", "set", made.folder.path, a_key()).code == 0
    return made


def roster(admin: Admin) -> Roster:
    found = admin.folder.read_roster()
    assert found is not None
    return found


def mark_of(admin: Admin, login: str) -> str:
    (found,) = [one.mark for one in admin.folder.read().people if one.login == login]
    return found


def opens(admin: Admin, login: str) -> list[str]:
    return [str(one) for one in roster(admin).recipients_for(mark_of(admin, login))][:-1]


def test_who_comes_and_goes_is_in_the_next_roster_and_in_the_log_without_a_name(admin: Admin) -> None:
    anna, ben = a_key(), a_key()
    admin.has("anna", anna)
    admin.has("ben", ben, "--supervises", "anna", role="supervisor")
    assert opens(admin, "anna") == [str(anna), str(ben)]
    numbers = [roster(admin).number]
    said = admin.does("person", "remove", admin.folder.path, "ben")
    assert f"recordings of Anna open for: - Ben ({fingerprint(ben)})" in said.out
    assert opens(admin, "anna") == [str(anna)]
    assert [*numbers, roster(admin).number] == [3, 4]
    entries = call("desk", "show", admin.folder.path, "--json").told["entries"]
    last = entries[-1]
    assert (last["what"], last["facts"]["roster"]) == ("roster signed", 4)
    assert last["facts"]["removed"] == [fingerprint(ben)]
    assert last["facts"]["digest"] == digest_of(admin.folder.roster.read_bytes())
    assert [one["facts"]["change"] for one in entries if one["what"] == "person changed"] == ["added", "added", "ended"]
    assert call("verify", admin.folder.path).code == 0
    log = b"".join(path.read_bytes() for path in admin.folder.audit.iterdir())
    assert b"Anna" not in log
    assert b"anna" not in log


def test_a_new_key_takes_the_place_of_a_lost_one(admin: Admin) -> None:
    old, new = a_key(), a_key()
    admin.has("anna", old)
    (admin.home / "anna.recipient").write_text(f"# hers\n{new}\n")
    said = admin.does("person", "set", admin.folder.path, "anna", "--recipient", admin.home / "anna.recipient")
    assert said.code == 0
    assert f"+ Anna ({fingerprint(new)})" in said.out
    assert f"- Anna ({fingerprint(old)})" in said.out
    assert opens(admin, "anna") == [str(new)]


def test_who_supervises_whom_changes_who_opens(admin: Admin) -> None:
    anna, ben = a_key(), a_key()
    admin.has("anna", anna)
    admin.has("ben", ben, role="supervisor")
    assert opens(admin, "anna") == [str(anna)]
    said = admin.does("person", "set", admin.folder.path, "ben", "--supervises", "anna")
    assert said.out.splitlines()[:2] == [
        "Ben: supervises Anna",
        f"recordings of Anna open for: + Ben ({fingerprint(ben)})",
    ]
    assert opens(admin, "anna") == [str(anna), str(ben)]
    said = admin.does("person", "set", admin.folder.path, "ben", "--supervises-nobody")
    assert said.out.splitlines()[:2] == [
        "Ben: supervises no more Anna",
        f"recordings of Anna open for: - Ben ({fingerprint(ben)})",
    ]
    assert opens(admin, "anna") == [str(anna)]


def test_who_supervises_is_told_also_where_it_opens_nothing(tmp_path: Path) -> None:
    admin = Admin(tmp_path, policy="private-first")
    admin.has("anna", a_key())
    said = admin.does(
        "person", "add", admin.folder.path, "ben", "--name", "Ben", "--role", "supervisor", "--supervises", "anna",
        "--recipient", a_key(),
    )  # fmt: skip
    assert said.out.splitlines()[0] == "Ben: supervises Anna"
    assert "open for" not in said.out


def test_an_admin_who_comes_changes_no_roster(admin: Admin) -> None:
    before = admin.folder.roster.read_bytes()
    admin.has("cy", a_key(), role="admin")
    assert admin.folder.roster.read_bytes() == before
    assert admin.log()[-3:] == ["person changed", "clinic changed", "people signed"]


def test_a_dry_run_says_who_would_open_what_and_changes_nothing(admin: Admin) -> None:
    key = a_key()
    with unchanged(admin.folder.path):
        said = call(
            "person", "add", admin.folder.path, "anna", "--name", "Anna", "--role", "therapist",
            "--recipient", key, "--dry-run",
        )  # fmt: skip
    assert said.code == 0
    assert f"recordings of Anna open for: + Anna ({fingerprint(key)})" in said.out
    assert "nothing was changed" in said.out


def test_what_cannot_be_is_refused_and_changes_nothing(admin: Admin) -> None:
    admin.has("anna", a_key())
    wrong = (
        ("person", "add", admin.folder.path, "anna", "--name", "Other", "--role", "therapist"),
        ("person", "add", admin.folder.path, "bo", "--name", "Bo", "--role", "therapist", "--mark", "x"),
        ("person", "add", admin.folder.path, "bo", "--name", "Bo", "--role", "supervisor", "--supervises", "nobody"),
        ("person", "add", admin.folder.path, "bo", "--name", "Bo", "--role", "therapist", "--recipient", KEYS[0][:-1]),
        ("person", "add", admin.folder.path, "bo", "--name", "Bo", "--role", "therapist", "--recipient",
         generate_identity(post_quantum=True).recipient()),
        ("person", "add", admin.folder.path, "bo", "--name", "Bo", "--role", "therapist", "--recipient",
         admin.folder.read().recovery[0]),
        ("person", "set", admin.folder.path, "anna", "--name", "Anna"),
        ("person", "set", admin.folder.path, "bo", "--name", "Bo"),
        ("person", "remove", admin.folder.path, "bo"),
        ("room", "remove", admin.folder.path, "room-9"),
        ("room", "add", admin.folder.path, "room-1"),
        ("recovery", "set", admin.folder.path, admin.folder.read().recovery[0]),
        ("person", "list", admin.home),
    )  # fmt: skip
    for words in wrong:
        with unchanged(admin.folder.path):
            said = call(*words) if words[1] == "list" else admin.does(*words)
        assert said.code == 2, (words, said)


def test_more_supervisors_than_a_recording_has_room_for_are_refused(admin: Admin) -> None:
    admin.has("anna", a_key())
    book = admin.folder.read()
    anna = mark_of(admin, "anna")
    crowd = [
        {"mark": f"{n:012x}", "login": f"s{n}", "name": f"S{n}", "roles": ["supervisor"], "recipient": str(a_key()),
         "supervisees": [anna]}
        for n in range(MOST_OPENERS)
    ]  # fmt: skip
    people = [*book.model_dump(mode="json")["people"], *crowd]
    admin.folder.write_clinic(book.changed(people=people))
    said = admin.does("roster", admin.folder.path, "--sign")
    assert said.code == 2
    assert "more than 32" in said.complaints


def test_whoever_changes_the_folder_meanwhile_is_not_run_over(admin: Admin) -> None:
    before = admin.folder.read()
    admin.has("anna", a_key())
    with unchanged(admin.folder.path), pytest.raises(UsageError, match="meanwhile"):
        carry_out(
            admin.folder,
            before,
            before.changed(rooms=["room-7"]),
            (),
            passphrase=lambda: PASSPHRASE,
            clock=SystemClock(),
        )


def test_the_list_says_who_opens_whose_recordings(admin: Admin) -> None:
    admin.has("anna", a_key())
    admin.has("ben", a_key(), "--supervises", "anna", role="supervisor")
    admin.has("cy", None)
    rows = {row["login"]: row for row in call("person", "list", admin.folder.path, "--json").told["people"]}
    assert rows["anna"]["opened_by"] == ["Anna", "Ben"]
    assert rows["ben"]["supervises"] == ["Anna"]
    assert rows["cy"]["key"] is None
    said = call("person", "list", admin.folder.path).out
    assert "recordings open for Anna, Ben, recovery" in said
    assert "recordings open for recovery" in said


def test_an_invitation_says_how_to_make_a_key_and_each_command_of_it_runs(admin: Admin, tmp_path: Path) -> None:
    admin.has("anna", None)
    said = call("person", "invite", admin.folder.path, "anna").out
    assert call("key", "new", "-o", tmp_path / "anna.key").code == 0
    recipient = call("key", "recipient", tmp_path / "anna.key").out
    key_id = call("key", "recipient", "--id", tmp_path / "anna.key").out.strip()
    for command in ("key new -o anna.key", "key recipient anna.key", "key recipient --id anna.key"):
        assert f"sotto-clinic {command}" in said
    (tmp_path / "anna.recipient").write_text(recipient)
    # A clinic is post-quantum or classic, whole: this one is classic, so the default key is refused and told.
    refused = admin.does("person", "set", admin.folder.path, "anna", "--recipient", tmp_path / "anna.recipient")
    assert refused.code == 2
    assert "Post-quantum and classic" in refused.complaints
    assert len(key_id) == 16
