"""`sotto-clinic list`, `pull`, `open` and `verify` on what boxes sent, and the erase orders that they left."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.errors import RemoteError
from device.recording import ERASE_ORDERS_NAME, MANIFEST_NAME, SESSION_NAME
from device.recording.erasure import CERTIFICATE_KIND, ORDER_KIND
from device.recording.manifest import RecordingState
from device.recording.signing import fingerprint, sign, verify
from device.recording.wished import WISH_KIND
from device.remote import Remote
from device.remote_folder import MARK_NAME, FolderRemote
from provisioning.obeying import obey
from provisioning.remote_place import find_at
from tests.provisioning.boxes import DESK, OTHER_DESK, call, held, leave_order, order_for, put, send
from tests.provisioning.conftest import SEALED_BYTES, Clinic
from tests.provisioning.damage import Kept, copy_of, record
from tests.provisioning.remote_servers import KINDS, Bucket, ClinicServer, Sftp
from tests.remote.ceph import Ceph
from tests.remote.certificates import Authority
from tests.remote.sftp_server import make_key


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return Clinic(tmp_path_factory.mktemp("clinic"))


@pytest.fixture(scope="module")
def short(clinic: Clinic, sound_24: Any) -> Kept:
    """Twenty seconds, with an attachment."""
    kept = record(clinic, sound_24[0], store="short")
    (kept.folder / "attachments").mkdir()
    (kept.folder / "attachments" / "label.age").write_bytes(b"age-encryption.org/v1\n" + bytes(500))
    return kept


@pytest.fixture(scope="module")
def long(clinic: Clinic, sound_quiet: Any) -> Kept:
    """Ten minutes, some 800 chunks."""
    return record(clinic, sound_quiet[0], store="long")


@pytest.fixture(scope="module")
def bucket(ceph: Ceph, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    made = Bucket(ceph, authority, tmp_path_factory.mktemp("bucket"))
    yield made
    made.close()


@pytest.fixture(scope="module", params=[*KINDS, "s3"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicServer]:
    if request.param == "s3":
        yield request.getfixturevalue("bucket")
        return
    made = KINDS[request.param](tmp_path_factory.mktemp(request.param))
    yield made
    made.close()


@pytest.fixture
def server(running: ClinicServer) -> Iterator[ClinicServer]:
    """The clinic's server, empty again afterwards."""
    yield running
    for top in {name.partition("/")[0] for name in held(running.desk)}:
        running.desk.erase(top)


@pytest.fixture
def remote(server: ClinicServer) -> Remote:
    """As a box has it."""
    return server.box


# What does not depend on what the remote is made of is tried with the one that costs least.
in_a_folder = pytest.mark.parametrize("running", ["folder"], indirect=True)


def device_key(kept: Kept) -> str:
    return fingerprint(kept.key.public_key().public_bytes_raw())


# -- list -------------------------------------------------------------------------------------------------------------


def test_the_list_shows_each_room_and_what_the_manifests_say(
    server: ClinicServer, remote: Remote, short: Kept, long: Kept
) -> None:
    there = send(remote, short.folder)
    send(remote, long.folder, desk=OTHER_DESK)
    said = call("list", server.address, "--json")
    assert said.code == 0
    first, second = said.told["rooms"]
    assert (first["room"], second["room"]) == ("practice/room-3", "practice/room-4")
    size = sum(path.stat().st_size for path in short.folder.rglob("*") if path.is_file())
    assert first["recordings"] == [
        {
            "id": short.folder.name,
            "path": there,
            "started": "2026-03-02T09:00:00.000Z",
            "clock_trusted": True,
            "duration_s": pytest.approx(20, abs=0.1),
            "picture": False,
            "state": "complete",
            "box": "Room 3",
            "therapist": None,
            "key": device_key(short),
            "size_bytes": size,
            "attachments": 1,
            "whole": True,
            "problem": None,
            "erase_order": False,
            "asked": [],
        }
    ]
    lines = call("list", server.address).out.splitlines()
    assert lines[0].startswith("practice/room-3: 1 recording, ")
    assert lines[1].split()[:6] == [short.folder.name, "2026-03-02", "09:00Z", "0:20", "sound", "complete"]
    assert len(lines) == 4


