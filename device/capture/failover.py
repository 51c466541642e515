"""A second microphone that steps in when the first cannot be opened."""

from __future__ import annotations

from device.capture.packets import Gap, Microphone, Sound, SoundFormat
from device.errors import MicrophoneError


class FailOver:
    """Two microphones as one; keeps the contract of ``Microphone``. At every ``open`` the first is tried first.

    A stand-in that came in mid-session stays until it fails in turn, too: going back would cost another gap. A track
    cannot change its format; whoever reads this one refuses a stand-in that delivers another than the recording has.
    """

    def __init__(self, first: Microphone, second: Microphone) -> None:
        self._first = first
        self._second = second
        self._in_use = first

    @property
    def name(self) -> str:
        return self._in_use.name

    @property
    def stands_in(self) -> bool:
        return self._in_use is self._second

    def open(self) -> SoundFormat:
        self.close()
        try:
            sound = self._first.open()
        except MicrophoneError as problem:
            try:
                sound = self._second.open()
            except MicrophoneError:
                self._in_use = self._first
                raise problem from None  # the one that was asked for is the one to look after
            self._in_use = self._second
        else:
            self._in_use = self._first
        return sound

    def read(self) -> Sound | Gap:
        return self._in_use.read()

    def interrupt(self) -> None:
        for microphone in (self._first, self._second):
            microphone.interrupt()

    def close(self) -> None:
        self._in_use.close()
