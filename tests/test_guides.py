"""docs/guides: each command is run as it stands, or held against the program; the pictures are there, and small."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device.age.identities import generate_identity, identity_file
from provisioning.__main__ import parser
from tests.provisioning.conftest import Clinic, sound_24  # noqa: F401
from tests.provisioning.damage import record

GUIDES = Path(__file__).parents[1] / "docs" / "guides"
NAMES = ("admin.md", "supervisor.md", "therapist.md")
BLOCK = re.compile(r"^( *)```(sh|console)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
MOST_BYTES, MOST_PICTURES = 60_000, 10


def blocks(name: str, kind: str) -> list[str]:
    """The commands of each block of a kind: ``sh`` is run, ``console`` needs a card or a box and is looked at."""
    found = BLOCK.findall((GUIDES / name).read_text(encoding="utf-8"))
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, kept, text in found if kept == kind]


def run(home: Path, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    (home / "bin").mkdir()
    program = home / "bin" / "sotto-clinic"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m provisioning "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(home), "PYTHONPATH": str(GUIDES.parents[1]), **more}
    shell = shutil.which("bash")
    assert shell is not None
    command = [shell, "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


def test_what_an_admin_does_at_the_desk_comes_to_a_box_that_can_get_its_card(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("correct horse battery staple\n", encoding="ascii")
    said = run(tmp_path, "".join(blocks("admin.md", "sh")))
    assert said.returncode == 0, f"{said.stdout}\n{said.stderr}"
    assert (tmp_path / "clinic" / "roster.json").exists()
    (digest,) = re.findall(r"^([0-9a-f]{64})  clinic/consent/1.txt$", said.stdout, re.MULTILINE)
    settings = (tmp_path / "clinic" / "boxes" / "room-3" / "sotto.toml").read_text(encoding="utf-8")
    assert digest in settings
    assert (tmp_path / "clinic" / "cards" / "client-de.html").exists()
    assert "room-3" in said.stdout.splitlines()[-1]  # device list


def test_what_a_supervisor_does_without_a_browser_works(tmp_path: Path, sound_24: Any) -> None:  # noqa: F811
    clinic = Clinic(tmp_path)
    clinic.identities["sue"] = generate_identity(post_quantum=True)
    text = identity_file(clinic.identities["sue"], datetime(2026, 1, 1, tzinfo=UTC))
    clinic.key("sue").write_text(text, encoding="ascii")
    kept = record(clinic, sound_24[0], store="store", keys=("sue",))
    said = run(clinic.home, "".join(blocks("supervisor.md", "sh")), RECORDING=kept.folder.name)
    assert said.returncode == 0, f"{said.stdout}\n{said.stderr}"
    assert f"{kept.folder.name}: complete" in said.stdout
    assert (clinic.home / "last.mp4").stat().st_size > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_program_knows_every_command_that_needs_a_card_or_a_box(name: str) -> None:
    for line in "".join(blocks(name, "console")).splitlines():
        program, *words = shlex.split(line)
        assert program == "sotto-clinic"
        assert parser().parse_args(words).run  # anything that it does not know ends it


def test_each_guide_has_a_picture_and_all_of_them_are_small() -> None:
    there = {path.name for path in (GUIDES / "pictures").iterdir()}
    named = [re.findall(r"!\[[^]]+\]\(pictures/([\w.-]+)\)", (GUIDES / name).read_text()) for name in NAMES]
    assert all(named)
    assert {one for names in named for one in names} == there
    assert len(there) <= MOST_PICTURES
    assert all((GUIDES / "pictures" / one).stat().st_size < MOST_BYTES for one in there)
