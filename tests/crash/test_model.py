"""The model of a disk: what a cut may leave of a file and of names, by hand."""

from __future__ import annotations

import random

from tests.crash.model import PAGE_BYTES, SECTOR_BYTES, Disk, File, Kept
from tests.crash.shim import Call, Kind


def contents(file: File) -> set[bytes]:
    """Everything a file of a few sectors can hold after a cut."""
    versions = list(file.waiting.values())
    ways = [()]
    for count in versions:
        ways = [(*way, kept) for way in ways for kept in range(count + 1)]
    return {file.content(Kept(sizes, bytes(way))) for sizes in range(file.sizes + 1) for way in ways}


def on(disk: Disk) -> set[frozenset[str]]:
    """The names that can be there after a cut."""
    return {frozenset(disk.state(choice).tree) for choice in disk.choices(random.Random(1), lots=5)}


def test_of_a_write_any_sectors_and_of_its_size_any_prefix_can_be_there() -> None:
    file = File(0)
    a, b = b"a" * SECTOR_BYTES, b"b" * SECTOR_BYTES
    zeros = bytes(SECTOR_BYTES)
    file.write(0, a + b)
    assert contents(file) == {b"", zeros + zeros, a + zeros, zeros + b, a + b}
    file.sync(failed=False)
    assert contents(file) == {a + b}


def test_of_two_writes_to_one_sector_the_second_never_stands_without_the_first() -> None:
    file = File(0, durable=bytes(SECTOR_BYTES), now=bytearray(SECTOR_BYTES))
    file.write(0, b"first")
    file.write(10, b"second")
    found = contents(file)
    assert {content[:5] for content in found if content[10:16] == b"second"} == {b"first"}
    assert len(found) == 3


def test_what_was_cut_off_is_zeros_when_the_file_grows_again() -> None:
    file = File(0, durable=b"secret", now=bytearray(b"secret"))
    file.resize(0)
    file.resize(6)
    assert contents(file) == {b"secret", b"", bytes(6)}


def test_a_failed_sync_may_have_lost_what_a_later_one_does_not_write_again() -> None:
    # https://www.postgresql.org/message-id/flat/CAMsr+YHh+5Oq4xziwwoEfhoTZgr07vdGG+hu=1adXx59aTeaoQ@mail.gmail.com
    file = File(0, durable=bytes(2 * PAGE_BYTES), now=bytearray(2 * PAGE_BYTES))
    file.write(0, b"one")
    file.write(PAGE_BYTES, b"two")
    file.sync(failed=True)
    file.write(100, b"three")
    file.sync(failed=False)
    found = contents(file)
    assert {content[:3] for content in found} == {b"one"}, "its page was written again"
    assert {content[PAGE_BYTES : PAGE_BYTES + 3] for content in found} == {b"two", bytes(3)}


def test_names_come_in_the_order_of_their_folder_and_stay_once_it_is_synced() -> None:
    disk = Disk()
    for call in (Call(Kind.MKDIR, "f"), Call(Kind.CREATE, "f/a", 1), Call(Kind.CREATE, "f/b", 2)):
        disk.obey(call)
    assert on(disk) == {frozenset(), frozenset({"f"}), frozenset({"f", "f/a"}), frozenset({"f", "f/a", "f/b"})}
    disk.obey(Call(Kind.SYNC_FOLDER, ""))
    disk.obey(Call(Kind.SYNC, "f/b", 2))
    assert frozenset({"f"}) in on(disk), "a synced file has no name before its folder is synced"
    disk.obey(Call(Kind.SYNC_FOLDER, "f"))
    assert on(disk) == {frozenset({"f", "f/a", "f/b"})}


def test_a_rename_has_happened_or_not() -> None:
    disk = Disk()
    for call in (Call(Kind.CREATE, "new", 1), Call(Kind.SYNC_FOLDER, ""), Call(Kind.RENAME, "new", data=b"old")):
        disk.obey(call)
    assert on(disk) == {frozenset({"new"}), frozenset({"old"})}


def test_what_has_no_name_any_more_is_still_below_it() -> None:
    disk = Disk()
    for call in (
        Call(Kind.CREATE, "a", 1),
        Call(Kind.WRITE, "a", 1, 0, b"secret"),
        Call(Kind.SYNC, "a", 1),
        Call(Kind.UNLINK, "a"),
        Call(Kind.SYNC_FOLDER, ""),
    ):
        disk.obey(call)
    (choice,) = {disk.digest(choice): choice for choice in disk.choices(random.Random(1), lots=0)}.values()
    assert disk.state(choice).tree == {}
    assert list(disk.below(choice)) == [("a", b"secret")]
