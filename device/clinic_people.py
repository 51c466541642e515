"""The people of a clinic as its boxes get them: who may use the page, and what each is; signed by the clinic's key.

It is apart from the roster because names are on it: a box keeps it where its page keeps its people, and nowhere else.
Nobody gets in by it: it holds no password, and a code with which somebody joins is made on the box. Pure.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from device.clinic_list import MOST_LISTED, ClinicList, KeyText, ListKind, Mark, Part, each_once
from device.errors import AdminError
from device.shapes import rule, then

LOGIN: Final = r"^[a-z0-9][a-z0-9._@+-]{0,63}$"
MOST_LETTERS_OF_A_NAME: Final = 80

RoleName = Literal["therapist", "supervisor", "admin"]


def is_name(text: str) -> bool:
    """Whether somebody can be called that on the page."""
    return bool(text.strip()) and len(text) <= MOST_LETTERS_OF_A_NAME and text.isprintable()


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f"a name has 1 to {MOST_LETTERS_OF_A_NAME} letters that can be printed")
    return text


class ListedPerson(Part):
    """One person. ``recipient``: that of their identity, by which their programs sign in."""

    mark: Mark
    login: Annotated[str, rule(pattern=LOGIN)]
    name: Annotated[str, then(_name)]
    roles: Annotated[tuple[RoleName, ...], rule(min_length=1, max_length=3)]
    supervisees: Annotated[tuple[Mark, ...], rule(max_length=MOST_LISTED)] = ()
    recipient: KeyText | None = None


class PeopleList(ClinicList):
    """All people of the clinic. Somebody is an admin: a page whose last admin went could let nobody in."""

    sotto_people: Literal[1] = 1
    people: Annotated[tuple[ListedPerson, ...], rule(min_length=1, max_length=MOST_LISTED)]

    def _check(self) -> None:
        super()._check()
        each_once("marks", [one.mark for one in self.people])
        each_once("logins", [one.login for one in self.people])
        if not any("admin" in one.roles for one in self.people):
            raise ValueError("nobody on it is an admin, so nobody could let the others in")
        known = {one.mark for one in self.people}
        for one in self.people:
            each_once("roles of somebody", one.roles)
            each_once("supervisees of somebody", one.supervisees)
            if not known.issuperset(one.supervisees):
                raise ValueError("somebody supervises a mark that nobody has")


PEOPLE_LISTS: Final = ListKind("people", "the list of people", "people.json", "people.file", PeopleList, AdminError)
