"""How often recording was offered and accepted, for each therapist and month, as far as a box can know it.

What it can know: which recordings began while somebody was checked in, with what consent, and which of them their
clients withdrew. That a client was asked and said no it knows only where the therapist says so on the page. So what was
"offered" is what was recorded and what was declined on the page, and no more is claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from device.shapes import Shape, ShapeError, rule

COUNTS_NAME: Final = "counts.json"
UNDATED: Final = "undated"

Count = Annotated[int, rule(ge=0)]


class Counted(Shape):
    """Of one therapist in one month. ``withdrawn`` are among the recorded ones."""

    sound: Count = 0
    sound_and_picture: Count = 0
    withdrawn: Count = 0
    declined: Count = 0

    @property
    def accepted(self) -> int:
        """Recordings that began."""
        return self.sound + self.sound_and_picture

    @property
    def offered(self) -> int:
        """Recordings that began, and offers that were declined as the therapist says."""
        return self.accepted + self.declined


class Counts(Shape):
    """``since``: the wall clock when counting began. ``months``: therapist's mark → month (2026-11, or "undated")."""

    since: str
    therapists: Mapping[str, Mapping[str, Counted]] = {}

    def of(self, therapist: str) -> Mapping[str, Counted]:
        """One therapist's months."""
        return self.therapists.get(therapist, {})

    def with_one_more(self, therapist: str, month: str, what: str) -> Counts:
        """The same with one more of ``what``, a field of ``Counted``."""
        months = dict(self.of(therapist))
        counted = months.get(month, Counted())
        months[month] = counted.model_copy(update={what: getattr(counted, what) + 1})
        return self.model_copy(update={"therapists": {**self.therapists, therapist: months}})


def read_counts(store: Path) -> Counts | None:
    """What was counted so far; ``None``: nothing, or it cannot be read."""
    try:
        return Counts.model_validate_json((store / COUNTS_NAME).read_bytes())
    except (OSError, ShapeError):
        return None
