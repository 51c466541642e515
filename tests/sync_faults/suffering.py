"""What holds for a box in any trouble, in one place: nothing is lost, it is told, and the next chance succeeds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from device.recording import SESSION_NAME
from device.sync_status import SyncStatus
from tests.sync_faults.box import PATIENCE_S, Box
from tests.sync_faults.clinics import Clinic

MIB = 1 << 20
AnyClinic = TypeVar("AnyClinic", bound=Clinic)


@dataclass(frozen=True)
class Told:
    """What a person is told of a fault."""

    fault: str
    state: str
    what: str
    hint: str
    must_act: bool

    @classmethod
    def of(cls, fault: str, status: SyncStatus) -> Told:
        assert status.trouble is not None
        what, hint = status.trouble
        assert what
        assert hint
        return cls(fault, status.state, what, hint, status.must_act)

    def line(self, outcome: str) -> str:
        who = "admin" if self.must_act else "itself"
        return f"| {self.fault} | {self.state} ({who}) | {self.what} | {self.hint} | {outcome} |"


def is_safe(box: Box, recording: str) -> None:
    """Nothing says that a copy is there, so it is whole here, and retention lets it be."""
    assert not box.is_proven(recording)
    assert box.retain() == []
    assert box.is_whole_here(recording)


def arrives(box: Box, clinic: Clinic, recording: str, *, patience_s: float = PATIENCE_S) -> float:
    """It gets there, byte by byte; the receipt says so; and only now retention lets it go. Seconds that it took."""
    began_s = time.monotonic()
    box.hurry()
    box.until_proven(recording, patience_s=patience_s)
    took_s = time.monotonic() - began_s
    assert clinic.sha256(f"{box.place(recording)}/{SESSION_NAME}") == box.made[recording]
    status = box.until_quiet()
    assert not status.must_act
    assert box.retain() == [recording]
    assert not box.path(recording).exists()
    return took_s


@dataclass(frozen=True)
class Fault(Generic[AnyClinic]):
    """``what``: words that have to tell of it. ``lines``: [remote] with something wrong in it, where it is that.

    ``harm`` and ``mend``: what is done at the server, or to what the box was given for it.
    """

    what: str
    must_act: bool = False
    lines: Callable[[AnyClinic], str] | None = None
    harm: Callable[[AnyClinic], None] = lambda _clinic: None
    mend: Callable[[AnyClinic], None] = lambda _clinic: None
    sync: str = ""  # lines of [sync]
    size_bytes: int = 3 * MIB


def suffer(box: Box, clinic: AnyClinic, name: str, fault: Fault[AnyClinic], told: list[str]) -> None:
    """A recording is made while something is wrong; then that is mended."""
    box.configure(fault.lines(clinic) if fault.lines else clinic.lines(), secrets=clinic.secrets, sync=fault.sync)
    box.start()
    fault.harm(clinic)
    try:
        recording = box.record(fault.size_bytes)
        box.hurry()
        assert clinic.wire.done.wait(PATIENCE_S)  # a broken connection of before is told, too, and is not meant here
        status = box.until_trouble(what=fault.what)
        assert status.must_act is fault.must_act, status
        assert status.waiting == 1
        is_safe(box, recording)
    finally:
        fault.mend(clinic)
    box.configure(clinic.lines())
    seconds = arrives(box, clinic, recording)
    told.append(Told.of(name, status).line(f"kept; verified {seconds:.1f} s after it was mended"))
