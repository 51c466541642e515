"""Sound to FLAC frames, by libFLAC itself: the only home of that library.

Samples reach it, and frames leave it, through ``native.c`` where that was built, and by way of Python where not; the
frames are the same. Every frame is handed on as one MP4 sample. PyAV would do the same for about half as much CPU again
and twice the memory (``docs/decisions/0001-how-we-mux.md``), and this process has to be the last one standing.

Source: libFLAC's ``stream_encoder.h``; RFC 9639 for the frames; "Encapsulation of FLAC in ISO Base Media File Format".
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable
from typing import Final, Protocol

from device.capture import native
from device.capture.packets import Frames, SoundFormat, widen
from device.errors import AdminError, MissingPackageError

# 24 ms at 48 kHz. A chunk ends at a frame, so half a frame of each chunk is lost to padding: libFLAC's own choice of
# 4096 would pad 22 %, this one 2 to 5 %, and coding gains nothing from longer frames in speech.
BLOCK_SAMPLES: Final = 1152
# Where 5 looks at left, right, middle and side of every frame and takes the best two, 4 does so now and then: for two
# tenths of a per cent more bytes it costs 0.6 to 0.7 (stereo) or 0.9 (mono) of it. From 3 on down two channels that
# are alike are stored twice.
_COMPRESSION_LEVEL: Final = 4
# Debian 13's and 12's. To look for any other starts a program or two, while somebody waits for the first sound.
_NAMES: Final = ("libFLAC.so.14", "libFLAC.so.12")
_WRITE_OK: Final = 0

_WriteCallback = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_ubyte),
    ctypes.c_size_t,
    ctypes.c_uint32,
    ctypes.c_uint32,
    ctypes.c_void_p,
)

FrameSink = Callable[[Frames], None]
"""Takes what was encoded."""


def _find() -> ctypes.CDLL:
    for name in _NAMES:
        with contextlib.suppress(OSError):
            return ctypes.CDLL(name)
    from ctypes.util import find_library  # noqa: PLC0415  # a megabyte, where a name is enough

    found = find_library("FLAC")
    if found is None:
        raise MissingPackageError(
            "the FLAC library is not installed",
            "install it: apt install libflac12 (Debian 12) or libflac14 (Debian 13)",
        )
    return ctypes.CDLL(found)


def _load() -> ctypes.CDLL:
    library = _find()
    library.FLAC__stream_encoder_new.restype = ctypes.c_void_p
    library.FLAC__stream_encoder_delete.argtypes = [ctypes.c_void_p]
    library.FLAC__stream_encoder_delete.restype = None
    library.FLAC__stream_encoder_init_stream.argtypes = [ctypes.c_void_p] * 6
    library.FLAC__stream_encoder_process_interleaved.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32]
    library.FLAC__stream_encoder_finish.argtypes = [ctypes.c_void_p]
    for setting in ("channels", "bits_per_sample", "sample_rate", "compression_level", "blocksize", "do_md5"):
        getattr(library, f"FLAC__stream_encoder_set_{setting}").argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    return library


def check_library() -> None:
    """Find out whether the library is installed, before anybody relies on it.

    Raises:
        MissingPackageError: it is not.
    """
    _load()


def stream_info(sound: SoundFormat) -> bytes:
    """The 34-byte STREAMINFO block of such a stream, its totals left unknown (RFC 9639, section 8.2)."""
    packed = sound.rate_hz << 44 | (sound.channels - 1) << 41 | (sound.bits - 1) << 36
    return BLOCK_SAMPLES.to_bytes(2, "big") * 2 + bytes(6) + packed.to_bytes(8, "big") + bytes(16)


class Feeder(Protocol):
    """What feeds libFLAC, and keeps the frames that it writes until they are taken."""

    @property
    def callback(self) -> ctypes.c_void_p:
        """A FLAC__StreamEncoderWriteCallback."""

    @property
    def client(self) -> int | None:
        """What that has to be called with."""

    def encode(self, encoder: int, data: bytes, count: int) -> bool:
        """Encode ``count`` samples × channels as their wire has them, which ``data`` has to hold; ``False``: failed."""

    def take(self) -> Frames | None:
        """The frames since the last call; ``None``: there is none."""

    def close(self) -> None:
        """Let its memory go, once the encoder is gone."""


class PythonFeeder:
    """The same without a compiled part."""

    client: int | None = None

    def __init__(self, flac: ctypes.CDLL, sound: SoundFormat) -> None:
        self._flac = flac
        self._wire = sound.wire
        self._frames: list[bytes] = []
        self._samples: list[int] = []
        # libFLAC keeps only the address: the callback has to live as long as the encoder.
        self._kept = _WriteCallback(self._on_frame)
        self.callback = ctypes.cast(self._kept, ctypes.c_void_p)

    def encode(self, encoder: int, data: bytes, count: int) -> bool:
        wide = widen(data, self._wire)
        pointer = (ctypes.c_char * len(wide)).from_buffer(wide)
        return bool(self._flac.FLAC__stream_encoder_process_interleaved(encoder, ctypes.addressof(pointer), count))

    def take(self) -> Frames | None:
        frames, samples = self._frames, self._samples
        self._frames, self._samples = [], []
        return Frames(b"".join(frames), list(map(len, frames)), samples) if frames else None

    def close(self) -> None:
        self.take()

    def _on_frame(self, _encoder: int, data: object, size: int, samples: int, _frame: int, _client: object) -> int:
        # Metadata comes with samples == 0; STREAMINFO stands in the MP4 header instead.
        if samples:
            self._frames.append(ctypes.string_at(data, size))  # type: ignore[arg-type]  # a ctypes pointer
            self._samples.append(samples)
        return _WRITE_OK


class FlacEncoder:
    """Lossless sound: samples in as their wire has them, FLAC frames out to ``sink``, as soon as they are full."""

    def __init__(self, sound: SoundFormat, *, sink: FrameSink) -> None:
        self._sink = sink
        self._frame_bytes = sound.frame_bytes
        self._failed = False
        self._flac = _load()
        self._feeder = self._feeder_of(sound)
        self._encoder: int | None = self._flac.FLAC__stream_encoder_new()
        if not self._encoder:
            raise AdminError("the FLAC encoder could not be created", "free some memory, or restart the box")
        settings = {
            "channels": sound.channels,
            "bits_per_sample": sound.bits,
            "sample_rate": sound.rate_hz,
            "compression_level": _COMPRESSION_LEVEL,
            "blocksize": BLOCK_SAMPLES,  # after the level, which sets a block size of its own
            "do_md5": 0,  # a quarter of the cost, and the chunks are authenticated anyway
        }
        for name, value in settings.items():
            getattr(self._flac, f"FLAC__stream_encoder_set_{name}")(self._encoder, value)
        status = self._flac.FLAC__stream_encoder_init_stream(
            self._encoder, self._feeder.callback, None, None, None, self._feeder.client
        )
        if status != 0:
            self.abandon()
            raise AdminError(
                f"FLAC cannot hold {sound.channels} channels of {sound.bits} bits at {sound.rate_hz} Hz",
                "set the microphone to 16 or 24 bits, one or two channels, 44.1 or 48 kHz",
            )

    def _feeder_of(self, sound: SoundFormat) -> Feeder:
        library = native.load() if native.takes(sound) else None
        if library is None:
            return PythonFeeder(self._flac, sound)
        return native.NativeFeeder(library, sound, self._flac.FLAC__stream_encoder_process)

    def write(self, data: bytes, count: int) -> None:
        """Encode ``count`` samples × channels, interleaved, in the sound's own wire format."""
        if self._encoder is None or count == 0:
            return
        if len(data) < count * self._frame_bytes:
            raise ValueError(f"{len(data)} bytes do not hold {count} samples")  # libFLAC would read on behind them
        if self._failed:
            raise _failed()
        self._hand_on(done=self._feeder.encode(self._encoder, data, count))

    def close(self) -> None:
        """Hand on the last, shorter frame and let the encoder go. A second call does nothing."""
        if self._encoder is None:
            return
        try:
            if not self._failed:
                self._hand_on(done=bool(self._flac.FLAC__stream_encoder_finish(self._encoder)))
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let the encoder go without its last frame. Harmless when it is closed; never raises."""
        if self._encoder is not None:
            self._flac.FLAC__stream_encoder_delete(self._encoder)
            self._encoder = None
            self._feeder.close()

    def _hand_on(self, *, done: bool) -> None:
        """Hand on what was encoded. After an error of libFLAC's, or of the sink's, nothing more is."""
        self._failed = True
        frames = self._feeder.take()
        if frames is not None:
            self._sink(frames)
        if not done:
            raise _failed()
        self._failed = False


def _failed() -> AdminError:
    return AdminError("the FLAC encoder failed", "restart the box; if it happens again, keep its log")
