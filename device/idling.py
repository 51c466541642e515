"""Whether a box may be changed now: never in a session, and never near one. Pure."""

from __future__ import annotations

from device.status import STALE_AFTER_S, Status
from device.updating_trial import FREE, QUIET_S


def why_not_now(status: Status | None, *, unix_s: float, last_ended_unix_s: float | None) -> str | None:
    """Why the box is not to be changed now; ``None``: it may be.

    ``status``: what capture, which runs, published last. ``last_ended_unix_s``: when the newest recording was written
    last, by the same clock as ``unix_s``; none: there is no recording.
    """
    if status is None or abs(unix_s - status.published_unix_s) > STALE_AFTER_S:
        return "capture runs and does not say how it is"
    if status.recovering or status.sealing:
        return "a recording is being closed"
    if status.state not in FREE or status.recording or status.framing or status.last:
        return "a session is under way"
    # A clock that was put right in between says nothing of how long ago it was: then it counts from the time of that.
    if last_ended_unix_s is not None and abs(unix_s - last_ended_unix_s) < QUIET_S:
        return "a session ended a short while ago"
    return None
