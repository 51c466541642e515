"""A camera in a process of its own, which may hang or die: it talks to this one by a pipe and by nothing else.

The child writes one packet per picture to its standard output: a head (magic, length, microseconds, key frame or not)
and the access unit in Annex-B. It hears one line per change on its standard input: the rung of the ladder that it is to
work on. A child that is silent for too long, or that will not end, is killed, and one that hangs in the kernel is left
behind; the sound does not notice.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from struct import Struct
from typing import Final, Protocol

from device.capture.packets import Picture
from device.errors import CameraError
from device.words import Rung

_HEAD: Final = Struct(">4sIqB")
_MAGIC: Final = b"SPic"
_MOST_BYTES: Final = 8 << 20
FIRST_PICTURE_S: Final = 10.0  # an interpreter, a codec and a sensor have to start
NEXT_PICTURE_S: Final = 2.0
MOST_BITS_PER_S: Final = 2_000_000
_PATIENCE_S: Final = 0.09  # and half of it again after the kill: 150 ms are promised
_HINT: Final = "check the camera's cable; the sound goes on without it"


class Stream(Protocol):
    """What packets are written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""

    def flush(self) -> object:
        """Hand it on."""


def write_picture(stream: Stream, picture: Picture) -> None:
    """The child's side: send one picture."""
    stream.write(_HEAD.pack(_MAGIC, len(picture.data), picture.at_us, picture.key) + picture.data)
    stream.flush()


class Control:
    """The child's side: hears, in a thread of its own, on which rung it is to work."""

    def __init__(self, descriptor: int) -> None:
        self.rung = Rung.WHOLE
        self._descriptor = descriptor
        threading.Thread(target=self._hear, name="control", daemon=True).start()

    def _hear(self) -> None:
        # No buffered reader: a thread that waits in one holds a lock that the interpreter wants when it ends.
        begun = b""
        while heard := os.read(self._descriptor, 4096):
            *lines, begun = (begun + heard).split(b"\n")
            for line in lines:
                try:
                    self.rung = Rung(line.decode("ascii", "replace"))
                except ValueError:
                    sys.stderr.write(f"sotto: the camera's program does not know what {line!r} means\n")


class ChildCamera:
    """The parent's side: a ``Camera`` whose pictures come from the program ``command()``."""

    def __init__(
        self,
        *,
        name: str,
        size: tuple[int, int],
        command: Callable[[], list[str]],
        bitrate: int = MOST_BITS_PER_S,
    ) -> None:
        self._name = name
        self._size = size
        self._bitrate = bitrate
        self._command = command
        self._rung = Rung.WHOLE
        # Held for moments only: ``kill`` and ``step`` come from other threads and must not wait for anything.
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._let_go: int | None = None  # an eventfd that ends a wait for pictures, whatever the child does
        self._patience_s = FIRST_PICTURE_S

    @property
    def name(self) -> str:
        return self._name

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def bitrate(self) -> int:
        return self._bitrate

    def open(self) -> None:
        try:
            # Nothing of what the child prints may reach this process's own streams but its log.
            child = subprocess.Popen(  # noqa: S603  # the command is made by the roof, never by a person
                self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, close_fds=True
            )
        except OSError as problem:
            raise CameraError(f"the camera's program could not be started: {problem.strerror}", _HINT) from problem
        if child.stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
        self._patience_s = FIRST_PICTURE_S
        with self._lock:
            self._child, self._let_go = child, os.eventfd(0)
            if self._rung is not Rung.WHOLE:
                self._tell()

    def step(self, rung: Rung) -> None:
        with self._lock:
            if rung is not self._rung:
                self._rung = rung
                self._tell()

    def _tell(self) -> None:
        """Send the rung. A child that is gone does not need it, and one that has heard nothing for so long hangs."""
        pipe = self._child.stdin if self._child is not None else None
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.write(f"{self._rung}\n".encode("ascii"))

    def read(self) -> Picture:
        until_s = time.monotonic() + self._patience_s  # for the whole of it: one that trickles hangs, too
        magic, length, at_us, key = _HEAD.unpack(self._read_exactly(_HEAD.size, until_s))
        if magic != _MAGIC or length > _MOST_BYTES:
            raise CameraError("the camera's program sends nonsense", "restart the box; the sound goes on")
        picture = Picture(self._read_exactly(length, until_s), at_us, key=bool(key))
        self._patience_s = NEXT_PICTURE_S
        return picture

    def _read_exactly(self, size: int, until_s: float) -> bytes:
        pipe, let_go = (self._child.stdout, self._let_go) if self._child is not None else (None, None)
        if pipe is None or let_go is None:
            raise CameraError("the camera is not open", _HINT)
        parts: list[bytes] = []
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        poll.register(let_go, select.POLLIN)
        while size > 0:
            ready = dict(poll.poll(max(0.0, until_s - time.monotonic()) * 1000))
            if not ready:
                raise CameraError("the camera has stopped sending pictures", _HINT)
            if let_go in ready:
                raise CameraError("the camera was let go", "the sound goes on without it")
            part = pipe.read(size)
            if not part:
                raise CameraError("the camera's program has ended", _HINT)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def kill(self) -> None:
        with self._lock:
            if self._child is not None and self._let_go is not None:
                # Its pipe may stay open though it was killed: it hangs in the kernel, or a child of its own has it.
                os.eventfd_write(self._let_go, 1)
                self._child.kill()

    def close(self) -> None:
        with self._lock:
            (child, self._child), (let_go, self._let_go) = (self._child, None), (self._let_go, None)
        if child is None or let_go is None:
            return
        child.terminate()
        try:
            child.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            _abandon_unless_gone(child)
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        os.close(let_go)


def _abandon_unless_gone(child: subprocess.Popen[bytes]) -> None:
    """Wait a moment for a killed child. One that hangs in the kernel is left to it: nobody can make it go faster."""
    try:
        child.wait(_PATIENCE_S / 2)
    except subprocess.TimeoutExpired:
        # Whenever it does go, it is not to stay behind as a zombie.
        threading.Thread(target=child.wait, name="camera left behind", daemon=True).start()
