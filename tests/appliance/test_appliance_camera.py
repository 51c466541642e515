"""The camera's program on libcamera's virtual camera: what comes through the pipe is H.264 with the sensor's times."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path
from struct import Struct

import pytest

from tests.appliance.vm import Vm

HEAD = Struct(">4sIqB")


def pictures_in(data: bytes) -> list[tuple[int, bool, bytes]]:
    """Time, key or not and the data of each picture; the last may have been cut off by the program's end."""
    found = []
    while len(data) >= HEAD.size:
        magic, size, at_us, key = HEAD.unpack_from(data)
        assert magic == b"SPic"
        if len(data) < HEAD.size + size:
            break
        found.append((at_us, bool(key), data[HEAD.size : HEAD.size + size]))
        data = data[HEAD.size + size :]
    return found


def sent(vm: Vm, more: str, *, seconds: int) -> tuple[int, list[tuple[int, bool, bytes]]]:
    """When the camera's program was started, and what it sends in so many seconds: when taken, key or not, data."""
    film = f"/opt/sotto/bin/sotto picamera2-camera 0 320x240 15 NV12 {more} >/run/film 2>/run/film.err"
    # SIGTERM is how the camera is closed in the room.
    started_us = int(vm.agent.sh("awk '{printf \"%d\", $1 * 1000000}' /proc/uptime"))
    vm.agent.run("sh", "-c", f"timeout {seconds} {film}")
    return started_us, pictures_in(vm.agent.get("/run/film"))


def test_it_steps_down_the_ladder_and_up_again_and_stays_one_stream(vm: Vm, tmp_path: Path) -> None:
    """Another bitrate is another encoder in the same process. (A virtual camera keeps its rate, whatever is asked.)"""
    rungs = "(sleep 8; echo half_rate; sleep 6; echo low_bitrate; sleep 6; echo whole; sleep 6)"
    film = "/opt/sotto/bin/sotto picamera2-camera 0 320x240 14 NV12 --mains-hz 50 --upside-down"
    vm.agent.run("sh", "-c", f"{rungs} | timeout 27 {film} >/run/film 2>/run/film.err")
    pictures = pictures_in(vm.agent.get("/run/film"))
    assert len(pictures) > 60, vm.agent.sh("cat /run/film.err")
    keys = [number for number, (_, key, _) in enumerate(pictures) if key]
    times = [at_us for at_us, _, _ in pictures]
    assert times == sorted(times)
    # A key picture every two seconds: 28 pictures at the whole rate, 14 at half of it; each with its parameter sets.
    beats = [later - sooner for sooner, later in pairwise(keys)]
    assert (beats[0], beats[-1]) == (28, 28), keys
    assert beats.count(14) >= 2, keys
    assert all(data.startswith(b"\0\0\0\1\x67") for _, key, data in pictures if key)
    (tmp_path / "film.h264").write_bytes(b"".join(data for _, _, data in pictures))
    count = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]
    seen = subprocess.run([*count, tmp_path / "film.h264"], capture_output=True, text=True, check=True)
    assert seen.stderr == ""
    assert seen.stdout.strip() == str(len(pictures))
    told = vm.agent.sh("cat /run/film.err")
    assert "does not know" not in told
    assert "Traceback" not in told


def test_the_cameras_program_sends_pictures_that_decode_at_the_sensors_pace(vm: Vm, tmp_path: Path) -> None:
    started_us, pictures = sent(vm, "", seconds=20)
    assert len(pictures) > 60, vm.agent.sh("cat /run/film.err")
    assert pictures[0][1], "the first picture is a key picture"
    assert pictures[0][2].startswith(b"\0\0\0\1\x67"), "with its parameter sets in-band"
    steps_ms = sorted((later[0] - sooner[0]) / 1000 for sooner, later in pairwise(pictures))
    assert steps_ms[len(steps_ms) // 2] == pytest.approx(66.7, abs=2)
    assert started_us < pictures[0][0] < started_us + 30_000_000
    (tmp_path / "film.h264").write_bytes(b"".join(picture for _, _, picture in pictures))
    decode = [
        "ffprobe",
        "-v",
        "error",
        "-count_frames",
        "-show_entries",
        "stream=codec_name,width,height,nb_read_frames",
    ]
    seen = subprocess.run(
        [*decode, "-of", "csv=p=0", tmp_path / "film.h264"], capture_output=True, text=True, check=True
    )
    assert seen.stderr == ""
    assert seen.stdout.strip() == f"h264,320,240,{len(pictures)}"


def test_for_a_framing_check_it_sends_two_small_stills_a_second(vm: Vm, tmp_path: Path) -> None:
    started_us, stills = sent(vm, "--stills 160x120", seconds=15)
    assert len(stills) > 8, vm.agent.sh("cat /run/film.err")
    steps_ms = sorted((later[0] - sooner[0]) / 1000 for sooner, later in pairwise(stills))
    assert steps_ms[len(steps_ms) // 2] == pytest.approx(500, abs=70)
    assert started_us < stills[0][0] < started_us + 30_000_000
    for number, (_, _, jpeg) in enumerate((stills[0], stills[-1])):
        still = tmp_path / f"{number}.jpg"
        still.write_bytes(jpeg)
        look = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", still]
        seen = subprocess.run(look, capture_output=True, text=True, check=True)
        assert (seen.stdout.strip(), seen.stderr) == ("mjpeg,160,120", "")