@in_a_folder
def test_the_list_shows_what_is_asked_for_a_recording_and_by_its_own_box_alone(
    server: ClinicServer, remote: Remote, short: Kept
) -> None:
    there = send(remote, short.folder)

    def asked(wish: str, key: Ed25519PrivateKey, **facts: object) -> None:
        usual = {"recording": short.folder.name, "wish": wish, "by": "a" * 12, "asked": "x", "clock_trusted": True}
        document = sign(WISH_KIND, {**usual, **facts}, key)
        remote.put(f"{there}/asked.{wish}", io.BytesIO(document), replace=True)

    def told() -> list[str]:
        return call("list", server.address, "--json").told["rooms"][0]["recordings"][0]["asked"]

    asked("deletion", short.key)
    asked("copy", Ed25519PrivateKey.generate())
    assert told() == ["copy (signed by another box)", "deletion"]
    assert "asked for: copy (signed by another box), deletion" in call("list", server.address).out
    asked("deletion", short.key, taken_back=True)
    asked("copy", short.key, recording="000099-abcdefghij")
    assert told() == ["copy (does not hold)"]


@in_a_folder
def test_the_list_says_what_is_not_whole_and_why(
    server: ClinicServer, remote: Remote, short: Kept, tmp_path: Path
) -> None:
    there = DESK.recording(short.folder.name, None)
    problem = lambda: call("list", server.address, "--json").told["rooms"][0]["recordings"][0]["problem"]  # noqa: E731
    put(remote, f"{there}/{SESSION_NAME}", short.file.read_bytes())
    assert problem() == "its manifest is not there yet"
    put(remote, f"{there}/{MANIFEST_NAME}", (short.folder / MANIFEST_NAME).read_bytes().replace(b"Room 3", b"Room 4"))
    assert problem() == "the manifest was changed after the box signed it"
    put(remote, f"{there}/{MANIFEST_NAME}", (short.folder / MANIFEST_NAME).read_bytes())
    assert problem() is None
    put(remote, f"{there}/{SESSION_NAME}", short.file.read_bytes()[:-1])
    assert problem().startswith("it has ")
    kept = copy_of(short, tmp_path)
    kept.sign(state=RecordingState.OPEN)
    put(remote, f"{there}/{MANIFEST_NAME}", (kept.folder / MANIFEST_NAME).read_bytes())
    assert "before the box closed it" in problem()
    assert "not whole: " in call("list", server.address).out


@in_a_folder
def test_a_strangers_manifest_writes_nothing_of_its_own_into_the_list(
    server: ClinicServer, remote: Remote, short: Kept, tmp_path: Path
) -> None:
    kept = copy_of(short, tmp_path)
    kept.sign(Ed25519PrivateKey.generate(), started="\x1b[2J owned", box="\x1b[2J")
    send(remote, kept.folder)
    said = call("list", server.address)
    assert (said.code, "\x1b" in said.out + said.complaints) == (0, False)


@in_a_folder
def test_the_list_warns_of_what_belongs_to_no_recording(server: ClinicServer, remote: Remote, short: Kept) -> None:
    there = send(remote, short.folder)
    expected = {"practice/room-3/notes.txt", f"{there}/copy.mp4", "practice/room-3/audit/readme"}
    for name in expected:
        put(remote, name, b"?")
    put(remote, DESK.audit(17), b"{}")
    assert set(call("list", server.address, "--json").told["strange"]) == expected
    assert "note: practice/room-3/notes.txt belongs to no recording" in call("list", server.address).out


