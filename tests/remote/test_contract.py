"""The contract of ``device/remote.py``, sentence by sentence, held by every kind of server there is."""

from __future__ import annotations

import io
import re
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from device.errors import PutOffError, RemoteAbsentError, RemoteAwayError, RemoteError, SottoError
from device.recording import SESSION_NAME
from device.remote import MOST_AGAIN_BYTES, Held, Remote
from tests.remote.servers import MIB, Server, known, some_bytes
from tests.remote.uploader import Job, upload

FOLDER = "clinic/room-3/2026/11/000042-8k2ja63cjm"
NAME = f"{FOLDER}/{SESSION_NAME}"
SOON_S = 1.5  # instead of SILENCE_S
LONG = 24 * MIB
CUT = 20 * MIB  # more than is ever sent again, and not all of it
LONGER = 40 * MIB  # more than what is under way on a connection


def put(remote: Remote, name: str, data: bytes, *, replace: bool = False) -> bool:
    return remote.put(name, io.BytesIO(data), replace=replace)


def read(remote: Remote, name: str, *, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(remote.read(name, start=start, end=end))


class Counted:
    """A pace that counts, and does something before the piece in which a number of bytes is reached."""

    def __init__(self, at_bytes: int | None = None, then: Callable[[], object] = lambda: None) -> None:
        self.moved_bytes, self.largest_bytes = 0, 0
        self._at_bytes, self._then = at_bytes, then

    def __call__(self, length: int) -> None:
        if self._at_bytes is not None and self.moved_bytes >= self._at_bytes:
            self._at_bytes = None
            self._then()
        self.moved_bytes += length
        self.largest_bytes = max(self.largest_bytes, length)


def patiently(call: Callable[[], object]) -> None:
    """Do it with a remote that waits for nobody, on a machine that may be slow."""
    for _ in range(30):
        with suppress(RemoteAwayError):
            call()
            return
    call()


def put_off() -> None:
    raise PutOffError("somebody paused", "it goes on by itself")


def begin(remote: Remote, name: str, data: bytes, *, up_to: int) -> int:
    """Send the beginning of a file; how many bytes that were."""
    pace = Counted(up_to, put_off)
    with pytest.raises(PutOffError):
        remote.put(name, io.BytesIO(data), pace=pace)
    return pace.moved_bytes


# -- put --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size", [0, 1, 65_552, MIB - 1, MIB, MIB + 1, 8 * MIB, 16 * MIB - 1, 16 * MIB, 16 * MIB + 1, 32 * MIB + 5]
)
def test_what_is_put_is_held_to_the_byte_whatever_its_size(server: Server, remote: Remote, size: int) -> None:
    data, pace = some_bytes(size), Counted()
    assert remote.put(NAME, io.BytesIO(data), pace=pace) is True
    assert server.held() == {NAME: known(data)}
    assert server.unfinished() == 0
    assert known(read(remote, NAME)) == known(data)
    assert (pace.moved_bytes, pace.largest_bytes <= MIB) == (size, True)


def test_a_file_is_sent_from_its_start_wherever_it_was_being_read(server: Server, remote: Remote) -> None:
    file = io.BytesIO(b"all of it")
    file.seek(4)
    remote.put(NAME, file)
    assert server.held() == {NAME: known(b"all of it")}


@pytest.mark.parametrize("size", [9, 2 * MIB])
def test_what_is_there_already_stays_as_it_is(server: Server, remote: Remote, size: int) -> None:
    assert put(remote, NAME, some_bytes(size)) is True
    assert put(remote, NAME, some_bytes(size, 2)) is False
    assert put(remote, NAME, b"") is False
    assert server.held() == {NAME: known(some_bytes(size))}
    assert server.unfinished() == 0


@pytest.mark.parametrize("size", [0, 9, 17 * MIB])
def test_what_is_there_already_is_exchanged_where_that_is_asked_for(server: Server, remote: Remote, size: int) -> None:
    put(remote, NAME, b"the old one")
    assert put(remote, NAME, some_bytes(size), replace=True) is True
    assert server.held() == {NAME: known(some_bytes(size))}
    assert known(read(remote, NAME)) == known(some_bytes(size))


def test_of_two_who_send_under_one_name_the_quicker_one_is_kept(server: Server, remote: Remote) -> None:
    slow, quick, beside = some_bytes(6 * MIB), some_bytes(6 * MIB, 2), server.maker()

    def overtake() -> None:
        assert put(beside, NAME, quick) is True

    assert remote.put(NAME, io.BytesIO(slow), pace=Counted(3 * MIB, overtake)) is False
    beside.close()
    assert server.held() == {NAME: known(quick)}
    assert server.unfinished() == 0


