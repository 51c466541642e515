"""Rows: how many bytes reach the disk for each byte that is recorded, and how much sound a cut of the disk takes.

Both sides write to an ext4 of their own, side by side, in real time. After a cut the box's own recovery closes what is
there, and what it closes is compared with what had been captured at the moment of the cut.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from device.devicekey import load_or_make_device_key
from device.recovery import recover
from device.store import Store, read_manifest
from tests.bench.capture_box import CaptureBox
from tests.bench.cost import run_pipe
from tests.bench.figures import Row
from tests.bench.loop import LoopDisk, after_cut, loop_disk, why_not
from tests.bench.peers import age, flac
from tests.bench.setting import Setting

_WINDOW_S, _CUTS = 15.0, 6
_AT = "2026-03-02T10:00:00.000Z"


def rows(setting: Setting) -> Iterator[Row]:
    """All of them; or why there are none."""
    names = {"disk/bytes": "bytes to the disk per byte recorded", "disk/lost": "sound lost at a cut of the disk"}
    reason = why_not()
    if reason:
        yield from (Row(name, says, "", skipped=reason) for name, says in names.items())
        return
    setting.say(f"disk: {_WINDOW_S:.0f} s of recording, then {_CUTS} cuts")
    with loop_disk(setting.folder()) as disk:
        written, recorded = _bytes(setting, disk)
        peer = _peer_bytes(setting, disk)
    note = (
        f"ext4 made and mounted as on the box, at the cadence that ships; flac | age, which syncs nothing: {peer:.2f}"
    )
    yield Row("disk/bytes", names["disk/bytes"], "B/B", (written / recorded,), at_most=1.2, note=note)
    lost = tuple(_lost_s(setting, seed) for seed in range(_CUTS))
    note = f"{_CUTS} cuts, {min(lost):.2f} to {max(lost):.2f} s; judged by the worst"
    yield Row("disk/lost", names["disk/lost"], "s", (max(lost),), at_most=0.5, note=note)


@contextmanager
def _recording(setting: Setting, disk: LoopDisk, name: str) -> Iterator[CaptureBox]:
    """A box that records to that disk; whatever happens, it is gone with the block."""
    box = CaptureBox(setting.folder(), setting.material.stereo.path, setting.recipient, store=disk.place / name)
    try:
        box.until_ready()
        box.begin()
        yield box
    finally:
        box.kill()


def _bytes(setting: Setting, disk: LoopDisk) -> tuple[int, int]:
    """What reached the disk, and by how much the recording grew, in the same time."""
    with _recording(setting, disk, "bytes") as box:
        disk.settle()
        file = box.sealed_file()
        written, recorded = disk.written_bytes(), file.stat().st_size
        time.sleep(_WINDOW_S)
        return disk.written_bytes() - written, file.stat().st_size - recorded


def _peer_bytes(setting: Setting, disk: LoopDisk) -> float:
    """The same of a pipe that syncs nothing, at full speed: the kernel writes when it likes, here at the end."""
    disk.settle()
    raw = setting.folder() / "sound.raw"
    raw.write_bytes(setting.material.stereo.path.read_bytes() * 4)
    out, before = disk.place / "peer.age", disk.written_bytes()
    with raw.open("rb") as given:
        run_pipe(flac(), age(setting.material), given=given, to=out)
    disk.settle()
    return (disk.written_bytes() - before) / out.stat().st_size


def _lost_s(setting: Setting, seed: int) -> float:
    """Record, cut at a moment that nothing is in step with, recover: how much of the sound is missing."""
    with loop_disk(setting.folder()) as disk:
        with _recording(setting, disk, "store") as box:
            time.sleep(1 + random.Random(seed).random() * 1.5)
            disk.shut()
            cut_us = time.monotonic_ns() // 1000
        with after_cut(disk, setting.folder()) as seen:
            store = Store(seen / "store", device_key=load_or_make_device_key(box.folder / "device.key"))
            found = recover(store, at=_AT)
            if [one.what for one in found] != ["closed"]:
                raise RuntimeError(f"a cut left what recovery does not close: {found}; {box.last_words()}")
            sound = read_manifest(store.folder(found[0].recording_id)).sound
    if sound is None or sound.first_sample_monotonic_us is None:
        raise RuntimeError("the manifest does not say when the sound began")
    return (cut_us - sound.first_sample_monotonic_us - found[0].duration_us) / 1e6
