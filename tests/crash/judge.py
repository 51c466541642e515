"""What recovery makes of a disk after a power cut, and whether it fits what was promised before (``promises.py``)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from device.age.errors import AgeError
from device.age.identities import KeyIdentity
from device.capture.waiting import WaitingRoom
from device.errors import DamagedError, SottoError
from device.recording import (
    ATTACHMENTS_NAME,
    CHUNK_BYTES,
    CLOSING,
    ERASE_ORDERS_NAME,
    ERASED_NAME,
    MANIFEST_NAME,
    RECEIPTS_NAME,
    SESSION_NAME,
    is_recording_id,
)
from device.recording.beside import kind_of
from device.recording.erasure import CERTIFICATE_KIND, ORDER_KIND
from device.recording.index import parse_index
from device.recording.ledger import digest_of
from device.recording.manifest import Manifest, RecordingState
from device.recording.signing import verify
from device.recovery import recover
from device.store import Store, read_manifest
from device.waiting import WAITING_NAME
from tests.crash.model import State
from tests.crash.play import AT, store_of
from tests.crash.promises import WITHDRAWN, Piece, Promise
from tests.support import own_open

SECOND_US = 1_000_000
_SEALED_BYTES = CHUNK_BYTES + 16
HEADER = b"age-encryption.org/"


# -- what recovery made of it -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """One recording after recovery: its manifest, and how many pieces of the truth its file holds."""

    manifest: Manifest
    pieces: int
    receipts: frozenset[str]
    beside: dict[str, str]  # the names of its attachments, and the digests of what is in them


@dataclass
class Outcome:
    """What was found before recovery, what it did, and what is wrong whatever was promised."""

    before: dict[str, frozenset[str]] = field(default_factory=dict)  # names in each folder
    opens: frozenset[str] = frozenset()  # recordings whose file is a whole age file as the cut left it
    certificates_before: frozenset[str] = frozenset()
    found: dict[str, Found] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)  # the digests of what waits for a recording
    certificates: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a sealed file turned out to be: ``pieces`` of the truth and nothing else, where ``wrong`` is empty."""

    opens: bool
    pieces: int = 0
    chunks: int = 0
    ends: bool = False
    header_digest: str = ""
    digest: str = ""
    wrong: tuple[str, ...] = ()


class Opener:
    """Opens sealed files with our own ``device.age``; one that was seen before is not opened again."""

    def __init__(self, identity: KeyIdentity) -> None:
        self._identity = identity
        self._seen: dict[bytes, Sealed] = {}

    def open(self, path: Path, pieces: list[Piece]) -> Sealed:
        """Open a file and compare it with all that was ever handed to its sealer."""
        try:
            sealed = path.read_bytes()
        except OSError:
            return Sealed(opens=False)
        known = sha256(sealed).digest()
        if known not in self._seen:
            self._seen[known] = self._open(path, sealed, pieces)
        return self._seen[known]

    def _open(self, path: Path, sealed: bytes, pieces: list[Piece]) -> Sealed:
        try:
            plain = own_open(path, self._identity)
        except (AgeError, OSError):
            return Sealed(opens=False)
        wrong: list[str] = []
        if not plain.endswith(CLOSING):
            wrong.append("it does not end with a closing")
        plain = plain[: -len(CLOSING)]
        held = _pieces_in(plain, pieces, wrong)
        _check_boxes(plain, wrong)
        chunks = len(plain) // CHUNK_BYTES
        first = len(sealed) - 24 - chunks * _SEALED_BYTES
        ends = parse_index(plain[-CHUNK_BYTES:]) is not None
        at_chunks = range(first, len(sealed) - 24, _SEALED_BYTES)
        digest = digest_of(sha256(sealed[at : at + _SEALED_BYTES]).digest() for at in at_chunks)
        return Sealed(True, held, chunks, ends, sha256(sealed[:first]).hexdigest(), digest, tuple(wrong))


