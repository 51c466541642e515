"""The compiled way of the sound (``native.c``), where it was built: the only home of that library.

Not every machine has a compiler, and nothing depends on it: encoder and meter find out with ``load`` whether it is
there, and do the same work without it.
"""

from __future__ import annotations

import ctypes
import math
from pathlib import Path
from typing import Any, Final

from device.capture.packets import Frames, Level, SoundFormat, Wire

# What this module knows of layouts and arguments. A library left over from another version is not touched.
_ABI: Final = 2
LIBRARY: Final = Path(__file__).with_name("libnative.so")
_WIRES: Final = {Wire.S16_LE: 16, Wire.S24_3LE: 24, Wire.S32_LE: 32}
_MOST_CHANNELS: Final = 2
_LEAST_RATE_HZ: Final = 4000


_ENCODER: Final = (ctypes.c_void_p, ctypes.c_void_p)


class _Measured(ctypes.Structure):
    _fields_ = (
        ("peak_dbfs", ctypes.c_double),
        ("loudness_lufs", ctypes.c_double),
        ("rms_dbfs", ctypes.c_double),
        ("mean_square", ctypes.c_double),
        ("clipped", ctypes.c_int64),
    )


class _Frames(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("sizes", ctypes.POINTER(ctypes.c_uint32)),
        ("samples", ctypes.POINTER(ctypes.c_uint32)),
        ("used", ctypes.c_uint64),
        ("room", ctypes.c_uint64),
        ("count", ctypes.c_uint32),
        ("slots", ctypes.c_uint32),
    )


class Native:
    """The library, its functions typed."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.meter_new: Any = library.sotto_meter_new
        self.meter_new.restype = ctypes.c_void_p
        self.meter_new.argtypes = [ctypes.c_uint32] * 3
        self.meter_write: Any = library.sotto_meter_write
        self.meter_write.restype = None
        self.meter_write.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
        self.meter_free: Any = library.sotto_meter_free
        self.meter_free.restype = None
        self.meter_free.argtypes = [ctypes.c_void_p]
        self.encode: Any = library.sotto_encode
        self.encode.argtypes = [*_ENCODER, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint32]
        self.frames_take = ctypes.cast(library.sotto_frames_take, ctypes.c_void_p)
        self.frames_free: Any = library.sotto_frames_free
        self.frames_free.restype = None
        self.frames_free.argtypes = [ctypes.c_void_p]


def load() -> Native | None:
    """The library; ``None`` where it was not built, or from another version of this program."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
        return Native(library) if library.sotto_native_abi() == _ABI else None
    except (OSError, AttributeError):
        return None


def way() -> str:
    """Which way the sound goes here, in a word: ``compiled``, or ``python``."""
    return "python" if load() is None else "compiled"


def takes(sound: SoundFormat) -> bool:
    """Whether it knows sound of that kind; all that microphones here deliver is."""
    return 1 <= sound.channels <= _MOST_CHANNELS and sound.rate_hz >= _LEAST_RATE_HZ


class NativeGauge:
    """Measures sound block by block, as its wire has it. One thread owns it."""

    def __init__(self, native: Native, sound: SoundFormat) -> None:
        self._native = native
        self._told = _Measured()
        self._told_at = ctypes.addressof(self._told)
        self._state: int | None = native.meter_new(sound.channels, _WIRES[sound.wire], sound.rate_hz)
        if not self._state:
            raise MemoryError

    def measure(self, data: bytes, count: int) -> tuple[Level, float]:
        """Measure ``count`` samples × channels, which ``data`` has to hold: the level, and the mean square of them all,
        in units of full scale.
        """
        self._native.meter_write(self._state, data, count, self._told_at)
        told = self._told
        loudness = told.loudness_lufs
        level = Level(told.peak_dbfs, None if loudness == -math.inf else loudness, told.rms_dbfs, told.clipped)
        return level, told.mean_square

    def close(self) -> None:
        """Let its memory go; a second call does nothing."""
        state, self._state = self._state, None
        if state:
            self._native.meter_free(state)


class NativeFeeder:
    """Feeds a libFLAC encoder and keeps its frames until they are taken. One thread owns it."""

    def __init__(self, native: Native, sound: SoundFormat, process: Any) -> None:
        """``process``: libFLAC's ``FLAC__stream_encoder_process``."""
        self._native = native
        self._process = ctypes.cast(process, ctypes.c_void_p)
        self._channels, self._wire = sound.channels, _WIRES[sound.wire]
        self._frames = _Frames()
        self.callback = native.frames_take
        self.client = ctypes.addressof(self._frames)

    def encode(self, encoder: int, data: bytes, count: int) -> bool:
        """Encode ``count`` samples × channels, which ``data`` has to hold; ``False``: libFLAC failed."""
        return bool(self._native.encode(self._process, encoder, data, count, self._channels, self._wire))

    def take(self) -> Frames | None:
        """The frames since the last call; ``None``: there is none."""
        frames = self._frames
        count = frames.count
        if not count:
            return None
        taken = Frames(ctypes.string_at(frames.data, frames.used), frames.sizes[:count], frames.samples[:count])
        frames.count = frames.used = 0
        return taken

    def close(self) -> None:
        """Let its memory go; the encoder has to be gone by then."""
        self._native.frames_free(self.client)
