"""How loud the sound is: measured by ``native.c`` where that was built, else by libebur128, whose only home this is.

Source: ITU-R BS.1770-4 (K-weighting, momentary loudness over 400 ms) as libebur128's ``ebur128.h`` offers it.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import operator
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, Protocol

from device.capture import native
from device.capture.packets import SILENCE_DBFS, Level, SoundFormat, widen
from device.errors import MissingPackageError
from device.recording.manifest import SoundReport, SoundVerdict

_NAME: Final = "libebur128.so.1"
_MODE_SAMPLE_PEAK: Final = 1 << 0 | 1 << 4  # momentary loudness, sample peak
_CLIP_DBFS: Final = -0.01
_QUIET_DBFS: Final = -36.0
# The mean square of one sample in seven is that of all within a tenth of a decibel, and costs a seventh. Seven, so that
# the channels take turns.
_RMS_STEP: Final = 7
_FLOOR_SHARE: Final = 0.1


def _find() -> ctypes.CDLL:
    with contextlib.suppress(OSError):
        return ctypes.CDLL(_NAME)
    # This starts a program or two, while somebody waits for the first sound.
    from ctypes.util import find_library  # noqa: PLC0415  # a megabyte, where a name is enough

    found = find_library("ebur128")
    if found is None:
        raise MissingPackageError("the loudness library is not installed", "install it: apt install libebur128-1")
    return ctypes.CDLL(found)


def _load() -> ctypes.CDLL:
    library = _find()
    library.ebur128_init.restype = ctypes.c_void_p
    library.ebur128_init.argtypes = [ctypes.c_uint, ctypes.c_ulong, ctypes.c_int]
    library.ebur128_destroy.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
    library.ebur128_add_frames_int.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    library.ebur128_prev_sample_peak.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.POINTER(ctypes.c_double)]
    library.ebur128_loudness_momentary.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_double)]
    return library


def check_library() -> None:
    """Find out whether the library is installed, before anybody relies on it.

    Raises:
        MissingPackageError: it is not.
    """
    _load()


class Gauge(Protocol):
    """Measures sound block by block, as its wire has it. One thread owns it."""

    def measure(self, data: bytes, count: int) -> tuple[Level, float]:
        """Measure ``count`` samples × channels, which ``data`` has to hold: the level, and the mean square of them all,
        in units of full scale.
        """

    def close(self) -> None:
        """Let its memory go; a second call does nothing."""


class LibraryGauge:
    """The same without a compiled part of ours: libebur128, and Python's own sums."""

    def __init__(self, sound: SoundFormat) -> None:
        self._sound = sound
        # Samples are right-justified in 32 bits; the library takes them for full-scale ones.
        self._full = 2 ** (sound.bits - 1)
        self._gain_db = 20 * math.log10(2 ** (32 - sound.bits))
        self._library = _load()
        self._state = ctypes.c_void_p(self._library.ebur128_init(sound.channels, sound.rate_hz, _MODE_SAMPLE_PEAK))

    def measure(self, data: bytes, count: int) -> tuple[Level, float]:
        wide = widen(data, self._sound.wire)
        pointer = (ctypes.c_char * len(wide)).from_buffer(wide)
        self._library.ebur128_add_frames_int(self._state, ctypes.addressof(pointer), count)
        loudness = ctypes.c_double()
        self._library.ebur128_loudness_momentary(self._state, ctypes.byref(loudness))
        peak = max(self._peak(channel) for channel in range(self._sound.channels)) * 2**31
        values = memoryview(wide)[: count * self._sound.channels * 4].cast("i")
        mean_square = _mean_square(values) / self._full**2
        level = Level(
            peak_dbfs=_dbfs((peak / self._full) ** 2),
            loudness_lufs=loudness.value + self._gain_db if math.isfinite(loudness.value) else None,
            rms_dbfs=_dbfs(mean_square),
            clipped=self._clipped(values) if peak >= self._full - 1 else 0,
        )
        return level, mean_square

    def _peak(self, channel: int) -> float:
        peak = ctypes.c_double()
        self._library.ebur128_prev_sample_peak(self._state, channel, ctypes.byref(peak))
        return peak.value

    def _clipped(self, values: memoryview) -> int:
        every = values.tolist()
        return every.count(self._full - 1) + every.count(-self._full)

    def close(self) -> None:
        if self._state:
            self._library.ebur128_destroy(ctypes.byref(self._state))


