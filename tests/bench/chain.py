"""The box's own writing chain at full speed: coding, container, sealing, ledger; without the interpreter's start.

A program of its own, which prints what that took.

    python -m tests.bench.chain SOUND SECONDS FOLDER [--synced] [--metered] [--frames FRAMES]

SOUND is raw 24-bit stereo, played again where the recording is longer; FRAMES is raw 720p25, YUV 4:2:0.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from device.age.recipients import parse_recipient
from device.capture.camera import ChildCamera
from device.capture.facts import Beginning, Facts
from device.capture.meter import Meter
from device.capture.packets import Picture, Sound, SoundFormat, Wire
from device.capture.pipeline import Pipeline
from device.capture.sealer import Sealer
from device.errors import CameraError
from device.sealed_file import SealedFile
from device.words import Consent
from tests.bench.frames import FPS, SIZE
from tests.sync_faults.box import peak_mib

SOUND = SoundFormat(48_000, 2, Wire.S24_3LE)
PERIOD_SAMPLES = 4800


def beginning() -> Beginning:
    """Of a recording that nobody made."""
    return Beginning(
        box="Room 1",
        boot="b",
        consent=Consent.SOUND_AND_PICTURE,
        choices=(Consent.SOUND_AND_PICTURE,),
        pressed_us=0,
        started="2026-03-02T09:00:00.000Z",
        clock_trusted=True,
        camera="frames",
        size=SIZE,
        recipients=("0" * 16,),
    )


def pictures(frames: Path | None) -> Iterator[Picture]:
    """All of them, from the camera's own process, through the pipe that the box reads."""
    if frames is None:
        return
    command = [sys.executable, "-m", "tests.bench.frames", str(frames)]
    camera = ChildCamera(name="frames", size=SIZE, command=lambda: command)
    camera.open()
    try:
        while True:
            yield camera.read()
    except CameraError:  # it has sent all
        return
    finally:
        camera.close()


def write(asked: argparse.Namespace) -> int:
    """Record it; how many bytes became of it."""
    facts = Facts(beginning())
    sealer = Sealer([parse_recipient(asked.recipient)], SealedFile(asked.folder), on_durable=lambda *_: None)
    pipeline = Pipeline(SOUND, facts, size=SIZE if asked.frames else None, sink=sealer)
    meter = Meter(SOUND, floor_dbfs=-60.0) if asked.metered else None
    pipeline.open()
    waiting = pictures(asked.frames)
    held = next(waiting, None)
    with asked.sound.open("rb", buffering=0) as file:
        for number in range(round(asked.seconds * SOUND.rate_hz / PERIOD_SAMPLES)):
            data = file.read(PERIOD_SAMPLES * SOUND.frame_bytes)
            if len(data) < PERIOD_SAMPLES * SOUND.frame_bytes:  # a session may be longer than what is heard in it
                file.seek(0)
                data = file.read(PERIOD_SAMPLES * SOUND.frame_bytes)
            if meter is not None:
                meter.write(data, PERIOD_SAMPLES)
            end_us = SOUND.us((number + 1) * PERIOD_SAMPLES)
            pipeline.write_sound(Sound(data, PERIOD_SAMPLES, end_us))
            pipeline.flush_if_due()
            while held is not None and held.at_us < end_us:
                pipeline.write_picture(held)
                held = next(waiting, None)
    pipeline.close()
    sealer.close()
    if asked.frames and pipeline.pictures != round(asked.seconds * FPS):
        raise SystemExit(f"{pipeline.pictures} pictures came")
    return sealer.size_bytes


def counted(do: Callable[[], object]) -> int:
    """How many calls Python makes meanwhile, of its own functions and of C's; how busy the machine is does not matter.

    What C calls within itself does not show, nor does what a call costs: it tells of work per period and per chunk.
    """
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(None)
    return calls


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sound", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipient", required=True)
    parser.add_argument("--frames", type=Path)
    parser.add_argument("--synced", action="store_true", help="a sync per chunk, as on a box")
    parser.add_argument("--metered", action="store_true")
    parser.add_argument("--counted", action="store_true", help="count the calls that Python makes, instead of the time")
    asked = parser.parse_args()
    if not asked.synced:
        os.fdatasync = lambda _descriptor: None
    if asked.counted:
        print(json.dumps({"calls": counted(lambda: write(asked))}))
        return 0
    began, began_s = time.process_time(), time.perf_counter()
    size_bytes = write(asked)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = time.process_time() - began + children.ru_utime + children.ru_stime
    peak_mb = peak_mib(os.getpid()) * 1024**2 / 1e6
    took = {"cpu_s": cpu_s, "seconds": time.perf_counter() - began_s, "size_bytes": size_bytes, "peak_mb": peak_mb}
    print(json.dumps(took))
    return 0


if __name__ == "__main__":
    sys.exit(main())