@in_a_folder
def test_the_list_can_be_narrowed(
    server: ClinicServer, remote: Remote, short: Kept, long: Kept, tmp_path: Path
) -> None:
    ids = []
    for number, started in enumerate(
        ("2026-02-27T09:00:00.000Z", "2026-03-02T09:00:00.000Z", "2026-03-05T09:00:00.000Z")
    ):
        folder = tmp_path / f"00000{number}-abcdefghij"
        folder.mkdir()
        Kept(folder, short.manifest, short.key, ()).sign(id=folder.name, started=started)
        send(remote, folder, started=started)
        ids.append(folder.name)
    send(remote, long.folder, desk=OTHER_DESK)

    def listed(*words: str) -> list[str]:
        rooms = call("list", server.address, "--json", *words).told["rooms"]
        return [one["id"] for room in rooms for one in room["recordings"]]

    assert listed() == [*ids, long.folder.name]
    for name in ("room-3", "practice/room-3"):
        assert listed("--room", name) == ids
        assert listed("--room", name, "--last", "2") == ids[1:]
        assert listed("--room", name, "--since", "2026-03-03") == ids[2:]
        assert listed("--room", name, "--since", "2026-03-02") == ids[1:]
    for words, code in ((["--room", "oom-3"], 6), (["--since", "monday"], 2), (["--last", "0"], 2)):
        assert call("list", server.address, *words).code == code


@in_a_folder
def test_a_recording_that_is_there_twice_is_told_and_is_named_by_its_path(
    server: ClinicServer, remote: Remote, short: Kept, clinic: Clinic
) -> None:
    first, second = send(remote, short.folder), send(remote, short.folder, started=None)
    assert f"note: {short.folder.name} is there twice" in call("list", server.address).out
    code, said = clinic.fail(short.folder.name, "--remote", server.address)
    assert (code, "there are 2 recordings" in said) == (2, True)
    for path in (first, second):
        clinic.open(path, "--remote", server.address, "-o", "far.mp4")


# -- pull -------------------------------------------------------------------------------------------------------------


def same(folder: Path, other: Path) -> bool:
    def content(top: Path) -> dict[str, bytes]:
        return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}

    return content(folder) == content(other)


def test_a_recording_is_pulled_as_it_is_and_verified(
    server: ClinicServer, remote: Remote, short: Kept, tmp_path: Path
) -> None:
    send(remote, short.folder)
    words = ("pull", server.address, short.folder.name, "-o", tmp_path, "--device-key", device_key(short), "--json")
    said = call(*words)
    assert said.code == 0, said.complaints
    assert same(tmp_path / short.folder.name, short.folder)
    assert said.told["recordings"][0]["moved_bytes"] > short.file.stat().st_size
    again = call(*words)
    assert (again.code, again.told["recordings"][0]["moved_bytes"]) == (0, 0)
    assert call("verify", tmp_path).code == 0


def test_a_whole_room_is_pulled_by_its_path(
    server: ClinicServer, remote: Remote, short: Kept, long: Kept, tmp_path: Path
) -> None:
    send(remote, short.folder)
    send(remote, long.folder, desk=OTHER_DESK)
    assert call("pull", server.address, "practice/room-3", "-o", tmp_path).code == 0
    assert [path.name for path in tmp_path.iterdir()] == [short.folder.name]


def test_what_was_cut_goes_on_at_its_size(server: ClinicServer, remote: Remote, long: Kept, tmp_path: Path) -> None:
    send(remote, long.folder)
    whole, size = long.file.read_bytes(), long.file.stat().st_size
    into = tmp_path / long.folder.name
    into.mkdir()
    (into / f"{SESSION_NAME}.part").write_bytes(whole[: size - 1_000_000])
    said = call("pull", server.address, long.folder.name, "-o", tmp_path, "--json")
    assert said.code == 0, said.complaints
    manifest = (long.folder / MANIFEST_NAME).stat().st_size
    assert said.told["recordings"][0]["moved_bytes"] == 1_000_000 + manifest
    assert same(into, long.folder)


