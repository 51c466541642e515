"""What the page may ask of the box."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "ask.title": "Ask from here",
    "ask.intro": "This page can stop, mark, and say how many people choose. It can neither consent nor start.",
    "ask.stop": "Stop",
    "ask.mark": "Mark",
    "ask.people": "People in the next session",
    "ask.people.set": "Set",
    "ask.asked.stop": "Asked to stop.",
    "ask.asked.mark": "Asked for a bookmark.",
    "ask.asked.people": "Asked for that number of people.",
    "ask.nothing": "There is no recording now.",
}
