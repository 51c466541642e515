"""The audit log on the page: its end, and back from there; who it was stands beside each entry where it is known."""

from __future__ import annotations

from itertools import islice
from typing import Final

from flask import Blueprint, render_template, request

from device.audit import head_of
from device.recording.chain import AUDIT_NAME
from device.web.box.entries import entries, told
from device.web.house import House
from device.web.paging import number_of

_AT_ONCE: Final = 100


def audit(house: House) -> Blueprint:
    """The route ``/box/audit``; ``?before=NUMBER`` goes on from there."""
    blueprint = Blueprint("audit", __name__)

    @blueprint.get("/box/audit")
    def view() -> str:
        house.noting.must_view("audit")
        before = request.args.get("before")
        found = (entry for entry in entries(house.store) if before is None or entry["number"] < _number(before))
        shown = [told(entry) for entry in islice(found, _AT_ONCE)]
        folder = house.store.path / AUDIT_NAME
        head = str(head_of(folder)) if folder.is_dir() else ""
        older = shown[-1].number if len(shown) == _AT_ONCE and shown[-1].number > 1 else None
        names = {person.mark: person.name for person in house.people.persons()}
        return render_template("audit.html", entries=shown, head=head, older=older, newest=before is None, names=names)

    return blueprint


def _number(before: str) -> int:
    return number_of(before) if before else 1
