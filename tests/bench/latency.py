"""Rows: how long people wait: for the box after it was switched on, for a press, for a withdrawal, for the seal.

The service's own program in real time, with a simulated microphone whose first period is whole after 100 ms, and a
simulated panel; and ``bench_press``, which has the real microphone code on a sound card that is a program.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from device.words import Button
from tests.bench.capture_box import CaptureBox
from tests.bench.figures import Row
from tests.bench.material import ROOT
from tests.bench.setting import Setting


def rows(setting: Setting) -> Iterator[Row]:
    """All of them."""
    taken: list[list[float]] = []
    for number in range(setting.pairs):
        setting.say(f"latency: {number + 1} of {setting.pairs}")
        taken.append([1000 * value for value in _session(setting)])
    ready, durable, sound, sealed, withdrawn = map(tuple, zip(*taken, strict=True))
    yield Row("latency/ready", "program started to ready for a session", "ms", ready)
    note = "of it 60 in which the other button might come; the head of the file, without sound"
    yield Row("latency/durable", "RECORD to the first byte durable", "ms", durable, note=note)
    note = "a chunk is full after 300 to 750 ms of sound; seen by the status, which tells it a moment later"
    yield Row("latency/sound-durable", "RECORD to the first sound durable", "ms", sound, note=note)
    yield Row("latency/sealed", "RECORD again to sealed and durable", "ms", sealed)
    note = "as the status tells; P3 promises 200"
    yield Row("latency/withdrawn", "CONSENT to both devices closed", "ms", withdrawn, at_most=200, note=note)
    setting.say(f"latency: {setting.pairs} presses on a sound card that is a program")
    command = ["-m", "tests.bench_press", "--rooms", "card", "--rounds", str(setting.pairs), "--json"]
    told = json.loads(subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout)
    card = {name: tuple(values) for name, values in told["RoomCard"].items()}
    yield Row("press/sample", "RECORD to the first captured sample (ALSA)", "ms", card["first_sample"], at_most=300)
    says = "RECORD to the first sound in hand (ALSA)"
    yield Row("press/in-hand", says, "ms", card["in_hand"], card["arecord_byte"], "arecord, from its start")
    says = "CONSENT to microphone and camera closed (ALSA)"
    yield Row("press/closed", says, "ms", card["both_closed"], at_most=200)


def _session(setting: Setting) -> tuple[float, ...]:
    """Two recordings by one service: seconds to ready, first byte durable, first sound durable, sealed, closed."""
    box = CaptureBox(setting.folder(), setting.material.stereo.path, setting.recipient)
    try:
        ready_s = box.until_ready()
        box.begin()
        durable_s, sound_s = box.durable_after_s
        sealed_s = box.seal()
        box.begin()
        withdrawn_s = box.press(Button.CONSENT)
        _, closed_s = box.until(lambda status: not (status.recording and status.recording.devices_open), every_s=0.001)
        box.end()
    finally:
        box.kill()
    return ready_s, durable_s, sound_s, sealed_s, closed_s - withdrawn_s
