"""Why somebody is not let in: what happened, then what to do."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "error.401": "You are not signed in here, or not any more.",
    "error.401.do": "Sign in, then try again.",
    "error.403.role": "This is not yours to see or do.",
    "error.403.role.do": "Ask an admin of the clinic if you need it for your work.",
    "error.403.room": "Another therapist is checked in to this room, so the session is theirs.",
    "error.403.room.do": "Check in to the room yourself if it is your session, then try again.",
    "error.403.camera": "Only the therapist who is checked in to this room sees what its camera sees.",
    "error.403.camera.do": "Check in to the room if it is your session, then try again.",
    "error.403.content": "You can see that this recording exists, and how it was made, but not what is in it.",
    "error.403.content.do": "Ask the therapist whose recording it is, or who supervises them.",
    # Said by nginx where the page cannot.
    "nginx.429": "That were too many requests at once from here.",
    "nginx.429.do": "Wait a few seconds, then load the page again.",
    "nginx.503": "The page of this box does not answer. Recording is not affected.",
    "nginx.503.do": "Try again in a minute. If it stays so, tell whoever looks after the box.",
}
