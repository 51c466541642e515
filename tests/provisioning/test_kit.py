"""A person's kit: made of the clinic's file, locked, checked strictly, and read by stock age where it can be."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from device.age.errors import WrongKeyError
from device.recording.signing import fingerprint
from provisioning.clinic_file import read_clinic_file
from provisioning.errors import UsageError
from provisioning.kit import Kit, origin_of, read_kit
from provisioning.passphrases import made_up
from tests.provisioning.boxes import call
from tests.provisioning.clinics import ADA, BEN, DEVICE_KEY, LOG_N, PASSPHRASE, clinic_toml, kit_of, with_kit
from tests.provisioning.conftest import Chunks, Clinic
from tests.provisioning.damage import record
from tests.support import PATIENCE_S


@pytest.fixture
def made(clinic: Clinic) -> Path:
    """Ada's kit."""
    return kit_of(clinic, boxes={"room-3": "https://room-3.example"})


def test_a_kit_holds_the_boxes_the_others_and_the_locked_identity(clinic: Clinic, made: Path) -> None:
    kit = read_kit(made)
    assert (kit.person.mark, kit.person.login, kit.person.name, kit.person.roles) == (
        ADA,
        "ada",
        "Ada",
        ("supervisor",),
    )
    assert [(box.name, box.address) for box in kit.boxes] == [("room-3", "https://room-3.example")]
    assert [(one.mark, one.name) for one in kit.people] == [(BEN, "Ben")]
    assert kit.tags == ("rupture", "repair")
    assert [item.id for item in kit.rubric.items] == ["empathy"] if kit.rubric else False
    (identity,) = kit.unlock(PASSPHRASE)
    assert str(identity.recipient()) == kit.person.recipient == str(clinic.identities["clinic"].recipient())
    assert clinic.identities["clinic"].secret_text() not in made.read_text()
    assert made.stat().st_mode & 0o777 == 0o600


def test_another_passphrase_opens_nothing(made: Path) -> None:
    with pytest.raises(WrongKeyError, match="passphrase"):
        read_kit(made).unlock("another passphrase")


