"""Where an opened recording goes: a file that gets its name only once all of it is there, or standard output."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

from provisioning.errors import OutputError, UsageError


class Output(Protocol):
    """Takes what was opened; used with ``with``. Leaving without ``keep`` leaves nothing behind."""

    def __enter__(self) -> Output: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``. Raises ``OutputError``."""

    def keep(self) -> None:
        """All of it is there. Raises ``OutputError``."""


def output_error(problem: OSError) -> OutputError:
    """What the operating system said about the output, in our words."""
    if isinstance(problem, BrokenPipeError):
        return OutputError("whoever read the output stopped reading", "nothing; or write to a file with -o FILE")
    return OutputError(
        f"the output cannot be written: {problem.strerror}", "choose another place with -o, or free some room"
    )


class FileOutput:
    """A file, written aside under ``….part``, readable by its owner alone.

    Raises:
        UsageError: the file is there already, and ``force`` was not given.
    """

    def __init__(self, path: Path, *, force: bool) -> None:
        self._path = path
        self._force = force
        self._aside = path.with_name(path.name + ".part")
        self._file: BinaryIO | None = None
        self._check()

    def _check(self) -> None:
        if self._path.is_dir():
            raise UsageError(f"{self._path} is a folder", "give the name of a file with -o")
        if not self._force and os.path.lexists(self._path):
            raise UsageError(f"{self._path} is there already", "give another name with -o, or --force")

    def __enter__(self) -> FileOutput:
        try:
            # What an attempt that was killed left behind goes first: it may be anybody's to read.
            self._aside.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self._aside, flags, 0o600), "wb")
        except OSError as problem:
            raise output_error(problem) from problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            self._aside.unlink(missing_ok=True)
            try:
                file.close()
            except OSError as problem:  # what it still held; the file is gone already
                if error is None:
                    raise output_error(problem) from problem

    def write(self, data: bytes, /) -> None:
        if self._file is None:
            raise ValueError("the output is not open")
        try:
            self._file.write(data)
        except OSError as problem:
            raise output_error(problem) from problem

    def keep(self) -> None:
        if self._file is None:
            raise ValueError("the output is not open")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._check()
            self._aside.rename(self._path)
            self._file.close()
        except OSError as problem:
            raise output_error(problem) from problem
        self._file = None


class StandardOutput:
    """Standard output, for another program to read. Raises ``UsageError`` where a person would."""

    def __init__(self) -> None:
        if sys.stdout.isatty():
            raise UsageError("a recording cannot be written to a terminal", "send it to a file or a program")
        self._file = sys.stdout.buffer

    def __enter__(self) -> StandardOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def write(self, data: bytes, /) -> None:
        try:
            self._file.write(data)
        except OSError as problem:
            raise output_error(problem) from problem

    def keep(self) -> None:
        try:
            self._file.flush()
        except OSError as problem:
            raise output_error(problem) from problem
