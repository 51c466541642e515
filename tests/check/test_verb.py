"""``sotto check`` as it is run: what it prints, when it says no, and that it opens nothing from a distance."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from device.age.identities import generate_identity
from device.audit import AuditLog, newest_entries
from device.check.verb import effective, ended_in_order
from device.cli import main
from device.config import load_config
from device.datagrams import DatagramServer
from device.demo import DemoChoices, demo_config
from device.devicekey import load_or_make_device_key
from device.recording.chain import AUDIT_NAME
from device.requests import REQUESTS_NAME
from device.room import ROOM_NAME, Finger, send_finger
from device.words import Button
from provisioning.verify_audit import verify_audit

IDENTITIES = [generate_identity(post_quantum=False) for _ in range(2)]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a box with a simulated room, in a folder of its own."""
    for name in ("run", "store"):
        (tmp_path / name).mkdir()
    path = tmp_path / "sotto.toml"
    first, second = (str(identity.recipient()) for identity in IDENTITIES)
    text = demo_config(DemoChoices(tmp_path, 0, None, picture=True), first)
    path.write_text(text.replace(f'"{first}"', f'"{first}", "{second}"'), encoding="utf-8")
    return path


def check(capsys: pytest.CaptureFixture[str], config: Path, *options: str) -> tuple[int, list[str]]:
    code = main(["check", "--config", str(config), *options])
    return code, capsys.readouterr().out.splitlines()


def found_in(lines: list[str]) -> dict[str, str]:
    """The level of each finding by its name."""
    findings = [line.split("  ", 1) for line in lines if line.split(" ", 1)[0] in {"good", "look", "bad"}]
    return {text.strip().split(":")[0]: level.strip() for level, text in findings}


# -- without the room -------------------------------------------------------------------------------------------------


