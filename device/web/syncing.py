"""What the page says about sync: one line, and what somebody should look after. Pure: a status in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator

from device.sync_status import SyncState, SyncStatus, is_fresh
from device.web.says import Wrong
from device.web.texts import text
from device.web.wording import sentence, size_text


def sync_line(status: SyncStatus | None, *, unix_s: float, kept_back: bool = False) -> str:
    """How far sync has come, in one line; empty where this box has no remote.

    ``kept_back``: a recording runs, or its client can still withdraw it, so it is not among those that are to go.
    """
    if status is None:
        return ""
    if not is_fresh(status, unix_s=unix_s):
        return text("sync.gone")
    done = min(100, 100 * status.sent_bytes // status.size_bytes) if status.size_bytes else 0
    parts = [text(f"sync.{status.state.replace(' ', '_')}", remote=status.remote, percent=done)]
    if status.waiting == 1:
        parts.append(text("sync.waiting.one", size=size_text(status.waiting_bytes)))
    elif status.waiting:
        parts.append(text("sync.waiting.many", count=status.waiting, size=size_text(status.waiting_bytes)))
    if kept_back:
        parts.append(text("sync.kept_back"))
    if status.orders:
        parts.append(text("sync.orders", count=status.orders))
    return " ".join(parts)


def sync_wrong(status: SyncStatus | None, *, unix_s: float) -> Iterator[Wrong]:
    """What somebody has to look after; a remote that is away for a while is not among it."""
    if status is None:
        return
    if not is_fresh(status, unix_s=unix_s):
        yield Wrong(text("sync.gone"), text("sync.gone.do"))
        return
    if status.trouble is not None and (status.must_act or status.stuck):
        what, hint = status.trouble
        yield Wrong(sentence(what), sentence(hint))
    elif status.stuck and status.state is not SyncState.PAUSED:
        yield Wrong(text("sync.stuck"), text("sync.stuck.do"))
    elif status.stuck:
        yield Wrong(text("sync.stuck"), text("sync.stuck.paused"))
