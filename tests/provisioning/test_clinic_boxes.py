"""Boxes in the clinic's folder: added, listed, replaced and removed; and what is on the card of one."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

from device.config import S3Remote, SftpRemote, load_config
from device.people.first_admin import is_code_of_card
from device.recording.signing import fingerprint
from device.roster import read_roster
from device.tls_certificate import key_id_of
from device.tls_series import read_series
from provisioning.card.machine import read_machine
from provisioning.clinic import boxes as changes
from provisioning.clinic.box_folders import DRAFT_NAME, Adding, BoxFolder
from provisioning.clinic.folder import Folder
from provisioning.clinic_file import checked
from provisioning.device_keys import read_device_keys
from provisioning.errors import UsageError
from tests.provisioning.boxes import call
from tests.provisioning.clinics import PASSPHRASE
from tests.provisioning.desk_boxes import S3, SFTP, added, admin_with_roster, card, options
from tests.provisioning.folders import Admin, Desk, unchanged

OLD, NEW = "00112233aabbccdd", "ddccbbaa33221100"


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    return admin_with_roster(tmp_path / "desk")[0]


def book(admin: Admin) -> dict[str, Any]:
    return tomllib.loads(admin.folder.clinic.read_text())


# Added.


def test_a_box_that_is_added_has_a_folder_that_a_box_takes(admin: Admin) -> None:
    box = added(admin)
    config = load_config(box.settings)
    assert config.box.name == "room-3"
    assert config.recipients.roster == Path("/etc/sotto/roster.json")
    assert config.recipients.clinic_key == admin.folder.public.read_text().strip()
    assert config.retention is not None
    assert config.retention.keep_days == 30  # as the clinic's policy has it
    assert config.web.nginx is not None
    assert config.web.nginx.names == ("room-3.practice.internal", "room-3.local", "192.168.7.31")
    assert config.orders is not None  # the desk can tell it something later
    assert config.people is None  # nobody is listed yet
    machine = read_machine(box.machine)
    assert (machine.host_name, machine.timezone) == ("room-3", "Europe/Berlin")
    assert machine.ethernet is not None
    assert machine.ethernet.dns == ("192.168.7.1", "192.168.7.2")
    assert book(admin)["boxes"] == [{"name": "room-3", "address": "https://room-3.practice.internal"}]
    assert "clinic changed" in admin.log()


def test_nobody_else_reads_what_is_made(admin: Admin) -> None:
    box = added(admin)
    assert {stat.S_IMODE(path.stat().st_mode) for path in box.path.rglob("*") if path.is_file()} == {0o600}


def test_an_address_outside_the_clinics_networks_is_used_and_is_no_name(admin: Admin) -> None:
    box = added(admin, address="10.1.1.7/24", gateway="10.1.1.1", dns="")
    config = load_config(box.settings)
    assert config.web.nginx is not None
    assert config.web.nginx.names == ("room-3.practice.internal", "room-3.local")


def test_a_room_that_had_no_box_gets_one_and_is_in_the_next_roster(admin: Admin) -> None:
    added(admin, "room-9", host_name="room-9")
    roster = admin.folder.read_roster()
    assert roster is not None
    assert roster.boxes == ("room-1", "room-3", "room-9")


def test_the_remote_is_the_clinics_with_a_place_and_an_account_of_the_boxs_own(admin: Admin) -> None:
    remote = admin.home / "remote.toml"
    remote.write_text(SFTP)
    found = load_config(added(admin, "room-3", "--remote", remote).settings).remote
    assert isinstance(found, SftpRemote)
    assert (found.clinic, found.room, found.user) == ("practice", "room-3", "room-3")
    assert (found.key, found.host) == (Path("/etc/sotto/remote.key"), "files.practice.example")
    remote.write_text(S3)
    other = load_config(added(admin, "room-1", "--remote", remote, host_name="room-1").settings).remote
    assert isinstance(other, S3Remote)
    assert other.credentials == Path("/etc/sotto/remote.toml")


def test_a_dry_run_writes_nothing(admin: Admin) -> None:
    with unchanged(admin.home):
        said = call("device", "add", admin.folder.path, "room-3", "--timezone", "Europe/Berlin", "--dry-run")
    assert said.code == 0
    assert "asked: Microphone" in said.out
    assert "asked: Time zone" not in said.out
    assert not (admin.folder.path / "boxes").exists()


def test_wherever_it_is_interrupted_the_same_command_goes_on(admin: Admin) -> None:
    answers = {name.replace("-", "_"): "" for name in ("remote",)}
    answers |= dict(zip([word[2:].replace("-", "_") for word in options()[::2]], options()[1::2], strict=True))
    box, draft = BoxFolder.of(admin.folder, "room-3"), BoxFolder.of(admin.folder, "room-3").path / DRAFT_NAME
    for tries in range(20):
        before = json.loads(draft.read_text()) if draft.exists() else {}
        desk = Desk(answers, most=min(tries, 1))
        with suppress(UsageError):
            Adding(box=box, room="room-3", given={}, ask=desk.ask, told=lambda _line: None).make(admin.folder.read())
        assert not before.keys() & set(desk.asked), "it was asked again"
        if box.settings.exists():
            break
    assert tries > 5
    assert not (box.path / DRAFT_NAME).exists()
    assert call("device", "list", admin.folder.path, "--json").told["boxes"] == []  # not entered yet
    said = admin.does("device", "add", admin.folder.path, "room-3")
    assert said.code == 0, said.complaints
    assert "it was there" in said.out
    assert [one["name"] for one in book(admin)["boxes"]] == ["room-3"]


def test_what_was_made_is_not_made_again_with_other_options(admin: Admin) -> None:
    box = added(admin)
    before = box.settings.read_bytes()
    said = admin.does("device", "add", admin.folder.path, "room-3", *options(camera="picamera2"))
    assert (said.code, "was made already" in said.complaints) == (2, True)
    assert box.settings.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../room", ()),
        ("room 3", ()),
        ("room-3", ("--address", "192.168.7.31")),
        ("room-3", ("--address", "192.168.7.31/24", "--gateway", "10.0.0.1")),
        ("room-3", ("--microphone", "default")),
        ("room-3", ("--camera", "best")),
        ("room-3", ("--host-name", "Room_3")),
        ("room-3", ("--remote", "/nowhere.toml")),
        ("room-3", ("--timezone", "Berlin; rm")),
    ],
)
def test_what_makes_no_box_is_refused_and_nothing_is_entered(admin: Admin, name: str, words: tuple[str, ...]) -> None:
    before = admin.folder.clinic.read_bytes()
    said = admin.does("device", "add", admin.folder.path, name, *options(), *words)
    assert said.code == 2, said.out
    assert admin.folder.clinic.read_bytes() == before


# Replaced and removed.


def listed(*, key: str | None = OLD, former: tuple[str, ...] = ()) -> Any:
    one = {"name": "room-3", "address": "https://room-3.local", "former_keys": list(former)}
    return checked({"rooms": ["room-3"], "boxes": [one | ({"device_key": key} if key else {})]}, called="it")


def test_a_box_that_is_replaced_keeps_its_name_and_the_old_key_is_a_former_one() -> None:
    change = changes.replace(listed(), "room-3")
    (one,) = change.book.boxes
    assert (one.name, one.device_key, one.former_keys) == ("room-3", None, (OLD,))
    assert [dict(happened.facts) for happened in change.happened] == [{"removed": (OLD,)}]
    again = changes.enrol(change.book, "room-3", NEW).book
    assert again.device_keys() == {OLD, NEW}
    assert changes.replace(changes.replace(again, "room-3").book, "room-3").book.device_keys() == {OLD, NEW}


def test_another_key_is_not_taken_for_a_box_that_was_not_replaced() -> None:
    with pytest.raises(UsageError, match="and what answers has"):
        changes.enrol(listed(), "room-3", NEW)
    with pytest.raises(UsageError, match="key of another box"):
        changes.enrol(listed(key=None, former=(OLD,)), "room-3", OLD)


def test_a_box_that_goes_leaves_its_keys_behind_so_that_its_recordings_verify(admin: Admin) -> None:
    box = added(admin)
    enrolled = changes.enrol(admin.folder.read(), "room-3", OLD).book
    admin.folder.write_clinic(enrolled)
    said = admin.does("device", "remove", admin.folder.path, "room-3")
    assert said.code == 0, said.complaints
    assert not box.path.exists()
    assert "boxes" not in book(admin)
    roster = admin.folder.read_roster()
    assert roster is not None
    assert roster.boxes == ("room-1",)
    assert read_device_keys([str(admin.folder.path)]) == {OLD}
    assert "box gone" in admin.log()


def test_only_enrolled_boxes_are_in_a_kit_and_all_keys_ever_are_in_the_folder() -> None:
    whole = listed(former=(NEW,))
    assert whole.device_keys() == {OLD, NEW}
    assert changes.replace(whole, "room-3").book.device_keys() == {OLD, NEW}


# The card.

ON_THE_CARD = {
    "sotto.toml",
    "ca.crt",
    "first-admin",
    "roster.json",
    "tls/page.key",
    "remote.key",
}
SECRET = {"sotto/files/tls/page.key", "sotto/files/first-admin", "sotto/files/remote.key"}


@pytest.fixture
def with_card(admin: Admin, tmp_path: Path) -> tuple[Admin, Path, str]:
    remote = admin.home / "remote.toml"
    remote.write_text(SFTP)
    added(admin, "room-3", "--remote", remote)
    said = card(admin, tmp_path / "boot")
    assert said.code == 0, said.complaints
    return admin, tmp_path / "boot/sotto/files", said.out


def test_exactly_what_a_box_needs_is_on_its_card_and_the_plan_names_every_secret(
    with_card: tuple[Admin, Path, str],
) -> None:
    _, files, said = with_card
    found = {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()}
    certificates = {name for name in found if name.startswith("certificates/")}
    assert found - certificates == ON_THE_CARD
    assert len(certificates) == 12
    assert set(re.findall(r"(\S+)  secret: gone", said)) == SECRET
    rows = {row.split()[3]: row.split()[:3] for row in (files.parent / "files.list").read_text().splitlines()}
    assert rows["tls/page.key"] == ["root", "sotto-nginx", "0640"]
    assert rows["first-admin"] == ["sotto-web", "sotto", "0600"]
    assert rows["remote.key"] == ["sotto-sync", "sotto", "0600"]


def test_its_certificates_are_the_clinics_for_the_key_on_it_and_nginx_finds_them(
    with_card: tuple[Admin, Path, str],
) -> None:
    admin, files, _ = with_card
    key_id = key_id_of((files / "tls/page.key").read_bytes())
    series = read_series(files / "certificates", key_id=key_id, authority=(files / "ca.crt").read_bytes())
    assert series.left_out == ()
    assert series.members[0].certificate.names == ("room-3.practice.internal", "room-3.local", "192.168.7.31")
    clinic_key = bytes.fromhex(admin.folder.public.read_text())
    assert "room-3" in read_roster((files / "roster.json").read_bytes(), clinic_key=clinic_key).boxes


def test_nothing_secret_of_a_card_stays_in_the_clinics_folder(with_card: tuple[Admin, Path, str]) -> None:
    admin, files, said = with_card
    box = admin.folder.path / "boxes/room-3"
    kept = b"".join(path.read_bytes() for path in admin.folder.path.rglob("*") if path.is_file())
    for name in ("tls/page.key", "first-admin", "remote.key"):
        assert (files / name).read_bytes() not in kept, name
    assert b"PRIVATE KEY" not in kept
    code = re.findall(r"and type (\S+)", said)[0]
    assert code.encode() not in kept
    # What is public is kept, for the next ones and for the server.
    assert sorted(path.name for path in (box / "etc/certificates").iterdir()) == sorted(
        path.name for path in (files / "certificates").iterdir()
    )
    private = load_ssh_private_key((files / "remote.key").read_bytes(), password=None)
    assert load_ssh_public_key((box / "remote.pub").read_bytes()) == private.public_key()
    assert "card made" in admin.log()
    (row,) = call("device", "list", admin.folder.path, "--json").told["boxes"]
    assert row["certificates_until"] is not None


def test_the_card_knows_the_first_admins_code_only_by_its_digest(with_card: tuple[Admin, Path, str]) -> None:
    _, files, said = with_card
    (code,) = re.findall(r"and type (\S+)", said)
    everything = b"".join(path.read_bytes() for path in files.parent.rglob("*") if path.is_file())
    assert code.encode() not in everything
    assert is_code_of_card(files / "first-admin", code.upper())
    assert not is_code_of_card(files / "first-admin", code[:-1] + ("2" if code[-1] != "2" else "3"))


def test_each_card_has_secrets_of_its_own(with_card: tuple[Admin, Path, str], tmp_path: Path) -> None:
    admin, files, _ = with_card
    before = {name: (files / name).read_bytes() for name in ("tls/page.key", "first-admin", "remote.key")}
    assert card(admin, tmp_path / "boot").code == 0
    for name, data in before.items():
        assert (files / name).read_bytes() != data


def test_a_dry_run_of_a_card_touches_neither_card_nor_folder(admin: Admin, tmp_path: Path) -> None:
    added(admin)
    card(admin, tmp_path / "boot", "--dry-run")  # makes the folders of the test
    with unchanged(tmp_path):
        said = card(admin, tmp_path / "boot", "--dry-run")
    assert said.code == 0, said.complaints
    assert "sotto/files/tls/page.key  secret" in said.out


def test_where_the_clinic_lists_its_people_the_box_has_them_from_the_list(admin: Admin, tmp_path: Path) -> None:
    said = admin.does("person", "add", admin.folder.path, "ada", "--name", "Ada", "--role", "admin")
    assert said.code == 0, said.complaints
    config = load_config(added(admin).settings)
    assert config.people is not None
    assert config.people.file == Path("/etc/sotto/people.json")
    said = card(admin, tmp_path / "boot")
    assert said.code == 0, said.complaints
    files = tmp_path / "boot/sotto/files"
    assert (files / "people.json").read_bytes() == admin.folder.people_list.read_bytes()
    rows = {row.split()[3]: row.split()[:3] for row in (files.parent / "files.list").read_text().splitlines()}
    assert rows["people.json"] == ["sotto-web", "sotto", "0600"]
    changed = bytearray(admin.folder.people_list.read_bytes())
    changed[len(changed) // 2] ^= 1
    admin.folder.people_list.write_bytes(changed)
    (tmp_path / "boot/sotto/files/people.json").unlink()
    assert card(admin, tmp_path / "boot").code != 0
    assert not (tmp_path / "boot/sotto/files/people.json").exists()


def test_without_a_roster_there_is_no_card(tmp_path: Path) -> None:
    home = tmp_path / "desk"
    home.mkdir()
    admin = Admin(home)  # without recovery, so nobody signs a roster
    added(admin)
    said = card(admin, tmp_path / "boot")
    assert (said.code, "no roster was signed yet" in said.complaints) == (2, True)
    assert not (tmp_path / "boot/sotto").exists()


def test_a_roster_that_was_changed_is_on_no_card(admin: Admin, tmp_path: Path) -> None:
    added(admin)
    roster = bytearray(admin.folder.roster.read_bytes())
    roster[len(roster) // 2] ^= 1
    admin.folder.roster.write_bytes(roster)
    said = card(admin, tmp_path / "boot")
    assert said.code != 0
    assert "roster is damaged, or was changed" in said.complaints
    assert not (tmp_path / "boot/sotto").exists()


def test_with_a_bucket_the_admin_gives_the_boxs_credentials(admin: Admin, tmp_path: Path) -> None:
    (admin.home / "remote.toml").write_text(S3)
    added(admin, "room-3", "--remote", admin.home / "remote.toml")
    assert card(admin, tmp_path / "boot").code == 2
    given = admin.home / "credentials.toml"
    given.write_text('access_key = "a"\n')
    assert card(admin, tmp_path / "boot", "--credentials", given).code == 2
    given.write_text('access_key = "a"\nsecret_key = "s"\n')
    said = card(admin, tmp_path / "boot", "--credentials", given)
    assert said.code == 0, said.complaints
    assert (tmp_path / "boot/sotto/files/remote.toml").read_bytes() == given.read_bytes()
    assert "sotto/files/remote.toml  secret" in said.out


def test_a_wrong_passphrase_makes_no_card(admin: Admin, tmp_path: Path) -> None:
    added(admin)
    admin.passphrase.write_text(f"{PASSPHRASE} not\n")
    said = card(admin, tmp_path / "boot")
    assert said.code == 3
    assert not (tmp_path / "boot/sotto").exists()


def test_a_box_that_nobody_added_has_no_card(admin: Admin, tmp_path: Path) -> None:
    said = card(admin, tmp_path / "boot", name="room-7")
    assert (said.code, "there is no box" in said.complaints) == (2, True)


def test_a_fingerprint_is_read_from_the_folder_as_from_a_list(admin: Admin) -> None:
    key = bytes(range(32))
    admin.folder.write_clinic(changes.enrol(_with_box(admin), "room-3", fingerprint(key)).book)
    assert read_device_keys([str(admin.folder.path)]) == {fingerprint(key)}


def _with_box(admin: Admin) -> Any:
    added(admin)
    return Folder(admin.folder.path).read()