def test_stock_age_takes_the_identity_of_a_kit(clinic: Clinic, made: Path, tmp_path: Path) -> None:
    locked, sealed = tmp_path / "ada.key", tmp_path / "x.age"
    locked.write_text(json.loads(made.read_text())["identity"])
    age = Path(__file__).parents[2] / ".cache/age/usr/bin/age"
    recipient = str(clinic.identities["clinic"].recipient())
    subprocess.run([age, "-r", recipient, "-o", sealed], input=b"inside", check=True)
    # age asks on a terminal: one is given to it
    leader, follower = pty.openpty()
    command = ["setsid", "-c", age, "-d", "-i", locked, sealed]
    with subprocess.Popen(command, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(follower)
        os.write(leader, f"{PASSPHRASE}\n".encode())
        said, complaints = process.communicate()
    os.close(leader)
    assert said == b"inside", complaints.decode()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda kit: kit.update(sotto_kit=2), "sotto_kit"),
        (lambda kit: kit.update(more=1), "more"),
        (lambda kit: kit["person"].update(mark="x"), "person.mark"),
        (lambda kit: kit["person"].update(roles=["boss"]), "person.roles"),
        (lambda kit: kit["person"].update(recipient="AGE-SECRET-KEY-1X"), "person.recipient"),
        (lambda kit: kit.update(identity="AGE-SECRET-KEY-1X"), "identity"),
        (lambda kit: kit["boxes"][0].update(device_key="00"), "boxes.0.device_key"),
        (lambda kit: kit["boxes"][0].update(address="http://room-3.example"), "boxes.0.address"),
        (lambda kit: kit["boxes"].append(kit["boxes"][0]), "one name"),
        (lambda kit: kit["people"].append(kit["people"][0]), "one name"),
        (lambda kit: kit["rubric"]["items"][0].update(most=0), "rubric.items.0"),
        (lambda kit: kit.update(tags=["two\nlines"]), "tags.0"),
    ],
)
def test_what_is_no_kit_is_refused_and_its_place_named(made: Path, change: Any, where: str) -> None:
    kit = json.loads(made.read_text())
    change(kit)
    made.write_text(json.dumps(kit))
    with pytest.raises(UsageError) as refused:
        read_kit(made)
    assert where in refused.value.what
    assert "SECRET" not in refused.value.what


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://room-3.example/", "https://room-3.example"),
        ("https://Room-3.example:8443", "https://room-3.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://[fe80::1]", "https://[fe80::1]"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_the_address_of_a_box_is_an_origin(address: str, origin: str) -> None:
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    "address",
    [
        "room-3.example",
        "ftp://room-3.example",
        "http://room-3.example",
        "https://",
        "https://room-3.example/api/v1",
        "https://room-3.example?x=1",
        "https://room-3.example#x",
        "https://ada:x@room-3.example",
        "https://room-3.example:0",
        "https://room-3.example:x",
        "https://room 3.example",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_address_of_a_box_is_refused(address: str) -> None:
    with pytest.raises(UsageError):
        origin_of(address)


def test_an_identity_that_is_not_theirs_makes_no_kit_and_its_recipient_is_told(clinic: Clinic) -> None:
    said = _make(clinic, key="stranger")
    assert said.code == 2
    assert str(clinic.identities["stranger"].recipient()) in said.complaints
    assert not (clinic.home / "x.kit.json").exists()


def test_nobody_of_that_login_a_short_passphrase_and_a_kit_that_is_there_are_refused(
    clinic: Clinic, made: Path
) -> None:
    assert _make(clinic, login="eve").code == 2
    assert _make(clinic, typed="short").code == 2
    before = made.read_bytes()
    assert _make(clinic, to=made).code == 2
    assert made.read_bytes() == before
    clinic.key("both").write_text(clinic.key().read_text() + clinic.key("classic").read_text())
    assert "one identity" in _make(clinic, key="both").complaints


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[boxes]]\nname = 'x'\n", "boxes.0.address"),
        ("more = 1\n", "more"),
        ("[[", "is not TOML"),
        ("tags = [2026-01-01]\n", "is not TOML"),
    ],
)
def test_what_is_wrong_in_the_clinics_file_is_named(clinic: Clinic, text: str, said: str) -> None:
    (clinic.home / "clinic.toml").write_text(text)
    told = _make(clinic, written=False)
    assert (told.code, said in told.complaints) == (2, True), told.complaints


def test_where_nobody_can_be_asked_a_file_has_to_hold_the_passphrase(clinic: Clinic, made: Path) -> None:
    done = clinic.run("open", "x", "--kit", made)
    assert done.returncode == 2
    assert b"nobody is there to be asked" in done.stderr
    empty = clinic.home / "empty"
    empty.write_text("\n")
    assert clinic.run("open", "x", "--kit", made, "--passphrase-file", empty).returncode == 2


def test_a_passphrase_is_asked_for_twice_on_a_terminal(clinic: Clinic) -> None:
    (clinic.home / "clinic.toml").write_text(clinic_toml(clinic))
    for typed, code in (((PASSPHRASE, PASSPHRASE), 0), ((PASSPHRASE, "something else"), 2)):
        words = ("kit", "clinic.toml", "--for", "ada", "-i", clinic.key(), "-o", "typed.json", "--force")
        leader, follower = pty.openpty()
        command = ["setsid", "-c", sys.executable, "-m", "provisioning", *map(str, words)]
        environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(command, cwd=clinic.home, stdin=follower, env=environment) as process:
            os.close(follower)
            for prompt, line in zip((b"New passphrase of the kit: ", b"Again: "), typed, strict=True):
                _wait_for(leader, prompt)  # what is typed before is forgotten
                os.write(leader, f"{line}\n".encode())
            assert process.wait(timeout=PATIENCE_S) == code
        os.close(leader)
    assert read_kit(clinic.home / "typed.json").unlock(PASSPHRASE)


def _wait_for(terminal: int, prompt: bytes) -> None:
    said = b""
    while not said.endswith(prompt):
        assert select.select([terminal], [], [], PATIENCE_S)[0], said
        said += os.read(terminal, 1024)


