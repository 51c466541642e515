"""What the audit log can say: a fixed vocabulary, in which nobody can be named.

There is no free text in it. A fact is a number, a digest, the mark that stands for a person, or one of the words below;
whoever has something to tell for which there is no word says ``other``, and the sentence is in the journal. So no
client, no label and no note can get into the log by mistake, and the log can be kept for as long as anybody likes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from device.recording import is_recording_id
from device.recording.beside import Kind, Wish
from device.words import Button, Consent, Fate


class What(StrEnum):
    """What happened."""

    BOX_STARTED = "box started"
    BOX_ENDED = "box ended"
    CONFIG_CHANGED = "config changed"
    CONSENT = "consent"
    FRAMING_BEGUN = "framing check begun"
    FRAMING_ENDED = "framing check ended"
    START = "start"
    START_REFUSED = "start refused"
    START_FAILED = "start failed"
    BEGUN = "recording begun"
    STOP = "stop"
    WITHDRAWN = "withdrawn"
    TURNED_OVER = "turned over"
    SETTLED = "settled"
    SEALED = "sealed"
    GAP = "gap"
    TROUBLE = "trouble"
    WELL = "trouble over"
    FAULTS = "faults"
    ERASED = "erased"
    RECOVERED = "recovered"
    ROOM_TEST_BEGUN = "room test begun"
    ROOM_TEST_ENDED = "room test ended"
    VIEW = "view"
    PULL = "pull"
    LOGIN = "login"
    LOGOUT = "logout"
    PERSON_CHANGED = "person changed"
    ON_DUTY = "on duty"
    NAMED = "named"
    PLACED = "placed"
    LEFT = "left"
    ASKED = "asked"
    ASSIGNED = "assigned"
    DECLINED = "declined"
    SYNC = "sync"
    SYNC_TOLD = "sync told"
    ROSTER_TAKEN = "roster taken"
    ROSTER_REFUSED = "roster refused"
    PEOPLE_TAKEN = "people taken"
    PEOPLE_REFUSED = "people refused"
    ORDER_DONE = "order done"
    ORDER_REFUSED = "order refused"
    ORDER_UNDONE = "order undone"
    TORN = "torn"
    LOST = "lost"
    # What a clinic does at its own desk, in a log of its own (``provisioning``).
    DESK_MADE = "desk made"
    CLINIC_CHANGED = "clinic changed"
    RECOVERY_CHANGED = "recovery changed"
    ROSTER_SIGNED = "roster signed"
    PEOPLE_SIGNED = "people signed"
    ORDER_SIGNED = "order signed"
    BOX_ENROLLED = "box enrolled"
    BOX_GONE = "box gone"
    CARD_MADE = "card made"
    SHARED = "shared"
    SAMPLE_REGISTERED = "sample registered"
    SAMPLE_DRAWN = "sample drawn"
    SAMPLE_HANDED_OUT = "sample handed out"
    EXPORTED = "exported"


class Who(StrEnum):
    """By whom, as far as a box can know it: by which hand or program, never who that is."""

    CLIENT = "client"
    THERAPIST = "therapist"
    PAGE = "page"
    BOX = "box"
    RETENTION = "retention"
    CLINIC = "clinic"


Plain: TypeAlias = int | bool | str | tuple[str, ...] | Mapping[str, str]

OTHER: Final = "other"
_CONFIG_KEY: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MARK: Final = re.compile(r"[0-9a-f]{12}")
_KEY_ID: Final = re.compile(r"[0-9a-f]{16}")
_VERSION: Final = re.compile(r"\d{1,3}\.\d{1,3}(\.\d{1,3})?([a-z]{1,4}\d{1,3})?")

# Every fact that is told in words, and the words that there are for it.
WORDS: Final[Mapping[str, frozenset[str]]] = {
    "consent": frozenset(Consent),
    "fate": frozenset(Fate),
    "button": frozenset(Button),
    "cause": frozenset(
        {
            "button",
            "both buttons",
            "page",
            "maximum length",
            "nobody pressed",
            "no consent",
            "fault",
            "window open",
            "camera gone",
            "by itself",
            "silence",
            "the store is full",
            "the microphone was read too late",
            "the microphone was gone",
            "the microphone delivered less than its time",
            "the storage was too slow",
            OTHER,
        }
    ),
    "trouble": frozenset(
        {
            "no sound",
            "long silence",
            "microphone gone",
            "second microphone",
            "no picture",
            "storage slow",
            "stuck button",
            OTHER,
        }
    ),
    "state": frozenset(
        {
            "complete",
            "interrupted",
            "open",
            "closed",
            "erased",
            "removed",
            "damaged",
            "failed",
            "verified",
            "differs",
            "order handed over",
            OTHER,
        }
    ),
    "of": frozenset(
        {"list", "facts", "manifest", "framing", "attachments", "attachment", "receipts", "people", "audit", "health"}
    ),
    "attachment": frozenset(Kind),
    "wish": frozenset(Wish),
    "told": frozenset({"pause", "resume", "now"}),
    "about": frozenset({"roster", "config", "certificates", "people", "update", OTHER}),  # an order of the clinic's
    "door": frozenset({"page", "program", "kiosk"}),
    "way": frozenset({"password", "recovery code", "passkey", "key", "one-time code", "handed over", OTHER}),
    "change": frozenset(
        {
            "added",
            "name",
            "roles",
            "supervisees",
            "password",
            "second factor",
            "recovery codes",
            "passkey added",
            "passkey removed",
            "key",
            "token made",
            "token revoked",
            "session ended",
            "ended",
            "back again",
            OTHER,
        }
    ),
}
STANDING: Final = frozenset({"store", "store full", "recipient", "package", OTHER})
_NUMBERS: Final = frozenset(
    {
        "people",
        "take",
        "chunks",
        "duration_us",
        "gaps",
        "start_sample",
        "samples",
        "bytes",
        "up_to_bytes",
        "size_bytes",
        "since",
        "count",
        "roster",
        "people_list",
        "order",
    }
)


def _is_mark(value: Any) -> bool:
    """Whether it stands for a person, whose name only the page knows (``device/people/person.py``)."""
    return isinstance(value, str) and _MARK.fullmatch(value) is not None


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _are_key_ids(value: Any) -> bool:
    """Whether it is the ids of recipients' keys, as manifests have them (``device.age.recipients.fingerprint``)."""
    return isinstance(value, tuple) and all(isinstance(one, str) and _KEY_ID.fullmatch(one) for one in value)


