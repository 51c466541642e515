"""What a box had promised when the power went, as far as it had told its disk's log (``play.telling``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from device.recording.manifest import RecordingState

KEPT, WITHDRAWN = "kept", "withdrawn"


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised of one recording, as far as the log was told; ``fates`` are two while a change is under way."""

    handed: int = 0  # pieces that went to the sealer
    durable: int = 0  # and that it called durable
    taken_us: int = 0  # sound that the encoder has
    fates: frozenset[str] = frozenset({KEPT})
    erasing: bool = False
    erased: bool = False
    noted: tuple[int, int, int] = (0, 0, 0)  # bookmarks, consent events, samples in gaps
    complete: bool = False
    receipts: frozenset[str] = frozenset()
    giving: frozenset[str] = frozenset()  # the digests of sealed files that were to be kept for it
    given: tuple[tuple[str, str], ...] = ()  # of those the ones that are: name (none while it waits) and digest
    under_way: bool = False  # one is just being written


@dataclass(frozen=True, slots=True)
class Piece:
    """What one call of the sealer was handed: whole chunks of plaintext, and up to when they reach."""

    size_bytes: int
    digest: str
    end_us: int


@dataclass
class Told:
    """Everything that was told so far. ``pieces`` are kept as they come: the truth that files are compared with."""

    promises: dict[str, Promise] = field(default_factory=dict)
    pieces: dict[str, list[Piece]] = field(default_factory=dict)

    def hear(self, mark: dict[str, Any]) -> bool:
        """Take in a mark; whether a promise came with it that a cut right now can break."""
        name = mark.get("id")
        if name is None:
            return False
        old = self.promises.get(name, Promise())
        new = self._after(old, mark)
        self.promises[name] = new
        return new != old and mark["do"] != "taken"

    def _after(self, old: Promise, mark: dict[str, Any]) -> Promise:
        if mark["do"] == "hand":
            self.pieces.setdefault(mark["id"], []).append(Piece(mark["bytes"], mark["digest"], mark["end_us"]))
        change = _CHANGES.get(mark["do"])
        return old if change is None else replace(old, **change(old, mark))

    @property
    def key(self) -> tuple[tuple[str, Promise], ...]:
        return tuple(sorted(self.promises.items(), key=lambda item: item[0]))


def _noted(old: Promise, mark: dict[str, Any]) -> dict[str, Any]:
    complete = old.complete or mark["state"] == RecordingState.COMPLETE
    return {"noted": (mark["bookmarks"], mark["events"], mark["gap_samples"]), "complete": complete}


# What each mark changes: those that begin something, and those that say that it is durable now.
_CHANGES: dict[str, Callable[[Promise, dict[str, Any]], dict[str, Any]]] = {
    "hand": lambda old, _: {"handed": old.handed + 1},
    "durable": lambda old, _: {"durable": old.handed},
    "taken": lambda _, mark: {"taken_us": mark["us"]},
    "mark": lambda *_: {"fates": frozenset({KEPT, WITHDRAWN})},
    "marked": lambda *_: {"fates": frozenset({WITHDRAWN})},
    "unmark": lambda *_: {"fates": frozenset({KEPT, WITHDRAWN})},
    "unmarked": lambda *_: {"fates": frozenset({KEPT})},
    "erase": lambda old, _: {"fates": old.fates | {WITHDRAWN}, "erasing": True},
    "erased": lambda *_: {"fates": frozenset({WITHDRAWN}), "erasing": True, "erased": True},
    "noted": _noted,
    "give": lambda old, mark: {"giving": old.giving | {mark["digest"]}, "under_way": True},
    "given": lambda old, mark: {
        "given": (*(one for one in old.given if one[0] not in ("", mark["name"])), (mark["name"], mark["digest"])),
        "under_way": mark["name"] == "",  # it goes on from where it waits
    },
    "received": lambda old, mark: {"receipts": old.receipts | {mark["name"]}},
}
