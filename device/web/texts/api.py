"""What programs are told when something does not work; people read it, too, in their logs."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "error.api": "That is not what the description of this interface allows.",
    "error.api.do": "Look at /api/v1/openapi.json for what can be asked, and how.",
    "error.api.device": "The box cannot prove its key just now.",
    "error.api.device.do": "Try again in a minute; if it stays so, see whether the box's capture service runs.",
    "error.api.answer": "That answer does not fit, or it came too late.",
    "error.api.answer.do": "Ask for a new challenge, and answer it with the key that this box knows of you.",
    "error.404.attachment": "There is no such attachment beside this recording.",
    "error.404.attachment.do": "Take its name from the facts of the recording.",
    "error.404.token": "You have no such token, or not any more.",
    "error.404.token.do": "Take its id from the list of your tokens.",
}
