"""``sotto-clinic share --at``: others open what the clinic's server holds; what boxes sent stays there as it is."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.age.identities import generate_identity, identity_file
from device.age.rewrapping import rewrap
from device.age.sealing import encrypt
from device.clock import SystemClock
from device.recording import REWRAPPED_NAME, SESSION_NAME
from device.recording.copied import Copying
from device.remote import Remote
from device.remote_folder import MARK_NAME, FolderRemote
from provisioning.desk import fingerprint_of, make_desk, open_desk, read_key
from provisioning.headed_source import HEAD_NAME, HeadedSource, anew_name, sealed_head_bytes
from tests.age.conftest import AGE_PQ
from tests.provisioning.boxes import Said, call, held, leave_order, order_for, put, send
from tests.provisioning.conftest import Clinic
from tests.provisioning.damage import Kept, record
from tests.provisioning.remote_servers import KINDS, Bucket, ClinicServer

NEW = generate_identity(post_quantum=True)
NOTE = b"what somebody wrote of it"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    made = Clinic(tmp_path_factory.mktemp("clinic"))
    made.identities["new"] = NEW
    made.key("new").write_text(identity_file(NEW, datetime(2026, 1, 1, tzinfo=UTC)), encoding="ascii")
    make_desk(made.home / "desk", SystemClock())
    return made


@pytest.fixture(scope="module")
def kept(clinic: Clinic, sound_24: Any) -> Kept:
    made = record(clinic, sound_24[0], store="sent")
    (made.folder / "attachments").mkdir()
    for name, whose in (("note-001.age", "clinic"), ("review-001.age", "stranger")):
        with (made.folder / "attachments" / name).open("wb") as file:
            encrypt(io.BytesIO(NOTE), file, [clinic.identities[whose].recipient()])
    return made


@pytest.fixture(scope="module", params=[*KINDS, "s3"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicServer]:
    if request.param == "s3":
        made: ClinicServer = Bucket(*map(request.getfixturevalue, ("ceph", "authority")), tmp_path_factory.mktemp("s3"))
    else:
        made = KINDS[request.param](tmp_path_factory.mktemp(request.param))
    yield made
    made.close()


@pytest.fixture
def server(running: ClinicServer) -> Iterator[ClinicServer]:
    yield running
    for top in {name.partition("/")[0] for name in held(running.desk)}:
        running.desk.erase(top)


in_a_folder = pytest.mark.parametrize("running", ["folder"], indirect=True)


def share(clinic: Clinic, server: ClinicServer, kept: Kept, *words: object, key: str = "clinic") -> Said:
    recipient = () if words else ("--add", str(NEW.recipient()))
    command = ("share", "--at", server.address, kept.folder.name, "-i", clinic.key(key))
    return call(*command, "--desk", clinic.home / "desk", *recipient, *words)


def verified(clinic: Clinic, server: ClinicServer, *, key: str = "new") -> tuple[int, dict[str, Any]]:
    said = call("verify", "--at", server.address, "-i", clinic.key(key), "--json")
    return said.code, said.told["recordings"][0]


def contents(remote: Remote) -> dict[str, bytes]:
    return {name: b"".join(remote.read(name)) for name in held(remote)}


# -- on every kind of server ------------------------------------------------------------------------------------------


def test_others_open_it_in_place_and_what_the_box_sent_stays(
    clinic: Clinic, server: ClinicServer, kept: Kept, tmp_path: Path
) -> None:
    there = send(server.box, kept.folder)
    before = contents(server.desk)
    done = share(clinic, server, kept)
    assert done.code == 0, done.complaints
    assert "attachments/review-001.age stays as it is" not in done.out.splitlines()[0]
    after = contents(server.desk)
    assert {name: after[name] for name in before} == before
    note = before[f"{there}/attachments/note-001.age"]
    assert after.keys() - before.keys() == {f"{there}/{name}" for name in (REWRAPPED_NAME, HEAD_NAME, anew_name(note))}
    for key in ("clinic", "new"):
        code, told = verified(clinic, server, key=key)
        assert (code, told["state"], told["wrong"]) == (0, "complete", [])
        assert any("made anew by the clinic" in one for one in told["checked"])
    told = clinic.open(kept.folder.name, "--at", server.address, "-o", tmp_path / "part.mp4", "--last", "5s", key="new")
    assert told["manifest"]["header_by_clinic"] == fingerprint_of(read_key(clinic.home / "desk"))
    listed = call("list", server.address, "--json").told
    assert (listed["rooms"][0]["recordings"][0]["whole"], listed["strange"]) == (True, [])


def test_what_is_pulled_opens_with_stock_age_and_each_key(
    clinic: Clinic, server: ClinicServer, kept: Kept, tmp_path: Path
) -> None:
    send(server.box, kept.folder)
    assert share(clinic, server, kept).code == 0
    command = ("pull", server.address, kept.folder.name, "-o", tmp_path / "here")
    for _ in range(2):
        done = call(*command)
        assert done.code == 0, done.complaints
    here = tmp_path / "here" / kept.folder.name
    plain = []
    for key in ("clinic", "new"):
        run = subprocess.run(
            [AGE_PQ, "-d", "-i", clinic.key(key), here / SESSION_NAME], capture_output=True, check=True
        )
        plain.append(run.stdout)
        opened = [AGE_PQ, "-d", "-i", clinic.key(key), here / "attachments" / "note-001.age"]
        assert subprocess.run(opened, capture_output=True, check=True).stdout == NOTE
    assert plain[0] == plain[1]
    said = call("verify", here, "-i", clinic.key("new"), "--json")
    assert (said.code, said.told["recordings"][0]["wrong"]) == (0, [])


# -- the rest does not depend on the server ---------------------------------------------------------------------------


@in_a_folder
def test_the_box_that_reads_its_copy_again_finds_it_as_it_sent_it(
    clinic: Clinic, server: ClinicServer, kept: Kept
) -> None:
    there = send(server.box, kept.folder)
    share(clinic, server, kept)
    copying = Copying(kept.manifest)
    for piece in server.box.read(f"{there}/{SESSION_NAME}"):
        copying.take(piece)
    assert copying.end().is_of(kept.manifest)


@in_a_folder
def test_a_second_person_is_added_to_the_first_and_the_same_again_puts_nothing(
    clinic: Clinic, server: ClinicServer, kept: Kept, tmp_path: Path
) -> None:
    send(server.box, kept.folder)
    share(clinic, server, kept)
    before = contents(server.desk)
    assert "already" in share(clinic, server, kept).out
    assert contents(server.desk) == before
    done = share(clinic, server, kept, "--add", clinic.identities["stranger"].recipient(), key="new")
    assert done.code == 0, done.complaints
    for key in ("clinic", "new", "stranger"):
        code, told = verified(clinic, server, key=key)
        assert (code, told["wrong"]) == (0, [])
    assert call("pull", server.address, kept.folder.name, "-o", tmp_path / "here").code == 0
    note = tmp_path / "here" / kept.folder.name / "attachments" / "note-001.age"
    assert subprocess.run([AGE_PQ, "-d", "-i", clinic.key("stranger"), note], capture_output=True, check=True).stdout


@in_a_folder
def test_an_attachment_that_the_box_replaced_is_the_new_one(clinic: Clinic, server: ClinicServer, kept: Kept) -> None:
    there = send(server.box, kept.folder)
    share(clinic, server, kept)
    sealed = io.BytesIO()
    encrypt(io.BytesIO(b"newer"), sealed, [clinic.identities["clinic"].recipient()])
    put(server.box, f"{there}/attachments/note-001.age", sealed.getvalue())
    done = share(clinic, server, kept)
    assert done.code == 0
    assert anew_name(sealed.getvalue()) in {name.removeprefix(f"{there}/") for name in held(server.desk)}


@in_a_folder
def test_what_is_ordered_erased_is_shared_with_nobody_and_all_of_it_goes(
    clinic: Clinic, server: ClinicServer, kept: Kept
) -> None:
    there = send(server.box, kept.folder)
    share(clinic, server, kept)
    leave_order(server.box, there, order_for(kept))
    refused = share(clinic, server, kept, "--add", clinic.identities["stranger"].recipient())
    assert refused.code == 1
    assert "withdrawn" in refused.complaints
    assert call("erase-ordered", server.address).code == 0
    assert not [name for name in held(server.desk) if name.startswith(there)]


@in_a_folder
def test_it_is_in_the_desks_log_and_without_a_log_nothing_is_put(
    clinic: Clinic, server: ClinicServer, kept: Kept
) -> None:
    send(server.box, kept.folder)
    before = contents(server.desk)
    with open_desk(clinic.home / "desk", SystemClock()):
        assert share(clinic, server, kept).code == 1
    assert contents(server.desk) == before
    share(clinic, server, kept)
    newest = call("desk", "show", clinic.home / "desk", "--json").told["entries"][-1]
    assert (newest["what"], newest["recording"]) == ("shared", kept.folder.name)
    assert newest["facts"]["header_before"] == kept.manifest.header_digest


@in_a_folder
def test_a_classic_recipient_and_a_key_that_does_not_fit_put_nothing(
    clinic: Clinic, server: ClinicServer, kept: Kept
) -> None:
    send(server.box, kept.folder)
    before = contents(server.desk)
    assert share(clinic, server, kept, "--add", clinic.identities["classic"].recipient()).code == 1
    assert share(clinic, server, kept, key="stranger").code == 3
    assert contents(server.desk) == before


@in_a_folder
def test_a_header_that_nobody_signed_is_found_at_the_server(clinic: Clinic, server: ClinicServer, kept: Kept) -> None:
    there = send(server.box, kept.folder)
    share(clinic, server, kept)
    made = rewrap(io.BytesIO(kept.file.read_bytes()), [clinic.identities["clinic"]], add=[NEW.recipient()])
    put(server.desk, f"{there}/{HEAD_NAME}", made.new)
    assert verified(clinic, server)[0] == 4
    assert share(clinic, server, kept, "--add", clinic.identities["stranger"].recipient()).code == 4


@in_a_folder
def test_a_cut_at_any_step_leaves_it_opening_and_the_same_command_ends_it(
    clinic: Clinic, server: ClinicServer, kept: Kept
) -> None:
    there = send(server.box, kept.folder)
    note = (kept.folder / "attachments" / "note-001.age").read_bytes()
    share(clinic, server, kept)
    after = contents(server.desk)
    order = [REWRAPPED_NAME, anew_name(note), HEAD_NAME]
    for done in range(len(order)):
        server.desk.erase(there)
        send(server.box, kept.folder)
        for name in order[:done]:
            put(server.desk, f"{there}/{name}", after[f"{there}/{name}"])
        assert verified(clinic, server, key="clinic")[0] == 0
        assert share(clinic, server, kept).code == 0
        code, told = verified(clinic, server)
        assert (code, told["wrong"]) == (0, [])


@given(data=st.data())
def test_a_headed_source_is_the_file_that_it_stands_for(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    chunks = data.draw(st.integers(1, 3))
    old, new = (data.draw(st.binary(min_size=1, max_size=4000)) for _ in range(2))
    payload = bytes(range(251)) * 800
    payload = payload[: chunks * 65_552 + 24]
    folder = tmp_path_factory.mktemp("headed")
    (folder / MARK_NAME).touch()
    remote = FolderRemote(folder)
    put(remote, "a/b", old + payload)
    assert sealed_head_bytes(len(old + payload)) == len(old)
    source, whole = HeadedSource(remote, "a/b", len(old + payload), new), new + payload
    assert source.size_bytes() == len(whole)
    at = data.draw(st.integers(0, len(whole)))
    size = data.draw(st.integers(0, 70_000))
    assert source.read_at(at, size) == whole[at : at + size]
    assert b"".join(source.pieces(at)) == whole[at:]
    assert source.stream().read() == whole
