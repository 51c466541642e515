"""What takes minutes each: long windows, reboots, random orders, drift (``make appliance FULL=1``)."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from device.age.identities import KeyIdentity
from tests.appliance.box import Box, Recorded
from tests.appliance.recordings import picture_times_s, pictures_go_on, place_us, whiteness
from tests.appliance.vm import RUNNING, Vm

SCRIPTS = Path(__file__).parent / "scripts"
SEED = 20262
EVENTS = 40


def test_a_withdrawal_closes_the_device_and_the_light_and_is_erased_after_its_window(hurried: Box) -> None:
    hurried.panel.press("consent")
    hurried.until_state("armed")
    hurried.panel.press("record")
    hurried.until("[ -e /var/lib/sotto/store/*/session.mp4.age ]")
    hurried.panel.press("consent")
    hurried.until_state("withdrawn")
    assert hurried.devices_open() == set()
    assert not hurried.lit("room_light")
    hurried.until("ls /var/lib/sotto/store/*/withdrawn >/dev/null 2>&1")
    hurried.until("[ -e /var/lib/sotto/store/erased/*.json ]", seconds=150, every_s=5)
    hurried.until("! ls -d /var/lib/sotto/store/0* >/dev/null 2>&1")


def test_a_stopped_process_is_noticed_by_the_watchdog(hurried: Box) -> None:
    pid = hurried.agent.sh("systemctl show -P MainPID sotto-capture.service").strip()
    hurried.agent.sh(f"kill -STOP {pid}")
    hurried.until("[ $(systemctl show -P NRestarts sotto-capture.service) -ge 1 ]", seconds=90, every_s=2)
    hurried.until("systemctl is-active --quiet sotto-capture.service")


def test_a_clock_that_is_set_mid_session_changes_neither_length_nor_order(running: Box, tmp_path: Path) -> None:
    earlier = running.begin()
    noise = running.microphone.noise(10)
    running.agent.sh("sleep 2; date --set='+5 hours'; sleep 2; date --set='-9 hours'; sleep 2")
    noise.player.wait()
    stopped_us = round(running.agent.monotonic_s() * 1_000_000)
    running.end()
    later = running.begin()
    running.end()
    opened = running.opened(earlier, tmp_path)
    assert opened.manifest["gaps"] == []
    assert noise.samples in opened.sound
    assert opened.zero_us + opened.manifest["duration_us"] == pytest.approx(stopped_us, abs=500_000)
    assert opened.manifest["clock_trusted"] is False
    assert opened.manifest["started"] > opened.manifest["ended"]  # as the clock had it
    assert running.recordings() == [earlier, later]


def check_after_boot(vm: Vm, identity: KeyIdentity) -> Box:
    """A box that was switched on: dark, closed, and without a consent."""
    vm.wait_until_up()
    box = Box(vm, identity)
    box.until("systemctl is-active --quiet sotto-capture.service", seconds=60)
    box.until_state("idle")
    assert box.devices_open() == set()
    assert not box.lit("room_light")
    box.panel.press("record")
    box.until_state("refused")
    assert box.devices_open() == set()
    return box


def test_neither_a_pulled_plug_nor_a_reboot_spoils_a_recording_and_no_consent_outlives_them(
    built: Path, disk: Path, identity: KeyIdentity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Vm(disk, built / "kernel", snapshot=RUNNING) as vm:
        box = Box(vm, identity)
        cut = box.begin()
        first = box.microphone.noise(10, seed=1)
        box.agent.sh("sleep 5")
        vm.kill()
    with Vm(disk, built / "kernel") as vm:
        box = check_after_boot(vm, identity)
        opened = box.opened(cut, tmp_path)
        assert opened.manifest["state"] == "interrupted"
        at = opened.sound.index(first.samples[:64])
        assert first.samples.startswith(opened.sound[at:])
        kept_s = opened.manifest["duration_us"] / 1e6

        box.until_state("idle")
        stopped = box.begin()
        second = box.microphone.noise(20, seed=2)
        box.agent.sh("sleep 5")
        vm.reboot()
    with Vm(disk, built / "kernel") as vm:
        box = check_after_boot(vm, identity)
        opened = box.opened(stopped, tmp_path)
        assert opened.manifest["state"] == "complete"
        at = opened.sound.index(second.samples[:64])
        assert second.samples.startswith(opened.sound[at:])
        assert box.recordings() == sorted([cut, stopped])
    with capsys.disabled():
        print(
            f"\nreboots: {kept_s:.1f} s kept at a pulled plug, {opened.manifest['duration_us'] / 1e6:.1f} s at a reboot"
        )


class Room:
    """Hands that do anything in any order, and a box that has to be true to its light all the while."""

    def __init__(self, box: Box, chance: random.Random) -> None:
        self._box = box
        self._chance = chance
        self._plugged = True

    def session(self) -> None:
        """A therapist stops what runs; then somebody else's session begins."""
        if self._box.lit("room_light"):
            self._box.panel.press("record")
            self._box.agent.sh("sleep 0.5")
        self._box.panel.press("consent")
        if self._chance.random() < 0.4:
            self._box.agent.sh("sleep 0.3")
            self._box.panel.press("consent")
        self._box.agent.sh(f"sleep {self._chance.uniform(0.2, 0.6):.2f}")
        self._box.panel.press("record")

    def press(self) -> None:
        self._box.panel.press(self._chance.choice(["consent", "record"]), held_s=self._chance.uniform(0.06, 0.4))

    def bounce(self) -> None:
        self._box.panel.press(self._chance.choice(["consent", "record"]), bounces=self._chance.randint(1, 8))

    def hold(self) -> None:
        self._box.panel.press(self._chance.choice(["consent", "record"]), held_s=self._chance.uniform(1.4, 3.4))

    def both(self) -> None:
        for move in (self._box.panel.down, self._box.panel.up):
            for button in ("consent", "record"):
                move(button)

    def cable(self) -> None:
        (self._box.microphone.unplug if self._plugged else self._box.microphone.plug)()
        self._plugged = not self._plugged

    def put_back(self) -> None:
        if not self._plugged:
            self.cable()

    def camera(self) -> None:
        self._box.agent.sh(f"pkill -{self._chance.choice(['KILL', 'STOP'])} -f '[p]icamera2-camera' || true")

    def restart(self) -> None:
        self._box.agent.sh("systemctl restart sotto-capture.service")

    def crash(self) -> None:
        self._box.agent.sh("systemctl kill --kill-whom=main --signal=KILL sotto-capture.service; sleep 1")

    def anything(self) -> str:
        weights = {"session": 12, "press": 4, "bounce": 2, "hold": 3, "both": 2, "cable": 3, "camera": 3}
        weights |= {"restart": 1, "crash": 1}
        (name,) = self._chance.choices(list(weights), list(weights.values()))
        getattr(self, name)()
        return name


