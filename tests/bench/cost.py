"""What processes cost: processor time, wake-ups and memory, as the kernel counts them, of one that runs or has ended.

Sources: clock_getcpuclockid(3) (nanoseconds, of all threads that a process has and had), proc(5), wait4(2).
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_PROCESS_CLOCK: Final = 2
_MEMORY: Final = re.compile(r"^(Rss|Pss):\s+(\d+) kB$", re.MULTILINE)


def cpu_s(pid: int) -> float:
    """User and system time so far of a process that runs; of its children nothing."""
    return time.clock_gettime_ns(~pid << 3 | _PROCESS_CLOCK) / 1e9


def wakeups(pid: int) -> int:
    """How often its threads slept and were woken: their voluntary context switches; threads that ended are left out."""
    tasks = Path(f"/proc/{pid}/task").glob("*/status")
    return sum(int(task.read_text().partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for task in tasks)


def children_of(pid: int) -> list[int]:
    """The processes that it started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # one that has just ended
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident, and its share where pages are shared with others (``None``: only root may know), in MB (10⁶)."""

    resident_mb: float
    share_mb: float | None


def memory(pid: int) -> Memory:
    """Of a process that runs."""
    try:
        found = dict(_MEMORY.findall(Path(f"/proc/{pid}/smaps_rollup").read_text()))
        return Memory(int(found["Rss"]) * 1024 / 1e6, int(found["Pss"]) * 1024 / 1e6)
    except (PermissionError, KeyError):
        line = Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2]
        return Memory(int(line.split()[0]) * 1024 / 1e6, None)


@dataclass(frozen=True, slots=True)
class Spent:
    """By several processes in the same time."""

    seconds: float
    cpu_s: float
    wakeups: int

    @property
    def cpu_s_per_h(self) -> float:
        """CPU seconds per hour."""
        return self.cpu_s / self.seconds * 3600

    @property
    def wakeups_per_s(self) -> float:
        return self.wakeups / self.seconds


@dataclass(frozen=True, slots=True)
class Mark:
    """Where several processes stood at a moment."""

    at_s: float
    cpu_s: float
    wakeups: int

    @classmethod
    def of(cls, pids: Iterable[int]) -> Mark:
        pids = list(pids)
        return cls(time.monotonic(), sum(map(cpu_s, pids)), sum(map(wakeups, pids)))

    def until(self, later: Mark) -> Spent:
        """What was spent from here to there."""
        return Spent(later.at_s - self.at_s, later.cpu_s - self.cpu_s, later.wakeups - self.wakeups)


@dataclass(frozen=True, slots=True)
class Ran:
    """A program, or a pipe of them, from start to end: seconds, and CPU of all processes."""

    seconds: float
    cpu_s: float


def run_pipe(*commands: Sequence[str | Path], given: IO[bytes] | None = None, to: Path | None = None) -> Ran:
    """Run programs one into the other, to their end; every one has to succeed.

    CPU is that of each process as it is waited for, so that of a child of one counts where that one waits for it.

    Raises:
        RuntimeError: one of them failed; then nothing was measured.
    """
    start_s, last = time.perf_counter(), given
    programs: list[subprocess.Popen[bytes]] = []
    with (to or Path(os.devnull)).open("wb") as out:
        for number, command in enumerate(commands):
            end = out if number == len(commands) - 1 else subprocess.PIPE
            program = subprocess.Popen(list(map(str, command)), stdin=last, stdout=end, stderr=subprocess.DEVNULL)
            if programs and programs[-1].stdout is not None:
                programs[-1].stdout.close()  # the next one has it: only so does a writer hear that nobody reads
            programs.append(program)
            last = program.stdout
        used = [_waited(program) for program in programs]
    for program in programs:
        if program.returncode != 0:
            raise RuntimeError(f"{program.args!r} ended with {program.returncode}")
    return Ran(time.perf_counter() - start_s, sum(one.ru_utime + one.ru_stime for one in used))


def _waited(program: subprocess.Popen[bytes]) -> resource.struct_rusage:
    _, status, used = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    return used
