"""The list of people that follows from the clinic's file, as the pages of its boxes take it; pure."""

from __future__ import annotations

from device.clinic_people import ListedPerson, PeopleList
from device.shapes import ShapeError
from provisioning.clinic_file import ClinicFile
from provisioning.errors import UsageError
from provisioning.kit import first_fault


def has_admin(book: ClinicFile) -> bool:
    """Whether a list can be made at all: without an admin nobody could let the others in."""
    return any("admin" in one.roles for one in book.people)


def people_list_of(book: ClinicFile, *, number: int, made: str) -> PeopleList:
    """What the clinic's file comes to, by mark.

    Raises:
        UsageError: somebody cannot be on a box's page as they stand there.
    """
    try:
        people = tuple(
            ListedPerson(**one.model_dump(include=set(ListedPerson.__struct_fields__)))
            for one in sorted(book.people, key=lambda one: one.mark)
        )
        return PeopleList(number=number, made=made, boxes=book.rooms, people=people)
    except ShapeError as problem:
        raise UsageError(
            f"no list of people can be made of the clinic's file: {first_fault(problem)}",
            "correct it there; a login has small letters, digits, and . _ - @ +",
        ) from problem
