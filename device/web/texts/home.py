"""What everybody comes for: who works in the room, the last recording, and looking for recordings."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "duty.title": "In the room",
    "duty.mine": "You are checked in.",
    "duty.mine.do": "What is recorded here is yours until you check out, or until {until}.",
    "duty.other": "{name} is checked in, since {since}.",
    "duty.other.do": "What is recorded here is theirs. If it is your session, check in instead.",
    "duty.nobody": "Nobody is checked in.",
    "duty.nobody.do": "What is recorded now belongs to nobody, and only an admin will know of it. Check in before your "
    "session.",
    "duty.in": "Check in",
    "duty.in.instead": "Check in instead",
    "duty.out": "Check out",
    "last.title": "Your last recording",
    "last.none": "You have no recording in this box.",
    "last.open": "Label, notes, measures",
    # Looking for recordings.
    "filter.title": "Look for",
    "filter.therapist": "Therapist",
    "filter.since": "From",
    "filter.until": "To",
    "filter.room": "Room",
    "filter.state": "State",
    "filter.sound": "Sound",
    "filter.any": "any",
    "filter.open": "only those without measures",
    "filter.show": "Show",
    "filter.all": "Show all",
    "filter.state.complete": "complete",
    "filter.state.interrupted": "interrupted",
    "filter.state.unfinished": "not closed yet",
    "filter.state.going": "being erased",
    "filter.sound.good": "good",
    "filter.sound.not good": "something is wrong",
    "filter.found.none": "There is no such recording.",
    "filter.found.none.do": "Look for less, or show all.",
    "filter.found.one": "1 of {total} fits",
    "filter.found.many": "{count} of {total} fit",
    # What a row tells beyond the recording itself.
    "list.therapist": "Therapist",
    "list.therapist.none": "nobody was checked in",
    "list.way": "Sync",
    "list.bookmarks.one": "1 bookmark",
    "list.bookmarks.many": "{count} bookmarks",
    "list.label": "labelled",
    "list.notes.one": "1 note",
    "list.notes.many": "{count} notes",
    "list.measures.one": "1 measure",
    "list.measures.many": "{count} measures",
    "list.no_measures": "no measures attached",
    "list.beside": "Beside it",
    "list.empty.supervisor": "Recordings of the people you supervise appear here as soon as they are made.",
    "list.facts_only": "You see the facts of recordings, never what is in them.",
    # The page of one recording.
    "beside.title": "Beside it",
    "beside.sealed": "All of it is sealed like the recording: this page can tell that it is there, not what it says.",
    "beside.none": "Nothing is beside it yet.",
    "way.title": "On its way",
}
