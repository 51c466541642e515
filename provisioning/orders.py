"""Makes an order for boxes (``device/orders.py``): signed by the clinic's key, noted in its log before it is there.

Its number is above all that the log knows, whatever they were about, so that one sequence serves for every kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from device.audit import newest_entries
from device.durable import write_private
from device.orders import About, Member, Order, digest_of, member_of, packed, sign_order
from device.recording.audited import Happened, What, Who
from device.recording.chain import AUDIT_NAME
from device.shapes import ShapeError
from provisioning.desk import Desk
from provisioning.errors import OutputError, UsageError
from provisioning.kit import first_fault

_PIECE_BYTES: Final = 1 << 20

Content: TypeAlias = bytes | Path
"""A file of an order: what is in it, or where it is."""


@dataclass(frozen=True, slots=True)
class Made:
    """An order that was signed. ``digest``: by which logs and boxes name it."""

    order: Order
    digest: str
    path: Path


def make_order(
    desk: Desk, about: About, files: Mapping[str, Content], *, boxes: Sequence[str], output: Path, above: int = 0
) -> Made:
    """Sign an order for ``boxes``, and write it to ``output``. ``files``: by name, in their order.

    ``above``: the highest number that boxes are known to have dealt with, where the log does not know it any more.

    Raises:
        UsageError: it would be too large, for no box, or a file cannot be read.
        OutputError: it cannot be written. The number is used up all the same.
        StoreError: it could not be noted; nothing was signed.
    """
    members = [_member(name, content) for name, content in files.items()]
    number = max(above, last_number(desk.folder)) + 1
    try:
        order = Order(number=number, boxes=tuple(boxes), made=desk.now(), what=about, files=tuple(members))
    except ShapeError as problem:
        raise UsageError(f"no order can be made of that: {first_fault(problem)}", "give fewer or smaller files") from (
            problem
        )
    document = sign_order(order, desk.key)
    facts = {"about": about, "order": number, "digest": digest_of(document)}
    desk.note(Happened(What.ORDER_SIGNED, by=Who.CLINIC, facts=facts))
    contents = zip(members, map(_pieces, files.values()), strict=True)
    _write(output, packed(document, contents))
    return Made(order, digest_of(document), output)


def last_number(desk: Path) -> int:
    """The highest number that an order of this desk had, by its log. Raises ``StoreError``."""
    folder = desk / AUDIT_NAME
    if not folder.is_dir():
        return 0
    signed = (one for one in newest_entries(folder) if one.get("what") == What.ORDER_SIGNED)
    return next((int(one["facts"]["order"]) for one in signed), 0)


def _member(name: str, content: Content) -> Member:
    try:
        return member_of(name, _pieces(content))
    except ShapeError as problem:
        raise UsageError(
            f"{name[:60]!r} can be no file of an order: {first_fault(problem)}", "take letters, digits and . _ - only"
        ) from problem


def _pieces(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    try:
        with content.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except OSError as problem:
        raise UsageError(f"{content} cannot be read: {problem.strerror}", "give another file") from problem


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    """Whole, or not at all."""
    try:
        write_private(path, pieces)
    except OSError as problem:
        raise OutputError(f"{path} cannot be written: {problem.strerror}", "choose another place") from problem
