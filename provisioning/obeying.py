"""An erase order carried out at the remote with the clinic's own credentials, where the box may not erase there.

The order is kept first, as ``<room>/erased/<id>.json``; then all of the recording goes; then it is looked whether
anything is left. A cut anywhere is mended by the same command.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from device.errors import RemoteAbsentError, RemoteError
from device.recording.layout import ORDER_NAME
from provisioning.erase_orders import Judged
from provisioning.errors import UnreachableError
from provisioning.exits import ALTERED, DONE, NOT_SURE
from provisioning.listing import format_size
from provisioning.remote_place import RemotePlace
from provisioning.remote_source import read_small


@dataclass(frozen=True, slots=True)
class Obeyed:
    """What became of an erase order: carried out, or (``dry``) what would be; or refused, and why.

    ``others``: where the remote holds something of the same recording besides, in which no order waits.
    """

    place: RemotePlace
    judged: Judged
    dry: bool
    others: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """The exit code that it alone would have."""
        if self.judged.refused is not None:
            return ALTERED
        return NOT_SURE if self.others else DONE

    def lines(self) -> Iterator[str]:
        """It for a person."""
        held, order = self.place.held, self.judged.order
        if self.judged.refused is not None or order is None:
            yield f"{held.folder}: refused, nothing is erased"
            return
        what = "would be erased" if self.dry else "erased"
        size = f"{len(held.files)} files, {format_size(held.size_bytes)}"
        yield f"{held.folder}: {what} ({size}); ordered {order.ordered} by {order.by} (key {self.judged.key})"
        for other in self.others:
            yield f"note: {other} has the same id, and no order waits there: look at it, and erase it by hand"

    def as_json(self) -> dict[str, Any]:
        """It for a script."""
        order = self.judged.order
        return {
            "id": self.place.name,
            "path": self.place.held.folder,
            "exit_code": self.exit_code,
            "erased": self.judged.refused is None and not self.dry,
            "refused": self.judged.refused,
            "ordered": None if order is None else order.ordered,
            "by": None if order is None else str(order.by),
            "key": self.judged.key,
            "size_bytes": self.place.held.size_bytes,
            "others": list(self.others),
        }


def obey(place: RemotePlace, *, device_keys: frozenset[str], dry: bool, beside: Iterable[RemotePlace] = ()) -> Obeyed:
    """Carry out the order that waits beside a recording, if it holds; ``beside``: what else the remote holds.

    Raises:
        RemoteError: the remote refuses, or something is left after all.
        SottoError: it does not answer.
    """
    document = place.read_order()
    judged = place.judged_order(device_keys)
    if document is None or judged is None:
        raise UnreachableError(f"there is no {ORDER_NAME} any more in {place.held.folder}", "nothing; it is done")
    if judged.refused is not None and judged.order is not None and _was_begun(place, document, judged):
        judged = Judged(judged.order, judged.key)
    if judged.refused is None and not dry:
        _erase(place, document)
    twins = (other.held for other in beside if other.name == place.name)
    return Obeyed(place, judged, dry, tuple(twin.folder for twin in twins if not twin.is_ordered_erased))


def _was_begun(place: RemotePlace, document: bytes, judged: Judged) -> bool:
    """Whether this order was found to hold earlier and a cut came while it was carried out: the recording is gone.

    Its manifest may have gone, too, so that nothing says any more whose the rest is; but there is nothing to lose.
    """
    if place.has_sealed() or judged.order is None or judged.order.recording != place.name:
        return False
    try:
        return read_small(place.remote, place.held.erased_name, most_bytes=len(document)) == document
    except UnreachableError as problem:
        if isinstance(problem.__cause__, RemoteAbsentError):
            return False
        raise


def _erase(place: RemotePlace, document: bytes) -> None:
    place.remote.put(place.held.erased_name, io.BytesIO(document), replace=True)
    place.remote.erase(place.held.folder)
    left = next(iter(place.remote.names(place.held.folder)), None)
    if left is not None:
        raise RemoteError(
            f"{left.name} is still there although the remote said that it was erased",
            "see whether a lock or an older version keeps it (docs/clinic-server.md), then try again",
        )
