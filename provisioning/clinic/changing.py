"""A change of the clinic's folder: in the log first, then in its file, then in a new roster that the boxes get.

A cut in between leaves a file that says more than the roster does; the next change, or ``roster --sign``, signs it. The
list of people goes with the roster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from device.clinic_list import digest_of
from device.clock import Clock, wire_time
from device.errors import RecipientError
from device.recording.audited import Happened, Plain, What, Who
from device.roster import Roster, sign_roster
from provisioning.clinic.folder import Folder
from provisioning.clinic.rosters import roster_of, says_the_same
from provisioning.clinic.signing_people import sign_people
from provisioning.clinic.toml_text import to_toml
from provisioning.clinic_file import ClinicFile
from provisioning.desk import Desk, open_desk
from provisioning.errors import UsageError


def next_roster(folder: Folder, book: ClinicFile, clock: Clock, *, above: int = 0) -> Roster | None:
    """The roster that ``book`` comes to; ``None`` where the newest one says just that, with a number above ``above``.

    Raises:
        UsageError, StoreError: none can be made of it, or the folder cannot be read.
    """
    before = standing(folder)
    number = max(above, folder.last_number(), 0 if before is None else before.number) + 1
    after = roster_of(book, number=number, made=wire_time(clock.utc()))
    stands = before is not None and before.number > above and says_the_same(before, after)
    return None if stands else after


def standing(folder: Folder) -> Roster | None:
    """The newest roster; one that was damaged counts as none, because a new one heals it."""
    try:
        return folder.read_roster()
    except RecipientError:
        return None


def carry_out(
    folder: Folder,
    before: ClinicFile,
    after: ClinicFile,
    happened: Sequence[Happened],
    *,
    passphrase: Callable[[], str],
    clock: Clock,
    above: int = 0,
) -> Roster | None:
    """Make a change. ``before``: what it was worked out from. The roster that was signed for it, if one was.

    ``above``: the number that boxes are known to have taken, where the folder does not know it any more.

    Raises:
        WrongKeyError: that is not the folder's passphrase; nothing is changed.
        UsageError: somebody changed the folder meanwhile; nothing is changed.
        OutputError, StoreError: it cannot be written, or noted; what was not noted is not done.
    """
    with open_desk(folder.path, clock, passphrase=passphrase) as desk:  # nobody else has the log from here on
        if folder.read() != before:
            raise UsageError("somebody changed the clinic's file meanwhile", "look at it, and try again")
        for one in happened:
            desk.note(one)
        if after != before:
            text = to_toml(after.model_dump(mode="json")).encode()
            desk.note(Happened(What.CLINIC_CHANGED, by=Who.CLINIC, facts={"digest": sha256(text).hexdigest()}))
            folder.write(folder.clinic, text)
        roster = sign_anew(folder, after, desk, above=above)
        sign_people(folder, after, desk, above=above)
        return roster


def sign_anew(folder: Folder, book: ClinicFile, desk: Desk, *, above: int = 0) -> Roster | None:
    """Sign what the clinic's file says, where the newest roster says another thing; ``None`` where it does not.

    Where there is no recovery recipient yet there is no roster either, and the boxes go on as they were.

    Raises:
        UsageError, OutputError, StoreError: it cannot be made, noted or written.
    """
    if not book.recovery or (roster := next_roster(folder, book, desk.clock, above=above)) is None:
        return None
    before = standing(folder)
    old = frozenset[str]() if before is None else before.key_ids()
    document = sign_roster(roster, desk.key)
    facts: dict[str, Plain] = {
        "roster": roster.number,
        "digest": digest_of(document),
        "added": tuple(sorted(roster.key_ids() - old)),
        "removed": tuple(sorted(old - roster.key_ids())),
    }
    desk.note(Happened(What.ROSTER_SIGNED, by=Who.CLINIC, facts=facts))
    folder.write(folder.roster, document)
    return roster