def test_exchanging_what_is_not_there_puts_it_there(server: Server, remote: Remote) -> None:
    assert put(remote, NAME, b"new", replace=True) is True
    assert server.held() == {NAME: known(b"new")}


@pytest.mark.parametrize("name", ["clinic/a", "clinic/A-b_c.d..e", "clinic/-x", "clinic/_", "clinic/" + "n" * 240])
def test_every_name_that_is_allowed_can_be_held(server: Server, remote: Remote, name: str) -> None:
    assert put(remote, name, b"1") is True
    assert put(remote, name, b"2") is False
    assert [held.name for held in remote.names("clinic")] == [name]
    assert server.held() == {name: known(b"1")}


@pytest.mark.parametrize(
    "name",
    ["", "/", "/etc/x", "../x", "clinic/../x", "clinic//x", "clinic/", ".x", "clinic/.x", "c/a b", "c/é", "c/a\n"],
)
def test_a_name_that_is_none_is_refused_before_the_server_hears_of_it(
    server: Server, remote: Remote, name: str
) -> None:
    server.kill()
    with pytest.raises(RemoteError):
        put(remote, name, b"1")
    with pytest.raises(RemoteError):
        read(remote, name)
    with pytest.raises(RemoteError):
        remote.erase(name)
    if name:
        with pytest.raises(RemoteError):
            list(remote.names(name))
    server.start()
    assert server.held() == {}


# -- all or nothing ---------------------------------------------------------------------------------------------------


def test_whoever_reads_beside_it_never_sees_half(server: Server, remote: Remote) -> None:
    """One reader of the remote, one behind its back, while a file comes, and is exchanged by another."""
    old, new = some_bytes(6 * MIB), some_bytes(6 * MIB, 2)
    seen: set[str | None] = set()
    over, looked = threading.Event(), threading.Event()

    def look() -> None:
        beside = server.maker()
        while not over.is_set():
            try:
                seen.add(known(read(beside, NAME)))
            except RemoteAbsentError:
                seen.add(None)
            listed = list(beside.names("clinic"))
            if listed not in ([], [Held(NAME, 6 * MIB)]):
                seen.add(repr(listed))
            seen.add(server.held().get(NAME))
            looked.set()
        beside.close()

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for data, replace in ((old, False), (new, True), (old, True)):
            looked.clear()
            pace = Counted(3 * MIB, looked.wait)  # somebody looks when half of it is sent
            assert remote.put(NAME, io.BytesIO(data), replace=replace, pace=pace) is True
            looked.clear()
            looked.wait()
    finally:
        over.set()
        reader.join()
    assert {known(old), known(new)} <= seen <= {None, known(old), known(new)}


def test_a_put_that_is_cut_leaves_nothing_under_the_name(server: Server, remote: Remote) -> None:
    begin(remote, NAME, some_bytes(LONG), up_to=CUT)
    assert server.held() == {}
    assert list(remote.names("clinic")) == []
    with pytest.raises(RemoteAbsentError):
        read(remote, NAME)


def test_an_exchange_that_is_cut_leaves_the_old_one(server: Server, remote: Remote) -> None:
    put(remote, NAME, b"old")
    with pytest.raises(PutOffError):
        remote.put(NAME, io.BytesIO(some_bytes(LONG)), replace=True, pace=Counted(CUT, put_off))
    assert server.held() == {NAME: known(b"old")}
    assert known(read(remote, NAME)) == known(b"old")


# -- going on ---------------------------------------------------------------------------------------------------------


def test_a_pace_that_puts_it_off_is_heard_and_what_was_sent_is_kept(server: Server, remote: Remote) -> None:
    data, again = some_bytes(LONG), Counted()
    sent = begin(remote, NAME, data, up_to=CUT)
    assert CUT <= sent < CUT + MIB  # it is asked before each piece, whatever their size
    assert remote.put(NAME, io.BytesIO(data), pace=again) is True
    assert sent + again.moved_bytes <= LONG + MOST_AGAIN_BYTES
    assert server.held() == {NAME: known(data)}


