"""The audit log as the page reads it. Nothing is verified here: that is for whoever knows an earlier head of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from device.audit import newest_entries
from device.recording import is_recording_id
from device.recording.audited import What
from device.recording.chain import AUDIT_NAME
from device.store import StoreReader
from device.web.texts import TEXTS, text
from device.web.wording import When, length_text, size_text, when

# What says nothing to anybody, or stands beside the entry anyway.
_NOT_TOLD: Final = frozenset({"settings", "person", "by_mark"})
_MARKS: Final = ("person", "by_mark")


@dataclass(frozen=True, slots=True)
class Told:
    """One entry in words. ``mark`` stands for the person by whom it was, where that is known."""

    number: int
    at: When
    clock_trusted: bool
    what: str
    recording: str | None
    by: str
    mark: str | None
    facts: tuple[str, ...]


def entries(store: StoreReader) -> Iterator[dict[str, Any]]:
    """What the entries say, the newest first; none where there is no log yet.

    Raises:
        StoreError: the log cannot be read.
    """
    folder = store.path / AUDIT_NAME
    return newest_entries(folder) if folder.is_dir() else iter(())


def newest_entry(store: StoreReader, what: What, *, most: int) -> dict[str, Any] | None:
    """The entry of when that happened last, among the ``most`` newest."""
    return next((entry for entry in islice(entries(store), most) if entry["what"] == what), None)


def newest_of(store: StoreReader, what: What, *, most: int) -> str | None:
    """When that happened last, among the ``most`` newest entries."""
    found = newest_entry(store, what, most=most)
    return None if found is None else str(found["at"])


def told(entry: Mapping[str, Any]) -> Told:
    """An entry in words. What a newer box notes is told in its own."""
    facts = entry.get("facts", {})
    recording, by = entry.get("recording"), entry.get("by", "")
    return Told(
        number=int(entry["number"]),
        at=when(str(entry["at"])),
        clock_trusted=bool(entry["clock_trusted"]),
        what=_word("audit.what", str(entry["what"])),
        recording=recording if isinstance(recording, str) and is_recording_id(recording) else None,
        by=_word("audit.by", str(by)) if by else "",
        mark=next((str(facts[name]) for name in _MARKS if name in facts), None),
        facts=tuple(_fact(name, value) for name, value in facts.items() if name not in _NOT_TOLD),
    )


def _word(area: str, word: str) -> str:
    return TEXTS.get(f"{area}.{word.replace(' ', '_')}", word)


def _fact(name: str, value: object) -> str:
    if name in ("bytes", "up_to_bytes", "size_bytes") and isinstance(value, int):
        shown = size_text(value)
    elif name == "duration_us" and isinstance(value, int):
        shown = length_text(value)
    elif isinstance(value, bool):
        shown = text(f"audit.{value}")
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text("audit.fact", name=_word("audit.fact", name), value=shown.replace("_", " "))