@pytest.mark.parametrize("running", ["sftp"], indirect=True)
def test_a_connection_that_breaks_costs_nothing_that_had_come(
    server: Sftp, remote: Remote, long: Kept, tmp_path: Path
) -> None:
    send(remote, long.folder)
    words = ("pull", server.address, long.folder.name, "-o", tmp_path, "--json")
    server.cut_next_after(8 << 20)
    said = call(*words)
    assert (said.code, said.complaints.count("error: ")) == (6, 1)
    part = (tmp_path / long.folder.name / f"{SESSION_NAME}.part").stat().st_size
    assert 6 << 20 < part < 8 << 20
    said = call(*words)
    assert said.code == 0, said.complaints
    rest = long.file.stat().st_size - part + (long.folder / MANIFEST_NAME).stat().st_size
    assert said.told["recordings"][0]["moved_bytes"] == rest
    assert same(tmp_path / long.folder.name, long.folder)


def test_a_pull_that_is_killed_goes_on(clinic: Clinic, long: Kept, tmp_path: Path) -> None:
    (tmp_path / MARK_NAME).touch()
    send(FolderRemote(tmp_path), long.folder)
    part = clinic.home / "pulled" / long.folder.name / f"{SESSION_NAME}.part"
    words = ("pull", tmp_path, long.folder.name, "-o", clinic.home / "pulled")
    with clinic.start(*words) as process:
        while process.poll() is None and not part.exists():
            time.sleep(0.005)
        process.kill()
    assert not (part.parent / MANIFEST_NAME).exists()
    done = clinic.run(*words)
    assert done.returncode == 0, done.stderr.decode()
    assert same(part.parent, long.folder)


@in_a_folder
@pytest.mark.parametrize("found", [b"x" * 5000, b"x" * (1 << 23)], ids=["of another file", "too long"])
def test_a_part_that_is_none_of_this_recording_is_begun_anew(
    server: ClinicServer, remote: Remote, short: Kept, tmp_path: Path, found: bytes
) -> None:
    send(remote, short.folder)
    into = tmp_path / short.folder.name
    into.mkdir()
    (into / f"{SESSION_NAME}.part").write_bytes(found)
    assert call("pull", server.address, short.folder.name, "-o", tmp_path).code == 0
    assert same(into, short.folder)


def test_what_was_altered_at_the_remote_is_not_kept(
    server: ClinicServer, remote: Remote, short: Kept, tmp_path: Path
) -> None:
    there = send(remote, short.folder)
    content = bytearray(short.file.read_bytes())
    content[200_000] ^= 1
    put(remote, f"{there}/{SESSION_NAME}", bytes(content))
    said = call("pull", server.address, short.folder.name, "-o", tmp_path)
    assert (said.code, "not what the box sealed" in said.complaints) == (4, True)
    assert list((tmp_path / short.folder.name).iterdir()) == []
    assert call("verify", "--remote", server.address).code == 4


@in_a_folder
def test_what_another_box_signed_is_not_pulled(
    server: ClinicServer, remote: Remote, short: Kept, tmp_path: Path
) -> None:
    send(remote, short.folder)
    said = call("pull", server.address, short.folder.name, "-o", tmp_path, "--device-key", "0" * 16)
    assert (said.code, list(tmp_path.iterdir())) == (4, [])


@in_a_folder
def test_nothing_that_is_there_is_overwritten(
    server: ClinicServer, remote: Remote, short: Kept, tmp_path: Path
) -> None:
    send(remote, short.folder)
    for file in (SESSION_NAME, MANIFEST_NAME, "attachments/label.age"):
        into = tmp_path / Path(file).name
        target = into / short.folder.name / file
        target.parent.mkdir(parents=True)
        target.write_bytes(b"mine")
        said = call("pull", server.address, short.folder.name, "-o", into)
        assert (said.code, "is there already" in said.complaints) == (1, True)
        assert target.read_bytes() == b"mine"


