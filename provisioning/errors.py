"""What can go wrong on the clinic's side, beside what ``device.errors`` and ``device.age.errors`` already name.

SottoError
└── ClinicError
    ├── UsageError          what was asked for makes no sense, or names a file that cannot be used
    ├── OutputError         the opened recording could not be written
    ├── NotARecordingError  a file that can be read, but is no recording
    ├── UnreachableError    the recording is not there, or cannot be read
    ├── OrderedErasedError  the recording is to be erased: an order that holds waits beside it
    ├── ChallengeError      a box asked for something to be opened that is no challenge of its own
    └── NoRangeError        the server sends whole files only
device.errors.DamagedError
    └── AlteredError        what was read is not what the manifest, signed by the box, says

Which exit code stands for which is in one table, in ``exits``.
"""

from __future__ import annotations

from device.errors import DamagedError, SottoError


class ClinicError(SottoError):
    """Whoever opens a recording can act."""


class UsageError(ClinicError):
    """What was asked for makes no sense, or names a file that cannot be used."""


class OutputError(ClinicError):
    """The opened recording could not be written."""


class NotARecordingError(ClinicError):
    """It can be read, but it is no recording."""


class UnreachableError(ClinicError):
    """The recording is not there, or cannot be read."""


class OrderedErasedError(ClinicError):
    """The recording is to be erased: nobody is to open or to fetch it any more."""


class ChallengeError(ClinicError):
    """A box that was to be signed in to asked for something to be opened that is no challenge of its own."""


class NoRangeError(ClinicError):
    """The server sends whole files only, and a slice was asked for."""


class AlteredError(DamagedError):
    """The recording is not what its manifest says: somebody took something away, or put it there."""
