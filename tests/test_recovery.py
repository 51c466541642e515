"""Whatever a cut left, the next start makes a whole age file of it: no key, nothing durable lost, nothing made up."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from device.age.identities import KeyIdentity, generate_identity
from device.capture.sealer import Sealer
from device.errors import StoreError
from device.recording import (
    ATTACHMENTS_NAME,
    CHUNK_BYTES,
    CLOSING,
    LEDGER_NAME,
    MANIFEST_NAME,
    RECEIPTS_NAME,
    SESSION_NAME,
    WITHDRAWN_NAME,
)
from device.recording.index import Index
from device.recording.ledger import CLOSING_BYTES, RECORD_BYTES, digest_of, parse_ledger
from device.recording.manifest import RecordingState
from device.recovery import Recovered, recover
from device.sealed_file import SealedFile
from device.store import Store, read_manifest
from tests.support import Cut, cuts, fill, manifest_of, own_open, small_disk, stock_open, store_at

AT = "2026-03-02T10:00:00.000Z"
SEALED_BYTES = CHUNK_BYTES + 16
HEAD_BYTES = 56  # of a ledger
FRAGMENTS = (1, 1, 3, 1, 2, 1, 1, 4, 1, 1, 2, 1)  # in chunks; the first is the init segment, the last the end mark
CUT = "the power or the program ended"


@dataclass
class State:
    """The two files as they were when one ``append`` had returned."""

    session: bytes
    ledger: bytes
    plain_bytes: int
    end_us: int


class Kept:
    """A ``SealedFile`` whose states are remembered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = SealedFile(folder)
        self.states: list[State] = []
        self.appends: list[tuple[bytes, bytes, bytes]] = []

    def append(self, sealed: bytes, closing: bytes, records: bytes) -> None:
        self._file.append(sealed, closing, records)
        self.appends.append((sealed, closing, records))
        session = (self._folder / SESSION_NAME).read_bytes()
        self.states.append(State(session, (self._folder / LEDGER_NAME).read_bytes(), 0, 0))

    def close(self) -> None:
        self._file.close()


@dataclass
class Cast:
    """One recording made once, to be cut again and again."""

    recording_id: str
    identity: KeyIdentity
    manifest: bytes
    plain: bytes
    states: list[State]
    header_bytes: int
    appends: list[tuple[bytes, bytes, bytes]]
    ends: dict[int, int] = field(default_factory=dict)  # plaintext bytes at the end of each fragment → its end_us

    @property
    def session(self) -> bytes:
        return self.states[-1].session

    @property
    def ledger(self) -> bytes:
        return self.states[-1].ledger


def fragment(number: int, chunks: int) -> bytes:
    """Whole chunks that start with a box, no two alike."""
    body = random.Random(number).randbytes(chunks * CHUNK_BYTES - 8)
    return (len(body) + 8).to_bytes(4, "big") + b"moof" + body


def end_mark() -> bytes:
    mark = Index(rate_hz=48_000, samples=48_000 * 8, duration_us=8_000_000).box()
    room = CHUNK_BYTES - len(mark)
    return mark + room.to_bytes(4, "big") + b"free" + bytes(room - 8)


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    store = store_at(tmp_path_factory.mktemp("cast") / "store")
    folder = store.new_folder()
    store.write_manifest(manifest_of(folder.name))
    identity = generate_identity(post_quantum=False)
    kept = Kept(folder)
    sealer = Sealer([identity.recipient()], kept, on_durable=lambda _end_us, _size_bytes: None)
    plain, ends = b"", {}
    for number, chunks in enumerate(FRAGMENTS):
        content = end_mark() if number == len(FRAGMENTS) - 1 else fragment(number, chunks)
        plain += content
        ends[len(plain)] = number * 700_000
        sealer.write(content, number * 700_000)
        kept.states[-1].plain_bytes, kept.states[-1].end_us = len(plain), number * 700_000
    sealer.close()
    header_bytes = parse_ledger(kept.states[-1].ledger).payload_offset
    manifest = (folder / MANIFEST_NAME).read_bytes()
    return Cast(folder.name, identity, manifest, plain, kept.states, header_bytes, kept.appends, ends)


