"""What the page says of what it had named, and of what could not be."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "naming.not_askable": "The box did not understand that request, so nothing was kept.",
    "naming.not_askable.do": "Load the page again and try once more.",
    "naming.gone": "There is no such recording any more, or it waits no longer.",
    "naming.gone.do": "Go to the recordings to see what is there.",
    "naming.going": "That recording was withdrawn or is being erased, so nothing was put beside it.",
    "naming.going.do": "There is nothing to do.",
    "naming.not_closed": "That recording is not over yet.",
    "naming.not_closed.do": "Try again when its two minutes are over.",
    "naming.not_sealed": "This could not be sealed, so it was not kept.",
    "naming.not_sealed.do": "Ask whoever set the box up to look at its recipients.",
    "naming.busy": "The box is busy with its recordings, so this was not kept.",
    "naming.busy.do": "Try again in a minute.",
    "naming.not_noted": "This could not be noted in the audit log, so it was not done.",
    "naming.not_noted.do": "See that the capture service runs and that the store has room, then try again.",
    "naming.store": "The store could not keep this.",
    "naming.store.do": "Try again. If it happens once more, ask whoever set the box up to look at its disk.",
    "naming.too_slow": "The box takes too long. It may have been kept all the same.",
    "naming.too_slow.do": "Look in a minute whether it is there before you try again.",
}
