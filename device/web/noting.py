"""What somebody looks at or pulls is in the audit log before it leaves this page; else it does not leave.

The page has no key: capture writes the entry, and answers once it is durable. What belongs together is one entry, or a
few. The same thing looked at again by the same person within a minute is not noted anew. A download in many ranges (a
slice is one) is noted by how much is handed out *at most*, all in all: before the first byte beyond what was noted
leaves, twice as much is noted. So a gigabyte in ranges is some ten entries, one request for the whole file is one, and
the log never says less than what happened.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from device.audit_requests import NoteRequest, note_by_capture
from device.web.refusals import Refusal

_VIEW_AGAIN_S: Final = 60.0
_PULL_AGAIN_S: Final = 600.0
_LEAST_BYTES: Final = 1 << 20

Of = Literal[
    "list", "facts", "manifest", "framing", "attachments", "attachment", "receipts", "people", "audit", "health"
]


@dataclass(frozen=True, slots=True)
class _Pull:
    """A download under way: the entry with which it began, what left of it so far, and what was noted."""

    since: int
    handed_bytes: int
    up_to_bytes: int
    at_s: float


class Noting:
    """Has noted what people do on this page. Safe for many threads. ``who``: the mark of who asks just now."""

    def __init__(
        self,
        run: Path,
        *,
        now_s: Callable[[], float] = time.monotonic,
        ask: Callable[[NoteRequest, Path], int | None] = note_by_capture,
        who: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._run = run
        self._now_s = now_s
        self._ask = ask
        self._who = who
        self._lock = threading.Lock()
        self._seen: dict[tuple[str | None, Of, str | None], float] = {}
        self._pulls: dict[tuple[str | None, str], _Pull] = {}
        self._refused_s = -_VIEW_AGAIN_S

    def view(self, of: Of, recording: str | None = None) -> bool:
        """Have noted that somebody looks; whether it is noted."""
        now_s, who = self._now_s(), self._who()
        key = (who, of, recording)
        with self._lock:
            if now_s - self._seen.get(key, -_VIEW_AGAIN_S) < _VIEW_AGAIN_S:
                return True
        if self._ask(NoteRequest(what="view", person=who, of=of, recording=recording), self._run) is None:
            return False
        with self._lock:
            self._seen = {one: at_s for one, at_s in self._seen.items() if now_s - at_s < _VIEW_AGAIN_S}
            self._seen[key] = now_s
        return True

    def must_view(self, of: Of, recording: str | None = None) -> None:
        """The same, for what is not shown unless it is noted.

        Raises:
            Refusal: it is not.
        """
        if not self.view(of, recording):
            raise not_noted()

    def note(self, request: NoteRequest) -> bool:
        """Have noted what is neither looked at nor pulled; whether it is noted."""
        return self._ask(request, self._run) is not None

    def must_note(self, request: NoteRequest) -> None:
        """The same, for what is not done unless it is noted.

        Raises:
            Refusal: it is not.
        """
        if not self.note(request):
            raise not_noted()

    def key_login(self, *, granted: bool, person: str | None = None) -> bool:
        """Have noted that a program signs in with its person's key, or tried to; whether it is noted.

        Those who try in vain, many times a minute, are one entry a minute: they cannot fill the box's disk with it.
        """
        now_s = self._now_s()
        with self._lock:
            if not granted and now_s - self._refused_s < _VIEW_AGAIN_S:
                return True
        request = NoteRequest(what="login", granted=granted, person=person, door="program", way="key")
        if self._ask(request, self._run) is None:
            return False
        with self._lock:
            self._refused_s = self._refused_s if granted else now_s
        return True

    def pull(self, recording: str, *, wanted_bytes: int, size_bytes: int) -> bool:
        """Have noted that so much more of a recording is handed out; whether it is noted."""
        now_s, who = self._now_s(), self._who()
        mine = (who, recording)
        with self._lock:
            self._pulls = {key: pull for key, pull in self._pulls.items() if now_s - pull.at_s < _PULL_AGAIN_S}
            known = self._pulls.get(mine)
            handed_bytes = wanted_bytes + (known.handed_bytes if known else 0)
            if known is not None and handed_bytes <= known.up_to_bytes:
                self._pulls[mine] = _Pull(known.since, handed_bytes, known.up_to_bytes, now_s)
                return True
        up_to_bytes = max(handed_bytes, 2 * known.up_to_bytes if known else min(_LEAST_BYTES, size_bytes))
        request = NoteRequest(
            what="pull",
            person=who,
            recording=recording,
            up_to_bytes=up_to_bytes,
            size_bytes=size_bytes,
            since=known.since if known else None,
        )
        number = self._ask(request, self._run)
        if number is None:
            return False
        with self._lock:  # of two that asked at once both are noted, and neither forgets what the other handed out
            now = self._pulls.get(mine)
            before = now.handed_bytes if now else 0
            since = known.since if known else number
            noted_bytes = max(up_to_bytes, now.up_to_bytes if now else 0)
            self._pulls[mine] = _Pull(since, before + wanted_bytes, noted_bytes, now_s)
        return True


def not_noted() -> Refusal:
    """It cannot be noted, so it is not handed out."""
    return Refusal(503, "error.503.audit")
