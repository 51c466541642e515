"""An erasure that nothing can leave half done: no cut, no disk that fails or is full, no program that is killed."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from device.age.identities import generate_identity
from device.clock import Stamp
from device.errors import StoreError, StoreFullError
from device.recording import (
    ATTACHMENTS_NAME,
    ERASE_ORDERS_NAME,
    ERASED_NAME,
    MANIFEST_NAME,
    RECEIPTS_NAME,
    SESSION_NAME,
    WITHDRAWN_NAME,
)
from device.recording.erasure import EraseCertificate, EraseOrder, How
from device.recording.manifest import RecordingState
from device.recording.signing import verify
from device.recovery import recover
from device.store import Store, read_manifest
from device.words import By
from tests.support import Cut, cuts, manifest_of, small_disk, store_at, write_wav

HEAD = b"age-encryption.org/v1\n"
AT = Stamp("2026-03-02T10:00:00.000Z", trusted=True, boot="here", monotonic_us=7)
LATER = Stamp("2026-03-02T11:00:00.000Z", trusted=False, boot="there", monotonic_us=1)
MIB = 1 << 20
PIECE = 2 * MIB


def recording(store: Store, *, size_bytes: int = 5 * MIB) -> str:
    """A closed recording with an attachment and a receipt beside it; its id."""
    folder = store.new_folder()
    chance = random.Random(3)
    (folder / SESSION_NAME).write_bytes(HEAD + chance.randbytes(size_bytes - len(HEAD)))
    store.write_manifest(manifest_of(folder.name, state=RecordingState.COMPLETE, digest="ab" * 32))
    for name in (ATTACHMENTS_NAME, RECEIPTS_NAME):
        (folder / name).mkdir()
        (folder / name / "one").write_bytes(HEAD + b"something")
    return folder.name


@pytest.fixture
def place() -> Iterator[Path]:
    """In memory where there is some: hundreds of erasures wait for the disk more than for anything else."""
    memory = Path("/dev/shm")  # noqa: S108
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def store(place: Path) -> Store:
    return store_at(place / "store")


def headers(store: Store) -> list[Path]:
    """Every file in which the head of an age file still stands."""
    return [path for path in store.path.rglob("*") if path.is_file() and HEAD in path.read_bytes()[:64]]


def certificate_of(store: Store, recording_id: str) -> EraseCertificate | None:
    path = store.path / ERASED_NAME / f"{recording_id}.json"
    if not path.exists():
        return None
    return EraseCertificate.model_validate(verify("erase certificate", path.read_bytes()).payload)


def order_of(store: Store, recording_id: str) -> EraseOrder | None:
    path = store.path / ERASE_ORDERS_NAME / f"{recording_id}.json"
    return EraseOrder.model_validate(verify("erase order", path.read_bytes()).payload) if path.exists() else None


def is_gone(store: Store, recording_id: str) -> bool:
    """Erased, with all that has to remain of it."""
    certificate, order = certificate_of(store, recording_id), order_of(store, recording_id)
    return not store.ids() and certificate is not None and order is not None and headers(store) == []


# -- what is done, and in which order ---------------------------------------------------------------------------------


def test_every_byte_is_zero_and_synced_before_it_is_cut_off(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recording_id = recording(store)
    seen: list[tuple[int, int]] = []
    dirty: set[str] = set()
    write, cut_off, sync = os.pwrite, os.ftruncate, os.fsync

    def name_of(descriptor: int) -> str:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())

    def overwrite(descriptor: int, data: bytes, offset: int) -> int:
        dirty.add(name_of(descriptor))
        return write(descriptor, data, offset)

    def make_durable(descriptor: int) -> None:
        dirty.discard(name_of(descriptor))
        sync(descriptor)

    def look(descriptor: int, size: int) -> None:
        path = Path(name_of(descriptor))
        before = path.read_bytes()
        assert set(before[size:]) <= {0}, "cut off before it was overwritten"
        assert before[: len(HEAD)] == bytes(len(HEAD)) or path.name != SESSION_NAME, "the header goes first"
        assert str(path) not in dirty, "cut off before the zeros were durable"
        seen.append((len(before), size))
        cut_off(descriptor, size)

    monkeypatch.setattr(os, "pwrite", overwrite)
    monkeypatch.setattr(os, "ftruncate", look)
    monkeypatch.setattr(os, "fsync", make_durable)
    store.erase(recording_id, by=By.CLIENT, at=AT)
    assert seen[:3] == [(5 * MIB, 2 * PIECE), (2 * PIECE, PIECE), (PIECE, 0)]
    assert len(seen) == 3 + 2 + 1, "the attachment, the receipt and the manifest, too"


def test_the_certificate_says_what_when_and_by_whom_and_nothing_else(store: Store) -> None:
    recording_id = recording(store)
    manifest = read_manifest(store.folder(recording_id))
    store.erase(recording_id, by=By.CLIENT, at=AT)
    facts = {"recording": recording_id, "clock_trusted": True, "boot": "here", "monotonic_us": 7, "digest": "ab" * 32}
    facts["started"] = manifest.started
    how = {"header": How.OVERWRITTEN, "rest": How.OVERWRITTEN}
    assert certificate_of(store, recording_id) == EraseCertificate(**facts, erased=AT.wall, by=By.CLIENT, **how)
    assert order_of(store, recording_id) == EraseOrder(**facts, ordered=AT.wall, by=By.CLIENT)


def test_retention_never_orders_the_remote_to_erase_its_copy(store: Store) -> None:
    ids = {by: recording(store) for by in By}
    for by, recording_id in ids.items():
        store.erase(recording_id, by=by, at=AT)
        certificate = certificate_of(store, recording_id)
        assert certificate is not None
        assert certificate.by is by
    ordered = {path.stem for path in (store.path / ERASE_ORDERS_NAME).iterdir()}
    assert ordered == {ids[By.CLIENT], ids[By.THERAPIST]}


def test_it_takes_no_more_memory_for_a_long_recording(store: Store) -> None:
    recording_id = recording(store)
    os.truncate(store.folder(recording_id) / SESSION_NAME, 64 * MIB)
    tracemalloc.start()
    try:
        store.erase(recording_id, by=By.CLIENT, at=AT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * MIB
    assert is_gone(store, recording_id)


def test_one_that_is_put_off_has_lost_its_header_and_goes_on_where_it_was(store: Store) -> None:
    recording_id = recording(store)
    answers = iter([True, True, False])
    assert not store.erase(recording_id, by=By.RETENTION, at=AT, go_on=lambda: next(answers))
    folder = store.folder(recording_id)
    assert (folder / SESSION_NAME).stat().st_size == PIECE, "two pieces of three are gone"
    assert SESSION_NAME not in {path.name for path in headers(store)}
    assert certificate_of(store, recording_id) is None
    assert [found.what for found in recover(store, at=LATER)] == ["erased"]
    certificate = certificate_of(store, recording_id)
    assert certificate is not None
    assert (certificate.by, certificate.erased) == (By.RETENTION, LATER.wall)


def test_what_is_not_there_is_told_once_and_not_owed(store: Store) -> None:
    with pytest.raises(StoreError, match="could not be erased: No such file"):
        store.erase("000001-abcdefghij", by=By.CLIENT, at=AT)
    assert store.erasing.owed == {}
    assert list(store.path.iterdir()) == []


def test_each_erasure_is_told_once_its_certificate_is_durable(store: Store) -> None:
    told: list[EraseCertificate] = []

    def note(certificate: EraseCertificate) -> None:
        assert certificate_of(store, certificate.recording) == certificate
        assert store.folder(certificate.recording).exists()
        told.append(certificate)

    store.erasing.on_erased = note
    recording_id = recording(store)
    store.erase(recording_id, by=By.CLIENT, at=AT)
    assert [certificate.recording for certificate in told] == [recording_id]


def test_an_erasure_that_could_not_be_noted_is_taken_up_again(store: Store) -> None:
    recording_id = recording(store)

    def refuse(_certificate: EraseCertificate) -> None:
        raise StoreError("the audit log cannot be written", "look at the disk")

    store.erasing.on_erased = refuse
    with pytest.raises(StoreError, match="audit log"):
        store.erase(recording_id, by=By.CLIENT, at=AT)
    assert headers(store) == []
    store.erasing.on_erased = lambda _certificate: None
    recover(store, at=LATER)
    assert is_gone(store, recording_id)


# -- cuts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", By)
def test_a_cut_anywhere_ends_erased_by_whom_it_was_asked_for(
    place: Path, monkeypatch: pytest.MonkeyPatch, by: By
) -> None:
    rounds = 0
    for cut in cuts(monkeypatch):
        store = store_at(place / f"store-{rounds}")
        recording_id = recording(store)
        with cut:
            store.erase(recording_id, by=by, at=AT)
        begun = cut.passed > 1  # the first call makes the mark
        recover(store, at=LATER)
        assert (store.ids() == []) == begun
        certificate = certificate_of(store, recording_id)
        assert (certificate is not None) == begun
        if certificate is not None:
            assert (certificate.by, certificate.digest) == (by, "ab" * 32)
            assert (order_of(store, recording_id) is None) == (by is By.RETENTION)
        rounds += 1
    assert rounds > 40


def test_a_cut_in_the_recovery_of_an_erasure_ends_erased_too(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, cut in enumerate(cuts(monkeypatch)):
        store = store_at(place / f"store-{number}")
        recording_id = recording(store)
        with Cut(monkeypatch, at=random.Random(number).randrange(4, 45)):
            store.erase(recording_id, by=By.CLIENT, at=AT)
        with cut:
            recover(store, at=LATER)
        recover(store, at=LATER)
        assert is_gone(store, recording_id)


# -- a disk that fails ------------------------------------------------------------------------------------------------


def failing_once(monkeypatch: pytest.MonkeyPatch, at: int, error: OSError) -> Callable[[], int]:
    """The ``at``-th call that changes something fails, all others work; how many there were."""
    passed = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal passed
            passed += 1
            if passed == at:
                raise error
            return real(*args, **kwargs)

        return call

    for name in ("open", "mkdir", "rename", "unlink", "rmdir", "fsync", "pwrite", "ftruncate"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    return lambda: passed


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EROFS], ids=errno.errorcode.get)
def test_a_call_that_fails_leaves_no_header_and_what_was_not_done_is_told_and_done_next_time(
    place: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    at = told = 0
    while True:
        at += 1
        store = store_at(place / f"store-{at}")
        recording_id = recording(store)
        with monkeypatch.context() as patched:
            passed = failing_once(patched, at, OSError(code, os.strerror(code)))
            try:
                store.erase(recording_id, by=By.CLIENT, at=AT)
            except StoreError as problem:
                assert problem.hint
                assert store.erasing.owed == {recording_id: By.CLIENT}
                told += 1
        assert SESSION_NAME not in {path.name for path in headers(store)}, f"the header is still there after call {at}"
        for owed, who in list(store.erasing.owed.items()):
            assert store.erase(owed, by=who, at=AT)
        assert is_gone(store, recording_id)
        assert store.erasing.owed == {}
        if passed() < at:
            break
    assert at > 40
    assert told > 10


@pytest.mark.parametrize("refused", ["pwrite", "fsync"])
def test_what_cannot_be_overwritten_is_cut_off_and_the_certificate_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    recording_id = recording(store)
    real = getattr(os, refused)

    def fail(descriptor: int, *arguments: Any) -> Any:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == SESSION_NAME:
            raise OSError(errno.EIO, "Input/output error")
        return real(descriptor, *arguments)

    monkeypatch.setattr(os, refused, fail)
    assert store.erase(recording_id, by=By.CLIENT, at=AT)
    certificate = certificate_of(store, recording_id)
    assert certificate is not None
    assert (certificate.header, certificate.rest) == (How.CUT, How.CUT)
    assert is_gone(store, recording_id)


def test_one_bad_piece_keeps_no_other_from_being_overwritten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recording_id = recording(store)
    file = (store.folder(recording_id) / SESSION_NAME).open("rb")
    write, cut_off = os.pwrite, os.ftruncate
    kept: dict[int, bytes] = {}

    def fail(descriptor: int, data: bytes, offset: int) -> int:
        if offset == PIECE:
            raise OSError(errno.EIO, "Input/output error")
        return write(descriptor, data, offset)

    def look(descriptor: int, size: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == SESSION_NAME:
            file.seek(size)
            kept[size] = file.read()
        cut_off(descriptor, size)

    monkeypatch.setattr(os, "pwrite", fail)
    monkeypatch.setattr(os, "ftruncate", look)
    assert store.erase(recording_id, by=By.CLIENT, at=AT)
    file.close()
    assert set(kept[2 * PIECE]) == set(kept[0]) == {0}
    left = [place for place, byte in enumerate(kept[PIECE]) if byte]
    assert left
    assert max(left) < 1 << 18, "only what could not be written is still what it was"
    certificate = certificate_of(store, recording_id)
    assert certificate is not None
    assert (certificate.header, certificate.rest) == (How.OVERWRITTEN, How.CUT)


def test_the_header_is_overwritten_even_where_not_one_more_name_can_be_made(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_id = recording(store)
    real = os.open

    def refuse(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, flags, *more, **named)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        with pytest.raises(StoreFullError, match="could not be erased"):
            store.erase(recording_id, by=By.CLIENT, at=AT)
    assert SESSION_NAME not in {path.name for path in headers(store)}
    assert not (store.folder(recording_id) / WITHDRAWN_NAME).exists()
    assert store.erasing.owed == {recording_id: By.CLIENT}
    assert store.erase(recording_id, by=By.CLIENT, at=LATER)
    assert is_gone(store, recording_id)


def test_a_store_that_became_read_only_is_told_and_nothing_is_certified(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8 * 1024) as disk:
        store = store_at(disk)
        recording_id = recording(store)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(StoreError, match="Read-only file system"):
            store.erase(recording_id, by=By.CLIENT, at=AT)
        assert certificate_of(store, recording_id) is None
        assert store.erasing.owed == {recording_id: By.CLIENT}
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert store.erase(recording_id, by=By.CLIENT, at=AT)
        assert is_gone(store, recording_id)


# -- kill -9 ----------------------------------------------------------------------------------------------------------


def wait_for(holds: Callable[[], object], program: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + 60
    while not holds():
        assert program.poll() is None, "it ended by itself"
        assert time.monotonic() < until_s, "it never came so far"
        time.sleep(0.002)


def test_a_withdrawal_killed_at_any_moment_ends_withdrawn(tmp_path: Path, rounds: int) -> None:
    """The whole program: from the moment the press is durable, through its window, to the last step of the erasure."""
    wav = write_wav(
        tmp_path / "room.wav", random.Random(7).randbytes(16_000 * 2 * 4), rate_hz=16_000, channels=1, bits=16
    )
    recipient = str(generate_identity(post_quantum=False).recipient())
    for number in range(max(2, rounds // 2)):
        folder = tmp_path / f"store-{number}"
        folder.mkdir()
        command = [sys.executable, "-m", "device", "rehearse", "--store", str(folder), "--sound", str(wav), "--loop"]
        command += ["--recipient", recipient, "--speed", "20", "--presses"]
        with subprocess.Popen([*command, "0.1 consent, 0.5 record, 6 consent"], stdout=subprocess.DEVNULL) as program:
            wait_for(lambda folder=folder: list(folder.glob(f"*/{WITHDRAWN_NAME}")), program)  # type: ignore[misc]
            (marked,) = folder.glob(f"*/{WITHDRAWN_NAME}")
            after_s = random.uniform(0.0, 8.0)  # its window is 6 s long at this speed
            until_s = time.monotonic() + after_s
            while time.monotonic() < until_s and program.poll() is None:
                time.sleep(0.002)
            program.send_signal(signal.SIGKILL)
        subprocess.run([*command, "0.1 stop"], check=False, capture_output=True, timeout=120)
        assert is_gone(store_at(folder), marked.parent.name), f"killed {after_s:.3f} s after the press was durable"


ERASE = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from device.store import Store
from device.words import By
store = Store(Path(sys.argv[1]), device_key=Ed25519PrivateKey.generate())
print("begin", flush=True)
store.erase(store.ids()[0], by=By.CLIENT, at="2026-03-02T10:00:00.000Z")
"""


def test_an_erasure_killed_at_any_moment_is_finished_at_the_next_start(tmp_path: Path, rounds: int) -> None:
    cut_short = 0
    for number in range(rounds):
        store = store_at(tmp_path / f"store-{number}")
        recording_id = recording(store, size_bytes=24 * MIB)
        folder = store.folder(recording_id)
        with subprocess.Popen([sys.executable, "-c", ERASE, store.path], stdout=subprocess.PIPE) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == b"begin\n"
            wait_for(lambda folder=folder: not folder.exists() or (folder / WITHDRAWN_NAME).exists(), program)  # type: ignore[misc]
            time.sleep(random.uniform(0.0, 0.2))
            program.send_signal(signal.SIGKILL)
        cut_short += (folder / MANIFEST_NAME).exists()
        recover(store, at=LATER)
        assert is_gone(store, recording_id)
    print(f"\nkill -9 in an erasure: {rounds} rounds, {cut_short} cut short, all erased")
