"""The order that brings a version: its facts and its image, as the clinic signed them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from device.errors import UpdateError
from device.orders import Member, Order, check_names, check_order, members_of, read_order
from device.updating import FACTS_NAME, Facts, Offer, read_facts

UPDATE: Final = "update"
MOST_FACTS_BYTES: Final = 4096


def names_of(facts: Facts) -> Sequence[str]:
    """What such an order holds, in this order."""
    return FACTS_NAME, facts.image


def read_update(source: BinaryIO, *, clinic_key: bytes, box: str, last: int) -> tuple[Offer, Iterator[bytes]]:
    """What an order offers to this box, and its image in pieces: they end only where all of it is what was signed.

    ``clinic_key``: the clinic's public key, 32 bytes. ``last``: the number of the last order about updates.

    Raises:
        OrderError: it is not what the clinic signed, or not for this box; so may the pieces.
        UpdateError: it brings no version.
        OSError: it cannot be read; so may the pieces.
    """
    order = read_order(source, clinic_key=clinic_key)
    check_order(order, box=box, last=last)
    if order.what != UPDATE or order.files[0].size_bytes > MOST_FACTS_BYTES:
        raise UpdateError("that order brings no version", "give the file that `sotto-clinic update make` wrote")
    members = members_of(source, order)
    _, pieces = next(members)
    facts = read_facts(b"".join(pieces))
    check_names(order, names_of(facts))
    image, pieces = next(members)
    return offer_of(order, facts, image), _to_the_end(pieces, members)


def offer_of(order: Order, facts: Facts, image: Member) -> Offer:
    """A version as that order brings it."""
    return Offer(order.number, facts, size_bytes=image.size_bytes, sha256=image.sha256)


def _to_the_end(pieces: Iterator[bytes], members: Iterator[tuple[Member, Iterator[bytes]]]) -> Iterator[bytes]:
    yield from pieces
    for _ in members:
        pass
