"""A recording at a remote, found by its id or by its path there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from device.recording import MANIFEST_NAME, SESSION_NAME, is_recording_id
from device.recording.layout import ORDER_NAME
from device.remote import Remote, is_remote_name
from provisioning.erase_orders import Judged, judge_order
from provisioning.errors import OrderedErasedError, UnreachableError, UsageError
from provisioning.holdings import HeldRecording, Holdings, holdings
from provisioning.place import MOST_MANIFEST_BYTES
from provisioning.remote_source import RemoteSource, read_small

_HOW = "give a recording's id, or a path at the remote, as `sotto-clinic list` shows them"
MOST_ORDER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """A recording that a remote holds (``place.Place``)."""

    remote: Remote = field(repr=False)
    held: HeldRecording

    @property
    def name(self) -> str:
        return self.held.recording

    def source(self) -> RemoteSource:
        size_bytes = self.held.session_bytes
        if size_bytes is None:
            raise UnreachableError(
                f"the remote holds no {SESSION_NAME} of {self.name}", "wait until the box has sent it"
            )
        return RemoteSource(self.remote, self.held.name(SESSION_NAME), size_bytes)

    def read_manifest(self) -> bytes | None:
        return self._read(MANIFEST_NAME, most_bytes=MOST_MANIFEST_BYTES)

    def read_order(self) -> bytes | None:
        """The erase order's document, or ``None`` where there is none. Raises ``UnreachableError``."""
        return self._read(ORDER_NAME, most_bytes=MOST_ORDER_BYTES)

    def has_sealed(self) -> bool:
        return self.held.session_bytes is not None

    def is_marked_withdrawn(self) -> bool:
        order = self.judged_order(frozenset())
        return order is not None and order.refused is None

    def judged_order(self, device_keys: frozenset[str]) -> Judged | None:
        """What is to be thought of the erase order that waits here; ``None`` where none does."""
        document = self.read_order()
        if document is None:
            return None
        return judge_order(document, self.name, manifest=self.read_manifest(), device_keys=device_keys)

    def let_be_if_ordered_erased(self) -> None:
        """Raises ``OrderedErasedError`` where an erase order waits here that holds."""
        if self.is_marked_withdrawn():
            raise OrderedErasedError(
                f"an erase order for {self.name} waits: nobody is to open it or to fetch it",
                "carry the order out with `sotto-clinic erase-ordered`",
            )

    def _read(self, file: str, *, most_bytes: int) -> bytes | None:
        if file not in self.held.files:
            return None
        return read_small(self.remote, self.held.name(file), most_bytes=most_bytes)


def held_at(remote: Remote, text: str | None) -> Holdings:
    """What the remote holds of what a person named: a recording's id, a path at the remote, or (``None``) all.

    Raises:
        UsageError: that can name nothing there.
        UnreachableError: there is nothing of that name.
        SottoError: the remote does not answer, or refuses.
    """
    if text is None:
        return holdings(remote.names(""))
    name = text.strip("/")
    if not is_remote_name(name):
        raise UsageError(f"{text[:80]!r} can be no name at a remote", _HOW)
    found = _only(name, holdings(remote.names(""))) if is_recording_id(name) else holdings(remote.names(name))
    if not found.recordings and not any(room.erased for room in found.rooms):
        raise UnreachableError(f"the remote holds no recording at {name}", _HOW)
    return found


def find_at(remote: Remote, text: str) -> RemotePlace:
    """The one recording that a person named.

    Raises:
        UsageError: several have that name, or nothing can have it.
        UnreachableError, SottoError: as ``held_at``.
    """
    recordings = held_at(remote, text).recordings
    if len(recordings) != 1:
        count = len(recordings) or "no"
        raise UsageError(f"there are {count} recordings at {text}", "name one of them, by its id or its path")
    return RemotePlace(remote, recordings[0])


def _only(recording: str, found: Holdings) -> Holdings:
    """What there is of one recording; nothing else, and nothing strange."""
    rooms = [
        replace(
            room,
            recordings=[one for one in room.recordings if one.recording == recording],
            erased=[one for one in room.erased if one == recording],
        )
        for room in found.rooms
    ]
    return Holdings([room for room in rooms if room.recordings or room.erased])
