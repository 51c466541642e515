"""What a service writes down for whoever looks after the box: a line and its fields, in the journal.

Nothing in it says who anybody is. Where there is no journal (no ``JOURNAL_STREAM``, as in the demo) the line goes to
standard error. Source: sd_journal_send(3), systemd.journal-fields(7).
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from device.notify import missing_systemd

_MOST_WAITING: Final = 256


class Priority(IntEnum):
    """How urgent it is, in syslog's numbers."""

    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One line, and fields to search by: ``SOTTO_STATE`` and its like."""

    message: str
    priority: Priority = Priority.INFO
    fields: Mapping[str, str] = field(default_factory=dict)


Journal = Callable[[Entry], None]
"""Writes one entry down. Cheap, never waits; from any thread."""


def to_nobody(_entry: Entry) -> None:
    """Nobody reads it."""


def to_stderr(entry: Entry) -> None:
    """The line alone."""
    sys.stderr.write(f"sotto: {entry.message}\n")


def where_it_belongs() -> Journal:
    """The journal, or standard error where there is none.

    Raises:
        MissingPackageError: there is one, and the package that speaks to it is not installed.
    """
    if not os.environ.get("JOURNAL_STREAM"):
        return to_stderr
    try:
        from systemd.journal import send  # noqa: PLC0415  # only where there is one
    except ImportError as problem:
        raise missing_systemd() from problem

    def tell(entry: Entry) -> None:
        send(entry.message, PRIORITY=int(entry.priority), SYSLOG_IDENTIFIER="sotto", **entry.fields)

    return tell


class Scribe:
    """Writes entries on a thread of its own, so that a journal that stalls keeps nobody waiting.

    What comes while too much is waiting is let go: the journal is for finding faults, what must not be lost is in the
    manifest.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: queue.Queue[Entry | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._write, name="scribe", daemon=True)
        self._thread.start()

    def __call__(self, entry: Entry) -> None:
        """Have it written down."""
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
            return

    def close(self, *, patience_s: float = 1.0) -> None:
        """Write what is waiting, for as long as that may take."""
        try:
            self._waiting.put(None, timeout=patience_s)
        except queue.Full:
            return
        self._thread.join(patience_s)

    def _write(self) -> None:
        while (entry := self._waiting.get()) is not None:
            self._journal(entry)
