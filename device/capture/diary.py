"""What of a session is written down in the journal: its states, its troubles, and who ended it; pure.

The journal is for admins. That a client withdrew is in it as a state, as it is on the lamps; what was said, by whom and
to whom is nowhere.
"""

from __future__ import annotations

from device.journal import Entry, Priority
from device.session_events import Event, Failed, Fault, FaultCleared, FramingLost, Offer, State, Trouble, Well

_LOUD = {State.FAULT: Priority.ERROR, State.TROUBLED: Priority.WARNING, State.REFUSED: Priority.WARNING}


def entry_of(event: Event, *, before: State, after: State) -> Entry | None:
    """What to write down of an event that led from one state to another; ``None`` for most."""
    if isinstance(event, Trouble | Well | Fault | FaultCleared | Failed | FramingLost):
        what = event.what if isinstance(event, Failed | FramingLost) else event.name
        over = isinstance(event, Well | FaultCleared)
        return Entry(
            f"{'over: ' if over else ''}{what}",
            Priority.NOTICE if over else Priority.ERROR if isinstance(event, Fault) else Priority.WARNING,
            {"SOTTO_STATE": after.value, "SOTTO_WHAT": what, **_recording(event)},
        )
    if before is after:
        return None
    why = ": the store has room for sound only" if isinstance(event, Offer) else ""
    return Entry(
        f"{before.value} -> {after.value}{why}",
        _LOUD.get(after, Priority.INFO),
        {"SOTTO_STATE": after.value, "SOTTO_BEFORE": before.value, **_recording(event)},
    )


def _recording(event: Event) -> dict[str, str]:
    ordinal = getattr(event, "recording", None)
    return {} if ordinal is None else {"SOTTO_RECORDING": str(ordinal)}
