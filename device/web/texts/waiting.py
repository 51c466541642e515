"""What waits for a recording, or was left."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "waiting.title": "Given, and beside no recording yet",
    "waiting.kind.label": "A label",
    "waiting.kind.note": "A note",
    "waiting.kind.measure": "An answered measure",
    "waiting.waits": "{what}, given {given}: goes with your next recording before {until}.",
    "waiting.leave": "That session was not recorded",
    "waiting.leave.do": "If your next recording is another client's, say so before it begins.",
    "waiting.left": "{what}, given {given}: goes with no recording by itself.",
    "waiting.left.do": "It is sealed, stays on this box, and is not sent to the clinic. Put it beside the recording "
    "that it belongs to. Whoever looks after the box can erase it there.",
    "waiting.place": "Put it there",
    "waiting.place.to": "Beside the recording of",
    "said.left": "It waits no more, and goes with no other recording.",
    "said.placed": "It lies beside this recording now.",
    "error.place": "That is none of your recordings that something can be put beside.",
    "error.place.do": "Go to the recordings and choose one from the list.",
}