def _mean_square(values: memoryview) -> float:
    some = values[::_RMS_STEP].tolist()
    return float(sum(map(operator.mul, some, some)) / max(1, len(some)))


def _dbfs(square: float) -> float:
    return 10 * math.log10(square) if square > 0 else SILENCE_DBFS


class Meter:
    """Measures what the microphone delivers, block by block, and sums it up for the manifest."""

    def __init__(self, sound: SoundFormat, *, floor_dbfs: float) -> None:
        """``floor_dbfs``: a block whose loudest sample stays under this counts as silence."""
        self._frame_bytes = sound.frame_bytes
        self._rate_hz = sound.rate_hz
        self._floor_dbfs = floor_dbfs
        self._sums = _Sums()
        library = native.load() if native.takes(sound) else None
        self._gauge: Gauge = LibraryGauge(sound) if library is None else native.NativeGauge(library, sound)

    def write(self, data: bytes, count: int) -> Level:
        """Measure ``count`` samples × channels, interleaved, in the sound's own wire format."""
        if len(data) < count * self._frame_bytes:
            raise ValueError(f"{len(data)} bytes do not hold {count} samples")  # it would be read on behind
        level, mean_square = self._gauge.measure(data, count)
        self._sums.add(level, mean_square, seconds=count / self._rate_hz, above=level.peak_dbfs > self._floor_dbfs)
        return level

    def above_floor(self, level: Level) -> bool:
        """Whether that was sound."""
        return level.peak_dbfs > self._floor_dbfs

    def report(self, *, gaps: bool) -> SoundReport:
        """The sound so far, summed up; ``gaps`` where some of it is missing."""
        return self._sums.report(gaps=gaps)

    def close(self) -> None:
        """Let what measures go; a second call does nothing."""
        self._gauge.close()


@dataclass(slots=True)
class _Sums:
    peak_dbfs: float = SILENCE_DBFS
    square: float = 0.0
    clipped_periods: int = 0
    clipped_samples: int = 0
    below_floor_s: float = 0.0
    seconds: float = 0.0
    loud_energy: float = 0.0
    loud_periods: int = 0
    levels: dict[int, float] = field(default_factory=lambda: defaultdict(float))  # seconds at each decibel

    def add(self, level: Level, mean_square: float, *, seconds: float, above: bool) -> None:
        self.peak_dbfs = max(self.peak_dbfs, level.peak_dbfs)
        self.clipped_periods += level.peak_dbfs >= _CLIP_DBFS
        self.clipped_samples += level.clipped
        self.seconds += seconds
        self.square += mean_square * seconds
        self.levels[round(level.rms_dbfs)] += seconds
        if not above:
            self.below_floor_s += seconds
        elif level.loudness_lufs is not None:
            self.loud_energy += 10 ** (level.loudness_lufs / 10)
            self.loud_periods += 1

    def report(self, *, gaps: bool) -> SoundReport:
        if self.seconds == 0:
            return SoundReport()
        loudness = 10 * math.log10(self.loud_energy / self.loud_periods) if self.loud_energy > 0 else None
        return SoundReport(
            peak_dbfs=round(self.peak_dbfs, 1),
            rms_dbfs=round(_dbfs(self.square / self.seconds), 1),
            noise_floor_dbfs=self._noise_floor_dbfs(),
            loudness_lufs=None if loudness is None else round(loudness, 1),
            clipped_periods=self.clipped_periods,
            clipped_samples=self.clipped_samples,
            below_floor_s=round(self.below_floor_s, 1),
            verdict=self._verdict(gaps=gaps),
        )

    def _noise_floor_dbfs(self) -> float:
        """The level that nine tenths of the time were louder than, to a decibel."""
        passed = 0.0
        for decibels in sorted(self.levels):
            passed += self.levels[decibels]
            if passed >= self.seconds * _FLOOR_SHARE:
                break
        return float(decibels)

    def _verdict(self, *, gaps: bool) -> SoundVerdict:
        if self.loud_periods == 0:
            return SoundVerdict.SILENT
        if gaps:
            return SoundVerdict.GAPS
        if self.clipped_periods > 1:
            return SoundVerdict.DISTORTED
        return SoundVerdict.QUIET if self.peak_dbfs < _QUIET_DBFS else SoundVerdict.GOOD
