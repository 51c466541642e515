"""The roster that holds on this box: read again and again while nobody records, taken once, and never taken back.

A new one takes effect with the next session; what runs keeps the recipients that it began with. A roster that cannot be
taken keeps the box from recording, as a recipient does that cannot be used: one that was changed on its way may be the
one that takes somebody off, so the one before does not simply go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from device.age.recipients import KeyRecipient
from device.clinic_list import digest_of
from device.clinic_shelf import Box, Offered, Shelf
from device.errors import SottoError
from device.recording.audited import Happened, Plain, Tell, What, Who
from device.roster import ROSTER_NAME, ROSTERS, Roster


class RosterShelf:
    """Looks after the roster. ``look`` is called by one thread at a time; ``recipients_for`` may be by any."""

    def __init__(self, path: Path, *, clinic_key: bytes, box: str, store: Path, tell: Tell) -> None:
        """``path``: where the admin puts it. ``store``: where the box keeps the one that it took."""
        self._tell = tell
        self._shelf = Shelf(
            path,
            kind=ROSTERS,
            clinic_key=clinic_key,
            box=box,
            kept=store / ROSTER_NAME,
            does=Box(bring_about=lambda _offered: None, taken=self._taken, refused=self._refused),
        )

    def recipients_for(self, therapist: str | None) -> Sequence[KeyRecipient]:
        """To whom to seal; to nobody where no roster holds, so that nothing is recorded. Never waits for a disk."""
        roster, _ = self._shelf.standing
        return [] if roster is None else roster.recipients_for(therapist)

    def look(self) -> SottoError | None:
        """Read the roster again, and take it if it is a new one; what keeps the box from recording, if anything."""
        return self._shelf.look()

    def _refused(self, document: bytes) -> bool:
        self._tell(Happened(What.ROSTER_REFUSED, by=Who.BOX, facts={"digest": digest_of(document)}))
        return True

    def _taken(self, offered: Offered[Roster]) -> None:
        """Tell whose keys came and went."""
        old = frozenset() if offered.before is None else offered.before.key_ids()
        new = offered.one.key_ids()
        facts: dict[str, Plain] = {
            "roster": offered.one.number,
            "digest": digest_of(offered.document),
            "added": tuple(sorted(new - old)),
            "removed": tuple(sorted(old - new)),
        }
        self._tell(Happened(What.ROSTER_TAKEN, by=Who.BOX, facts=facts))
