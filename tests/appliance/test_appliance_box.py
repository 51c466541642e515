"""A box under systemd: pressed, lit, heard and looked into, on a real kernel (``make appliance``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.appliance.box import Box
from tests.appliance.vm import Vm
from tests.support import noise, sound_of, stock_open, write_wav

PROBE = (Path(__file__).parent / "scripts" / "probe.py").read_bytes()
RATE_HZ = 48_000


@pytest.fixture
def box(vm: Vm) -> Box:
    """A box that is installed and not started."""
    return Box(vm)


@pytest.fixture
def running(box: Box) -> Box:
    """A box that runs."""
    box.start()
    box.until_state("idle")
    return box


def hear_noise(box: Box, seconds: float, folder: Path) -> bytes:
    """Have the room make noise from now on; the 24-bit samples of it."""
    sound = noise(seconds, rate_hz=RATE_HZ, channels=2, bits=24)
    wide = b"".join(b"\0" + sound[at : at + 3] for at in range(0, len(sound), 3)) + bytes(RATE_HZ * 8)
    wav = write_wav(folder / "heard.wav", wide, rate_hz=RATE_HZ, channels=2, bits=32)
    box.microphone.load(wav.read_bytes())
    box.microphone.hear()
    return sound


def test_both_services_come_up_and_nothing_is_open(running: Box) -> None:
    assert running.agent.sh("systemctl is-active sotto-capture sotto-web").split() == ["active", "active"]
    assert running.devices_open() == set()
    assert not running.lit("room_light")


def test_without_consent_record_is_refused_and_no_device_is_opened(running: Box) -> None:
    running.panel.press("record", bounces=3)
    running.until_state("refused")
    assert running.devices_open() == set()
    assert not running.lit("room_light")
    running.until_state("idle")
    assert running.recordings() == []


def test_a_whole_session_by_button_presses_is_bit_exact(running: Box, tmp_path: Path) -> None:
    running.panel.press("consent", bounces=3)
    running.until_state("armed")
    assert running.lit("consent_blue")
    assert not running.lit("record_blue")
    assert running.devices_open() == set()

    running.panel.press("record", bounces=3)
    running.until_state("recording", "troubled")
    running.until("grep -q devices_open.:..microphone /run/sotto/status.json")
    assert running.lit("room_light")
    assert len(running.devices_open()) == 1
    sound = hear_noise(running, 5, tmp_path)
    running.agent.sh("sleep 8")

    running.panel.press("record")
    running.until_state("sealed", "kept")
    assert running.devices_open() == set()
    assert not running.lit("room_light")
    (recording,) = running.recordings()
    manifest = running.fetch(recording, tmp_path)
    assert (manifest["state"], manifest["consent"], manifest["gaps"]) == ("complete", "sound", [])
    mp4 = tmp_path / "session.mp4"
    mp4.write_bytes(stock_open(tmp_path / "session.mp4.age", running.identity))
    assert sound in sound_of(mp4, 24)


def test_a_withdrawal_closes_the_device_and_the_light_and_is_erased_after_its_window(running: Box) -> None:
    running.panel.press("consent")
    running.until_state("armed")
    running.panel.press("record")
    running.until("[ -e /var/lib/sotto/store/*/session.mp4.age ]")
    running.panel.press("consent")
    running.until_state("withdrawn")
    assert running.devices_open() == set()
    assert not running.lit("room_light")
    running.until("ls /var/lib/sotto/store/*/withdrawn >/dev/null 2>&1")
    running.until("[ -e /var/lib/sotto/store/erased/*.json ]", seconds=150, every_s=5)
    running.until("! ls -d /var/lib/sotto/store/0* >/dev/null 2>&1")


def test_a_killed_service_comes_back_idle_and_closes_what_was_open(running: Box, tmp_path: Path) -> None:
    running.panel.press("consent")
    running.until_state("armed")
    running.panel.press("record")
    running.until("[ -e /var/lib/sotto/store/*/session.mp4.age ]")
    running.agent.sh("sleep 3; systemctl kill --signal=KILL sotto-capture.service")
    running.until("[ $(systemctl show -P NRestarts sotto-capture.service) -ge 1 ]")
    running.until("systemctl is-active --quiet sotto-capture.service")
    running.until_state("idle")
    assert running.devices_open() == set()
    assert not running.lit("room_light")
    (recording,) = running.recordings()
    manifest = running.fetch(recording, tmp_path)
    assert manifest["state"] == "interrupted"
    assert manifest["duration_us"] > 1_000_000


def test_a_stopped_process_is_noticed_by_the_watchdog(running: Box) -> None:
    pid = running.agent.sh("systemctl show -P MainPID sotto-capture.service").strip()
    running.agent.sh(f"kill -STOP {pid}")
    running.until("[ $(systemctl show -P NRestarts sotto-capture.service) -ge 1 ]", seconds=90, every_s=2)
    running.until("systemctl is-active --quiet sotto-capture.service")


def test_capture_has_devices_and_no_network_and_the_page_has_neither_devices_nor_the_store_to_write(box: Box) -> None:
    box.start()  # so that the device key and the folders are there
    assert box.could("sotto-capture.service", PROBE) == {
        "sound-card",
        "gpio",
        "store-read",
        "store-write",
        "device-key",
    }
    assert box.could("sotto-web.service", PROBE) == {"inet-socket", "store-read"}
