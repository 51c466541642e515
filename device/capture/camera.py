"""A camera in a process of its own, which may hang or die: it talks to this one by a pipe and by nothing else.

The child writes one packet per picture to its standard output: a head (magic, length, microseconds, key frame or not)
and the access unit in Annex-B. A child that is silent for too long, or that will not end, is killed; the sound does not
notice.
"""

from __future__ import annotations

import select
import subprocess
import time
from collections.abc import Callable
from struct import Struct
from typing import Final, Protocol

from device.capture.packets import Picture
from device.errors import CameraError

_HEAD: Final = Struct(">4sIqB")
_MAGIC: Final = b"SPic"
_MOST_BYTES: Final = 8 << 20
FIRST_PICTURE_S: Final = 10.0  # an interpreter, a codec and a sensor have to start
NEXT_PICTURE_S: Final = 2.0
_PATIENCE_S: Final = 0.1
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


class ChildCamera:
    """The parent's side: a ``Camera`` whose pictures come from the program ``command()``."""

    def __init__(self, *, name: str, size: tuple[int, int], command: Callable[[], list[str]]) -> None:
        self._name = name
        self._size = size
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._patience_s = FIRST_PICTURE_S

    @property
    def name(self) -> str:
        return self._name

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def open(self) -> None:
        try:
            # Nothing of what the child prints may reach this process's own streams but its log.
            self._child = subprocess.Popen(  # noqa: S603  # the command is made by the roof, never by a person
                self._command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0, close_fds=True
            )
        except OSError as problem:
            raise CameraError(f"the camera's program could not be started: {problem.strerror}", _HINT) from problem
        self._patience_s = FIRST_PICTURE_S

    def read(self) -> Picture:
        magic, length, at_us, key = _HEAD.unpack(self._read_exactly(_HEAD.size))
        if magic != _MAGIC or length > _MOST_BYTES:
            raise CameraError("the camera's program sends nonsense", "restart the box; the sound goes on")
        picture = Picture(self._read_exactly(length), at_us, key=bool(key))
        self._patience_s = NEXT_PICTURE_S
        return picture

    def _read_exactly(self, size: int) -> bytes:
        pipe = self._child.stdout if self._child is not None else None
        if pipe is None:
            raise CameraError("the camera is not open", _HINT)
        parts: list[bytes] = []
        until_s = time.monotonic() + self._patience_s
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while size > 0:
            if not poll.poll(max(0.0, until_s - time.monotonic()) * 1000):
                raise CameraError("the camera has stopped sending pictures", _HINT)
            part = pipe.read(size)
            if not part:
                raise CameraError("the camera's program has ended", _HINT)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def kill(self) -> None:
        child = self._child
        if child is not None:
            child.kill()

    def close(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        try:
            child.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            _abandon_unless_gone(child)
        if child.stdout is not None:
            child.stdout.close()


def _abandon_unless_gone(child: subprocess.Popen[bytes]) -> None:
    """Wait a moment for a killed child. One that hangs in the kernel is left to it: nobody can make it go faster."""
    try:
        child.wait(_PATIENCE_S / 2)
    except subprocess.TimeoutExpired:
        return
