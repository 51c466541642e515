"""The verbs of ``sotto``: what they print, and how they say no."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from device.age.identities import generate_identity
from device.cli import main
from device.demo import DemoChoices, demo_config
from device.recording import LEDGER_NAME
from device.recording.manifest import RecordingState
from device.requests import REQUESTS_NAME, Stop, send_request
from device.room import ROOM_NAME, Finger, send_finger
from device.status import Status, read_status
from device.store import StoreReader
from device.words import Button
from tests.bench_recovery import make_torn
from tests.support import own_open, store_at

VERBS = (
    *("demo", "rehearse", "capture", "web", "status", "first-admin", "nginx", "check", "audit", "diagram", "announce"),
    *("retention", "hold", "release", "measures", "wishes", "erase", "update", "sync", "apply"),
    *("simulated-camera", "picamera2-camera"),
)
IDENTITY = generate_identity(post_quantum=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a box with a simulated room, in a folder of its own."""
    for name in ("run", "store"):
        (tmp_path / name).mkdir()
    path = tmp_path / "sotto.toml"
    choices = DemoChoices(tmp_path, 0, None, picture=False)
    path.write_text(demo_config(choices, str(IDENTITY.recipient())), encoding="utf-8")
    return path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    assert main(arguments) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error, hint


@contextmanager
def capture(config: Path, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """The real service, ready; it is asked to end when the test is over. ``flags``: Python's own."""
    command = [sys.executable, *flags, "-m", "device", "capture", "--config", config]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            ready, _, _ = select.select([program.stdout], [], [], 30)
            assert ready, "never ready"
            assert program.stdout.readline() == "ready\n"
            yield program
        finally:
            program.send_signal(signal.SIGTERM)


def until(program: subprocess.Popen[str], run: Path, state: str) -> Status:
    """Wait, without guessing how long, until the box has published that state."""
    for _ in range(600):
        assert program.stdout is not None
        if (status := read_status(run)) is not None and status.state == state:
            return status
        select.select([program.stdout], [], [], 0.05)  # it prints nothing more unless it ends
        assert program.poll() is None
    raise AssertionError(f"never {state}")


def finger(run: Path, button: Button) -> None:
    for down in (True, False):
        send_finger(Finger(button=button, down=down), run)
        select.select([], [], [], 0.15)  # a finger takes its time


# -- every verb -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["capture", "web", "check", "status"])
def test_a_missing_configuration_is_refused_by_every_verb(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    error, hint = refused(capsys, verb, "--config", "/nowhere/sotto.toml")
    assert error == "error: sotto.toml cannot be read: No such file or directory"
    assert "--config" in hint


@pytest.mark.parametrize("arguments", [(), ("dance",), ("capture",), ("rehearse", "--store", "x")], ids=" ".join)
def test_a_wrong_command_line_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: sotto" in capsys.readouterr().err


def test_help_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"    {verb}" in shown for verb in VERBS if not verb.endswith("-camera"))  # those are no one's to call


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_named_is_there_alone_or_among_the_others(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert f"usage: sotto {verb} " in capsys.readouterr().out


def test_the_program_can_be_run_as_a_module() -> None:
    run = subprocess.run([sys.executable, "-m", "device", "check"], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "--config" in run.stderr


# -- check (tests/check has the rest) ---------------------------------------------------------------------------------


def test_check_shows_the_effective_values(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(config), "--config-only"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["session"] == {"max_length_min": 90, "floor_dbfs": -60.0, "silence_stop_min": 20}
    assert shown["web"]["host"] == "127.0.0.1"
    assert "private" not in json.dumps(shown).lower()


def test_check_tells_what_is_wrong(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = config.read_text()
    for old, new, what in (
        (str(IDENTITY.recipient()), "age1nonsense", "recipient 1 cannot be used"),
        (f'keys = ["{IDENTITY.recipient()}"]', "keys = []", "there is no recipient"),
        ('/store"', '/nowhere"', "the store failed"),
        ('/device.key"', '/nowhere/device.key"', "the device key cannot be used"),
    ):
        config.write_text(text.replace(old, new))
        assert main(["check", "--config", str(config), "--no-room"]) == 1
        (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("bad")]
        assert what in line
    config.write_text(text.replace('name = "Demo room"', 'nam = "Demo room"'))
    error, _ = refused(capsys, "check", "--config", str(config))
    assert "box.nam is not a known key" in error


# -- capture and status -----------------------------------------------------------------------------------------------


def test_status_tells_when_nothing_was_published(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error, hint = refused(capsys, "status", "--config", str(config))
    assert error == "error: the capture service has not published anything"
    assert "start it" in hint


def test_a_session_by_the_real_service_and_its_sockets(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, store = config.parent / "run", StoreReader(config.parent / "store")
    with capture(config) as program:
        until(program, run, "idle")
        finger(run, Button.CONSENT)
        until(program, run, "armed")
        finger(run, Button.RECORD)
        until(program, run, "recording")
        assert main(["status", "--config", str(config)]) == 0
        assert json.loads(capsys.readouterr().out)["panel"]["room_light"]
        select.select([], [], [], 1.0)
        send_request(Stop(), run)
        until(program, run, "sealed")
    assert program.returncode == 0
    (listed,) = store.listing()
    assert listed.manifest.state is RecordingState.COMPLETE
    assert own_open(store.folder(listed.manifest.id) / "session.mp4.age", IDENTITY)[4:8] == b"ftyp"
    assert not (run / ROOM_NAME).exists()
    assert not (run / REQUESTS_NAME).exists()


def test_a_service_that_is_asked_to_end_seals_the_recording_first(config: Path) -> None:
    run, store = config.parent / "run", StoreReader(config.parent / "store")
    with capture(config) as program:
        until(program, run, "idle")
        finger(run, Button.CONSENT)
        until(program, run, "armed")
        finger(run, Button.RECORD)
        until(program, run, "recording")
    assert program.returncode == 0
    (listed,) = store.listing()
    assert listed.manifest.state is RecordingState.COMPLETE


def test_a_whole_recording_needs_nothing_of_other_verbs_in_memory(config: Path) -> None:
    # Every verb was loaded with the first: capture held the page, its people and their database for weeks.
    run = config.parent / "run"
    with capture(config, "-X", "importtime") as program:
        until(program, run, "idle")
        finger(run, Button.CONSENT)
        until(program, run, "armed")
        finger(run, Button.RECORD)
        until(program, run, "recording")
        program.send_signal(signal.SIGTERM)
        _, told = program.communicate(timeout=30)
    loaded = {line.rsplit("|", 1)[1].strip() for line in told.splitlines() if line.startswith("import time:")}
    assert "device.capture.encoder" in loaded
    foreign = ("ssl", "_ssl", "sqlite3", "flask", "argon2", "av", "device.demo", "device.web", "device.people.people")
    assert sorted(loaded.intersection(foreign)) == []
    assert not [name for name in loaded if name.startswith(("device.web.", "device.check.", "device.remote"))]
    assert [name for name in loaded if name.endswith("_verb")] == ["device.capture_verb"]


def test_what_a_cut_left_open_is_closed_by_the_service_which_then_records(config: Path) -> None:
    run, store = config.parent / "run", store_at(config.parent / "store")
    torn = make_torn(store, 3_000_000)
    with capture(config) as program:
        until(program, run, "idle")
        assert not (torn / LEDGER_NAME).exists()
        finger(run, Button.CONSENT)
        until(program, run, "armed")
        finger(run, Button.RECORD)
        until(program, run, "recording")
    second, first = StoreReader(store.path).listing()
    assert (first.manifest.id, first.manifest.state) == (torn.name, RecordingState.INTERRUPTED)
    assert second.manifest.state is RecordingState.COMPLETE


def test_a_store_or_a_recipient_that_is_missing_is_a_fault_on_the_panel_not_an_end(config: Path) -> None:
    # The service ended with a message that nobody in the room could read.
    (config.parent / "store").rmdir()
    config.write_text(config.read_text().replace(str(IDENTITY.recipient()), "age1nonsense"))
    with capture(config) as program:
        faults = dict(until(program, config.parent / "run", "fault").faults)
    assert any("store" in what for what in faults)
    assert any("recipient 1" in what for what in faults)
    assert all(faults.values())


def test_a_missing_folder_for_the_sockets_is_refused_with_its_key(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda _number, _handler: None)
    (config.parent / "run").rmdir()
    error, hint = refused(capsys, "capture", "--config", str(config))
    assert "cannot be published" in error  # the first that is put there
    assert "box.run" in hint


# -- diagram ----------------------------------------------------------------------------------------------------------


def test_diagram_refuses_what_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    for name in ("nowhere.md", "picture.png"):
        assert f"{name} cannot be brought up to date" in refused(capsys, "diagram", str(tmp_path / name))[0]