@pytest.fixture
def store() -> Iterator[Store]:
    """In memory where there is some: a thousand recoveries wait for the disk more than for anything else."""
    memory = Path("/dev/shm")  # noqa: S108
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield store_at(Path(folder) / "store")


def lay_out(store: Store, cast: Cast, session: bytes, ledger: bytes, *, recording_id: str | None = None) -> Path:
    """The recording's folder as a cut left it."""
    folder = store.path / (recording_id or cast.recording_id)
    folder.mkdir(exist_ok=True)
    (folder / SESSION_NAME).write_bytes(session)
    (folder / LEDGER_NAME).write_bytes(ledger)
    (folder / MANIFEST_NAME).write_bytes(cast.manifest)
    return folder


def check_recovered(store: Store, cast: Cast, done: list[Recovered], *, at_least: int) -> int:
    """The file is whole, and a prefix of the truth that ends at a fragment; how much plaintext it holds."""
    assert [recovered.what for recovered in done] == ["closed"]
    folder = store.folder(cast.recording_id)
    plain = own_open(folder / SESSION_NAME, cast.identity)
    assert plain.endswith(CLOSING)
    held = len(plain) - len(CLOSING)
    assert plain[:held] == cast.plain[:held]
    assert held in cast.ends
    assert held >= at_least, "a durable chunk was lost"
    manifest = read_manifest(folder)
    whole = held == len(cast.plain)
    assert manifest.state is (RecordingState.COMPLETE if whole else RecordingState.INTERRUPTED)
    assert manifest.end == (None if whole else CUT)
    assert manifest.duration_us == done[0].duration_us == cast.ends[held]
    assert manifest.chunks == held // CHUNK_BYTES
    assert manifest.size_bytes == (folder / SESSION_NAME).stat().st_size
    sealed = cast.session[cast.header_bytes : cast.header_bytes + manifest.chunks * SEALED_BYTES]
    pieces = (sealed[at : at + SEALED_BYTES] for at in range(0, len(sealed), SEALED_BYTES))
    assert manifest.digest == digest_of(sha256(piece).digest() for piece in pieces)
    assert manifest.digest_groups == (manifest.digest,)
    closing = (folder / SESSION_NAME).read_bytes()[-CLOSING_BYTES:]
    assert manifest.closing_digest == sha256(closing).hexdigest()
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST_NAME, SESSION_NAME]
    assert recover(store, at=AT) == [], "a second start finds nothing to do"
    return held


def whole_fragments(cast: Cast, session_bytes: int) -> int:
    """How much plaintext lies in fragments of which every byte is within the first ``session_bytes``."""
    chunks = max(0, session_bytes - cast.header_bytes) // SEALED_BYTES
    return max((end for end in cast.ends if end <= chunks * CHUNK_BYTES), default=0)


# -- cuts of the session file -----------------------------------------------------------------------------------------


def interesting_cuts(cast: Cast) -> list[int]:
    first = cast.header_bytes + SEALED_BYTES
    edges = [cast.header_bytes + chunk * SEALED_BYTES for chunk in range(1, sum(FRAGMENTS) + 1)]
    near = {edge + off for edge in edges for off in (-24, -16, -1, 0, 1, 8, 23, 24)}
    near |= {random.Random(11).randrange(first, len(cast.session)) for _ in range(300)}
    return sorted(at for at in near if first <= at <= len(cast.session))


def test_a_file_that_was_cut_at_any_byte_becomes_whole(store: Store, cast: Cast) -> None:
    for at in interesting_cuts(cast):
        lay_out(store, cast, cast.session[:at], cast.ledger)
        held = check_recovered(store, cast, recover(store, at=AT), at_least=0)
        assert held == whole_fragments(cast, at), at


@pytest.mark.parametrize("fragments", [1, 3, 8, len(FRAGMENTS)])
def test_stock_age_opens_what_was_recovered(store: Store, cast: Cast, fragments: int) -> None:
    state = cast.states[fragments - 1]
    folder = lay_out(store, cast, state.session[:-3], state.ledger)
    recover(store, at=AT)
    assert stock_open(folder / SESSION_NAME, cast.identity) == cast.plain[: state.plain_bytes] + CLOSING


