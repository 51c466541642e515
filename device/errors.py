"""The one error tree of the device, split by who has to act.

    SottoError
    ├── RoomError        the person in the room can act: give consent, plug the microphone in
    │   ├── MicrophoneError     the microphone could not be opened, or is gone
    │   └── CameraError         the camera could not be opened, or is gone
    ├── AdminError       whoever set the box up must act: configuration, keys, disk, packages
    │   ├── ConfigError         a key of the configuration is missing, unknown or out of range
    │   ├── RecipientError      no recipient, or one that cannot be used
    │   ├── OrderError          what the clinic told the box cannot be taken: changed, old, or not for it
    │   ├── StoreError          the store cannot be read or written
    │   │   ├── StoreFullError      there is no room (left) in the store
    │   │   └── DamagedError        what is on disk is not what was written
    │   ├── UpdateError         a version that this box does not take, or that did not hold
    │   ├── RemoteError         the remote refuses: credentials, host key, certificate, rights
    │   │   ├── RemoteFullError     there is no room at the remote
    │   │   └── RemoteAbsentError   there is nothing under that name at the remote
    │   └── MissingPackageError a system library or an optional package is not installed
    └── RetryError       nobody has to act: the retry loop will
        ├── RemoteAwayError     the remote does not answer, or not now
        └── PutOffError         something else goes first: it is done another time

Every error is a pair: what happened, and what to do now (``hint``). Both are shown to people, so neither ever holds
a client's name, a key or a path outside the store.
"""

from __future__ import annotations


class SottoError(Exception):
    """Something went wrong that a person should be told about, in two sentences.

    ``what`` says what happened; ``hint`` says what to do now.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


def what_of(problem: BaseException) -> str:
    """What to tell of anything that ended a part of the program.

    Of what is not ours only the kind: what such an error says can hold what the program had in its hands (promise P4).
    """
    if isinstance(problem, SottoError):
        return problem.what
    reason = f": {problem.strerror}" if isinstance(problem, OSError) and problem.strerror else ""
    return f"a part of the program failed: {type(problem).__name__}{reason}"


class RoomError(SottoError):
    """The person in the room can act."""


class MicrophoneError(RoomError):
    """The microphone could not be opened, or is gone."""


class CameraError(RoomError):
    """The camera could not be opened, or is gone."""


class AdminError(SottoError):
    """Whoever set the box up must act."""


class ConfigError(AdminError):
    """A key of the configuration is missing, unknown or out of range."""


class RecipientError(AdminError):
    """There is no recipient, or one that cannot be used."""


class OrderError(AdminError):
    """What the clinic told the box cannot be taken: it was changed, is old, or is not for this box."""


class StoreError(AdminError):
    """The store cannot be read or written."""


class StoreFullError(StoreError):
    """There is no room, or none left, in the store."""


class DamagedError(StoreError):
    """What is on disk is not what was written."""


class MissingPackageError(AdminError):
    """A system library or an optional package is not installed."""


class UpdateError(AdminError):
    """A version that this box does not take, or that did not hold here."""


class RemoteError(AdminError):
    """The remote refuses: credentials, host key, certificate, rights."""


class RemoteFullError(RemoteError):
    """There is no room at the remote."""


class RemoteAbsentError(RemoteError):
    """There is nothing under that name at the remote."""


class RetryError(SottoError):
    """Nobody has to act: the retry loop will."""


class RemoteAwayError(RetryError):
    """The remote does not answer, or not now. ``retry_after_s``: when it wants to be asked again, where it says so."""

    def __init__(self, what: str, hint: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(what, hint)
        self.retry_after_s = retry_after_s


class PutOffError(RetryError):
    """Something else goes first: it is done another time."""
