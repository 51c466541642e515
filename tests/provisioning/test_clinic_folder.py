"""The clinic's folder: made step by step, gone on with wherever it was cut, its keys locked, its roster signed."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from device.age.errors import WrongKeyError
from device.age.identities import generate_identity
from device.clock import SystemClock
from device.roster import read_roster
from provisioning.clinic.folder import Folder
from provisioning.clinic.making import DRAFT_NAME
from provisioning.clinic.questions import QUESTIONS
from provisioning.clinic.toml_text import to_toml
from provisioning.clinic_file import read_clinic_file
from provisioning.desk import open_desk, public_key, read_locked_key
from provisioning.errors import UsageError
from tests.provisioning.boxes import call
from tests.provisioning.clinics import PASSPHRASE, clinic_toml
from tests.provisioning.conftest import Clinic
from tests.provisioning.folders import ANSWERS, Admin, Desk, made, making, unchanged

FILES = ["audit", "ca.crt", "ca.key.age", "clinic.key.age", "clinic.pub", "clinic.toml"]


def names(folder: Folder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def test_what_was_answered_is_in_the_clinics_file(tmp_path: Path) -> None:
    folder = made(tmp_path / "folder")
    assert names(folder) == FILES
    said = tomllib.loads(folder.clinic.read_text())
    assert said == {
        "name": "Practice",
        "rooms": ["room-1", "room-3"],
        "policy": {"recipients": "private-first", "languages": ["de", "en"], "keep_days": 30},
    }
    for path in (folder.clinic, folder.locked_key, folder.ca_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert call("verify", folder.path).code == 0


@pytest.mark.parametrize("answered", range(len(QUESTIONS)))
def test_what_was_answered_before_an_interruption_is_not_asked_again(tmp_path: Path, answered: int) -> None:
    first = Desk(ANSWERS, most=answered)
    with pytest.raises(UsageError, match="nobody is there"):
        list(making(tmp_path / "folder", first).steps())
    second = Desk(ANSWERS)
    list(making(tmp_path / "folder", second).steps())
    assert [*first.asked, *second.asked] == list(ANSWERS)
    assert names(Folder(tmp_path / "folder")) == FILES


def test_wherever_it_is_cut_between_two_files_the_same_command_goes_on_with_the_keys_that_are_there(
    tmp_path: Path,
) -> None:
    whole = made(tmp_path / "whole")
    (whole.path / DRAFT_NAME).write_text(json.dumps(ANSWERS))
    in_order = [whole.clinic, whole.locked_key, whole.public, whole.ca_key, whole.ca, whole.audit]
    for cut in range(len(in_order) + 1):
        folder = Folder(tmp_path / f"cut-{cut}")
        shutil.copytree(whole.path, folder.path)
        for path in in_order[cut:]:
            there = folder.path / path.name
            shutil.rmtree(there) if there.is_dir() else there.unlink()
        kept = {path.name: (folder.path / path.name).read_bytes() for path in in_order[:cut] if path.is_file()}
        (folder.path / "clinic.key.age.new").write_bytes(b"half of a key")  # what a cut leaves of a file without a name
        if cut > 1:
            (folder.path / "clinic.key.age.new").unlink()
        list(making(folder.path, Desk({})).steps())  # nobody is asked anything
        assert names(folder) == FILES
        assert {name: (folder.path / name).read_bytes() for name in kept} == kept
        key = read_locked_key(folder.path, PASSPHRASE)
        assert key.public_key().public_bytes_raw() == public_key(folder.path)
        _holds(folder)


def _holds(folder: Folder) -> None:
    """OpenSSL reads the authority's certificate, and its log is whole."""
    run = subprocess.run(
        ["openssl", "x509", "-in", folder.ca, "-noout", "-text"], capture_output=True, text=True, check=True
    )
    assert "Name Constraints: critical" in run.stdout
    assert call("desk", "show", folder.path, "--json").told["entries"][0]["what"] == "desk made"


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    folder = made(tmp_path / "folder")
    with unchanged(folder.path):
        list(making(folder.path, Desk({}), given=ANSWERS).steps())


def test_what_is_given_anew_and_would_not_be_done_is_told(tmp_path: Path) -> None:
    folder = made(tmp_path / "folder")
    with unchanged(folder.path), pytest.raises(UsageError, match="--policy is not what"):
        list(making(folder.path, Desk({}), given={"policy": "supervised"}).steps())


