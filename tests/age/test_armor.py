"""Age files as text: as stock age writes and reads them, and strictly."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from device.age.armor import armor, dearmor
from device.age.errors import NotAgeError
from device.age.identities import generate_identity
from tests.age.conftest import AGE_PQ


@pytest.mark.parametrize("size", [1, 2, 47, 48, 49, 96, 1000])
def test_what_was_armored_comes_back(size: int) -> None:
    file = bytes(range(256)) * 4
    text = armor(file[:size])
    assert dearmor(text) == file[:size]
    assert all(len(line) <= 64 for line in text.splitlines())
    assert dearmor(f"\n  {text.strip()}\t\n") == dearmor(text.replace("\n", "\r\n")) == file[:size]


def test_stock_age_reads_what_is_written_and_the_other_way_round(tmp_path: Path) -> None:
    identity = generate_identity(post_quantum=False)
    key = tmp_path / "x.key"
    key.write_text(identity.secret_text())
    sealed = subprocess.run(
        [AGE_PQ, "-a", "-r", str(identity.recipient())], input=b"inside", capture_output=True, check=True
    ).stdout.decode()
    assert armor(dearmor(sealed)) == sealed
    opened = subprocess.run(
        [AGE_PQ, "-d", "-i", key], input=armor(dearmor(sealed)).encode(), capture_output=True, check=True
    )
    assert opened.stdout == b"inside"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.replace("BEGIN AGE", "BEGIN PGP"),
        lambda text: text.replace("-----END AGE ENCRYPTED FILE-----", ""),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.replace("\n", "", 2),
        lambda text: "before\n" + text,
        lambda text: text + "behind\n",
        lambda text: text.replace("AA", "A!", 1),
        lambda text: text.replace("\n", " \n"),
        lambda text: text.replace("AAAA", "AAA=", 1),
        lambda text: text[:40] + "\n" + text[40:],
    ],
)
def test_what_is_no_age_file_as_text_is_refused(change: Callable[[str], str]) -> None:
    text = armor(bytes(200))
    with pytest.raises(NotAgeError):
        dearmor(change(text))