def test_a_passphrase_that_is_made_up_is_another_each_time_and_can_be_read_out() -> None:
    made = {made_up() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        assert len(one) == 29
        assert not set(one) & set("0o1lI")


def test_a_kit_names_nobody_in_what_python_prints_of_it(made: Path) -> None:
    assert "BEGIN AGE" not in repr(read_kit(made))


def _make(
    clinic: Clinic,
    *,
    key: str = "clinic",
    login: str = "ada",
    typed: str = PASSPHRASE,
    to: Path | None = None,
    written: bool = True,
) -> Any:
    if written:
        (clinic.home / "clinic.toml").write_text(clinic_toml(clinic))
    file = clinic.home / "passphrase"
    file.write_text(f"{typed}\nand more\n")
    return call(
        *("kit", clinic.home / "clinic.toml", "--for", login, "-i", clinic.key(key)),
        *("-o", to or clinic.home / "x.kit.json", "--passphrase-file", file),
    )


def test_the_verb_makes_it(clinic: Clinic) -> None:
    said = _make(clinic)
    assert said.code == 0, said.complaints
    assert said.out.endswith("the kit of Ada, with 1 box and 1 other\n")
    kit: Kit = read_kit(clinic.home / "x.kit.json")
    assert kit.unlock(PASSPHRASE)


def kit_with(clinic: Clinic, *, box: str = "", all_over: str = "") -> Path:
    """Ada's kit, with a line more about the box, or about the clinic."""
    text = clinic_toml(clinic).replace("[[people]]", f"{box}\n[[people]]", 1)
    file = clinic.home / "formerly.toml"
    file.write_text(f"{all_over}\n{text}")
    kit = read_clinic_file(file).kit_for("ada", clinic.identities["clinic"], PASSPHRASE, log_n=LOG_N)
    made = clinic.home / "formerly.kit.json"
    made.write_text(kit.model_dump_json())
    assert read_kit(made) == kit
    return made


def test_what_a_box_signed_that_was_replaced_is_taken_and_told_as_that(
    clinic: Clinic, sound_24: tuple[Chunks, bytes], tmp_path: Path
) -> None:
    kept = record(clinic, sound_24[0])
    key = fingerprint(kept.key.public_key().public_bytes_raw())
    from_here = (kept.folder.parent, kept.folder.name)
    strange = call("pull", *from_here, "-o", tmp_path / "none", *with_kit(kit_with(clinic)))
    assert (strange.code, "none of the device keys" in strange.complaints) == (4, True)
    told = (
        ({"box": f'former_keys = ["{key}"]'}, "the box that stood in room-3 before"),
        ({"all_over": f'former_keys = ["{key}"]'}, "a box that the clinic has no more"),
    )
    for number, (lines, words) in enumerate(told):
        kit = kit_with(clinic, **lines)
        said = call("pull", *from_here, "-o", tmp_path / str(number), *with_kit(kit))
        assert said.code == 0, said.complaints
        assert f"note: it was signed by {words} (key {key})" in said.out
        said = call("open", kept.folder, "-o", tmp_path / f"{number}.mp4", *with_kit(kit))
        assert said.code == 0, said.complaints
        assert f"note: it was signed by {words} (key {key})" in said.out


def test_the_keys_of_a_box_that_waits_for_its_enrolment_are_former_ones_of_the_clinic(clinic: Clinic) -> None:
    text = clinic_toml(clinic).replace(f'device_key = "{DEVICE_KEY}"', f'former_keys = ["{DEVICE_KEY}"]')
    file = clinic.home / "waiting.toml"
    file.write_text(text)
    kit = read_clinic_file(file).kit_for("ada", clinic.identities["clinic"], PASSPHRASE, log_n=LOG_N)
    assert (kit.boxes, kit.former_keys) == ((), (DEVICE_KEY,))


def test_a_kit_says_nothing_of_former_keys_where_there_are_none(made: Path) -> None:
    assert "former_keys" not in made.read_text()
    assert read_kit(made).former(DEVICE_KEY) is None
