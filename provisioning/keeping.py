"""Where recordings are kept, as one thing for every verb.

a folder with `sotto-remote` in it      what boxes send to, mounted here
a TOML file                             an S3 bucket or SFTP account (docs/clinic-server.md)
any other folder of recordings          a store, or what was pulled
a box's address, or its name in a kit   https, signed in to with a key (docs/api.md)
"""

from __future__ import annotations

from dataclasses import dataclass

from device.remote import Remote
from provisioning.box import Box, Entry
from provisioning.holdings import HeldRecording, Holdings
from provisioning.listing import Listed, Said, look
from provisioning.remote_place import BoxPlace, RemotePlace, held_at


@dataclass(frozen=True, slots=True)
class Keeping:
    """Recordings that are kept somewhere. Every call may raise as those of ``Remote`` do, or ``UnreachableError``."""

    remote: Remote

    def held(self, text: str | None) -> Holdings:
        """What there is of what a person named: an id, a path there, or (``None``) all. Raises ``UsageError``."""
        return held_at(self.remote, text)

    def place(self, held: HeldRecording) -> RemotePlace:
        """One recording, to be read."""
        if isinstance(self.remote, Box):
            return BoxPlace(self.remote, held, self.remote)
        return RemotePlace(self.remote, held)

    def with_attachments(self, held: HeldRecording) -> HeldRecording:
        """The same with all that lies beside it: a box tells of that only when it is asked for one recording."""
        if not isinstance(self.remote, Box):
            return held
        found = self.held(held.recording).recordings
        return found[0] if found else held

    def look(self, held: HeldRecording) -> Listed:
        """What is to be told of a recording. A box has said it with its list; else its manifest is read."""
        entry = self.remote.entries.get(held.recording) if isinstance(self.remote, Box) else None
        return look(self.place(held)) if entry is None else _listed(held, entry)


def _listed(held: HeldRecording, entry: Entry) -> Listed:
    said = Said(
        started=entry.started,
        clock_trusted=entry.clock_trusted,
        duration_us=entry.duration_us,
        picture=entry.picture,
        state=entry.state,
        box=entry.box,
        therapist=entry.therapist,
        key=None,
    )
    if entry.going is not None:
        return Listed(held, said, "it is to be erased")
    return Listed(held, said, None if entry.downloadable else "the box has not closed it yet")