def test_a_cut_before_the_first_chunk_was_whole_is_told_as_damaged(store: Store, cast: Cast) -> None:
    # The file has its name only once the first chunk is durable, so no cut of ours leaves this: a disk did.
    for at in (0, cast.header_bytes, cast.header_bytes + SEALED_BYTES - 1):
        folder = lay_out(store, cast, cast.session[:at], cast.ledger)
        assert [recovered.what for recovered in recover(store, at=AT)] == ["damaged"]
        assert (folder / SESSION_NAME).read_bytes() == cast.session[:at]


# -- cuts of the ledger -----------------------------------------------------------------------------------------------


def test_a_ledger_that_was_cut_at_any_record_still_closes_what_it_knows(store: Store, cast: Cast) -> None:
    records = sum(FRAGMENTS)
    for record in range(1, records + 1):
        for off in (-RECORD_BYTES // 2, -1, 0, 1, RECORD_BYTES // 2):
            at = HEAD_BYTES + record * RECORD_BYTES + off
            known = (at - HEAD_BYTES) // RECORD_BYTES
            if known < 1 or at > len(cast.ledger):
                continue
            lay_out(store, cast, cast.session, cast.ledger[:at])
            held = check_recovered(store, cast, recover(store, at=AT), at_least=0)
            assert held == max(end for end in cast.ends if end <= known * CHUNK_BYTES)


def test_the_head_of_the_ledger_has_the_size_that_these_tests_believe(cast: Cast) -> None:
    end = HEAD_BYTES + sum(FRAGMENTS) * RECORD_BYTES
    assert any(cast.ledger[end - RECORD_BYTES : end])
    assert not any(cast.ledger[end:]), "what follows is its room ahead"


# -- torn writes ------------------------------------------------------------------------------------------------------


def torn_states(cast: Cast, number: int, chance: random.Random) -> list[tuple[bytes, bytes]]:
    """Files that a cut within append ``number`` (from 1) can leave: any prefix of either write, in either order."""
    before, (sealed, closing, records) = cast.states[number - 1], cast.appends[number]
    end = len(before.session) - CLOSING_BYTES
    new = sealed + closing
    cut_at = [0, 1, 7, 23, 24, 25, SEALED_BYTES - 1, SEALED_BYTES, len(sealed), len(new) - 1, len(new)]
    cut_at += [chance.randrange(len(new)) for _ in range(4)]
    sessions = []
    for at in cut_at:
        torn = bytearray(before.session)
        torn[end : end + at] = new[:at]
        sessions.append(bytes(torn))
        # The file has grown, but its data has not come: zeros stand where it should be.
        hole = bytearray(before.session + bytes(len(new) - CLOSING_BYTES))
        hole[end : end + CLOSING_BYTES] = closing[:0] + before.session[end:]
        hole[end + len(new) - at : end + len(new)] = new[len(new) - at :]
        sessions.append(bytes(hole))
    ledgers = [before.ledger + records[:at] for at in (0, 1, RECORD_BYTES - 1, len(records) - 1, len(records))]
    ledgers.append(before.ledger + bytes(len(records)))
    return [(session, chance.choice(ledgers)) for session in sessions] + [(sessions[-2], ledger) for ledger in ledgers]


def test_a_torn_write_never_costs_what_was_durable_before(store: Store, cast: Cast) -> None:
    chance = random.Random(5)
    for number in range(1, len(FRAGMENTS)):
        for session, ledger in torn_states(cast, number, chance):
            lay_out(store, cast, session, ledger)
            held = check_recovered(store, cast, recover(store, at=AT), at_least=cast.states[number - 1].plain_bytes)
            assert held in {cast.states[number - 1].plain_bytes, cast.states[number].plain_bytes}


def test_what_every_append_made_durable_is_there_afterwards(store: Store, cast: Cast) -> None:
    for state in cast.states:
        lay_out(store, cast, state.session, state.ledger)
        assert check_recovered(store, cast, recover(store, at=AT), at_least=state.plain_bytes) == state.plain_bytes


def test_every_file_is_whole_between_two_appends_without_any_recovery(tmp_path: Path, cast: Cast) -> None:
    for state in cast.states:
        (tmp_path / "session").write_bytes(state.session)
        assert own_open(tmp_path / "session", cast.identity) == cast.plain[: state.plain_bytes] + CLOSING


def test_a_cut_while_writing_is_recovered_from_any_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The same, but by the real calls of ``SealedFile``: the power goes at the k-th of them.
    identity = generate_identity(post_quantum=False)
    rounds = 0
    for cut in cuts(monkeypatch):
        store = store_at(tmp_path / f"store-{rounds}")
        folder = store.new_folder()
        store.write_manifest(manifest_of(folder.name))
        durable: list[int] = []
        file = SealedFile(folder)
        sealer = Sealer([identity.recipient()], file, on_durable=lambda _e, _s, d=durable: d.append(1))
        with cut:
            for number in range(3):
                sealer.write(fragment(number, 1), number)
        file.close()
        done = recover(store, at=AT)
        if not durable and done[0].what == "removed":
            assert store.ids() == []
        else:
            chunks = read_manifest(folder).chunks
            assert len(durable) <= chunks <= len(durable) + 1
            plain = own_open(folder / SESSION_NAME, identity)
            assert plain == b"".join(fragment(number, 1) for number in range(chunks)) + CLOSING
        rounds += 1
    assert rounds > 12


# -- cuts of the recovery itself --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fragments", [2, 8, len(FRAGMENTS)])
def test_a_recovery_that_is_cut_anywhere_is_done_by_the_next(
    tmp_path: Path, cast: Cast, monkeypatch: pytest.MonkeyPatch, fragments: int
) -> None:
    state = cast.states[fragments - 1]
    before = cast.states[fragments - 2]
    for number, cut in enumerate(cuts(monkeypatch)):
        store = store_at(tmp_path / f"store-{number}")
        lay_out(store, cast, state.session[:-30], state.ledger)
        with cut:
            recover(store, at=AT)
        if (store.folder(cast.recording_id) / LEDGER_NAME).exists():
            check_recovered(store, cast, recover(store, at=AT), at_least=before.plain_bytes)
        assert recover(store, at=AT) == []
        plain = own_open(store.folder(cast.recording_id) / SESSION_NAME, cast.identity)
        assert len(plain) - len(CLOSING) == before.plain_bytes


def test_a_disk_that_fails_while_recovering_is_told_and_tried_again(
    tmp_path: Path, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(1, 9):
        store = store_at(tmp_path / f"store-{at}")
        lay_out(store, cast, cast.session[:-30], cast.ledger)
        with Cut(monkeypatch, at=at, error=OSError(5, "Input/output error")) as cut:
            done = recover(store, at=AT)
        if cut.happened and (store.folder(cast.recording_id) / LEDGER_NAME).exists():
            assert [recovered.what for recovered in done] == ["failed"]
            check_recovered(store, cast, recover(store, at=AT), at_least=0)


# -- everything else that can lie in a store --------------------------------------------------------------------------


def test_a_whole_recording_whose_ledger_stayed_is_complete(store: Store, cast: Cast) -> None:
    folder = lay_out(store, cast, cast.session, cast.ledger)
    done = recover(store, at=AT)
    assert check_recovered(store, cast, done, at_least=len(cast.plain)) == len(cast.plain)
    assert (folder / SESSION_NAME).read_bytes() == cast.session


@pytest.mark.parametrize("ledger", [b"", b"sotto ledger 1\n\0", bytes(2000)], ids=["empty", "torn", "zeros"])
def test_a_damaged_ledger_leaves_its_folder_alone_and_the_others_are_recovered(
    store: Store, cast: Cast, ledger: bytes
) -> None:
    lay_out(store, cast, cast.session[:-40], ledger, recording_id="000000-aaaaaaaaaa")
    lay_out(store, cast, cast.session[:-40], cast.ledger)
    done = {recovered.recording_id: recovered.what for recovered in recover(store, at=AT)}
    assert done == {"000000-aaaaaaaaaa": "damaged", cast.recording_id: "closed"}
    damaged = store.folder("000000-aaaaaaaaaa")
    assert (damaged / SESSION_NAME).read_bytes() == cast.session[:-40]
    assert (damaged / LEDGER_NAME).read_bytes() == ledger
    assert (damaged / MANIFEST_NAME).read_bytes() == cast.manifest


def test_a_flipped_bit_in_the_ledger_ends_it_there(store: Store, cast: Cast) -> None:
    ledger = bytearray(cast.ledger)
    ledger[HEAD_BYTES + 5 * RECORD_BYTES + 10] ^= 1
    lay_out(store, cast, cast.session, bytes(ledger))
    assert check_recovered(store, cast, recover(store, at=AT), at_least=0) == 5 * CHUNK_BYTES


def test_a_chunk_that_went_bad_long_ago_does_not_cost_what_follows(store: Store, cast: Cast) -> None:
    session = bytearray(cast.session[:-30])
    session[cast.header_bytes + 2 * SEALED_BYTES] ^= 1
    folder = lay_out(store, cast, bytes(session), cast.ledger)
    recover(store, at=AT)
    assert read_manifest(folder).chunks == sum(FRAGMENTS[:-1])


def test_a_folder_in_which_nothing_was_durable_is_removed(store: Store, cast: Cast) -> None:
    for names in ((), (MANIFEST_NAME,), (MANIFEST_NAME, LEDGER_NAME, f"{SESSION_NAME}.new", f"{MANIFEST_NAME}.new")):
        folder = store.new_folder()
        for name in names:
            (folder / name).write_bytes(b"something")
        assert recover(store, at=AT) == [Recovered(folder.name, "removed")]
        assert not folder.exists()


def test_a_withdrawn_recording_is_erased_at_the_next_start(store: Store, cast: Cast) -> None:
    folder = lay_out(store, cast, cast.session[:-40], cast.ledger)
    (folder / RECEIPTS_NAME).mkdir()
    (folder / WITHDRAWN_NAME).write_bytes(b"")
    assert recover(store, at=AT) == [Recovered(cast.recording_id, "erased")]
    certificate = json.loads((store.path / "erased" / f"{cast.recording_id}.json").read_bytes())
    assert certificate["payload"]["erased"] == AT
    assert store.ids() == []
    assert recover(store, at=AT) == []


def test_a_closed_recording_and_what_is_not_ours_are_left_alone(store: Store, cast: Cast) -> None:
    folder = lay_out(store, cast, cast.session, cast.ledger)
    (folder / LEDGER_NAME).unlink()
    (store.path / "lost+found").mkdir()
    (store.path / "notes.txt").write_text("not ours")
    assert recover(store, at=AT) == []
    assert (folder / SESSION_NAME).read_bytes() == cast.session
    assert len(list(store.path.iterdir())) == 3


def test_what_lies_beside_a_recording_that_was_cut_stays_and_so_does_whose_it_is(store: Store, cast: Cast) -> None:
    folder = lay_out(store, cast, cast.session[:-40], cast.ledger)
    store.write_manifest(read_manifest(folder).model_copy(update={"therapist": "0123456789ab"}))
    place = folder / ATTACHMENTS_NAME
    place.mkdir()
    (place / "label.age").write_bytes(b"sealed")
    (place / "note-001.age.new").write_bytes(b"half of it")
    assert [one.what for one in recover(store, at=AT)] == ["closed"]
    assert read_manifest(folder).therapist == "0123456789ab"
    assert [(path.name, path.read_bytes()) for path in place.iterdir()] == [("label.age", b"sealed")]


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    store.path.rmdir()
    with pytest.raises(StoreError, match="No such file"):
        recover(store, at=AT)


def test_a_recording_is_recovered_when_there_is_room_again(tmp_path: Path, cast: Cast) -> None:
    with small_disk(tmp_path / "disk", 4096) as disk:
        store = store_at(disk)
        state = cast.states[2]
        lay_out(store, cast, state.session, state.ledger)
        filling = fill(disk)
        assert [recovered.what for recovered in recover(store, at=AT)] == ["failed"]
        filling.unlink()
        assert check_recovered(store, cast, recover(store, at=AT), at_least=state.plain_bytes) == state.plain_bytes
