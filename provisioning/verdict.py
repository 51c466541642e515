"""What is told about a recording that was verified: lines for a person, or one object for a script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from provisioning import exits
from provisioning.beside import Beside
from provisioning.findings import Finding
from provisioning.times import SECOND_US, format_time

COMPLETE: Final = "complete"
INTERRUPTED: Final = "interrupted"
ALTERED: Final = "altered"
OPEN: Final = "open"
ERASED: Final = "erased"
NOT_PROVEN: Final = "not proven"

_MOST_TOLD: Final = 12
_ALTERED_HINT: Final = "do not rely on it; fetch it again from the box, and tell whoever looks after the box"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a recording turned out to be.

    ``state``: ``complete`` or ``interrupted`` where all is as the box sealed and signed it; ``altered``; ``open`` where
    the box had not closed it yet; ``erased`` where its certificate holds; ``not proven`` where nothing signed speaks of
    it. ``checked``: what was compared; ``notes``: what a person should know besides.
    """

    name: str
    state: str
    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    beside: Beside | None = None
    duration_us: int | None = None
    refused: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code that this recording alone would have."""
        if self.state == ALTERED:
            return exits.ALTERED
        if self.refused:
            return exits.WRONG_KEY
        return exits.NOT_SURE if self.state in {OPEN, NOT_PROVEN} else exits.DONE

    def lines(self) -> Iterator[str]:
        """It all for a person."""
        length = "" if self.duration_us is None else f", {format_time(self.duration_us)}"
        yield f"{self.name}: {self.state}{length}"
        for finding in self.findings[:_MOST_TOLD]:
            yield f"  wrong: {finding.line()}"
        if len(self.findings) > _MOST_TOLD:
            yield f"  wrong: {len(self.findings) - _MOST_TOLD} more places; --json has them all"
        for note in self.notes:
            yield f"  note: {note}"
        if self.checked:
            yield f"  checked: {', '.join(self.checked)}"
        if self.state == ALTERED:
            yield f"  hint: {_ALTERED_HINT}"

    def as_json(self) -> dict[str, Any]:
        """It all for a script; times in seconds."""
        return {
            "name": self.name,
            "state": self.state,
            "exit_code": self.exit_code,
            "duration_s": None if self.duration_us is None else self.duration_us / SECOND_US,
            "wrong": [finding.as_json() for finding in self.findings],
            "notes": list(self.notes),
            "checked": list(self.checked),
            "manifest": None if self.beside is None else _signed(self.beside),
        }


def _signed(beside: Beside) -> dict[str, Any]:
    text = beside.manifest.consent_text
    return {
        "id": beside.manifest.id,
        "box": beside.manifest.box,
        "key": beside.key,
        "consent_text": None if text is None else text.model_dump(),
    }