@in_a_folder
def test_what_has_not_arrived_is_not_pulled(server: ClinicServer, remote: Remote, short: Kept, tmp_path: Path) -> None:
    there = DESK.recording(short.folder.name, None)
    put(remote, f"{there}/{SESSION_NAME}", short.file.read_bytes())
    said = call("pull", server.address, short.folder.name, "-o", tmp_path)
    assert (said.code, "no manifest" in said.complaints) == (6, True)
    server.desk.erase(there)
    put(remote, f"{there}/{MANIFEST_NAME}", (short.folder / MANIFEST_NAME).read_bytes())
    said = call("pull", server.address, short.folder.name, "-o", tmp_path)
    assert (said.code, SESSION_NAME in said.complaints) == (6, True)


# -- open and verify --------------------------------------------------------------------------------------------------


def test_a_slice_is_opened_from_the_remote_and_moves_only_what_it_needs(
    server: ClinicServer, remote: Remote, long: Kept, clinic: Clinic
) -> None:
    there = send(remote, long.folder)
    size = long.file.stat().st_size
    for name in (long.folder.name, there):
        moved = server.moved_bytes()
        told = clinic.open(name, "--remote", server.address, "--last", "20s", "-o", "far.mp4")
        assert told["bytes_read"] < 34 * SEALED_BYTES < size / 10
        assert told["manifest"]["key"] == device_key(long)
        if moved is not None:
            now = server.moved_bytes()
            assert now is not None
            assert told["bytes_read"] < now - moved < told["bytes_read"] * 1.1 + 65_536
        clinic.open(long.folder, "--last", "20s", "-o", "near.mp4")
        assert (clinic.home / "far.mp4").read_bytes() == (clinic.home / "near.mp4").read_bytes()


def test_a_whole_recording_is_opened_from_the_remote(
    server: ClinicServer, remote: Remote, short: Kept, clinic: Clinic
) -> None:
    send(remote, short.folder)
    told = clinic.open(short.folder.name, "--remote", server.address, "-o", "far.mp4")
    assert told["manifest"]["digest_checked"] is True
    clinic.open(short.folder, "-o", "near.mp4")
    assert (clinic.home / "far.mp4").read_bytes() == (clinic.home / "near.mp4").read_bytes()


def test_all_of_a_remote_one_room_and_one_recording_are_verified(
    server: ClinicServer, remote: Remote, short: Kept, long: Kept, clinic: Clinic
) -> None:
    send(remote, short.folder)
    there = send(remote, long.folder, desk=OTHER_DESK)
    put(remote, "practice/room-3/odd.txt", b"?")
    for words, names in (
        ((), [short.folder.name, long.folder.name]),
        (("practice/room-4",), [long.folder.name]),
        ((there, short.folder.name), [long.folder.name, short.folder.name]),
    ):
        said = call("verify", "--remote", server.address, "--json", "-i", clinic.key(), *words)
        assert said.code == 0, said.complaints
        assert [(one["name"], one["state"]) for one in said.told["recordings"]] == [
            (name, "complete") for name in names
        ]


@in_a_folder
def test_what_is_not_there_is_told(server: ClinicServer, remote: Remote, short: Kept, tmp_path: Path) -> None:
    send(remote, short.folder)
    for name, code in (("000009-zzzzzzzzzz", 6), ("practice/room-9", 6), ("../etc", 2)):
        assert call("pull", server.address, name, "-o", tmp_path).code == code
        assert call("verify", "--remote", server.address, name).code == code
    assert call("verify").code == 2


def rehearse(clinic: Clinic, store: Path, *presses: str, speed: int = 20) -> Path:
    """A session by the real program; its store."""
    store.mkdir()
    recipient = str(clinic.identities["classic"].recipient())
    wav = Path(__file__).parents[2] / "device" / "capture" / "room.wav"
    command = [sys.executable, "-m", "device", "rehearse", "--sound", wav, "--store", store, "--loop"]
    subprocess.run(
        [*command, "--speed", str(speed), "--presses", ", ".join(presses), "--recipient", recipient],
        capture_output=True,
        check=True,
    )
    return store


