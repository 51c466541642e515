"""``sotto first-admin``: the code on the box itself; and what a box's configuration gives its people."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from device.compose_people import people_of
from device.config import parse_config
from device.people.first_admin import FIRST_ADMIN_NAME, write_first_admin_code
from device.people.people import People
from device.people.refused import RefusedError
from tests.people.persons import PASSWORD, caller
from tests.test_config import TEXT


def config_text(folder: Path, names: str = "") -> str:
    nginx = (
        f'[web.nginx]\nnames = [{names}]\ncertificate = "{folder}/c"\nkey = "{folder}/k"\nsocket = "{folder}/s"\n'
        if names
        else ""
    )
    section = f'[web]\nstate = "{folder}"\n'
    return TEXT.replace('[web]\nstate = "/var/lib/sotto-web"\n', section) + nginx


def first_admin(config: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "device", "first-admin", "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_code_is_printed_works_once_and_the_next_takes_its_place(tmp_path: Path) -> None:
    config, state = tmp_path / "sotto.toml", tmp_path / "web"
    state.mkdir()
    config.write_text(config_text(state))
    codes = []
    for _ in range(2):
        done = first_admin(config)
        assert done.returncode == 0, done.stderr
        assert "/first-admin" in done.stderr
        codes.append(done.stdout.strip())
    people = people_of(parse_config(config.read_text()))
    assert become(people, codes[0]) is False
    assert become(people, codes[1]) is True
    assert become(people, codes[1]) is False
    people._database.close()


def become(people: People, code: str) -> bool:
    try:
        people.entrance.first_admin(code, ("root", "Ada"), PASSWORD, caller(), about=())
    except RefusedError:
        return False
    return True


def test_a_folder_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    config = tmp_path / "sotto.toml"
    config.write_text(config_text(tmp_path / "nowhere"))
    done = first_admin(config)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the code for the first admin cannot be written: No such file or directory\n")
    assert "hint: run this as root or as the page's user" in done.stderr


def test_the_code_belongs_to_whoever_the_folder_belongs_to(tmp_path: Path) -> None:
    write_first_admin_code(tmp_path)
    file, folder = (tmp_path / FIRST_ADMIN_NAME).stat(), tmp_path.stat()
    assert (file.st_uid, file.st_gid, file.st_mode & 0o777) == (folder.st_uid, folder.st_gid, 0o600)


@pytest.mark.parametrize(
    ("names", "site"),
    [
        ("", None),
        ('"192.0.2.4"', None),
        ('"room3.clinic.example"', "room3.clinic.example"),
        ('"192.0.2.4", "room3.clinic.example"', "room3.clinic.example"),
    ],
)
def test_there_are_passkeys_where_the_box_has_a_dns_name(tmp_path: Path, names: str, site: str | None) -> None:
    people = people_of(parse_config(config_text(tmp_path, names)))
    assert (people.keyring is not None) == (site is not None)
    if people.keyring is not None:
        asked = people.keyring.begin_asking(caller())
        assert asked["rpId"] == site
        assert people.keyring._site.origins == (f"https://{site}:8300",)
    people._database.close()
