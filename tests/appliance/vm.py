"""One emulated box: a QEMU process, its disk, and an agent inside. Ends with the ``with`` that it was started in."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.appliance.agent import Agent, GuestError
from tests.appliance.architectures import chosen
from tests.appliance.qmp import monitor, qmp

BOOTED: Final = "booted"
READY: Final = "ready"
RUNNING: Final = "running"
_BOOT_PATIENCE_S: Final = 3600.0  # beside other work it gets a tenth of a processor
_INSTALL_PATIENCE_S: Final = 4 * 3600.0
_TARGET: Final = chosen()
KERNEL_LINE: Final = f"{_TARGET.kernel_line} loglevel=4 mitigations=off net.ifnames=0 systemd.show_status=0"
# TCG, because KVM is to be had nowhere these tests run. One instruction is one nanosecond of the guest's time (icount):
# to itself it is a steady machine, somewhat slower than a Pi, that keeps up with its sound however busy this one is.
_STEADY: Final = "shift=0"
# The same, but time in which the guest does nothing is not waited for. Its disk then seems slow to it, as a write takes
# time out here in which much can pass in there.
_HURRIED: Final = "shift=0,sleep=off"
_MACHINE: Final = (
    *("-machine", _TARGET.machine, "-accel", "tcg,thread=single", "-cpu", _TARGET.cpu, "-smp", "1", "-m", "1024"),
    *("-nodefaults", "-display", "none", "-no-reboot", "-rtc", "base=utc,clock=vm", "-append", KERNEL_LINE),
)
_DEVICES: Final = (
    *("-serial", "chardev:console", "-device", "virtio-blk-pci,drive=root", "-device", "virtio-rng-pci"),
    *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,name=appliance"),
    *("-device", "pcie-root-port,id=spare,chassis=1,slot=1"),
)


class Vm:
    """A guest on ``disk`` (qcow2, written to), booted by the files in ``kernel`` or restored from a ``snapshot`` in it.

    The hardware is the same every time, as a snapshot asks; the port ``spare`` is free for a disk plugged later. To a
    ``hurried`` one time in which it has nothing to do passes at once, also while a test thinks; it can be restored only
    from what such a one has saved.
    """

    def __init__(
        self,
        disk: Path,
        kernel: Path,
        *,
        snapshot: str | None = None,
        hurried: bool = False,
        image: str = "qcow2",
        within: tuple[str, ...] = (),
        more: tuple[str, ...] = (),
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="appliance-"))
        self.control = self._folder / "qmp"
        words = ["-icount", _HURRIED if hurried else _STEADY, *(["-loadvm", snapshot] if snapshot else []), *more]
        self.started_s = time.monotonic()
        with (self._folder / "qemu.log").open("wb") as log:
            command = [*within, *_hardware(self._folder, disk, kernel, image), *words]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.agent = Agent(self._folder / "agent", alive=self._check_alive)
            self.agent.ask("clock", patience_s=_BOOT_PATIENCE_S)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.ready_s = time.monotonic() - self.started_s
        if snapshot:
            self.set_clock(time.time())

    def wait_until_up(self) -> str:
        """Wait until systemd has started everything; ``running``, or ``degraded`` when a unit failed."""
        return self.agent.run("systemctl", "is-system-running", "--wait", timeout_s=_BOOT_PATIENCE_S).out.strip()

    def since_start_s(self) -> float:
        """How long ago QEMU was started."""
        return time.monotonic() - self.started_s

    def set_clock(self, unix_s: float) -> None:
        """Set the guest's wall clock; a restored guest would still have the time of its snapshot."""
        self.agent.run("date", "--utc", f"--set=@{unix_s:.3f}").checked()

    def save(self, snapshot: str) -> None:
        """Keep memory and disk as they are now, under a name, in the disk."""
        monitor(self.control, f"savevm {snapshot}")

    def plug_disk(self, *options: str) -> None:
        """Plug a disk into the spare port: QEMU's words (``driver=…``) for its block nodes, the disk itself last."""
        for node in options:
            qmp(self.control, "blockdev-add", **_as_nodes(node))
        last = _as_nodes(options[-1])["node-name"]
        monitor(self.control, f"device_add virtio-blk-pci,id=plugged,bus=spare,drive={last},serial=plugged")

    def console(self) -> str:
        """What the kernel and systemd printed."""
        console = self._folder / "console"
        return console.read_text(errors="replace") if console.exists() else ""

    def quit(self) -> None:
        """Let QEMU end in order, so that the disk is whole. The guest is not asked."""
        qmp(self.control, "quit")
        self._process.wait(60)

    def reboot(self) -> None:
        """Have systemd stop everything in order; where a box would start again, this one has ended."""
        self.agent.start("systemctl", "reboot")
        self._process.wait(_BOOT_PATIENCE_S)

    def wait_until_it_restarts(self, *, fault: str) -> float:
        """Wait until the guest restarts by itself, which ends this one; what its clock showed at last, in seconds.

        ``fault``: the file that it writes when it cannot, which is told.
        """
        last_s, until_s = 0.0, time.monotonic() + _INSTALL_PATIENCE_S
        with suppress(GuestError):
            while time.monotonic() < until_s:
                said = self.agent.sh(f"cat {fault} 2>/dev/null || true")
                last_s = self.agent.monotonic_s()
                if said:
                    break
                time.sleep(3.0)
            raise TimeoutError(said + self.agent.sh("journalctl -b --no-pager | tail -100"))
        self._process.wait(_BOOT_PATIENCE_S)
        return last_s

    def kill(self) -> None:
        """Pull the plug: this QEMU, and nothing else, is gone at once."""
        if hasattr(self, "agent"):
            self.agent.close()
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def _check_alive(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(0.0)
            raise GuestError("QEMU ended: " + (self._folder / "qemu.log").read_text()[-2000:] + self.console()[-2000:])


def _hardware(folder: Path, disk: Path, kernel: Path, image: str) -> list[str]:
    """The command that is one box: what all of them share, and what is this one's own."""
    return [
        *("setpriv", "--pdeathsig", "KILL"),  # it ends with the tests, however they end
        *(_TARGET.qemu, *_MACHINE, "-kernel", str(kernel / "vmlinuz"), "-initrd", str(kernel / "initrd")),
        *("-chardev", f"file,id=console,path={folder / 'console'}"),
        *("-chardev", f"socket,id=agent,path={folder / 'agent'},server=on,wait=off"),
        *("-drive", f"if=none,id=root,file={disk},format={image}"),
        *("-qmp", f"unix:{folder / 'qmp'},server=on,wait=off"),
        *_DEVICES,
    ]


def machine_words() -> str:
    """The hardware in words. A snapshot can be restored only to the very machine that it was taken of."""
    return " ".join((*_MACHINE, *_DEVICES, _HURRIED))


def _as_nodes(options: str) -> dict[str, object]:
    numbers = {"log-sector-size"}
    pairs = (pair.split("=", 1) for pair in options.split(","))
    return {name: int(value) if name in numbers else value for name, value in pairs}
