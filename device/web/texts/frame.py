"""The frame around every page, and what is told of a box that is simulated."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "frame.title": "{title} · {box} · Sotto",
    "frame.skip": "Skip to the content",
    "frame.nav": "Pages",
    "frame.recordings": "Recordings",
    "frame.room": "Room",
    "frame.box": "The box",
    "frame.persons": "People",
    "frame.account": "Your account",
    "frame.sign_out": "Sign out",
    "frame.health": "Health",
    "frame.sync": "Sync",
    "frame.retention": "Retention",
    "frame.audit": "Audit log",
    "frame.certificates": "Certificates",
    "frame.box.nav": "Pages of the box",
    "frame.pages": "Pages of the list",
    "frame.page": "Page {number} of {last}",
    "frame.earlier": "Newer",
    "frame.later": "Older",
    "frame.sealed": "What is recorded is sealed at once. Neither this page nor the box can open it.",
    "simulated": "Simulated: {what}.",
    "simulated.microphone": "the microphone (a sound file is played)",
    "simulated.camera": "the camera (a moving clock is drawn)",
    "simulated.panel": "the panel (buttons, lights and sounder are drawn in the room view)",
    "simulated.other": "the {what}",
}