_OTHERS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "digest": _is_digest,
    "config": _is_digest,
    "header": _is_digest,  # of a recording, after it was made anew
    "header_before": _is_digest,
    "protocol": _is_digest,  # of a sample, as it was registered
    "seed": _is_digest,
    "population": _is_digest,  # what a sample was drawn from
    "drawn": _is_digest,  # what was drawn
    "blinding": _is_digest,  # which new id stands for which slice: of the sealed file that says it
    "added": _are_key_ids,
    "removed": _are_key_ids,
    "only": _are_key_ids,
    "opened_by": _are_key_ids,
    "version": lambda value: isinstance(value, str) and _VERSION.fullmatch(value) is not None,
    "granted": lambda value: isinstance(value, bool),
    "taken_back": lambda value: isinstance(value, bool),
    "person": _is_mark,  # who did it
    "whom": _is_mark,  # to whom it was done
    "therapist": _is_mark,  # whose recording it is, or who works in the room
    "standing": lambda value: isinstance(value, tuple) and STANDING.issuperset(value),
    "keys": lambda value: isinstance(value, tuple) and all(map(_CONFIG_KEY.fullmatch, value)),
    "settings": lambda value: (
        isinstance(value, Mapping) and all(_CONFIG_KEY.fullmatch(k) and _MARK.fullmatch(v) for k, v in value.items())
    ),
}


@dataclass(frozen=True, slots=True)
class Happened:
    """Something for the audit log. ``recording`` is an id; ``facts`` are of the vocabulary, else ``ValueError``."""

    what: What
    recording: str | None = None
    by: Who | None = None
    facts: Mapping[str, Plain] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.recording is not None and not is_recording_id(self.recording):
            raise ValueError("that is not the id of a recording")
        for name, value in self.facts.items():
            if not is_fact(name, value):
                msg = f"the audit log has no words for {name}"
                raise ValueError(msg)

    def as_json(self) -> dict[str, Any]:
        """What of it stands in an entry; what is not said is not there."""
        said: dict[str, Any] = {"what": str(self.what)}
        if self.recording is not None:
            said["recording"] = self.recording
        if self.by is not None:
            said["by"] = str(self.by)
        if self.facts:
            said["facts"] = {name: _json(value) for name, value in self.facts.items()}
        return said


Tell: TypeAlias = Callable[[Happened], None]
"""Hands something to the audit log. Never waits and never fails; from any thread."""


def to_no_log(_happened: Happened) -> None:
    """There is none: a rehearsal has no box."""


def is_fact(name: str, value: Plain) -> bool:
    """Whether the vocabulary has this fact."""
    if name in WORDS:
        return isinstance(value, str) and value in WORDS[name]
    if name in _NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return name in _OTHERS and _OTHERS[name](value)


def word(name: str, text: str) -> str:
    """``text`` where the vocabulary has it, else ``other``."""
    return text if text in WORDS[name] else OTHER


def _json(value: Plain) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else str(value) if isinstance(value, str) else value
