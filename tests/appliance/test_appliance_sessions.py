"""What a session survives, through Sotto's own service under systemd (``make appliance``)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.recording.manifest import Manifest
from device.recovery import recover
from device.store import Store, read_manifest
from tests.appliance.box import STORE, Box
from tests.appliance.logreplay import rescue
from tests.appliance.powercut import MOUNTED_AT, Instant, LoggedDisk
from tests.appliance.recordings import FRAME_BYTES, RATE_HZ, place_us
from tests.appliance.vm import Vm
from tests.support import sound_of, stock_open

CUTS = 10
SEED = 20261


def test_a_microphone_that_was_away_leaves_a_gap_as_long_as_it_was(
    running: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = running.begin()
    before = running.microphone.noise(20, seed=1)
    running.agent.sh("sleep 3")
    gone_s = running.agent.monotonic_s()
    running.microphone.unplug()
    running.until("grep -q 'microphone gone' /run/sotto/status.json", seconds=3)
    running.until(f"[ $(cat {running.panel.value_file('record_red')}) = 1 ]", seconds=3)  # yellow, once a second
    assert running.lit("room_light")
    running.agent.sh("sleep 2")
    running.microphone.plug()
    back_s = running.agent.monotonic_s()
    running.until_state("recording")
    assert running.lit("room_light")
    after = running.microphone.noise(3, seed=2)
    after.player.wait()
    running.end()

    opened = running.opened(recording, tmp_path)
    assert opened.manifest["state"] == "complete"
    (gap,) = opened.manifest["gaps"]
    assert gap["cause"] == "the microphone was gone"
    start, end = (place * FRAME_BYTES for place in (gap["start_sample"], gap["start_sample"] + gap["samples"]))
    at = opened.sound.index(before.samples[:64])
    assert before.samples.startswith(opened.sound[at:start])
    assert not any(opened.sound[start:end])
    assert after.samples in opened.sound[end:]
    # Had the gap the wrong length, what came after it would stand elsewhere than when it was heard.
    off_ms = [(place_us(opened, sound.samples[:64]) - sound.began_us) / 1000 for sound in (before, after)]
    away_s, marked_s = back_s - gone_s, gap["samples"] / RATE_HZ
    with capsys.disabled():
        print(
            f"\nmicrophone: away {away_s:.2f} s, marked {marked_s:.3f} s; in the file {off_ms[0]:.1f} ms off before, "
            f"{off_ms[1]:.1f} ms after"
        )
    assert -0.2 < marked_s - away_s < 1.0
    assert abs(off_ms[1] - off_ms[0]) < 20


def test_two_sessions_ten_seconds_apart_are_both_complete(running: Box, tmp_path: Path) -> None:
    # Much shorter than the hour that a session has: that length is what ``make soak`` is for.
    sounds = []
    for seed in (1, 2):
        running.begin()
        noise = running.microphone.noise(2, seed=seed)
        noise.player.wait()
        running.end()
        sounds.append(noise.samples)
        if seed == 1:
            running.agent.sh("sleep 10")
    first, second = (running.opened(recording, tmp_path) for recording in running.recordings())
    assert [opened.manifest["state"] for opened in (first, second)] == ["complete"] * 2
    assert [opened.manifest["gaps"] for opened in (first, second)] == [[]] * 2
    between_us = second.manifest["started_monotonic_us"] - first.zero_us - first.manifest["duration_us"]
    assert 10_000_000 < between_us < 16_000_000
    assert [sounds[0] in opened.sound for opened in (first, second)] == [True, False]
    assert [sounds[1] in opened.sound for opened in (first, second)] == [False, True]


def test_ten_power_cuts_of_the_service_cost_at_most_a_second_of_sound_each(
    running_vm: Vm, running: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = LoggedDisk(tmp_path)
    disk.plug_into(running_vm)
    store = f"{MOUNTED_AT}/store"
    running.agent.sh(
        f"systemctl stop sotto-capture.service; cp -a {STORE} {store}; mount --bind {store} {STORE}; "
        "systemctl start sotto-capture.service"
    )
    running.begin()
    noise = running.microphone.noise(20)
    chance = random.Random(SEED)
    instants = []
    for _ in range(CUTS):
        running.agent.sh(f"sleep {chance.uniform(0.3, 1.5):.3f}")
        instants.append(disk.now(running_vm))
    running_vm.kill()
    # Each instant, and the worst one before it: just before a flush.
    instants += [disk.worst(instant) for instant in instants]
    lost_s = []
    for number, instant in enumerate(instants):
        folder = tmp_path / f"cut-{number}"
        manifest, mp4 = after_a_cut(running, disk, instant, folder)
        heard = sound_of(mp4, 24)
        at = heard.find(noise.samples[:64])
        silence, sound = (heard, b"") if at < 0 else (heard[:at], heard[at:])
        assert not any(silence)
        assert noise.samples.startswith(sound)
        assert len(heard) // FRAME_BYTES * 1_000_000 // RATE_HZ == manifest.duration_us
        lost_s.append((instant.guest_us - manifest.started_monotonic_us - manifest.duration_us) / 1e6)
    with capsys.disabled():
        for name, some in (("at any instant", lost_s[:CUTS]), ("before a flush", lost_s[CUTS:])):
            print(f"\npower cuts {name}: {len(some)}, sound lost " + " ".join(f"{lost:.2f}" for lost in some), end=" s")
    assert max(lost_s) <= 1.0


def after_a_cut(box: Box, disk: LoggedDisk, at: Instant, folder: Path) -> tuple[Manifest, Path]:
    """Cut the power at this instant, do what the next start does, and open what is there."""
    disk.cut(at, folder.with_suffix(".ext4"))
    rescue(folder.with_suffix(".ext4"), folder)
    folder.with_suffix(".ext4").unlink()
    store = Store(folder / "store", device_key=Ed25519PrivateKey.generate())
    (recovered,) = recover(store, at="2026-03-02T09:00:00.000Z")
    assert recovered.what == "closed"
    recording = store.folder(recovered.recording_id)
    mp4 = folder / "session.mp4"
    mp4.write_bytes(stock_open(recording / "session.mp4.age", box.identity))
    manifest = read_manifest(recording)
    assert manifest.state == "interrupted"
    return manifest, mp4