def test_another_passphrase_opens_neither_key_and_says_so(tmp_path: Path) -> None:
    folder = made(tmp_path / "folder")
    with pytest.raises(WrongKeyError, match="not the passphrase of the clinic's folder"):
        read_locked_key(folder.path, "another passphrase")
    keys = [folder.locked_key.read_bytes(), folder.ca_key.read_bytes()]
    folder.ca.unlink()
    with pytest.raises(WrongKeyError, match="not the passphrase"):
        list(making(folder.path, Desk({}), given=ANSWERS, passphrase="another passphrase").steps())  # noqa: S106
    assert [folder.locked_key.read_bytes(), folder.ca_key.read_bytes()] == keys
    assert not folder.ca.exists()


def test_a_wrong_passphrase_at_the_command_line_is_a_clear_pair_and_changes_nothing(tmp_path: Path) -> None:
    admin = Admin(tmp_path)
    admin.passphrase.write_text("not this one, surely\n")
    with unchanged(admin.folder.path):
        said = admin.does("room", "add", admin.folder.path, "room-4")
    assert said.code == 3
    assert "error: this is not the passphrase of the clinic's folder" in said.complaints
    assert "hint: type it again" in said.complaints


def test_a_passphrase_that_anybody_guesses_is_not_taken(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("practice\n")
    options = [f"--{name.replace('_', '-')}={answer}" for name, answer in ANSWERS.items()]
    said = call("init", tmp_path / "folder", *options, "--passphrase-file", short)
    assert said.code == 2
    assert "fewer than 12 letters" in said.complaints
    assert not (tmp_path / "folder" / "clinic.key.age").exists()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("policy", "open"),
        ("languages", "german"),
        ("keep_days", "a month"),
        ("keep_days", "-1"),
        ("rooms", " , "),
        ("rooms", "room-1, room-1"),
        ("rooms", "x" * 61),
        ("domains", ".internal"),
        ("domains", "Practice.internal"),
        ("networks", "192.168.7.1/24"),
        ("name", ""),
    ],
)
def test_what_is_no_answer_is_told_and_asked_again(tmp_path: Path, name: str, answer: str) -> None:
    told: list[str] = []
    desk = Desk(ANSWERS | {name: answer})
    work = making(tmp_path / "folder", desk)
    work.told = lambda line: (told.append(line), desk.answers.update(ANSWERS))[0]  # type: ignore[func-returns-value]
    list(work.steps())
    assert len(told) == 1
    assert desk.asked.count(name) == 2


def test_where_nobody_can_be_asked_what_is_missing_is_an_error_and_the_rest_has_its_default(tmp_path: Path) -> None:
    said = call("init", tmp_path / "folder", "--name", "Practice", "--rooms", "room-1")
    assert said.code == 2
    assert "--domains" in said.complaints


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(tmp_path: Path) -> None:
    said = call("init", tmp_path / "folder", "--dry-run", "--name", "Practice")
    assert said.code == 0
    assert "clinic.key.age" in said.out
    assert not (tmp_path / "folder").exists()


def test_a_desk_whose_key_is_open_becomes_no_clinics_folder(tmp_path: Path) -> None:
    assert call("desk", "new", tmp_path / "desk").code == 0
    with unchanged(tmp_path / "desk"), pytest.raises(UsageError, match="not locked"):
        list(making(tmp_path / "desk").steps())


def test_the_folder_is_a_desk_that_signs_with_its_locked_key(tmp_path: Path) -> None:
    folder = made(tmp_path / "folder")
    with open_desk(folder.path, SystemClock(), passphrase=lambda: PASSPHRASE) as desk:
        assert desk.key.public_key().public_bytes_raw() == public_key(folder.path)


def test_the_public_half_of_another_key_is_told(tmp_path: Path) -> None:
    folder = made(tmp_path / "folder")
    folder.public.write_text("ab" * 32 + "\n")
    admin_says = call("desk", "show", folder.path)
    assert admin_says.code == 0  # nothing is verified there
    with pytest.raises(Exception, match=r"clinic\.pub .* is not that of its key"):
        read_locked_key(folder.path, PASSPHRASE)