@pytest.mark.parametrize("running", ["sftp"], indirect=True)
def test_a_session_is_at_the_clinic_what_stock_age_finds_in_it(
    server: ClinicServer, remote: Remote, clinic: Clinic, tmp_path: Path
) -> None:
    store = rehearse(clinic, tmp_path / "store", "0.2 consent", "0.6 record", "6.6 record")
    (folder,) = (path.parent for path in store.glob(f"*/{SESSION_NAME}"))
    send(remote, folder)
    pulled = tmp_path / "pulled"
    assert call("pull", server.address, folder.name, "-o", pulled).code == 0
    found = subprocess.run(
        ["age", "-d", "-i", clinic.key("classic"), pulled / folder.name / SESSION_NAME], capture_output=True, check=True
    )
    clinic.open(folder.name, "--remote", server.address, "-o", tmp_path / "far.mp4", key="classic")
    assert (tmp_path / "far.mp4").read_bytes() == found.stdout
    assert clinic.player.kinds(tmp_path / "far.mp4") == ["audio"]


# -- what a box may do ------------------------------------------------------------------------------------------------


def test_a_box_may_do_its_work_and_no_more_than_the_clinic_lets_it(
    server: ClinicServer, remote: Remote, short: Kept
) -> None:
    there = send(remote, short.folder)
    assert b"".join(remote.read(f"{there}/{SESSION_NAME}")) == short.file.read_bytes()
    if server.box_may_erase:
        remote.erase(there)
        assert held(server.desk) == {}
        return
    for forbidden in (
        lambda: remote.erase(there),
        lambda: list(remote.names("")),
        lambda: put(remote, "practice/room-5/x", b"?"),
        lambda: put(remote, "x", b"?"),
    ):
        with pytest.raises(RemoteError):
            forbidden()
    put(server.desk, "practice/room-5/x", b"?")
    with pytest.raises(RemoteError):
        b"".join(remote.read("practice/room-5/x"))


# -- the way there ----------------------------------------------------------------------------------------------------


def test_a_folder_that_is_no_remote_and_a_file_that_says_no_way_are_told(tmp_path: Path) -> None:
    said = call("list", tmp_path)
    assert (said.code, MARK_NAME in said.complaints) == (6, True)
    for number, (text, word) in enumerate(
        (
            ("", "remote is missing"),
            ('[remote]\ndriver = "ftp"\n', "remote.driver"),
            ('[remote]\ndriver = "folder"\npath = "here"\n', "absolute path"),
            ('[remote]\ndriver = "folder"\npath = "/srv"\nroot = 1\n', "remote.root is not a known key"),
            ("[remote\n", "no valid TOML"),
        )
    ):
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        said = call("list", file)
        assert (said.code, word in said.complaints) == (2, True), said.complaints
    assert call("list", tmp_path / "none.toml").code == 2


