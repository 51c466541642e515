"""Sotto on a real kernel, with systemd, ALSA and GPIO beneath it (``make appliance``)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.appliance.agent import Running
from tests.appliance.hardware import Microphone, Panel
from tests.appliance.logreplay import rescue
from tests.appliance.powercut import MOUNTED_AT, LoggedDisk
from tests.appliance.vm import Vm
from tests.support import noise, write_wav

SCRIPTS = Path(__file__).parent / "scripts"
PYTHON = "/opt/sotto/bin/python"
SOTTO = "/opt/sotto/bin/sotto"
RATE_HZ = 48_000
LINES = {"button": 17, "lamp": 27}


def start_script(vm: Vm, name: str, *words: str) -> Running:
    """Run one of ``scripts/`` in the guest, as Sotto's own Python sees it."""
    vm.agent.put(f"/run/{name}", (SCRIPTS / name).read_bytes())
    return vm.agent.start(PYTHON, f"/run/{name}", *words)


def loud(seconds: float) -> bytes:
    """Full-scale 24-bit stereo noise in 32-bit words."""
    data = noise(seconds, rate_hz=RATE_HZ, channels=2, bits=24)
    return b"".join(b"\0" + data[at : at + 3] for at in range(0, len(data), 3))


def first_difference(heard: bytes, played: bytes) -> float | None:
    """The second at which something else was heard than had been played."""
    differs = (at for at in range(0, len(played), 8) if heard[at : at + 8] != played[at : at + 8])
    return next((at / 8 / RATE_HZ for at in differs), None)


def test_a_box_that_is_switched_on_comes_up_whole_under_systemd(cold_vm: Vm) -> None:
    assert cold_vm.agent.sh("ps -p 1 -o comm=").strip() == "systemd"
    assert cold_vm.agent.sh("systemctl is-active multi-user.target").strip() == "active"
    assert "trixie" in cold_vm.agent.sh("cat /etc/os-release")
    assert "records sessions" in cold_vm.agent.sh(f"{SOTTO} --help").lower()
    cold_vm.agent.sh(f"{PYTHON} -c 'import alsaaudio, gpiozero, lgpio, systemd.daemon, systemd.journal'")


def test_a_press_is_seen_through_the_kernels_gpio_and_the_lamp_is_seen_from_outside(vm: Vm) -> None:
    panel = Panel(vm.agent, LINES)
    script = start_script(vm, "press_and_lamp.py")
    script.wait_for("ready")
    panel.down("button")
    script.wait_for("pressed")
    assert panel.is_lit("lamp")
    panel.up("button")
    script.wait_for("released")
    assert not panel.is_lit("lamp")
    panel.press("button", held_s=0.4)
    while (out := script.out()).count("released") < 2:
        time.sleep(0.05)
    times = {what: float(at) for what, at in (line.split() for line in out.splitlines())}
    assert times["released"] - times["pressed"] == pytest.approx(0.4, abs=0.2)


def test_what_is_played_to_the_microphone_is_read_bit_for_bit(vm: Vm, tmp_path: Path) -> None:
    sound = loud(10)
    trailing = bytes(RATE_HZ * 8)
    wav = write_wav(tmp_path / "heard.wav", sound + trailing, rate_hz=RATE_HZ, channels=2, bits=32)
    microphone = Microphone(vm.agent)
    microphone.load(wav.read_bytes())
    reader = start_script(vm, "hear.py", Microphone.DEVICE, "15", "/run/heard.raw")
    reader.wait_for("open")
    microphone.hear()
    assert "done 0 gaps" in reader.wait_for("done")
    heard = vm.agent.get("/run/heard.raw")
    at = heard.find(sound[:64])
    assert at % 8 == 0
    assert first_difference(heard[at:], sound) is None
    assert not any(heard[:at])


def test_a_microphone_that_is_pulled_out_is_an_error_and_opens_again_when_it_is_back(vm: Vm) -> None:
    microphone = Microphone(vm.agent)
    reader = start_script(vm, "hear.py", Microphone.DEVICE, "60", "/run/heard.raw")
    reader.wait_for("open")
    microphone.unplug()
    assert "gone" in reader.wait_for("done")
    microphone.plug()
    again = start_script(vm, "hear.py", Microphone.DEVICE, "0.5", "/run/heard.raw")
    assert "done 0 gaps" in again.wait_for("done")


def test_picamera2_sees_the_pictures_of_a_camera_at_their_pace(vm: Vm) -> None:
    last = start_script(vm, "see.py", "4").wait().checked().splitlines()[-1]
    seen = dict(zip(*[iter(last.split())] * 2, strict=True))
    assert int(seen["pictures"]) == pytest.approx(60, abs=3)
    assert float(seen["longest_ms"]) < 100


@pytest.mark.parametrize(("more", "left"), [("", {"synced"}), (",nobarrier", set())])
def test_a_power_cut_takes_what_no_flush_had_followed(vm: Vm, tmp_path: Path, more: str, left: set[str]) -> None:
    # Without barriers ext4 never flushes: the method sees what it should only if then even synced files are gone.
    disk = LoggedDisk(tmp_path, more_options=more)
    disk.plug_into(vm)
    vm.agent.sh(f"cd {MOUNTED_AT}; echo 1 >synced; sync -d synced; sync -f synced; echo 2 >unsynced")
    at = disk.now(vm)
    vm.kill()
    disk.cut(at, tmp_path / "cut.ext4")
    rescue(tmp_path / "cut.ext4", tmp_path / "cut")
    assert {path.name for path in (tmp_path / "cut").iterdir()} - {"lost+found"} == left
