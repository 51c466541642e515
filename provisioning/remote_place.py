"""A recording at a remote, found by its id or by its path there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from device.recording import ATTACHMENTS_NAME, MANIFEST_NAME, REWRAPPED_NAME, SESSION_NAME, is_recording_id
from device.recording.beside import ASKED_NAMES, Kind, Wish
from device.recording.layout import ORDER_NAME
from device.remote import Remote, is_remote_name
from provisioning.attaching import MOST_ATTACHED_BYTES
from provisioning.box import Box
from provisioning.erase_orders import Judged, judge_order
from provisioning.errors import OrderedErasedError, UnreachableError, UsageError
from provisioning.headed_source import ANEW_FOLDER, HEAD_NAME, MOST_HEAD_BYTES, HeadedSource, anew_name
from provisioning.holdings import HeldRecording, Holdings, holdings
from provisioning.place import MOST_MANIFEST_BYTES
from provisioning.remote_source import RemoteSource, read_small
from provisioning.source import Source

_HOW = "give a recording's id, or a path at the remote, as `sotto-clinic list` shows them"
MOST_ORDER_BYTES = 64 * 1024
_MOST_WISH_BYTES = 4096


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """A recording that a remote holds (``place.Place``)."""

    remote: Remote = field(repr=False)
    held: HeldRecording

    @property
    def name(self) -> str:
        return self.held.recording

    def source(self) -> Source:
        size_bytes = self.held.session_bytes
        if size_bytes is None:
            raise UnreachableError(
                f"the remote holds no {SESSION_NAME} of {self.name}", "wait until the box has sent it"
            )
        name = self.held.name(SESSION_NAME)
        head = self._read(HEAD_NAME, most_bytes=MOST_HEAD_BYTES)  # the clinic made it anew
        return (
            RemoteSource(self.remote, name, size_bytes)
            if head is None
            else HeadedSource(self.remote, name, size_bytes, head)
        )

    def read_manifest(self) -> bytes | None:
        return self._read(MANIFEST_NAME, most_bytes=MOST_MANIFEST_BYTES)

    def read_rewrap(self) -> bytes | None:
        return self._read(REWRAPPED_NAME, most_bytes=MOST_MANIFEST_BYTES)

    def read_order(self) -> bytes | None:
        """The erase order's document, or ``None`` where there is none. Raises ``UnreachableError``."""
        return self._read(ORDER_NAME, most_bytes=MOST_ORDER_BYTES)

    def read_wish(self, wish: Wish) -> bytes | None:
        """What is asked for it, as its box signed it, or ``None`` where that is not. Raises ``UnreachableError``."""
        return self._read(ASKED_NAMES[wish], most_bytes=_MOST_WISH_BYTES)

    def has_sealed(self) -> bool:
        return self.held.session_bytes is not None

    def is_marked_withdrawn(self) -> bool:
        order = self.judged_order(frozenset())
        return order is not None and order.refused is None

    def attachments(self) -> tuple[str, ...]:
        return tuple(file.partition("/")[2] for file in self.held.attachments)

    def read_attachment(self, name: str) -> bytes:
        original = self.read_original(name)
        anew = self._read(anew_name(original), most_bytes=MOST_ATTACHED_BYTES) if self.is_shared_here else None
        return original if anew is None else anew

    @property
    def is_shared_here(self) -> bool:
        """Whether the clinic opened it to others at the remote itself: what it made anew lies apart."""
        return any(file == HEAD_NAME or file.startswith(f"{ANEW_FOLDER}/") for file in self.held.files)

    def read_original(self, name: str) -> bytes:
        """An attachment as the box sealed it. Raises ``UnreachableError``."""
        file = f"{ATTACHMENTS_NAME}/{name}"
        if file not in self.held.files:
            raise UnreachableError(f"there is no {name} beside {self.name}", "see what lies there with `note`")
        return read_small(self.remote, self.held.name(file), most_bytes=MOST_ATTACHED_BYTES)

    def put_review(self, _sealed: bytes, /) -> str:
        raise UsageError(
            "nothing is put beside a recording at a remote, but at its box", "name the box with --at, or a file with -o"
        )

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


@dataclass(frozen=True, slots=True)
class BoxPlace(RemotePlace):
    """A recording that is on a box (``place.Place``); its erase orders the box carries out itself."""

    box: Box

    def source(self) -> Source:
        return self.box.source(self.held.name(SESSION_NAME))

    def put_review(self, sealed: bytes, /) -> str:
        name = self.box.put_beside(self.name, Kind.REVIEW, sealed)
        return f"{self.box.address}: {self.name}/{ATTACHMENTS_NAME}/{name}"


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
    found = holdings(remote.names(name))
    if is_recording_id(name) and not found.recordings:  # its folder is somewhere further down
        found = _only(name, holdings(remote.names("")))
    if not found.recordings and not any(room.erased for room in found.rooms):
        raise UnreachableError(f"the remote holds no recording at {name}", _HOW)
    return found


def find_at(remote: Remote, text: str) -> RemotePlace:
    """The one recording at a remote that a person named. Raises as ``one_at``."""
    return RemotePlace(remote, one_at(remote, text))


def one_at(remote: Remote, text: str) -> HeldRecording:
    """The one recording that a person named.

    Raises:
        UsageError: several have that name, or nothing can have it.
        UnreachableError, SottoError: as ``held_at``.
    """
    recordings = held_at(remote, text).recordings
    if len(recordings) != 1:
        count = len(recordings) or "no"
        raise UsageError(f"there are {count} recordings at {text}", "name one of them, by its id or its path")
    return recordings[0]


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