def beside_of(name: str) -> str:
    """What stands for all that lies beside a recording."""
    return f"{name}/{ATTACHMENTS_NAME}"


def lay_out(state: State, path: Path) -> Store:
    """Put a state where a store is; what was there goes."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    for name, content in state.tree.items():
        if content is None:
            (path / name).mkdir()
        else:
            (path / name).write_bytes(content)
    _link_again(path)
    return store_of(path)


def _link_again(path: Path) -> None:
    """What waits and lies beside a recording as well is one file under two names: no two seals are alike."""
    beside = {one.read_bytes(): one for one in path.glob(f"*/{ATTACHMENTS_NAME}/*.age") if one.stat().st_size}
    for one in path.glob(f"{WAITING_NAME}/*.age"):
        if (other := beside.get(one.read_bytes())) is not None:
            one.unlink()
            one.hardlink_to(other)


def examine(state: State, path: Path, pieces: dict[str, list[Piece]], opener: Opener) -> Outcome:
    """Lay a state out, start the box on it, and see what it makes of it."""
    store = lay_out(state, path)
    outcome = Outcome(certificates_before=frozenset(_certificates(store, [])))
    outcome.before = {name: frozenset(entry.name for entry in store.folder(name).iterdir()) for name in store.ids()}
    outcome.opens = frozenset(
        name for name in outcome.before if opener.open(store.folder(name) / SESSION_NAME, pieces.get(name, [])).opens
    )
    _recover_twice(store, outcome)
    WaitingRoom(store.path).tidy()
    outcome.waiting = [_digest(one) for one in (store.path / WAITING_NAME).glob("*.age")]
    outcome.certificates = frozenset(_certificates(store, outcome.wrong))
    outcome.orders = frozenset(_signed(store, ERASE_ORDERS_NAME, ORDER_KIND, outcome.wrong))
    for name in store.ids():
        found = _find(store, name, pieces.get(name, []), opener, outcome.wrong)
        if found is not None:
            outcome.found[name] = found
    return outcome


def _recover_twice(store: Store, outcome: Outcome) -> None:
    try:
        done = recover(store, at=AT)
    except SottoError as problem:
        outcome.wrong.append(f"recovery failed: {problem.what}")
        return
    outcome.wrong += [f"{it.recording_id} was left {it.what}" for it in done if it.what in {"failed", "damaged"}]
    once = snapshot(store.path)
    if again := recover(store, at=AT):
        outcome.wrong.append(f"a second recovery had something to do: {again}")
    if snapshot(store.path) != once:
        outcome.wrong.append("a second recovery changed something")


def snapshot(path: Path) -> dict[str, tuple[int, int] | None]:
    """Every name below a folder, with what would change if somebody wrote there."""
    entries = sorted(path.rglob("*"))
    return {str(e): None if e.is_dir() else (e.stat().st_size, e.stat().st_mtime_ns) for e in entries}


def _certificates(store: Store, wrong: list[str]) -> list[str]:
    return _signed(store, ERASED_NAME, CERTIFICATE_KIND, wrong)


def _signed(store: Store, folder: str, kind: str, wrong: list[str]) -> list[str]:
    """The recordings that documents of a kind are about."""
    found = []
    for entry in sorted((store.path / folder).glob("*")):
        if entry.suffix != ".json":
            if entry.suffix == ".new":
                wrong.append(f"{entry.name} was left among the documents of kind {kind}")
            continue
        try:
            payload = verify(kind, entry.read_bytes()).payload
        except DamagedError as problem:
            wrong.append(f"a document of kind {kind} does not hold: {problem.what}")
            continue
        if payload["recording"] == entry.stem:
            found.append(entry.stem)
    return found


def _find(store: Store, name: str, pieces: list[Piece], opener: Opener, wrong: list[str]) -> Found | None:
    folder = store.folder(name)
    names = {entry.name for entry in folder.iterdir()}
    if odd := names - {SESSION_NAME, MANIFEST_NAME, RECEIPTS_NAME, ATTACHMENTS_NAME}:
        wrong.append(f"{name}: {sorted(odd)} was left")
    sealed = opener.open(folder / SESSION_NAME, pieces)
    wrong += [f"{name}: {what}" for what in sealed.wrong]
    try:
        manifest = read_manifest(folder)
    except DamagedError as problem:
        wrong.append(f"{name}: {problem.what}")
        return None
    if not sealed.opens:
        wrong.append(f"{name}: its file cannot be opened")
        return None
    _check_manifest(manifest, (folder / SESSION_NAME).stat().st_size, sealed, pieces, wrong)
    receipts = folder / RECEIPTS_NAME
    there = frozenset(entry.name for entry in receipts.iterdir()) if receipts.is_dir() else frozenset[str]()
    beside = {one.name: _digest(one) for one in (folder / ATTACHMENTS_NAME).glob("*")}
    return Found(manifest, sealed.pieces, there, beside)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _pieces_in(plain: bytes, pieces: list[Piece], wrong: list[str]) -> int:
    """How many whole pieces of the truth the plaintext is; anything else in it is wrong."""
    at = 0
    for number, piece in enumerate(pieces):
        if at == len(plain):
            return number
        if sha256(plain[at : at + piece.size_bytes]).hexdigest() != piece.digest:
            wrong.append(f"piece {number} is not what was recorded")
            return number
        at += piece.size_bytes
    if at != len(plain):
        wrong.append("there is more in the file than was ever recorded")
    return len(pieces)


def _check_boxes(plain: bytes, wrong: list[str]) -> None:
    """Boxes fill the file to its end, and one starts at each chunk that is not inside one (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at < len(plain):
        size = int.from_bytes(plain[at : at + 4], "big")
        if size < 8 or plain[at + 4 : at + 8] not in {b"ftyp", b"moov", b"moof", b"mdat", b"free", b"uuid"}:
            break
        at += size
    if at != len(plain) or (plain and plain[4:8] != b"ftyp"):
        wrong.append("its boxes do not fill it")


def _check_manifest(manifest: Manifest, size_bytes: int, sealed: Sealed, pieces: list[Piece], wrong: list[str]) -> None:
    state = RecordingState.COMPLETE if sealed.ends else RecordingState.INTERRUPTED
    facts = (manifest.state, manifest.chunks, manifest.size_bytes, manifest.digest, manifest.header_digest)
    if facts != (state, sealed.chunks, size_bytes, sealed.digest, sealed.header_digest):
        wrong.append(f"{manifest.id}: its manifest says {facts}, and that is not so")
    held = pieces[: sealed.pieces]
    if held and manifest.duration_us != held[-1].end_us:
        wrong.append(f"{manifest.id}: its manifest says {manifest.duration_us} us, and it has {held[-1].end_us}")
    if manifest.state is RecordingState.INTERRUPTED and not manifest.end:
        wrong.append(f"{manifest.id}: nothing says why it was interrupted")


# -- whether they fit -------------------------------------------------------------------------------------------------


def broken(
    outcome: Outcome, promises: dict[str, Promise], pieces: dict[str, list[Piece]], headers: frozenset[str]
) -> list[str]:
    """Every promise that was not kept; empty where all were.

    ``headers``: recordings whose header the cut left somewhere on the disk, whether a name leads to it or not; and
    (``beside_of``) those beside which something lay whose header was left.
    """
    wrong = list(outcome.wrong)
    for name, promise in promises.items():
        if is_recording_id(name):
            wrong += _broken(name, promise, outcome, headers)
    for name in outcome.found.keys() - promises.keys():
        wrong.append(f"{name}: nobody ever recorded that")
    return wrong


def _broken(name: str, promise: Promise, outcome: Outcome, headers: frozenset[str]) -> list[str]:
    found, certified = outcome.found.get(name), name in outcome.certificates
    if promise.fates == {WITHDRAWN} or (WITHDRAWN in promise.fates and certified):
        return _broken_withdrawal(name, promise, outcome, headers)
    wrong = [f"{name}: erased, and nobody had withdrawn it"] if certified else []
    if found is not None:
        return wrong + _broken_recording(name, promise, outcome, found)
    if promise.durable:
        wrong.append(f"{name}: {promise.durable} durable pieces are lost with the whole recording")
    if promise.taken_us > SECOND_US:
        wrong.append(f"{name}: {promise.taken_us} us of sound are lost with the whole recording")
    return wrong


def _broken_recording(name: str, promise: Promise, outcome: Outcome, found: Found) -> list[str]:
    wrong, manifest = [], found.manifest
    if found.pieces < promise.durable:
        wrong.append(f"{name}: {promise.durable} pieces were durable, {found.pieces} are left")
    lost_us = promise.taken_us - manifest.duration_us
    if lost_us > SECOND_US:
        wrong.append(f"{name}: {lost_us} us of sound are lost")
    at_rest = promise.handed == promise.durable and promise.durable > 0 and not promise.erasing
    if at_rest and name not in outcome.opens:
        wrong.append(f"{name}: between two writes its file was no whole age file")
    if promise.complete and manifest.state is not RecordingState.COMPLETE:
        wrong.append(f"{name}: it was complete, and is called {manifest.state}")
    said = (len(manifest.bookmarks_us), len(manifest.consent_events), sum(gap.samples for gap in manifest.gaps))
    if any(now < then for now, then in zip(said, promise.noted, strict=True)):
        wrong.append(f"{name}: its manifest knew {promise.noted} and knows {said}")
    if missing := promise.receipts - found.receipts:
        wrong.append(f"{name}: its receipts {sorted(missing)} are lost")
    return wrong + _broken_beside(name, promise, outcome, found)


def _broken_beside(name: str, promise: Promise, outcome: Outcome, found: Found) -> list[str]:
    """What was given for it is whole wherever it has its name, in one place, and stays once that was durable."""
    under_their_names = [digest for file, digest in found.beside.items() if kind_of(file) is not None]
    wrong = [
        f"{name}: {file} beside it is torn or nobody's"
        for file, digest in found.beside.items()
        if kind_of(file) is not None and digest not in promise.giving
    ]
    wrong += [f"{name}: what waits is torn" for digest in outcome.waiting if digest not in promise.giving]
    if odd := [file for file in found.beside if kind_of(file) is None]:
        wrong.append(f"{name}: {odd} was left beside it")
    if set(under_their_names) & set(outcome.waiting):
        wrong.append(f"{name}: what lies beside it still waits")
    for file, digest in promise.given:
        if not file and digest not in [*outcome.waiting, *under_their_names]:
            wrong.append(f"{name}: what waited is lost")
        if file and file not in found.beside:
            wrong.append(f"{name}: {file} is lost")
        if file and not promise.under_way and found.beside.get(file) != digest:
            wrong.append(f"{name}: {file} is not what was kept last")
    return wrong


def _broken_withdrawal(name: str, promise: Promise, outcome: Outcome, headers: frozenset[str]) -> list[str]:
    wrong = []
    if name in outcome.found:
        wrong.append(f"{name}: withdrawn, and still there")
    if name not in outcome.certificates:
        wrong.append(f"{name}: withdrawn, and there is no certificate that it was erased")
    elif name not in outcome.orders:
        wrong.append(f"{name}: withdrawn, and there is no order for the remote to erase it")
    gone = promise.erasing and SESSION_NAME not in outcome.before.get(name, ())
    if name in headers and (gone or name in outcome.certificates_before):
        wrong.append(f"{name}: its header is still on the disk, and nothing will overwrite it any more")
    if promise.erased and beside_of(name) in headers:
        wrong.append(f"{name}: it was called erased, and the header of something beside it is still on the disk")
    if promise.erased and (name in outcome.before or name not in outcome.certificates_before):
        wrong.append(f"{name}: it was called erased before it was")
    return wrong