def test_the_light_is_on_exactly_while_a_device_is_open_in_whatever_order_things_happen(
    hurried: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = hurried
    room = Room(box, random.Random(SEED))
    box.agent.put("/run/watch_light.py", (SCRIPTS / "watch_light.py").read_bytes())
    light = box.agent.sh(f"echo {box.panel.value_file('room_light')}").strip()
    watch = box.agent.start("/opt/sotto/bin/python", "/run/watch_light.py", light)
    watch.wait_for("looking")
    happened, lit = [], 0
    for _ in range(EVENTS):
        happened.append(room.anything())
        box.agent.sh("sleep 1.5")
        light_is_on, devices = settled(box)
        lit += light_is_on
        # While the microphone is away the recording goes on, and so does its light.
        assert light_is_on == bool(devices) or (light_is_on and microphone_is_away(box)), (happened, devices)
    room.put_back()
    box.agent.sh("sleep 2")
    if settled(box)[0]:
        box.panel.press("record")
    watch.signal(signal.SIGTERM)
    words = watch.wait().checked().splitlines()[-1].split()
    seen = {name: float(value) for name, value in zip(words[::2], words[1::2], strict=True)}
    manifests = [opened.manifest for opened in all_opened(box, tmp_path)]
    states = [manifest["state"] for manifest in manifests]
    with capsys.disabled():
        print(
            f"\nlight: seed {SEED}, {EVENTS} events, lit after {lit}; {seen['looks']:.0f} looks, at most "
            f"{seen['apart']:.0f} ms apart; a device open in the dark for {seen['dark']:.0f} ms, the light on alone "
            f"for {seen['lit']:.0f} ms; {len(states)} recordings, {states.count('complete')} complete"
        )
    assert lit > EVENTS // 10
    assert states
    assert {gap["cause"] for manifest in manifests for gap in manifest["gaps"]} <= {"the microphone was gone"}
    # A killed service leaves its lines and its devices to the kernel, which lets them go one after the other.
    assert seen["dark"] <= 50


def settled(box: Box) -> tuple[bool, set[str]]:
    """Light and devices as they are once neither is on its way to the other, for at most some seconds."""
    for _ in range(6):
        before, devices, after = box.lit("room_light"), box.devices_open(), box.lit("room_light")
        if before == bool(devices) == after:
            break
        box.agent.sh("sleep 0.5")
    return after, devices


def microphone_is_away(box: Box) -> bool:
    """Whether a recording goes on without it."""
    recording = box.status()["recording"]
    return recording is not None and "microphone gone" in recording["troubles"]


def all_opened(box: Box, folder: Path) -> Iterator[Recorded]:
    """Every recording in the store, once nothing is recorded any more."""
    box.until("! ls /var/lib/sotto/store/*/session.ledger >/dev/null 2>&1", seconds=60)
    for recording in box.recordings():
        if recording != "erased":
            yield box.opened(recording, folder)


def test_sound_and_picture_keep_together_by_one_clock(
    running: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = running.agent.sh("echo /opt/sotto/lib/python3.*/site-packages").strip()
    running.agent.put(f"{site}/sensor_log.py", (SCRIPTS / "sensor_log.py").read_bytes())
    running.agent.sh(f"echo 'import sensor_log' >>{site}/picamera2/__init__.py")
    recording = running.begin(picture=True)
    pictures_go_on(running)
    first = running.microphone.noise(1, seed=1)
    running.agent.sh("sleep 120")
    last = running.microphone.noise(1, seed=2)
    last.player.wait()
    running.end()
    opened = running.opened(recording, tmp_path)
    lines = [line.split() for line in running.agent.get("/run/sotto/sensor.log").decode().splitlines()]
    taken_us = {int(line[0]): line[2] == "1" for line in lines if len(line) == 3}
    assert opened.manifest["gaps"] == []

    sound_ms = [(place_us(opened, noise.samples[:64]) - noise.began_us) / 1000 for noise in (first, last)]
    picture_ms = []
    assert any(taken_us.values())
    for time_s, is_white in zip(picture_times_s(opened.mp4), whiteness(opened.mp4), strict=True):
        shown_us = opened.zero_us + time_s * 1e6
        sensor_us = min(taken_us, key=lambda at_us: abs(at_us - shown_us))
        assert taken_us[sensor_us] == is_white, "this picture was taken at another time"
        picture_ms.append((shown_us - sensor_us) / 1000)
    handed_ms = [(int(line[1]) - int(line[0])) / 1000 for line in lines if len(line) == 3]
    apart_ms = [sound - median(picture_ms) for sound in sound_ms]
    apart_s = (last.began_us - first.began_us) / 1e6
    with capsys.disabled():
        print(
            f"\nsound and picture: sound {sound_ms[0]:.1f} ms off, {apart_s:.0f} s later {sound_ms[1]:.1f}; "
            f"{len(picture_ms)} pictures {min(picture_ms):.3f} to {max(picture_ms):.3f} ms off their sensor's time "
            f"(handed over after {median(handed_ms):.1f} ms); apart {apart_ms[0]:.1f} and {apart_ms[1]:.1f} ms"
        )
    assert max(map(abs, apart_ms)) < 20