def test_kits_are_made_of_the_folder_too(clinic: Clinic, tmp_path: Path) -> None:
    folder = made(tmp_path / "folder")
    text = folder.clinic.read_text()
    (tags, _, rest) = clinic_toml(clinic).partition("\n")
    folder.clinic.write_text(f"{tags}\n{text}\n{rest}")
    word = tmp_path / "word"
    word.write_text(f"{PASSPHRASE}\n")
    kit = tmp_path / "ada.kit.json"
    said = call("kit", folder.path, "--for", "ada", "-i", clinic.key("clinic"), "-o", kit, "--passphrase-file", word)
    assert said.code == 0, said.complaints
    assert "1 box" in said.out


# -- the file ---------------------------------------------------------------------------------------------------------


def test_what_the_program_writes_it_reads_again_whatever_stands_in_it(clinic: Clinic, tmp_path: Path) -> None:
    path = tmp_path / "clinic.toml"
    path.write_text(clinic_toml(clinic))
    book = read_clinic_file(path)
    path.write_text(to_toml(book.model_dump(mode="json")))
    assert read_clinic_file(path) == book
    strange: dict[str, Any] = {"name": 'O\'Hara "&" Söhne \\ = # ]', "rooms": ["a, b", "[c]", "\x7f", "日本"]}
    assert tomllib.loads(to_toml(strange)) == strange


# -- the roster -------------------------------------------------------------------------------------------------------


def test_without_recovery_nothing_is_signed_and_with_it_the_roster_is(tmp_path: Path) -> None:
    admin = Admin(tmp_path)
    recovery, ben = (generate_identity(post_quantum=True).recipient() for _ in range(2))
    admin.has("ben", ben)
    assert not admin.folder.roster.exists()
    said = admin.does("recovery", "set", admin.folder.path, recovery)
    assert said.code == 0, said.complaints
    roster = read_roster(admin.folder.roster.read_bytes(), clinic_key=public_key(admin.folder.path))
    (seat,) = roster.therapists
    assert roster.number == 1
    assert roster.boxes == ("room-1", "room-3")
    assert [str(one) for one in roster.recipients_for(seat.mark)] == [str(ben), str(recovery)]
    assert admin.log()[-3:] == ["recovery changed", "clinic changed", "roster signed"]


def test_a_roster_that_was_lost_or_damaged_is_made_anew_under_a_higher_number(tmp_path: Path) -> None:
    admin = Admin(tmp_path)
    admin.does("recovery", "set", admin.folder.path, generate_identity(post_quantum=False).recipient())
    admin.folder.roster.unlink()
    assert admin.does("roster", admin.folder.path, "--sign").code == 0
    roster = admin.folder.read_roster()
    assert roster is not None
    assert roster.number == 2
    admin.folder.roster.write_bytes(admin.folder.roster.read_bytes().replace(b"room-1", b"room-2"))
    assert call("roster", admin.folder.path).code == 1
    assert admin.does("roster", admin.folder.path, "--sign").code == 0
    roster = admin.folder.read_roster()
    assert roster is not None
    assert roster.number == 3


def test_a_restored_copy_goes_on_above_the_number_that_boxes_took(tmp_path: Path) -> None:
    admin = Admin(tmp_path)
    admin.does("recovery", "set", admin.folder.path, generate_identity(post_quantum=False).recipient())
    assert "stays as it is" in admin.does("roster", admin.folder.path, "--sign").out
    for above, number in ((7, 8), (7, 8), (8, 9), (0, 9)):
        assert admin.does("roster", admin.folder.path, "--sign", "--above", above).code == 0
        roster = admin.folder.read_roster()
        assert roster is not None
        assert roster.number == number


def test_what_was_changed_by_hand_is_told_and_signed_only_when_asked(tmp_path: Path) -> None:
    admin = Admin(tmp_path)
    admin.does("recovery", "set", admin.folder.path, generate_identity(post_quantum=False).recipient())
    assert call("roster", admin.folder.path).code == 0
    text = admin.folder.clinic.read_text().replace('"room-3"', '"room-3", "room-9"')
    admin.folder.clinic.write_text(text)
    assert call("roster", admin.folder.path).code == 7
    with unchanged(admin.folder.path):
        said = admin.does("roster", admin.folder.path, "--sign", "--dry-run")
    assert "room: + room-9" in said.out
    assert admin.does("roster", admin.folder.path, "--sign").code == 0
    assert call("roster", admin.folder.path).code == 0
    assert admin.folder.clinic.read_text() == text  # with its comments
