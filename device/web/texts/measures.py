"""Handing a tablet over, and what a client reads on it beside the measure's own words."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "frame.measures": "Measures",
    # Handing over, for the therapist.
    "handing.title": "Measures",
    "handing.intro": "Choose what the client is asked, then hand over this device or another one. Answers are sealed "
    "at once: neither this page nor the box can open them again.",
    "handing.which": "What is asked",
    "handing.before": "at the beginning",
    "handing.after": "at the end",
    "handing.any": "at any time",
    "handing.count.one": "1 question",
    "handing.count.many": "{count} questions",
    "handing.session": "For which session",
    "handing.session.choose": "Choose …",
    "handing.session.now": "The one that is being recorded",
    "handing.session.next": "The next one, if it begins within three hours",
    "handing.session.past": "The recording of {started}",
    "handing.person": "Who answers",
    "handing.person.do": "Of several people in the room, each by a number of their own.",
    "handing.here": "Hand over this device",
    "handing.here.do": "It is signed out here, and shows nothing but the questions until somebody signs in again.",
    "handing.code": "Show a code for another device",
    "handing.code.do": "For a tablet on which nobody is signed in.",
    "handing.code.title": "Type this on the other device",
    "handing.code.at": "Open {address} on it, and type:",
    "handing.code.lives": "It can be used once, within five minutes.",
    "handing.again": "Choose again",
    "handing.wrong": "A file in the clinic's folder of measures does not hold:",
    "handing.nowhere": "There is no session that answers could belong to.",
    "handing.nowhere.do": "Check in to the room before a session. After one its recording can be chosen here.",
    "handing.nothing": "Nothing was chosen.",
    "handing.nothing.do": "Choose at least one measure.",
    "error.session": "That session cannot be chosen, or not any more.",
    "error.session.do": "Go back, load the page again and choose another one.",
    # The tablet before and after.
    "kiosk.code.title": "Questions for a session",
    "kiosk.code.intro": "Your therapist has a code for this tablet.",
    "kiosk.code.label": "Code",
    "kiosk.code.go": "Begin",
    "kiosk.code.wrong": "That code is not, or no longer, one of ours. Ask your therapist for a new one.",
    "kiosk.code.page": "To the page for therapists",
    "kiosk.lost.title": "Please hand this back",
    "kiosk.lost": "The page was started anew meanwhile. What was not handed in before is forgotten.",
    "kiosk.start.title": "Before you begin",
    "kiosk.start.one": "There is one set of questions: {title}.",
    "kiosk.start.many": "There are {count} sets of questions, one after the other.",
    "kiosk.start.sealed": "Your answers are sealed as soon as you hand them in. Then this tablet cannot show them "
    "again; only people at the clinic who have the key can open them.",
    "kiosk.start.free": "You may leave out any question, and stop at any time.",
    "kiosk.start.late": "Nobody reads along. Whatever cannot wait, please say to your therapist.",
    "kiosk.start.go": "Begin",
    # One question.
    "kiosk.progress": "Question {number} of {count}",
    "kiosk.next": "Next",
    "kiosk.back": "Back",
    "kiosk.skip": "I would rather not say",
    "kiosk.skipped": "You left this question out before.",
    "kiosk.stop": "Stop",
    "kiosk.choose": "Choose an answer first, or leave the question out.",
    "kiosk.middle": "Your mark is in the middle, where it was at the beginning. Is that where it belongs?",
    "kiosk.middle.stay": "Yes, leave it there",
    "kiosk.line.keys": "Drag the mark, or move it with the arrow keys.",
    # Handing in.
    "kiosk.end.title": "That was the last question",
    "kiosk.end.of": "of: {title}",
    "kiosk.end": "Hand your answers in, or go back to look at them again.",
    "kiosk.end.left_out": "Left out: {count}.",
    "kiosk.hand_in": "Hand in",
    "kiosk.failed": "Your answers could not be sealed, so they are not handed in yet.",
    "kiosk.failed.do": "Try again in a moment. If that does not help, tell your therapist. Or stop, and "
    "nothing is kept.",
    # Stopping.
    "kiosk.stop.title": "Stop here?",
    "kiosk.stop.do": "What you have answered here and not handed in is forgotten. What you handed in before "
    "stays sealed.",
    "kiosk.stop.go": "Stop, and forget it",
    "kiosk.stop.back": "Go on answering",
    # The end.
    "kiosk.thanks.title": "Thank you",
    "kiosk.thanks": "Your answers are handed in and sealed. Please hand this back to your therapist.",
    "kiosk.stopped.title": "You have stopped",
    "kiosk.stopped": "Nothing more is kept. Please hand this back to your therapist.",
    "kiosk.close": "Close",
}