def test_it_shows_the_effective_values_and_then_what_it_found(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = check(capsys, config, "--no-room")
    assert code == 0
    assert "[session] max_length_min = 90, floor_dbfs = -60.0, silence_stop_min = 20" in lines
    assert list(found_in(lines)) == ["software", "recipients", "device key", "store", "free room", "disk", "clock"]
    assert not list((config.parent / "store").iterdir())


def test_what_is_shown_on_a_line_is_the_whole_configuration(config: Path) -> None:
    loaded = load_config(config)
    lines = effective(loaded)
    assert [line.split("]")[0][1:] for line in lines] == [
        name for name, section in loaded.model_dump().items() if section is not None
    ]
    assert str(IDENTITIES[0].recipient()) not in "\n".join(lines)
    assert str(IDENTITIES[0].recipient())[:10] in "\n".join(lines)


def test_json_holds_every_finding_with_its_figures_and_the_configuration(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = check(capsys, config, "--no-room", "--json")
    told = json.loads("\n".join(lines))
    assert code == 0
    assert told["config"]["session"] == {"max_length_min": 90, "floor_dbfs": -60.0, "silence_stop_min": 20}
    findings: dict[str, Any] = {finding["name"]: finding for finding in told["findings"]}
    assert set(findings["disk"]) == {"name", "level", "what", "hint", "figures"}
    assert findings["disk"]["figures"]["needed_bytes_per_s"] == 575_000
    assert all(bool(finding["hint"]) == (finding["level"] != "good") for finding in findings.values())


def test_config_only_prints_the_configuration_and_checks_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "store").rmdir()
    code, lines = check(capsys, config, "--config-only")
    assert code == 0
    assert json.loads("\n".join(lines))["web"]["host"] == "127.0.0.1"


def test_whatever_is_bad_is_told_with_everything_else_and_ends_with_1(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "store").rmdir()
    config.write_text(config.read_text().replace(str(IDENTITIES[0].recipient()), "age1nonsense"))
    code, lines = check(capsys, config, "--no-room")
    assert code == 1
    found = found_in(lines)
    assert (found["recipients"], found["store"], found["software"]) == ("bad", "bad", "good")
    assert sum(line.startswith("      hint: ") for line in lines) >= 2


def test_a_real_microphone_is_looked_for_among_the_cards(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = config.read_text()
    simulated = text[text.index("[microphone]") : text.index("[camera]")]
    config.write_text(text.replace(simulated, '[microphone]\ndriver = "alsa"\ncard = "NoSuchCard"\n\n'))
    code, lines = check(capsys, config, "--no-room")
    assert code == 1
    assert "bad   sound card: no sound card has the card NoSuchCard" in lines


# -- never from a distance --------------------------------------------------------------------------------------------


def test_while_the_capture_service_runs_the_room_is_left_to_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = config.parent / "run"
    (run / ROOM_NAME).touch()
    server = DatagramServer(run / REQUESTS_NAME, lambda _: pytest.fail("nothing is asked of it"))
    try:
        code, lines = check(capsys, config)
    finally:
        server.close()
    assert code == 1
    assert found_in(lines)["room test"] == "bad"
    assert "systemctl stop sotto-capture" in lines[-1]
    assert (run / ROOM_NAME).exists()  # its panel was not touched


def test_claps_without_the_room_or_without_a_camera_are_refused(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = check(capsys, config, "--clap", "--no-room")
    assert (code, lines) == (1, [])
    config.write_text(config.read_text().replace('[camera]\ndriver = "simulated"', '[camera]\ndriver = "disabled"'))
    code, lines = check(capsys, config, "--clap")
    assert code == 1
    assert "no camera that could see a clap" in lines[-2]


def test_a_socket_that_a_dead_service_left_is_no_service(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = config.parent / "run"
    program = (
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, run / REQUESTS_NAME], check=True)
    text = config.read_text().replace("room.wav", "no.wav")
    config.write_text(text.replace('[camera]\ndriver = "simulated"', '[camera]\ndriver = "disabled"'))
    with pressed(run):
        code, lines = check(capsys, config)
    assert code == 1
    assert found_in(lines)["microphone"] == "bad"
    assert not (run / ROOM_NAME).exists()


def without_devices(config: Path) -> Path:
    """The same box with a microphone that is not there, and no camera: a room test is over at once."""
    text = config.read_text().replace("room.wav", "no.wav")
    config.write_text(text.replace('[camera]\ndriver = "simulated"', '[camera]\ndriver = "disabled"'))
    return config


def test_a_room_test_stands_in_the_audit_log(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_or_make_device_key(config.parent / "device.key")
    with pressed(config.parent / "run"):
        _, lines = check(capsys, without_devices(config))
    assert found_in(lines)["microphone"] == "bad"
    entries = list(newest_entries(config.parent / "store" / AUDIT_NAME))
    assert [entry["what"] for entry in entries] == ["room test ended", "room test begun"]
    assert verify_audit(config.parent / "store").bad is None


def test_a_room_test_that_cannot_be_noted_opens_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = load_or_make_device_key(config.parent / "device.key")
    with closing(AuditLog(config.parent / "store" / AUDIT_NAME, device_key=key)), pressed(config.parent / "run"):
        code, lines = check(capsys, without_devices(config))
    assert code == 1
    assert "microphone" not in found_in(lines)
    assert "bad   room test: it was not noted, so nothing was opened: another program writes the audit log" in lines


def test_before_the_box_has_a_key_it_is_said_that_the_test_is_in_no_log(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pressed(config.parent / "run"):
        _, lines = check(capsys, without_devices(config))
    assert found_in(lines)["audit log"] == "look"
    assert not (config.parent / "device.key").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_it_or_loses_the_line_to_it_has_it_end_in_order(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    closed = False
    with pytest.raises(SystemExit) as ended, ended_in_order():
        try:
            os.kill(os.getpid(), number)
            threading.Event().wait(5)
        finally:
            closed = True
    assert (ended.value.code, closed) == (1, True)
    assert signal.getsignal(number) is before


@contextmanager
def pressed(run: Path) -> Iterator[None]:
    """A finger on CONSENT as soon as there is a panel."""
    done = threading.Event()

    def press() -> None:
        while not (run / ROOM_NAME).exists() and not done.wait(0.05):
            pass
        done.wait(1)  # a button that is down at once is stuck
        for down in (True, False):
            send_finger(Finger(button=Button.CONSENT, down=down), run)
            done.wait(0.6)  # a busy machine may be half a second late, and a press has to be seen

    hand = threading.Thread(target=press)
    hand.start()
    try:
        yield
    finally:
        done.set()
        hand.join()