def test_the_section_of_a_box_is_taken_as_it_is(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (tmp_path / MARK_NAME).touch()
    file = tmp_path_factory.mktemp("desk") / "box.toml"
    place = 'name = "nas"\nclinic = "practice"\nroom = "room-3"\n'
    file.write_text(f'[remote]\ndriver = "folder"\npath = "{tmp_path}"\n{place}')
    assert call("list", file).out == "there is no recording\n"


@pytest.mark.parametrize("running", ["sftp"], indirect=True)
def test_a_server_with_another_key_is_not_talked_to(server: Sftp, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    file = tmp_path / "remote.toml"
    text = Path(server.address).read_text()
    file.write_text(re.sub("host_key = .*", f"host_key = '{other}'", text))
    for words in (
        ("list", file),
        ("verify", "--remote", file),
        ("erase-ordered", file),
        ("pull", file, "x", "-o", "y"),
    ):
        said = call(*words, here=tmp_path)
        assert (said.code, "host_key" in said.complaints) == (6, True), said.complaints


# -- erase orders -----------------------------------------------------------------------------------------------------


def erase(server: ClinicServer, *words: object) -> tuple[int, list[dict[str, Any]], str]:
    said = call("erase-ordered", server.address, "--json", *words)
    return said.code, said.told["orders"], said.complaints


def test_an_order_that_holds_is_carried_out_and_kept(
    server: ClinicServer, remote: Remote, short: Kept, long: Kept
) -> None:
    there, other = send(remote, short.folder), send(remote, long.folder, desk=OTHER_DESK)
    order = order_for(short)
    leave_order(remote, there, order)
    before = held(server.desk)

    code, (dry,), _ = erase(server, "--dry-run")
    assert (code, dry["erased"], dry["refused"], dry["by"]) == (0, False, None, "therapist")
    assert held(server.desk) == before

    code, (done,), _ = erase(server)
    assert (code, done["erased"], done["path"]) == (0, True, there)
    kept_as = f"practice/room-3/erased/{short.folder.name}.json"
    assert held(server.desk) == {kept_as: len(order)} | {name: size for name, size in before.items() if other in name}
    assert b"".join(server.desk.read(kept_as)) == order
    if isinstance(server, Bucket):
        assert server.versions() == len(held(server.desk))  # no older version is kept either

    assert call("erase-ordered", server.address).out == "no erase order waits\n"
    rooms = call("list", server.address, "--json").told["rooms"]
    assert rooms[0] == {"room": "practice/room-3", "recordings": [], "erased": [short.folder.name]}
    (told,) = call("verify", "--remote", server.address, "practice/room-3", "--json").told["recordings"]
    assert (told["name"], told["state"], told["exit_code"]) == (short.folder.name, "erased", 0)


def forgeries(short: Kept, long: Kept) -> dict[str, tuple[bytes, str]]:
    stranger = Ed25519PrivateKey.generate()
    certificate = json.loads(order_for(short))["payload"]
    return {
        "by a stranger": (order_for(short, key=stranger), "is signed by"),
        "of another recording": (order_for(long), "of another recording"),
        "of another digest": (order_for(short, digest="0" * 64), "digest is another"),
        "changed": (order_for(short).replace(b"2026-03-09", b"2026-03-08"), "changed after the box signed it"),
        "of another kind": (sign(CERTIFICATE_KIND, certificate, short.key), "changed after the box signed it"),
        "no order": (b"{}", "not a signed erase order"),
        "with unknown facts": (sign("erase order", certificate | {"all": True}, short.key), "not known here"),
    }


@in_a_folder
@pytest.mark.parametrize(
    "how",
    [
        "by a stranger",
        "of another recording",
        "of another digest",
        "changed",
        "of another kind",
        "no order",
        "with unknown facts",
    ],
)
def test_an_order_that_does_not_hold_erases_nothing(
    server: ClinicServer, remote: Remote, short: Kept, long: Kept, clinic: Clinic, how: str
) -> None:
    document, why = forgeries(short, long)[how]
    there = send(remote, short.folder)
    leave_order(remote, there, document)
    before = held(server.desk)
    code, (told,), complaints = erase(server)
    assert (code, told["erased"], why in told["refused"]) == (4, False, True), told
    assert why in complaints
    assert held(server.desk) == before
    clinic.open(short.folder.name, "--remote", server.address, "-o", "far.mp4")  # and it keeps nobody from opening


@in_a_folder
def test_the_order_of_a_real_withdrawal_is_understood(
    server: ClinicServer, remote: Remote, clinic: Clinic, tmp_path: Path
) -> None:
    store = rehearse(clinic, tmp_path / "store", "0.2 consent", "0.6 record", "3 consent", speed=100)
    (order,) = (store / ERASE_ORDERS_NAME).glob("*.json")
    there = DESK.recording(order.stem, None)
    put(remote, f"{there}/{SESSION_NAME}", b"sent before")
    leave_order(remote, there, order.read_bytes())
    key = fingerprint(verify(ORDER_KIND, order.read_bytes()).key)
    code, (told,), _ = erase(server, "--device-key", key)
    assert (code, told["erased"], told["by"]) == (0, True, "client")


@in_a_folder
def test_device_keys_that_are_given_decide(server: ClinicServer, remote: Remote, short: Kept) -> None:
    there = send(remote, short.folder)
    leave_order(remote, there, order_for(short))
    code, (told,), _ = erase(server, "--device-key", "0" * 16)
    assert (code, told["erased"]) == (4, False)
    server.desk.erase(there)
    put(remote, f"{there}/{SESSION_NAME}", short.file.read_bytes())
    leave_order(remote, there, order_for(short))
    code, (told,), _ = erase(server)
    assert (code, "no manifest" in told["refused"]) == (4, True)
    code, (told,), _ = erase(server, "--device-key", device_key(short))
    assert (code, told["erased"]) == (0, True)


def test_an_erasure_that_was_cut_is_ended_and_a_stranger_can_begin_none(
    server: ClinicServer, remote: Remote, short: Kept
) -> None:
    there, order = DESK.recording(short.folder.name, None), order_for(short)
    noted = f"practice/room-3/erased/{short.folder.name}.json"
    # The recording and its manifest are gone, an attachment and the order are left.
    put(remote, f"{there}/attachments/label.age", b"sealed")
    leave_order(remote, there, order)
    code, (told,), _ = erase(server)
    assert (code, told["erased"]) == (4, False)
    put(remote, noted, order)
    code, (told,), _ = erase(server)
    assert (code, told["erased"], list(held(server.desk))) == (0, True, [noted])

    # Whoever can write there, and has no device key, puts all of that there himself: the recording stays.
    stranger = order_for(short, key=Ed25519PrivateKey.generate())
    send(remote, short.folder, started=None)
    leave_order(remote, there, stranger)
    put(remote, noted, stranger)
    code, (told,), _ = erase(server)
    assert (code, told["erased"], f"{there}/{SESSION_NAME}" in held(server.desk)) == (4, False, True)


@in_a_folder
def test_a_second_copy_that_no_order_is_about_is_told(server: ClinicServer, remote: Remote, short: Kept) -> None:
    there, other = send(remote, short.folder), send(remote, short.folder, started=None)
    leave_order(remote, there, order_for(short))
    code, (told,), _ = erase(server)
    assert (code, told["erased"], told["others"]) == (7, True, [other])


class Forgetful(FolderRemote):
    """A server that says that it erased, and did not."""

    def erase(self, folder: str) -> None:
        pass


def test_a_server_that_only_says_that_it_erased_is_found_out(short: Kept, tmp_path: Path) -> None:
    (tmp_path / MARK_NAME).touch()
    remote = Forgetful(tmp_path)
    there = send(remote, short.folder)
    leave_order(remote, there, order_for(short))
    with pytest.raises(RemoteError, match="still there"):
        obey(find_at(remote, there), device_keys=frozenset(), dry=False)


@in_a_folder
def test_what_is_ordered_erased_is_neither_opened_nor_pulled(
    server: ClinicServer, remote: Remote, short: Kept, clinic: Clinic, tmp_path: Path
) -> None:
    there = send(remote, short.folder)
    leave_order(remote, there, order_for(short))
    code, said = clinic.fail(short.folder.name, "--remote", server.address)
    assert (code, "erase-ordered" in said) == (1, True)
    assert call("pull", server.address, short.folder.name, "-o", tmp_path).code == 1
    assert list(tmp_path.iterdir()) == []
    said_by_list = call("list", server.address)
    assert "an erase order waits" in said_by_list.out
    assert "to be erased" in call("verify", "--remote", server.address).out
