"""Sessions with sound and picture, and cameras that die in them (``make appliance FULL=1``)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.appliance.box import Box
from tests.appliance.recordings import picture_times_s, pictures_go_on
from tests.support import tracks_of


def test_sound_and_picture_are_recorded_and_a_camera_that_dies_costs_the_sound_nothing(
    running: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost_s = lose_the_camera(running, "KILL", tmp_path)
    with capsys.disabled():
        print(f"\ncamera killed: no picture for {lost_s:.1f} s, no sound lost")


def lose_the_camera(box: Box, signal: str, folder: Path) -> float:
    """Send the camera's program a signal in a session; for how long there was no picture. No sound may be missing."""
    recording = box.begin(picture=True)
    pictures_go_on(box)
    assert len(box.devices_open()) > 1
    noise = box.microphone.noise(60)
    program = box.camera_program()
    box.agent.sh(f"kill -{signal} {program}")
    box.until("grep -q 'no picture' /run/sotto/status.json", seconds=10)
    assert box.lit("room_light")
    pictures_go_on(box)
    box.until("! grep -q 'no picture' /run/sotto/status.json")
    assert box.camera_program() != program
    box.end()
    assert box.camera_program() is None
    assert box.devices_open() == set()
    assert not box.lit("room_light")

    opened = box.opened(recording, folder)
    manifest = opened.manifest
    assert (manifest["state"], manifest["consent"], manifest["gaps"]) == ("complete", "sound_and_picture", [])
    assert noise.samples.startswith(opened.sound[opened.sound.index(noise.samples[:64]) :])
    assert [track["codec_name"] for track in tracks_of(opened.mp4)] == ["flac", "h264"]
    times_s = picture_times_s(opened.mp4)
    assert len(times_s) == manifest["picture"]["pictures"]
    assert manifest["picture"]["given_up_at_us"] is None
    (away,) = manifest["picture"]["away"]
    assert away["from_us"] < away["to_us"]
    lost_s = max(later - sooner for sooner, later in pairwise(times_s))
    assert lost_s > 1.0
    return lost_s


def test_a_camera_that_hangs_costs_the_sound_nothing(
    running: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost_s = lose_the_camera(running, "STOP", tmp_path)
    with capsys.disabled():
        print(f"\ncamera hung: no picture for {lost_s:.1f} s, no sound lost")
