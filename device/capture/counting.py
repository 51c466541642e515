"""Counts what was offered and accepted (``device/counts.py``), durably. Called from one thread."""

from __future__ import annotations

from pathlib import Path

from device.clock import Stamp
from device.counts import COUNTS_NAME, UNDATED, Counts, read_counts
from device.durable import write_whole
from device.store import store_error
from device.words import Consent

_FIELDS = {Consent.SOUND: "sound", Consent.SOUND_AND_PICTURE: "sound_and_picture"}


class Counting:
    """The counts of one store. A cut may leave out the last thing that was counted; they are counts, and no proof."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def recorded(self, therapist: str, consent: Consent, at: Stamp) -> None:
        """A recording began.

        Raises:
            StoreError: it is not counted; so do the others.
        """
        self._count(therapist, _FIELDS[consent], at)

    def withdrawn(self, therapist: str, at: Stamp) -> None:
        """A client's withdrawal was carried out."""
        self._count(therapist, "withdrawn", at)

    def declined(self, therapist: str, at: Stamp) -> None:
        """A client was asked and said no, as the therapist says."""
        self._count(therapist, "declined", at)

    def _count(self, therapist: str, what: str, at: Stamp) -> None:
        counts = read_counts(self._store) or Counts(since=at.wall)
        month = at.wall[:7] if at.trusted else UNDATED
        counted = counts.with_one_more(therapist, month, what)
        try:
            write_whole(self._store / COUNTS_NAME, counted.model_dump_json().encode())
        except OSError as problem:
            raise store_error(problem, "what was offered and accepted could not be counted") from problem
