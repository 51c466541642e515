"""The sealer: at every moment a complete age file, each (counter, flag) pair for one plaintext only."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from device.age.chunks import SEALED_CHUNK_BYTES
from device.age.errors import DamagedChunkError, NoRecipientError
from device.age.opening import decrypt, open_header
from device.capture.packets import SoundFormat, Wire
from device.capture.sealer import Sealer
from device.errors import StoreError
from device.recording import CHUNK_BYTES, CLOSING
from device.recording.ledger import CLOSING_BYTES, Ledger, digest_of, parse_ledger

STEREO = SoundFormat(48_000, 2, Wire.S24_3LE)


@dataclass
class File:
    """A file and its ledger in memory, with every state that was ever on disk; breaks at a given append."""

    breaks_at: int | None = None
    data: bytes = b""
    ledger: bytes = b""
    snapshots: list[bytes] = field(default_factory=list)
    closings: list[bytes] = field(default_factory=list)
    appends: int = 0
    closed: int = 0

    def append(self, sealed: bytes, closing: bytes, records: bytes) -> None:
        self.appends += 1
        if self.appends - 1 == self.breaks_at:
            raise StoreError("the disk is gone", "buy another")
        self.ledger += records
        self.data += sealed
        self.closings.append(closing)
        self.snapshots.append(self.data + closing)

    def close(self) -> None:
        self.closed += 1


def sealer(file: File, key: Any, durable: list[tuple[int, int]] | None = None) -> Sealer:
    told = durable if durable is not None else []
    return Sealer([key.identity.recipient()], file, on_durable=lambda end_us, size: told.append((end_us, size)))


def fragment(number: int, chunks: int = 1) -> bytes:
    return bytes([number]) * (CHUNK_BYTES * chunks)


def chunks_of(plaintext: bytes) -> list[bytes]:
    return [plaintext[at : at + CHUNK_BYTES] for at in range(0, len(plaintext), CHUNK_BYTES)]


@pytest.fixture
def sealed(key: Any) -> tuple[File, bytes, Sealer]:
    """A file of seven chunks in five fragments, and its plaintext without the closing."""
    file = File()
    made = sealer(file, key)
    plaintext = b""
    for number, chunks in enumerate((1, 1, 3, 1, 1)):
        plaintext += fragment(number, chunks)
        made.write(fragment(number, chunks), number * 1000)
    return file, plaintext, made


def test_after_every_write_stock_age_opens_the_whole_file(key: Any, sealed: tuple[File, bytes, Sealer]) -> None:
    file, plaintext, _ = sealed
    ends = [1, 2, 5, 6, 7]
    for snapshot, chunks in zip(file.snapshots, ends, strict=True):
        expected = plaintext[: chunks * CHUNK_BYTES] + CLOSING
        assert key.opened(snapshot) == expected
        opened = io.BytesIO()
        decrypt(io.BytesIO(snapshot), opened, [key.identity])
        assert opened.getvalue() == expected


def test_a_recording_from_microphone_to_age_is_opened_by_stock_programs(
    key: Any, make: Any, mux: Callable[..., Any], player: Any, tmp_path: Any
) -> None:
    data = make.noise(STEREO, 48_000)
    file = File()
    made = sealer(file, key)
    for write in mux(STEREO, data).writes:
        made.write(write, 0)
    opened = tmp_path / "session.mp4"
    opened.write_bytes(key.opened(file.snapshots[-1]))
    assert player.samples(opened, STEREO.wire) == data


def test_each_counter_and_flag_seals_one_plaintext_only(key: Any, sealed: tuple[File, bytes, Sealer]) -> None:
    """Two plaintexts under one nonce would give both away: so every state that was on disk is opened and compared."""
    file, _, _ = sealed
    cipher, offset = open_header(io.BytesIO(file.snapshots[-1]), [key.identity])
    seen: dict[tuple[int, bool], set[tuple[bytes, bytes]]] = {}
    for snapshot in file.snapshots:
        payload = snapshot[offset:]
        count = len(payload) // SEALED_CHUNK_BYTES
        for counter in range(count):
            part = payload[counter * SEALED_CHUNK_BYTES : (counter + 1) * SEALED_CHUNK_BYTES]
            pair = seen.setdefault((counter, False), set())
            pair.add((part, cipher.open(counter, part, last=False)))
        rest = payload[count * SEALED_CHUNK_BYTES :]
        seen.setdefault((count, True), set()).add((rest, cipher.open(count, rest, last=True)))
    assert all(len(each) == 1 for each in seen.values())
    assert {plaintext for (_, last), each in seen.items() if last for _, plaintext in each} == {CLOSING}
    assert sorted(counter for counter, last in seen if last) == [1, 2, 5, 6, 7]


def test_a_file_cut_inside_a_fragment_is_not_complete(key: Any, sealed: tuple[File, bytes, Sealer]) -> None:
    file, _, _ = sealed
    for cut in (1, CLOSING_BYTES, CLOSING_BYTES + 1, SEALED_CHUNK_BYTES):
        with pytest.raises(DamagedChunkError):
            decrypt(io.BytesIO(file.snapshots[-1][:-cut]), io.BytesIO(), [key.identity])


def ledger_of(file: File) -> Ledger:
    return parse_ledger(file.ledger)


def test_the_ledger_has_the_digest_of_every_sealed_chunk(key: Any, sealed: tuple[File, bytes, Sealer]) -> None:
    file, _, made = sealed
    ledger = ledger_of(file)
    _, offset = open_header(io.BytesIO(file.snapshots[-1]), [key.identity])
    assert ledger.payload_offset == offset
    assert ledger.header_digest == sha256(file.data[:offset]).digest()
    parts = [file.data[at : at + SEALED_CHUNK_BYTES] for at in range(offset, len(file.data), SEALED_CHUNK_BYTES)]
    assert [record.digest for record in ledger.records] == [sha256(part).digest() for part in parts]
    assert [record.end_us for record in ledger.records] == [0, 1000, 2000, 2000, 2000, 3000, 4000]
    assert made.digests.whole == digest_of(sha256(part).digest() for part in parts)
    assert made.digests.groups == (made.digests.whole,)
    assert made.closing_digest == sha256(file.snapshots[-1][len(file.data) :]).hexdigest()
    assert made.chunks == 7
    assert made.size_bytes == len(file.snapshots[-1])


def test_the_ledgers_closings_are_those_of_the_file(sealed: tuple[File, bytes, Sealer]) -> None:
    file, _, _ = sealed
    records = ledger_of(file).records
    assert [record.closes for record in records] == [True, True, False, False, True, True, True]
    assert [record.closing for record in records if record.closes] == file.closings


def test_a_closing_taken_from_the_ledger_completes_a_file_cut_there(
    key: Any, sealed: tuple[File, bytes, Sealer]
) -> None:
    file, plaintext, _ = sealed
    ledger = ledger_of(file)
    for record in ledger.records:
        if record.closes:
            end = record.chunk + 1
            cut = file.data[: ledger.payload_offset + end * SEALED_CHUNK_BYTES]
            assert key.opened(cut + record.closing) == plaintext[: end * CHUNK_BYTES] + CLOSING


def test_only_the_end_mark_ends(key: Any, make: Any, mux: Callable[..., Any]) -> None:
    file = File()
    made = sealer(file, key)
    for write in mux(STEREO, make.noise(STEREO, 30_000)).writes:
        made.write(write, 0)
    ends = [record.ends for record in ledger_of(file).records]
    assert ends == [False] * (len(ends) - 1) + [True]


def test_it_tells_what_is_durable_once_it_is(key: Any) -> None:
    file, told = File(breaks_at=2), list[tuple[int, int]]()
    made = sealer(file, key, told)
    made.write(fragment(0), 10)
    made.write(fragment(1), 20)
    with pytest.raises(StoreError):
        made.write(fragment(2), 30)
    assert told == [(10, len(file.snapshots[0])), (20, len(file.snapshots[1]))]
    assert (made.chunks, made.size_bytes) == (2, len(file.snapshots[1]))


@pytest.mark.parametrize("breaks_at", [0, 1, 2])
def test_after_a_failure_nothing_more_is_sealed(key: Any, breaks_at: int) -> None:
    """What failed may be on the disk in part: another plaintext under the same counter would give both away."""
    file = File(breaks_at=breaks_at)
    made = sealer(file, key)
    for number in range(breaks_at):
        made.write(fragment(number), 0)
    for number in (50, 51):
        with pytest.raises(StoreError):
            made.write(fragment(number), 0)
    assert file.appends == breaks_at + 1


def test_a_file_is_let_go_with_its_sealer(key: Any) -> None:
    file = File()
    sealer(file, key).close()
    assert file.closed == 1
    assert file.appends == 0


def test_without_a_recipient_nothing_is_begun() -> None:
    file = File()
    with pytest.raises(NoRecipientError):
        Sealer([], file, on_durable=lambda _end_us, _size: None)
    assert file.appends == 0


def test_less_than_a_chunk_is_not_sealed(key: Any) -> None:
    file = File()
    with pytest.raises(ValueError, match="chunk"):
        sealer(file, key).write(bytes(1000), 0)
    assert file.appends == 0
