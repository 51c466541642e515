"""What went wrong: what happened, then what to do."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "error.400": "The page did not understand that request.",
    "error.400.do": "Go back, load the page again and try once more.",
    "error.403": "That request did not come from this page, so nothing was done.",
    "error.403.do": "Load the page again and try once more.",
    "error.404": "There is nothing here.",
    "error.404.do": "Go to the recordings and take a link from there.",
    "error.404.recording": "There is no such recording in the store.",
    "error.404.recording.do": "It may have been erased. Go to the recordings to see what is there.",
    "error.404.withdrawn": "The client withdrew this recording, so it cannot be downloaded.",
    "error.404.withdrawn.do": "There is nothing to do.",
    "error.405": "That cannot be done here.",
    "error.405.do": "Go to the recordings and start from there.",
    "error.409": "This recording is still being recorded.",
    "error.409.do": "Wait until it is sealed, then try again.",
    "error.413": "That request is too long.",
    "error.413.do": "Go back, load the page again and try once more.",
    "error.415": "The page did not understand that request.",
    "error.415.do": "Go back, load the page again and try once more.",
    "error.416": "The recording does not reach that far.",
    "error.416.do": "Ask for bytes within its size, {size} bytes.",
    "error.421": "This page does not go by that name.",
    "error.421.do": "Open it by its own address: {address}",
    "error.500": "The page made a mistake of its own. Recording is not affected.",
    "error.500.do": "Try again. If it happens once more, send the log of the page to whoever set the box up.",
    "error.503.audit": "This could not be noted in the audit log, so it is not handed out.",
    "error.503.audit.do": "See that the capture service runs and that the store has room, then try again.",
    "error.other": "That did not work.",
    "error.other.do": "Go back, load the page again and try once more.",
    "error.home": "To the recordings",
    "error.people": "The number of people must be 1 to 12.",
    "error.people.do": "Choose one from the list.",
    "error.status": "HTTP {code}",
}
