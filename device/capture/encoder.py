"""Sound to FLAC frames, by libFLAC itself: the only home of that library.

Every frame is handed on as one MP4 sample. PyAV would do the same for about half as much CPU again and twice the
memory (``docs/decisions/0001-how-we-mux.md``), and this process has to be the last one standing.

Source: libFLAC's ``stream_encoder.h``; RFC 9639 for the frames; "Encapsulation of FLAC in ISO Base Media File Format".
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable
from typing import Final

from device.capture.packets import SoundFormat
from device.errors import AdminError, MissingPackageError

# 24 ms at 48 kHz. A chunk ends at a frame, so half a frame of each chunk is lost to padding: libFLAC's own choice of
# 4096 would pad 22 %, this one 2 to 5 %, and coding gains nothing from longer frames in speech.
BLOCK_SAMPLES: Final = 1152
_COMPRESSION_LEVEL: Final = 5
_WRITE_OK: Final = 0
_WRITE_FATAL: Final = 1

_WriteCallback = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_ubyte),
    ctypes.c_size_t,
    ctypes.c_uint32,
    ctypes.c_uint32,
    ctypes.c_void_p,
)

FrameSink = Callable[[bytes, int], None]
"""Takes one FLAC frame and the number of samples (per channel) in it."""


def _load() -> ctypes.CDLL:
    found = ctypes.util.find_library("FLAC")
    if found is None:
        raise MissingPackageError(
            "the FLAC library is not installed",
            "install it: apt install libflac12 (Debian 12) or libflac14 (Debian 13)",
        )
    library = ctypes.CDLL(found)
    library.FLAC__stream_encoder_new.restype = ctypes.c_void_p
    library.FLAC__stream_encoder_delete.argtypes = [ctypes.c_void_p]
    library.FLAC__stream_encoder_delete.restype = None
    library.FLAC__stream_encoder_init_stream.argtypes = [ctypes.c_void_p, _WriteCallback, *([ctypes.c_void_p] * 4)]
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


class FlacEncoder:
    """Lossless sound: int32 samples in, FLAC frames out to ``sink``, each as soon as it is full."""

    def __init__(self, sound: SoundFormat, *, sink: FrameSink) -> None:
        self._sink = sink
        self._channels = sound.channels
        self._failure: BaseException | None = None
        self._flac = _load()
        # libFLAC keeps only the address: the callback has to live as long as the encoder.
        self._callback = _WriteCallback(self._on_frame)
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
        status = self._flac.FLAC__stream_encoder_init_stream(self._encoder, self._callback, None, None, None, None)
        if status != 0:
            self._delete()
            raise AdminError(
                f"FLAC cannot hold {sound.channels} channels of {sound.bits} bits at {sound.rate_hz} Hz",
                "set the microphone to 16 or 24 bits, one or two channels, 44.1 or 48 kHz",
            )

    def write(self, samples: bytearray, count: int) -> None:
        """Encode ``count`` samples × channels of interleaved little-endian int32."""
        if self._encoder is None or count == 0:
            return
        if len(samples) < count * self._channels * 4:
            raise ValueError(f"{len(samples)} bytes do not hold {count} samples")  # libFLAC would read on behind them
        pointer = (ctypes.c_char * len(samples)).from_buffer(samples)
        done = self._flac.FLAC__stream_encoder_process_interleaved(self._encoder, ctypes.addressof(pointer), count)
        self._raise_failure(done=bool(done))

    def close(self) -> None:
        """Hand on the last, shorter frame and let the encoder go. A second call does nothing."""
        if self._encoder is None:
            return
        done = self._flac.FLAC__stream_encoder_finish(self._encoder)
        self._delete()
        self._raise_failure(done=bool(done))

    def abandon(self) -> None:
        """Let the encoder go without its last frame. Harmless when it is closed; never raises."""
        if self._encoder is not None:
            self._delete()

    def _delete(self) -> None:
        self._flac.FLAC__stream_encoder_delete(self._encoder)
        self._encoder = None

    def _raise_failure(self, *, done: bool) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if not done:
            raise AdminError("the FLAC encoder failed", "restart the box; if it happens again, keep its log")

    def _on_frame(self, _encoder: int, data: object, size: int, samples: int, _frame: int, _client: object) -> int:
        # Metadata comes with samples == 0; STREAMINFO stands in the MP4 header instead.
        if samples == 0:
            return _WRITE_OK
        try:
            self._sink(ctypes.string_at(data, size), samples)  # type: ignore[arg-type]  # a ctypes pointer
        except BaseException as failure:  # noqa: BLE001  # must not unwind through C: carried over, raised by write()
            self._failure = failure
            return _WRITE_FATAL
        return _WRITE_OK
