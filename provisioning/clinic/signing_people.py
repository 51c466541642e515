"""The list of people beside the roster: names and logins do not belong into that, and the boxes' pages need them."""

from __future__ import annotations

from device.clinic_list import digest_of
from device.clinic_people import PEOPLE_LISTS, PeopleList
from device.clock import Clock, wire_time
from device.errors import AdminError
from device.recording.audited import Happened, Plain, What, Who
from provisioning.clinic.folder import Folder
from provisioning.clinic.people_lists import has_admin, people_list_of
from provisioning.clinic_file import ClinicFile
from provisioning.desk import Desk
from provisioning.errors import UsageError


def next_people_list(folder: Folder, book: ClinicFile, clock: Clock, *, above: int = 0) -> PeopleList | None:
    """The list that ``book`` comes to; ``None`` where the newest one says just that, or there was no admin yet.

    Raises:
        UsageError, StoreError: none can be made of it, or the folder cannot be read.
    """
    if not book.rooms:
        return None
    if not has_admin(book):
        if folder.people_list.exists():
            raise UsageError(
                "nobody would be an admin of the boxes' pages any more", "make somebody else one first: --role admin"
            )
        return None
    before = _standing(folder)
    last = folder.last_number(What.PEOPLE_SIGNED, "people_list")
    number = max(above, last, 0 if before is None else before.number) + 1
    after = people_list_of(book, number=number, made=wire_time(clock.utc()))
    if before is None or before.number <= above:
        return after
    same = after.model_copy(update={"number": before.number, "made": before.made}) == before
    return None if same else after


def sign_people(folder: Folder, book: ClinicFile, desk: Desk, *, above: int = 0) -> PeopleList | None:
    """Sign what the clinic's file says of people, where the newest list says another thing; ``None`` where it does not.

    Raises:
        UsageError, OutputError, StoreError: it cannot be made, noted or written.
    """
    listed = next_people_list(folder, book, desk.clock, above=above)
    if listed is None:
        return None
    document = PEOPLE_LISTS.sign(listed, desk.key)
    facts: dict[str, Plain] = {"people_list": listed.number, "digest": digest_of(document)}
    desk.note(Happened(What.PEOPLE_SIGNED, by=Who.CLINIC, facts=facts))
    folder.write(folder.people_list, document)
    return listed


def _standing(folder: Folder) -> PeopleList | None:
    """The newest list; one that was damaged counts as none, because a new one heals it."""
    try:
        return folder.read_people_list()
    except AdminError:
        return None