def test_another_remote_goes_on_where_one_was_closed(server: Server, remote: Remote) -> None:
    data, again = some_bytes(LONG), Counted()
    sent = begin(remote, NAME, data, up_to=CUT)
    remote.close()
    another = server.maker()
    assert another.put(NAME, io.BytesIO(data), pace=again) is True
    another.close()
    assert sent + again.moved_bytes <= LONG + MOST_AGAIN_BYTES
    assert server.held() == {NAME: known(data)}
    assert server.unfinished() == 0


def test_another_process_goes_on_where_one_was_killed(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(some_bytes(LONG))
    moved, cuts = 0, (CUT, 6 * MIB, 5)
    for cut in cuts:
        run = upload(Job(server.maker, NAME, path, die_after_bytes=cut))
        assert run.answer is None
        assert server.held() == {}
        moved += run.moved_bytes
    last = upload(Job(server.maker, NAME, path))
    assert last.answer is True
    assert moved + last.moved_bytes <= LONG + len(cuts) * MOST_AGAIN_BYTES
    assert last.moved_bytes < LONG
    assert server.held() == {NAME: known(path.read_bytes())}
    assert server.unfinished() == 0


@pytest.mark.parametrize("other_size", [LONG, LONG + 1, 5])
def test_what_is_there_of_another_file_is_not_built_upon(server: Server, remote: Remote, other_size: int) -> None:
    begin(remote, NAME, some_bytes(LONG), up_to=CUT)
    other = some_bytes(other_size, 2)
    assert put(remote, NAME, other) is True
    assert server.held() == {NAME: known(other)}
    assert server.unfinished() == 0


@pytest.mark.parametrize("common", [MIB, 12 * MIB])
def test_a_file_that_only_begins_like_the_one_under_way_is_not_mixed_with_it(
    server: Server, remote: Remote, common: int
) -> None:
    begin(remote, NAME, some_bytes(LONG), up_to=CUT)
    other = some_bytes(common) + some_bytes(LONG - common, 2)
    assert put(remote, NAME, other) is True
    assert server.held() == {NAME: known(other)}


def test_two_files_under_way_do_not_disturb_each_other(server: Server, remote: Remote) -> None:
    names = [f"{FOLDER}/{SESSION_NAME}", f"{FOLDER}x/{SESSION_NAME}", f"{FOLDER}/manifest.json"]
    for seed, name in enumerate(names):
        begin(remote, name, some_bytes(20 * MIB, seed), up_to=18 * MIB)
    for seed, name in enumerate(names):
        assert put(remote, name, some_bytes(20 * MIB, seed)) is True
    assert server.held() == {name: known(some_bytes(20 * MIB, seed)) for seed, name in enumerate(names)}
    assert server.unfinished() == 0


# -- read -------------------------------------------------------------------------------------------------------------

READ = 3 * MIB + 7


@pytest.mark.parametrize(
    ("start", "end"),
    [
        *((0, None), (0, 0), (0, 1), (5, 5), (7, 3), (1, READ), (MIB, 2 * MIB), (MIB - 1, MIB + 1), (READ - 1, None)),
        *((READ, None), (READ + 9, None), (READ - 3, READ + 50), (0, 1 << 40), (1 << 40, None)),
    ],
)
def test_a_part_of_a_file_is_read(server: Server, remote: Remote, start: int, end: int | None) -> None:
    data = some_bytes(READ)
    put(remote, NAME, data)
    assert known(read(remote, NAME, start=start, end=end)) == known(data[start:end])


def test_reading_comes_in_pieces_each_of_which_was_paced(server: Server, remote: Remote) -> None:
    put(remote, NAME, some_bytes(READ))
    pace, got = Counted(), 0
    for piece in remote.read(NAME, pace=pace):
        got += len(piece)
        assert 0 < len(piece) <= MIB
        assert got <= pace.moved_bytes
    assert got == READ
    assert pace.largest_bytes <= MIB


def test_reading_can_be_put_off_and_begun_again(server: Server, remote: Remote) -> None:
    put(remote, NAME, some_bytes(READ))
    with pytest.raises(PutOffError):
        list(remote.read(NAME, pace=Counted(MIB, put_off)))
    assert known(read(remote, NAME)) == known(some_bytes(READ))


def test_a_read_that_nobody_finishes_spoils_no_other_call(server: Server, remote: Remote) -> None:
    put(remote, NAME, some_bytes(20 * MIB))
    left = remote.read(NAME)
    begun = next(left)
    assert known(begun) == known(some_bytes(20 * MIB)[: len(begun)])
    put(remote, f"{FOLDER}/manifest.json", b"{}")
    assert read(remote, f"{FOLDER}/manifest.json") == b"{}"
    del left
    assert known(read(remote, NAME, start=20 * MIB - 5)) == known(some_bytes(20 * MIB)[-5:])


def test_what_is_not_there_is_told_when_the_first_piece_is_asked_for(server: Server, remote: Remote) -> None:
    put(remote, NAME, b"1")
    for absent in (f"{FOLDER}/label.age", f"{NAME}/x", f"{FOLDER}x/{SESSION_NAME}", FOLDER):
        pieces = remote.read(absent)
        with pytest.raises(RemoteAbsentError):
            next(pieces)


def test_a_byte_that_the_server_spoils_is_seen(server: Server, remote: Remote) -> None:
    data = bytearray(some_bytes(READ))
    put(remote, NAME, bytes(data))
    assert known(read(remote, NAME)) == known(data)
    server.damage(NAME, 2 * MIB)
    data[2 * MIB] ^= 1
    assert known(read(remote, NAME)) == known(data)


# -- names ------------------------------------------------------------------------------------------------------------


def test_names_are_ordered_and_complete_and_of_that_folder_alone(server: Server, remote: Remote) -> None:
    folder = "clinic/room/2026/11"
    beside = ["000001-a", "000001-ab", "000001-a.b", "000001-a-b", "000001-b"]
    names = sorted(f"{folder}/{one}/{file}" for one in beside for file in ("manifest.json", "attachments/label.age"))
    for number, name in enumerate(reversed(names)):
        put(remote, name, bytes(number))
    begin(remote, f"{folder}/000001-a/{SESSION_NAME}", some_bytes(20 * MIB), up_to=18 * MIB)
    whole = [Held(name, len(names) - 1 - number) for number, name in enumerate(names)]
    assert list(remote.names("")) == whole
    assert list(remote.names("clinic")) == whole
    assert list(remote.names(folder)) == whole
    for one in beside:
        assert [held.name for held in remote.names(f"{folder}/{one}")] == [
            name for name in names if name.startswith(f"{folder}/{one}/")
        ]


def test_there_is_nothing_beneath_what_is_not_there(server: Server, remote: Remote) -> None:
    put(remote, NAME, b"1")
    assert list(remote.names("elsewhere")) == []
    assert list(remote.names(f"{FOLDER}/attachments")) == []
    assert list(remote.names(FOLDER[:-1])) == []


# -- erase ------------------------------------------------------------------------------------------------------------


def test_all_beneath_a_folder_is_erased_and_nothing_beside_it(server: Server, remote: Remote) -> None:
    for name in (NAME, f"{FOLDER}/manifest.json", f"{FOLDER}/attachments/label.age"):
        put(remote, name, b"1")
    stays = {f"{FOLDER}x/{SESSION_NAME}": b"2", "clinic/room-3/2026/11/000042": b"3", "clinic/room-33/x": b"4"}
    for name, data in stays.items():
        put(remote, name, data)
    remote.erase(FOLDER)
    assert server.held() == {name: known(data) for name, data in stays.items()}
    with pytest.raises(RemoteAbsentError):
        read(remote, NAME)
    remote.erase(FOLDER)
    remote.erase("elsewhere/entirely")
    assert server.held() == {name: known(data) for name, data in stays.items()}


def test_what_is_under_way_is_erased_as_well(server: Server, remote: Remote) -> None:
    begin(remote, NAME, some_bytes(LONG), up_to=CUT)
    assert server.unfinished() == 1
    remote.erase(FOLDER)
    assert (server.held(), server.unfinished()) == ({}, 0)
    assert put(remote, NAME, b"again") is True
    assert server.held() == {NAME: known(b"again")}


# -- the connection ---------------------------------------------------------------------------------------------------


def test_nothing_is_asked_of_a_server_before_the_first_call(server: Server) -> None:
    server.kill()
    remote = server.maker()
    remote.close()
    pieces, names = remote.read(NAME), remote.names("")
    server.start()
    put(remote, NAME, b"1")
    assert b"".join(pieces) == b"1"
    assert [held.name for held in names] == [NAME]
    remote.close()


def test_closing_may_be_repeated_and_the_next_call_makes_a_new_connection(server: Server, remote: Remote) -> None:
    put(remote, NAME, b"1")
    for _ in range(2):
        remote.close()
        remote.close()
        assert known(read(remote, NAME)) == known(b"1")


CALLS: dict[str, Callable[[Remote], object]] = {
    "put": lambda remote: put(remote, f"{FOLDER}/manifest.json", some_bytes(2 * MIB)),
    "exchange": lambda remote: put(remote, f"{FOLDER}/manifest.json", some_bytes(2 * MIB), replace=True),
    "read": lambda remote: read(remote, NAME),
    "names": lambda remote: list(remote.names("")),
    "erase": lambda remote: remote.erase("clinic/room-4"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_is_away_is_told_as_away_and_the_next_call_finds_it_again(
    server: Server, remote: Remote, call: str
) -> None:
    put(remote, NAME, b"1")
    server.kill()
    for _ in range(2):
        with pytest.raises(RemoteAwayError) as told:
            CALLS[call](remote)
        shows_nothing(told.value, server)
    server.start()
    CALLS[call](remote)


def test_a_put_goes_on_after_the_server_was_killed_in_the_middle_of_it(server: Server, remote: Remote) -> None:
    data, first, again = some_bytes(LONG), Counted(CUT, server.kill), Counted()
    with pytest.raises(RemoteAwayError) as told:
        remote.put(NAME, io.BytesIO(data), pace=first)
    shows_nothing(told.value, server)
    server.start()
    assert server.held() == {}
    assert remote.put(NAME, io.BytesIO(data), pace=again) is True
    assert first.moved_bytes + again.moved_bytes <= LONG + 2 * MOST_AGAIN_BYTES
    assert server.held() == {NAME: known(data)}
    assert server.unfinished() == 0


def test_a_read_that_the_server_does_not_survive_ends_as_away(server: Server, remote: Remote) -> None:
    if not server.freezes:
        pytest.skip("what was opened of a folder can be read to its end")
    put(remote, NAME, some_bytes(LONGER))
    with pytest.raises(RemoteAwayError):
        list(remote.read(NAME, pace=Counted(20 * MIB, server.kill)))
    server.start()
    assert known(read(remote, NAME)) == known(some_bytes(LONGER))


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_falls_silent_is_given_up_in_time_and_found_again(server: Server, call: str) -> None:
    if not server.freezes:
        pytest.skip("no process stands behind a folder; how long a mount waits is the kernel's to say")
    remote = server.maker(silence_s=SOON_S)
    patiently(lambda: put(remote, NAME, b"1"))
    server.freeze()
    try:
        with pytest.raises(RemoteAwayError) as told:
            CALLS[call](remote)
    finally:
        server.thaw()
    shows_nothing(told.value, server)
    patient = server.maker()
    CALLS[call](patient)
    patient.close()
    remote.close()


def test_a_put_and_a_read_are_given_up_when_the_server_falls_silent_in_the_middle(server: Server) -> None:
    if not server.freezes:
        pytest.skip("no process stands behind a folder; how long a mount waits is the kernel's to say")
    data, remote = some_bytes(LONGER), server.maker(silence_s=SOON_S)
    try:
        with pytest.raises(RemoteAwayError):
            remote.put(NAME, io.BytesIO(data), pace=Counted(20 * MIB, server.freeze))
        server.thaw()
        patient = server.maker()
        assert patient.put(NAME, io.BytesIO(data)) is True
        patiently(lambda: read(remote, NAME, end=1))
        with pytest.raises(RemoteAwayError):
            list(remote.read(NAME, pace=Counted(20 * MIB, server.freeze)))
    finally:
        server.thaw()
    assert known(read(patient, NAME)) == known(data)
    patient.close()
    remote.close()


# -- refusals ---------------------------------------------------------------------------------------------------------


def shows_nothing(problem: BaseException, server: Server) -> None:
    """No secret and nothing that the server said is in an error, however it is printed."""
    assert isinstance(problem, SottoError)
    shown = "".join(traceback.format_exception(problem)) + problem.what + problem.hint
    assert not [secret for secret in server.secrets if re.search(re.escape(secret), shown, re.IGNORECASE)]
    assert problem.what
    assert problem.hint


def test_who_is_refused_is_told_to_whoever_set_it_up_with_advice_and_without_secrets(server: Server) -> None:
    for advice, remote in server.strangers():
        for call in CALLS.values():
            with pytest.raises(RemoteError) as told:
                call(remote)
            assert not isinstance(told.value, RemoteAbsentError)
            assert advice in told.value.hint, told.value.hint
            shows_nothing(told.value, server)
        remote.close()
    assert server.held() == {}


def test_an_error_about_what_is_absent_shows_nothing_either(server: Server, remote: Remote) -> None:
    with pytest.raises(RemoteAbsentError) as told:
        read(remote, NAME)
    shows_nothing(told.value, server)
