"""What records side by side: the box, and each of its peers, until they are told to end."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.bench.capture_box import CaptureBox
from tests.bench.cost import Mark, Memory, Spent, children_of, cpu_s, memory
from tests.bench.material import Material
from tests.bench.peers import Command


class Recording(Protocol):
    """Something that records. ``begin`` once, then ``pids`` while it does, then ``end``."""

    def begin(self) -> None:
        """Have it record; on return it does."""

    def pids(self) -> list[int]:
        """The processes whose cost counts."""

    def end(self) -> None:
        """End it."""


class Sotto:
    """The box. ``camera``: a program in place of the simulated camera (see ``with_packets.py``), whose cost counts."""

    def __init__(self, material: Material, *, program: Sequence[str | Path] = ("-m", "device"), picture: bool = False):
        self._material, self._program, self._picture = material, program, picture
        self.box: CaptureBox | None = None
        self.spent_s = 0.0  # from ready to sealed, all its processes

    def begin(self) -> None:
        folder, camera = Path(tempfile.mkdtemp(dir=self._material.folder)), "simulated" if self._picture else "disabled"
        wav, recipient = self._material.stereo.path, self._material.recipient
        self.box = CaptureBox(folder, wav, recipient, camera=camera, program=self._program)
        self.box.until_ready()
        self.spent_s = -cpu_s(self.box.pid)
        self.box.begin(picture=self._picture)

    def pids(self) -> list[int]:
        assert self.box is not None
        return [self.box.pid, *children_of(self.box.pid)]

    def end(self) -> None:
        assert self.box is not None
        self.box.seal()
        self.spent_s += cpu_s(self.box.pid)
        self.box.end()


class Pipe:
    """A pipe of programs, fed by one that counts on no side."""

    def __init__(self, material: Material, commands: list[Command]) -> None:
        self._material, self._commands = material, commands
        self._feed: subprocess.Popen[bytes] | None = None
        self._programs: list[subprocess.Popen[bytes]] = []

    def begin(self) -> None:
        feed = self._material.playing(live=True)
        out = tempfile.NamedTemporaryFile(dir=self._material.folder)  # noqa: SIM115  # the last program has it
        with out:
            self._feed = subprocess.Popen(feed, stdout=subprocess.PIPE)
            last, programs = self._feed.stdout, []
            for number, command in enumerate(self._commands):
                end = out if number == len(self._commands) - 1 else subprocess.PIPE
                program = subprocess.Popen(command, stdin=last, stdout=end, stderr=subprocess.DEVNULL)
                if last is not None:
                    last.close()
                last = program.stdout
                programs.append(program)
        self._programs = programs

    def pids(self) -> list[int]:
        return [program.pid for program in self._programs]

    def end(self) -> None:
        assert self._feed is not None
        self._feed.kill()
        for program in (self._feed, *self._programs):
            program.wait(30)


class Floor:
    """The minimal C program, which plays the microphone to itself, as the box does."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._program: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        out = Path(tempfile.mkdtemp(dir=self._material.folder)) / "out"
        self._program = subprocess.Popen(self._material.at_the_floor(out, live=True))

    def pids(self) -> list[int]:
        assert self._program is not None
        return [self._program.pid]

    def end(self) -> None:
        assert self._program is not None
        self._program.kill()
        self._program.wait(30)


@dataclass(frozen=True)
class Taken:
    """By one of them, in one window."""

    spent: Spent
    memory: tuple[Memory, ...]

    @property
    def resident_mb(self) -> float:
        """Of all its processes."""
        return sum(one.resident_mb for one in self.memory)

    @property
    def share_mb(self) -> float | None:
        shares = [one.share_mb for one in self.memory]
        return None if None in shares else sum(filter(None, shares))


def window(recordings: dict[str, Recording], *, warm_s: float, window_s: float) -> dict[str, Taken]:
    """Have all of them record side by side, let them settle, and look what each takes in the same window of time.

    Raises:
        RuntimeError: one of them did not come to record, or ended before its time.
    """
    begun: list[Recording] = []
    try:
        with ThreadPoolExecutor(len(recordings)) as pool:  # a box takes seconds to begin
            for recording, beginning in [(one, pool.submit(one.begin)) for one in recordings.values()]:
                beginning.result()
                begun.append(recording)
        time.sleep(warm_s)
        before = {name: Mark.of(recording.pids()) for name, recording in recordings.items()}
        time.sleep(window_s)
        after = {name: Mark.of(recording.pids()) for name, recording in recordings.items()}
        held = {name: tuple(map(memory, recording.pids())) for name, recording in recordings.items()}
    finally:
        with ThreadPoolExecutor(max(1, len(begun))) as pool:
            for ending in [pool.submit(one.end) for one in begun]:
                ending.result()
    return {name: Taken(before[name].until(after[name]), held[name]) for name in recordings}
