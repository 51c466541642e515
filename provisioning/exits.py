"""What a failure turns into: an exit code, and two lines for a person. What each code means stands in ``__main__``."""

from __future__ import annotations

import sys
from typing import Any, Final

from device.age.errors import AgeError, HeaderError, NotAgeError, WrongKeyError
from device.errors import DamagedError, RemoteError, RetryError, SottoError
from provisioning.errors import NotARecordingError, UnreachableError, UsageError

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
WRONG_KEY: Final = 3
ALTERED: Final = 4
NOT_A_RECORDING: Final = 5
UNREACHABLE: Final = 6
NOT_SURE: Final = 7

# The first line that fits counts.
EXITS: Final[tuple[tuple[tuple[type[Exception], ...], int], ...]] = (
    ((UsageError,), USAGE),
    ((WrongKeyError,), WRONG_KEY),
    ((DamagedError, HeaderError), ALTERED),
    ((NotAgeError, NotARecordingError), NOT_A_RECORDING),
    ((UnreachableError, RemoteError, RetryError), UNREACHABLE),
    ((SottoError, AgeError), FAILED),
)

# Of several outcomes in one call the gravest is the exit code of all.
_GRAVEST_FIRST: Final = (ALTERED, NOT_A_RECORDING, UNREACHABLE, WRONG_KEY, FAILED, USAGE, NOT_SURE)


def exit_of(problem: SottoError | AgeError) -> int:
    """The exit code that stands for a failure."""
    return next(code for kinds, code in EXITS if isinstance(problem, kinds))


def gravest(codes: set[int]) -> int:
    """The exit code of several outcomes together."""
    return next((code for code in _GRAVEST_FIRST if code in codes), DONE)


def words_of(problem: SottoError | AgeError) -> tuple[str, str]:
    """What happened and what to do now, as the command line tells it."""
    if isinstance(problem, AgeError):  # written as whole sentences there
        return _line(problem.what), _line(problem.hint)
    return problem.what, problem.hint


def complain(what: str, hint: str, *, of: str = "") -> None:
    """Say on standard error what happened, and what to do now; ``of`` which of several things."""
    print(f"error: {of}: {what}" if of else f"error: {what}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)


def one_failed(problem: SottoError | AgeError, recording_id: str) -> dict[str, Any]:
    """Say that one of several recordings failed; it for a script."""
    what, hint = words_of(problem)
    complain(what, hint, of=recording_id)
    return {"id": recording_id, "exit_code": exit_of(problem), "error": what, "hint": hint}


def _line(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")
