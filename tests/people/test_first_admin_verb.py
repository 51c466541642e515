"""``sotto first-admin``: the code on the box itself; and what a box's configuration gives its people."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from device.compose_people import people_of
from device.config import parse_config
from device.people.first_admin import (
    FIRST_ADMIN_NAME,
    is_code_of_card,
    new_code_of_card,
    write_first_admin_code,
)
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


def become(people: People, code: str, login: str = "root") -> bool:
    try:
        people.entrance.first_admin(code, (login, "Ada"), PASSWORD, caller(), about=())
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


def test_a_card_brings_the_digest_of_a_code_that_works_once_and_never_again(tmp_path: Path) -> None:
    code, digest = new_code_of_card()
    state, brought = tmp_path / "web", tmp_path / "first-admin"
    state.mkdir()
    brought.write_bytes(digest)
    config = config_text(state).replace("[web]\n", f'[web]\nfirst_admin = "{brought}"\n')
    people = people_of(parse_config(config))
    assert become(people, new_code_of_card()[0]) is False
    assert become(people, digest.decode().strip()) is False  # whoever reads the card knows no code
    assert become(people, code.upper().replace("-", " ")) is True
    assert become(people, code, "eve") is False  # though the file is still there
    people._database.close()
    people = people_of(parse_config(config))
    assert become(people, code, "eve") is False  # nor after a restart
    people._database.close()


@pytest.mark.parametrize("written", [b"", b"\n", b"\xff\xfe", b"7k2m-7k2m-7k2m-7k2m\n", b"0" * 63])
def test_a_file_without_a_digest_lets_nobody_in(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "first-admin").write_bytes(written)
    assert not is_code_of_card(tmp_path / "first-admin", "7k2m-7k2m-7k2m-7k2m")
    assert not is_code_of_card(tmp_path / "nowhere", "")
    assert not is_code_of_card(None, "")
