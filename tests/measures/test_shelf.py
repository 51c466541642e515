"""The clinic's folder beside what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import ConfigError
from device.measures.shelf import read_measure, read_shelf
from tests.measures.test_parsing import GOOD


def test_a_file_in_the_folder_is_there_at_once_and_gone_when_it_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "sleep.toml").write_text(GOOD)
    shelf = read_shelf(tmp_path)
    assert shelf.wrong == ()
    assert shelf.measures["sleep"].title == "Schlaf"
    (tmp_path / "sleep.toml").unlink()
    assert "sleep" not in read_shelf(tmp_path).measures


def test_a_file_that_does_not_hold_is_told_and_keeps_nothing_else_away(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("id = 3")
    (tmp_path / "sleep.toml").write_text(GOOD)
    (tmp_path / "readme.txt").write_text("no measure")
    shelf = read_shelf(tmp_path)
    assert {"sleep", "phq-9"} <= shelf.measures.keys()
    (problem,) = shelf.wrong
    assert problem.what.startswith("bad.toml does not hold")


def test_the_clinics_own_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD.replace('id = "sleep"', 'id = "phq-9"'))
    assert read_shelf(tmp_path).measures["phq-9"].title == "Schlaf"


def test_two_of_one_id_in_the_folder_are_told_and_the_first_counts(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(GOOD.replace("Schlaf", "Traum"))
    shelf = read_shelf(tmp_path)
    assert shelf.measures["sleep"].title == "Schlaf"
    assert [problem.what for problem in shelf.wrong] == ["b.toml and a.toml both define the measure sleep"]


def test_a_folder_that_is_not_there_is_told_and_what_is_shipped_stays(tmp_path: Path) -> None:
    shelf = read_shelf(tmp_path / "nowhere")
    assert "phq-9" in shelf.measures
    (problem,) = shelf.wrong
    assert "cannot be read: No such file" in problem.what


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "sleep.toml").symlink_to(tmp_path / "gone")
    (problem,) = read_shelf(tmp_path).wrong
    assert problem.what == "sleep.toml cannot be read: No such file or directory"
    with pytest.raises(ConfigError, match="Is a directory"):
        read_measure(tmp_path)


def test_a_folder_of_too_many_files_is_told(tmp_path: Path) -> None:
    for number in range(101):
        (tmp_path / f"{number:03d}.toml").write_text(GOOD.replace('"sleep"', f'"sleep-{number}"'))
    shelf = read_shelf(tmp_path)
    assert "too many" in shelf.wrong[0].what
    assert "sleep-99" in shelf.measures
    assert "sleep-100" not in shelf.measures
