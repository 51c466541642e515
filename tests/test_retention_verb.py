"""``sotto retention``, ``sotto hold`` and ``sotto release``: what they print, what they do, and when they say no."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from device import compose
from device.claim import claimed, other_writer
from device.cli import main
from device.config import load_config
from device.datagrams import DatagramServer
from device.demo import DemoChoices, demo_config
from device.requests import REQUESTS_NAME
from device.store import LIVED_NAME, Store
from tests.retained import add_receipt, add_recording
from tests.test_cli import capture, refused, until


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("run", "store"):
        (tmp_path / name).mkdir()
    path = tmp_path / "sotto.toml"
    text = demo_config(DemoChoices(tmp_path, 0, None, picture=False), "age1nonsense")
    path.write_text(f"{text}\n[retention]\nkeep_days = 0\nwarn_days = 14\n", encoding="utf-8")
    return path


@pytest.fixture
def store(config: Path) -> Store:
    """A store with a recording that may go, and one that is not synced."""
    store = compose.store_of(load_config(config))
    add_receipt(store, add_recording(store))
    add_recording(store)
    return store


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_a_dry_run_says_what_would_go_and_why_and_changes_nothing(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(config.parent)
    shown = said(capsys, "retention", "--dry-run", "--config", str(config)).splitlines()
    first, second = store.ids()
    assert shown == [
        f"{first}  erase  its copy at clinic is verified, known for 0 days",
        f"{second}  keep   it is not synced",
        "1 of 2 would be erased",
    ]
    assert contents(config.parent) == before


def test_it_can_be_read_by_a_script(config: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(said(capsys, "retention", "--dry-run", "--json", "--config", str(config)))
    assert (shown["dry_run"], shown["erased"]) == (True, [])
    assert [decision["erase"] for decision in shown["decisions"]] == [True, False]
    assert shown["decisions"][1]["why"] == "it is not synced"


def test_without_the_box_it_erases_what_may_go(config: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = store.ids()
    shown = said(capsys, "retention", "--config", str(config)).splitlines()
    assert shown[-1] == "1 of 2 erased"
    assert store.ids() == [second]
    assert (store.path / "erased" / f"{first}.json").exists()
    assert (store.path / LIVED_NAME).exists()


def test_without_the_section_nothing_goes(config: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().partition("[retention]")[0])
    for more in (["--dry-run"], []):
        shown = said(capsys, "retention", "--config", str(config), *more)
        assert "kept for ever" in shown
    assert len(store.ids()) == 2


def test_a_dry_run_of_a_box_without_a_key_makes_none(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "retention", "--dry-run", "--config", str(config)) == "0 of 0 would be erased\n"
    assert not (config.parent / "device.key").exists()


def test_while_the_box_runs_only_a_dry_run_is_allowed(config: Path, store: Store) -> None:
    command = [sys.executable, "-m", "device", "retention", "--config", config]
    with capture(config) as program:
        until(program, config.parent / "run", "fault")  # nobody could open anything; the service runs all the same
        dry = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=False)
        assert dry.stdout.endswith("1 of 2 would be erased\n")
        real = subprocess.run(command, capture_output=True, text=True, check=False)
        assert real.returncode == 1
        assert "the capture service runs, and erases by itself" in real.stderr
        second = subprocess.run(
            [sys.executable, "-m", "device", "capture", "--config", config], capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        assert "error: another program writes to this store, and only one may" in second.stderr
        assert "hint: " in second.stderr
    assert len(store.ids()) == 2


def test_it_says_no_while_another_program_writes_to_the_store(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with claimed(store.path, otherwise=other_writer()):
        error, _ = refused(capsys, "retention", "--config", str(config))
    assert "another program writes to this store" in error
    server = DatagramServer(config.parent / "run" / REQUESTS_NAME, lambda _data: None)
    try:
        assert "the capture service runs" in refused(capsys, "retention", "--config", str(config))[0]
    finally:
        server.close()
    assert len(store.ids()) == 2


def test_a_recording_is_held_and_released_by_its_id(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = store.ids()
    assert said(capsys, "hold", first, "--config", str(config)) == f"{first} is held for research\n"
    assert "it is held for research" in said(capsys, "retention", "--config", str(config))
    assert len(store.ids()) == 2
    assert said(capsys, "release", first, "--config", str(config)) == f"{first} is not held any more\n"
    said(capsys, "retention", "--config", str(config))
    assert len(store.ids()) == 1
    assert "no such recording" in refused(capsys, "hold", first, "--config", str(config))[0]
    assert "not the id of a recording" in refused(capsys, "hold", "../x", "--config", str(config))[0]


def test_only_the_stores_own_user_may_change_something(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    for arguments in (("hold", store.ids()[0]), ("release", store.ids()[0]), ("retention",), ("erase", store.ids()[0])):
        error, hint = refused(capsys, *arguments, "--config", str(config))
        assert "not the user to whom the store belongs" in error
        assert "sotto-capture" in hint
    assert len(store.ids()) == 2
