"""Boxes come, are enrolled, replaced and go: each a change of the clinic's file, and what the log is told; pure."""

from __future__ import annotations

import json
from typing import Any

from device.recording.audited import Happened, What, Who
from provisioning.clinic.people import Change
from provisioning.clinic_file import ClinicFile, KnownBox
from provisioning.errors import UsageError


def find(book: ClinicFile, name: str) -> KnownBox:
    """The box of that name. Raises ``UsageError``."""
    for one in book.boxes:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in book.boxes[:20]) or "none"
    raise UsageError(f"there is no box {name[:60]!r}", f"the clinic has {known}; `sotto-clinic device add` enters one")


def add(book: ClinicFile, *, name: str, room: str, address: str) -> Change:
    """A box comes; its room gets one if it had none. Raises ``UsageError``: a value will not do."""
    rooms = book.rooms if room in book.rooms else (*book.rooms, room)
    stands = [one for one in book.boxes if one.name == name]
    if stands and stands[0].address != address:
        raise UsageError(
            f"there is a box {name} at {stands[0].address} already", "give another name, or remove it first"
        )
    boxes = _as_json(book) if stands else [*_as_json(book), {"name": name, "address": address}]
    return Change(book.changed(rooms=rooms, boxes=boxes), ())


def enrol(book: ClinicFile, name: str, key: str) -> Change:
    """A box's key is known from now on. Raises ``UsageError``: another one is, and the box was not replaced."""
    known = find(book, name).device_key
    if known == key:
        return Change(book, ())
    if known is not None:
        raise UsageError(
            f"{name} has the key {known}, and what answers has {key}",
            f"if it was replaced: `sotto-clinic device replace … {name}`; else find out what answers there",
        )
    if key in book.device_keys():
        raise UsageError(f"{key} is the key of another box of this clinic", "look which box is plugged in there")
    changed = _with(book, name, {"device_key": key})
    return Change(changed, (Happened(What.BOX_ENROLLED, by=Who.CLINIC, facts={"added": (key,)}),))


def replace(book: ClinicFile, name: str) -> Change:
    """A new box comes in its place: what the old one signed holds on, and its key is nobody's way in any more."""
    one = find(book, name)
    if one.device_key is None:
        return Change(book, ())
    former = [*one.former_keys, one.device_key]
    changed = _with(book, name, {"device_key": None, "former_keys": former})
    return Change(changed, (Happened(What.BOX_GONE, by=Who.CLINIC, facts={"removed": (one.device_key,)}),))


def remove(book: ClinicFile, name: str, *, room: str) -> Change:
    """A box goes, and its room has none any more; what it signed holds on. Raises ``UsageError``: there is none."""
    one = find(book, name)
    keys = (*one.former_keys, *(() if one.device_key is None else (one.device_key,)))
    changed = book.changed(
        boxes=[box for box in _as_json(book) if box["name"] != name],
        rooms=[other for other in book.rooms if other != room],
        former_keys=[*book.former_keys, *keys],
    )
    gone = () if one.device_key is None else (one.device_key,)
    return Change(changed, (Happened(What.BOX_GONE, by=Who.CLINIC, facts={"removed": gone}),))


def _with(book: ClinicFile, name: str, values: dict[str, Any]) -> ClinicFile:
    return book.changed(boxes=[one | values if one["name"] == name else one for one in _as_json(book)])


def _as_json(book: ClinicFile) -> list[dict[str, Any]]:
    boxes: list[dict[str, Any]] = json.loads(book.model_dump_json())["boxes"]
    return boxes
