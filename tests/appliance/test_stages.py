"""A build in stages, and others who build in the same place; nothing is emulated."""

from __future__ import annotations

from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import pytest

from tests.appliance.stages import Stage, build_all, forget_all


def made_of(text: str, folder: Path, built: list[str]) -> Stage:
    def make(_stage: Stage, out: Path) -> None:
        with (folder / "lock").open() as lock, pytest.raises(BlockingIOError):  # whoever else comes has to wait
            flock(lock, LOCK_EX | LOCK_NB)
        built.append(text)
        (out / "text").write_text(text)

    return Stage("part", make, (text,), folder=folder / "part")


def test_a_stage_is_built_once_and_anew_when_what_it_is_made_of_changes_and_by_one_at_a_time(tmp_path: Path) -> None:
    built: list[str] = []
    for text in ("one", "one", "two"):
        folder = build_all(made_of(text, tmp_path, built))
        assert (folder / "text").read_text() == text
    assert built == ["one", "two"]


def test_what_was_built_is_forgotten_but_the_lock_is_the_one_that_others_wait_for(tmp_path: Path) -> None:
    built: list[str] = []
    folder = build_all(made_of("one", tmp_path, built))
    with (tmp_path / "lock").open() as waited_for:
        forget_all(tmp_path)
        assert not folder.exists()
        assert (tmp_path / "lock").samefile(f"/proc/self/fd/{waited_for.fileno()}")
    build_all(made_of("one", tmp_path, built))
    assert built == ["one", "one"]
