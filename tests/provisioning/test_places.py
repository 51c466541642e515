"""One notion of a place: every verb on a folder, a mounted remote, an SFTP account, an S3 bucket and a real box."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from device.people.person import Person, Role
from device.recording import ATTACHMENTS_NAME, MANIFEST_NAME, SESSION_NAME, WITHDRAWN_NAME
from device.recording.audited import What
from device.recording.manifest import RecordingState
from device.recording.signing import fingerprint
from device.store import Store
from tests.provisioning.boxes import Said, call, send
from tests.provisioning.clinics import ADA, BEN, DEVICE_KEY, PASSPHRASE, kit_of, with_kit
from tests.provisioning.conftest import SEALED_BYTES, Clinic
from tests.provisioning.damage import Kept, copy_of, record
from tests.provisioning.remote_servers import KINDS
from tests.provisioning.test_box_login import listening
from tests.remote.ceph import Ceph
from tests.remote.certificates import Authority
from tests.web.conftest import FINGERPRINT, Box, audited, people_in
from tests.web.naming import naming

AGE = Path(__file__).parents[2] / ".cache/age/usr/bin/age"


@dataclass
class Where:
    """A place with one recording, and what is said to reach it."""

    kept: Kept
    words: tuple[object, ...]
    box: Box | None = None

    @property
    def id(self) -> str:
        return self.kept.folder.name

    def call(self, verb: str, *words: object) -> Said:
        """A verb that has to work, there."""
        said = call(verb, *words, *self.words)
        assert said.code == 0, said.complaints
        return said


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return Clinic(tmp_path_factory.mktemp("clinic"))


@pytest.fixture(scope="module")
def kept(clinic: Clinic, sound_quiet: Any) -> Kept:
    """Ten minutes of Ben's, with a label beside it."""
    kept = record(clinic, sound_quiet[0], store="kept")
    kept.sign(therapist=BEN)
    (kept.folder / ATTACHMENTS_NAME).mkdir()
    (kept.folder / ATTACHMENTS_NAME / "label.age").write_bytes(b"age-encryption.org/v1\n" + bytes(500))
    return kept


@pytest.fixture(scope="module", params=["store", *KINDS, "s3", "box"])
def where(
    request: pytest.FixtureRequest, clinic: Clinic, kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Where]:
    """The same recording in each kind of place, reached with Ada's kit."""
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        if request.param == "box":
            yield stack.enter_context(a_box(clinic, kept, folder))
            return
        kit = with_kit(kit_of(clinic))
        if request.param == "store":
            yield Where(copy_of(kept, folder), ("--at", folder, *kit))
            return
        if request.param == "s3":
            server = bucket_of(request.getfixturevalue("ceph"), request.getfixturevalue("authority"), folder)
        else:
            server = KINDS[request.param](folder)
        stack.callback(server.close)
        send(server.box, kept.folder)
        yield Where(kept, ("--at", server.address, *kit))


def bucket_of(ceph: Ceph, authority: Authority, folder: Path) -> Any:
    from tests.provisioning.remote_servers import Bucket

    return Bucket(ceph, authority, folder)


class a_box:  # noqa: N801  # read as a sentence
    """A real page over a store with the recording; Ada supervises Ben. Known by Ada's kit as "room-3"."""

    def __init__(self, clinic: Clinic, kept: Kept, folder: Path) -> None:
        self._clinic, self._kept, self._folder = clinic, kept, folder
        self._stack = ExitStack()

    def __enter__(self) -> Where:
        with self._stack as stack:
            kept = copy_of(self._kept, self._folder / "store")
            run, state = self._folder / "run", self._folder / "state"
            for made in (run, state):
                made.mkdir()
            people = stack.enter_context(people_in(state))
            recipient = str(self._clinic.identities["clinic"].recipient())
            supervisor = frozenset({Role.SUPERVISOR})
            people.put(Person(BEN, "ben", "Ben", frozenset({Role.THERAPIST})))
            people.put(Person(ADA, "ada", "Ada", supervisor, recipient, supervisees=frozenset({BEN})))
            store = Store(kept.folder.parent, device_key=kept.key)
            box = Box(store, run, store.path / "audit.log", people)
            auditor = stack.enter_context(audited(box))
            stack.enter_context(naming(box, auditor))
            address = stack.enter_context(listening(box.app(room=False)))
            origin = address.partition("/api/")[0]
            kit = kit_of(self._clinic, boxes={"room-3": origin}, device_key=FINGERPRINT)
            self._clinic.home.joinpath("box.kit.json").write_bytes(kit.read_bytes())
            self._stack = stack.pop_all()
            words = ("--box", "room-3", *with_kit(self._clinic.home / "box.kit.json"))
            return Where(kept, words, box)

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def opens(clinic: Clinic, file: Path, key: str) -> bytes:
    """What stock age gives."""
    return subprocess.run([AGE, "-d", "-i", clinic.key(key), file], capture_output=True, check=True).stdout


def test_the_list_tells_the_same_everywhere(where: Where) -> None:
    told = where.call("list", "--json").told
    (listed,) = [one for room in told["rooms"] for one in room["recordings"]]
    assert (listed["id"], listed["state"], listed["therapist"]) == (where.id, "complete", BEN)
    assert listed["duration_s"] == pytest.approx(600, abs=0.2)
    assert (listed["started"], listed["picture"], listed["whole"]) == ("2026-03-02T09:00:00.000Z", False, True)
    line = next(line for line in where.call("list").out.splitlines() if where.id in line)
    assert line.split()[:6] == [where.id, "2026-03-02", "09:00Z", "10:00", "sound", "complete"]


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (("--therapist", "Ben"), True),
        (("--therapist", BEN), True),
        (("--therapist", "Ada"), False),
        (("--since", "2026-03-02", "--until", "2026-03-02"), True),
        (("--since", "2026-03-03"), False),
        (("--until", "2026-03-01"), False),
        (("--state", "complete"), True),
        (("--state", "interrupted"), False),
        (("--therapist", "Ben", "--state", "interrupted"), False),
    ],
)
def test_the_list_is_filtered_by_therapist_day_and_state(where: Where, words: tuple[str, ...], *, fits: bool) -> None:
    told = where.call("list", "--json", *words).told
    assert [one["id"] for room in told["rooms"] for one in room["recordings"]] == [where.id] * fits


def test_a_recording_is_pulled_whole_and_goes_on_after_a_cut(where: Where, tmp_path: Path) -> None:
    whole = where.kept.file.read_bytes()
    into = tmp_path / where.id
    into.mkdir()
    (into / f"{SESSION_NAME}.part").write_bytes(whole[:-1_000_000])
    said = where.call("pull", where.id, "-o", tmp_path, "--json", "--device-key", fingerprint_of(where))
    moved = said.told["recordings"][0]["moved_bytes"]
    assert 1_000_000 <= moved < 1_000_000 + 64 * 1024
    for file in (SESSION_NAME, MANIFEST_NAME, f"{ATTACHMENTS_NAME}/label.age"):
        assert (into / file).read_bytes() == (where.kept.folder / file).read_bytes()
    assert call("verify", tmp_path).code == 0


def test_what_fits_is_pulled_without_naming_it(where: Where, tmp_path: Path) -> None:
    keys = ("--device-key", fingerprint_of(where))
    where.call("pull", "-o", tmp_path, "--therapist", "Ben", "--since", "2026-03-01", *keys)
    assert [path.name for path in tmp_path.iterdir()] == [where.id]
    assert (tmp_path / where.id / ATTACHMENTS_NAME / "label.age").exists()  # a list of a box tells nothing of these
    assert "no recording fits" in where.call("pull", "-o", tmp_path, "--state", "interrupted", *keys).out
    assert call("pull", "-o", tmp_path, *where.words).code == 2  # everything is never meant by saying nothing


def test_the_last_minutes_are_pulled_alone_and_open_as_a_recording(
    where: Where, clinic: Clinic, tmp_path: Path
) -> None:
    words = ("pull", where.id, "-o", tmp_path, "--last", "20s", "--json", "--device-key", fingerprint_of(where))
    (told,) = where.call(*words).told["recordings"]
    assert told["moved_bytes"] < 34 * SEALED_BYTES < where.kept.manifest.size_bytes / 10
    made = tmp_path / where.id / "last-0-20.mp4.age"
    assert told["file"] == str(made)
    (tmp_path / "slice.mp4").write_bytes(opens(clinic, made, "clinic"))
    sound = clinic.player.samples(tmp_path / "slice.mp4")
    assert 20 <= len(sound) / 3 / 48_000 < 20.75
    clinic.open(where.kept.folder, "--last", "20s", "-o", tmp_path / "near.mp4")
    assert clinic.player.samples(tmp_path / "near.mp4") == sound
    assert clinic.open(made, "-o", tmp_path / "again.mp4")["state"] == "complete"
    (told,) = where.call(*words).told["recordings"]
    assert told["moved_bytes"] == 0


def test_a_slice_is_opened_and_moves_only_what_it_needs(where: Where, clinic: Clinic, tmp_path: Path) -> None:
    told = where.call("open", where.id, "--from", "5:00", "--to", "5:10", "-o", tmp_path / "x.mp4", "--json").told
    assert told["bytes_read"] < 24 * SEALED_BYTES
    assert told["manifest"]["box"] == "Room 3"
    clinic.open(where.kept.folder, "--from", "5:00", "--to", "5:10", "-o", tmp_path / "near.mp4")
    assert (tmp_path / "x.mp4").read_bytes() == (tmp_path / "near.mp4").read_bytes()


def test_all_of_it_is_opened_and_compared(where: Where, clinic: Clinic, tmp_path: Path) -> None:
    told = where.call("open", where.id, "-o", tmp_path / "x.mp4", "--json").told
    assert told["manifest"]["digest_checked"] is True
    assert (tmp_path / "x.mp4").read_bytes() == opens(clinic, where.kept.file, "clinic")


def test_a_clip_is_sealed_for_somebody_of_the_kit(where: Where, clinic: Clinic, tmp_path: Path) -> None:
    made = tmp_path / "clip.age"
    keys = ("--device-key", fingerprint_of(where))
    where.call("clip", where.id, "--from", "1:00", "--to", "1:05", "--for", "Ben", "-o", made, *keys)
    (tmp_path / "clip.mp4").write_bytes(opens(clinic, made, "stranger"))  # Ben's key
    assert 5 <= len(clinic.player.samples(tmp_path / "clip.mp4")) / 3 / 48_000 < 6.5
    assert clinic.fail(made)[0] == 3


def test_a_copy_for_a_client_is_made(where: Where, tmp_path: Path) -> None:
    agreed = ("--agreed", "client A-17", "--agreed-on", "2026-03-03", "--last", "5")
    said = where.call("copy", where.id, "-o", tmp_path / "stick", *agreed, "--device-key", fingerprint_of(where))
    assert "passphrase: " in said.out
    assert json.loads((tmp_path / "stick" / "release.json").read_text())["released"]["by"] == "Ada"


def test_everything_there_is_verified(where: Where) -> None:
    said = where.call("verify", "--json", "--device-key", fingerprint_of(where))
    assert [(one["name"], one["state"]) for one in said.told["recordings"]] == [(where.id, "complete")]


def fingerprint_of(where: Where) -> str:
    return fingerprint(where.kept.key.public_key().public_bytes_raw())


# -- notes ------------------------------------------------------------------------------------------------------------


def test_a_review_is_put_beside_it_where_that_can_be_and_to_a_file_otherwise(
    where: Where, clinic: Clinic, tmp_path: Path
) -> None:
    typed = tmp_path / "typed.txt"
    typed.write_text("1:00 here you waited #repair\ngrowth edge: staying with silence\nrate empathy: 3\n")
    to = tmp_path / "review.age"
    told = where.call("note", where.id, "--write", typed, "-o", to, "--json").told
    assert (told["output"], told["readers"]) == (str(to), 2)  # Ada, and Ben, whose recording it is
    for key in ("clinic", "stranger"):
        review = json.loads(opens(clinic, to, key))
        assert (review["recording"], review["by"], review["growth_edge"]) == (where.id, ADA, "staying with silence")
    said = call("note", where.id, "--write", typed, *where.words)
    if where.box is None:
        assert (said.code, "with -o" in said.complaints or "-o" in said.complaints) == (2, True)
        return
    assert said.code == 0, said.complaints
    assert f"{ATTACHMENTS_NAME}/review-001.age" in said.out
    beside = where.kept.folder / ATTACHMENTS_NAME / "review-001.age"
    assert json.loads(opens(clinic, beside, "stranger"))["ratings"] == {"rubric": "basics", "items": {"empathy": 3}}
    read = where.call("note", where.id)
    assert "by Ada\n  1:00 here you waited #repair\n  growth edge: staying with silence" in read.out
    noted = [entry["facts"] for entry in where.box.noted() if entry["what"] == What.NAMED]
    assert noted == [{"attachment": "review", "person": ADA}]


@pytest.fixture
def folder(kept: Kept, tmp_path: Path) -> Kept:
    """A recording in a folder of its own."""
    return copy_of(kept, tmp_path)


def test_beside_a_recording_in_a_folder_reviews_are_numbered_and_read_back(
    clinic: Clinic, folder: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = with_kit(kit_of(clinic))
    for number in (1, 2):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"0:0{number} note {number}".encode())))
        said = call("note", folder.folder, "--write", "-", *kit)
        assert said.code == 0, said.complaints
        assert f"review-00{number}.age" in said.out
    names = sorted(path.name for path in (folder.folder / ATTACHMENTS_NAME).iterdir())
    assert names == ["label.age", "review-001.age", "review-002.age"]
    told = call("note", folder.folder, "--json", *kit).told
    assert [one["review"]["notes"][0]["text"] for one in told["reviews"]] == ["note 1", "note 2"]
    theirs = call("note", folder.folder, "-i", clinic.key("stranger"))
    assert f"by {ADA}\n  0:01 note 1" in theirs.out
    shut = call("note", folder.folder, "-i", clinic.key("classic"), "--json").told
    assert (shut["reviews"], len(shut["shut"])) == ([], 2)


def test_without_a_kit_it_has_to_be_said_whose_review_it_is(clinic: Clinic, folder: Kept, tmp_path: Path) -> None:
    typed = tmp_path / "typed.txt"
    typed.write_text("0:01 x")
    words = ("note", folder.folder, "--write", typed, "-i", clinic.key())
    assert call(*words).code == 2
    assert call(*words, "--by", "Ada").code == 2
    assert call(*words, "--by", ADA).code == 0
    typed.write_text("")
    assert call(*words, "--by", ADA).code == 2
    assert call("note", folder.file, "-i", clinic.key(), "--by", ADA, "--write", typed).code == 2
    assert call("note", folder.folder, "-i", clinic.key(), "--by", ADA, "--write", tmp_path / "none").code == 2


# -- places -----------------------------------------------------------------------------------------------------------


def test_a_folder_shows_nothing_that_is_marked_as_withdrawn(clinic: Clinic, folder: Kept) -> None:
    (folder.folder / WITHDRAWN_NAME).touch()
    said = call("list", folder.folder.parent)
    assert (said.code, folder.folder.name in said.out) == (0, False)
    assert call("pull", folder.folder.parent, folder.folder.name, "-o", clinic.home / "none").code == 6


def test_a_folder_without_recordings_is_taken_for_a_remote_that_is_not_mounted(tmp_path: Path) -> None:
    said = call("list", tmp_path)
    assert (said.code, "is not mounted" in said.complaints) == (6, True)
    assert call("list").code == 2


def test_only_a_box_is_signed_in_to(clinic: Clinic, folder: Kept) -> None:
    for at in (folder.folder.parent, "https://room-9.example"):
        said = call("list", at, "--login", "ada", "-i", clinic.key())
        assert said.code == 2, said.complaints
    assert call("list", "https://room-9.example", "-i", clinic.key(), "--device-key", DEVICE_KEY).code == 2


def test_what_is_not_whole_is_left_out_of_a_pull_of_all_that_fits(clinic: Clinic, folder: Kept, tmp_path: Path) -> None:
    folder.sign(state=RecordingState.OPEN, therapist=BEN)
    said = call("pull", folder.folder.parent, "--therapist", BEN, "-o", tmp_path / "into")
    assert (said.code, "is left out" in said.complaints) == (0, True)


# -- a box ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def box(clinic: Clinic, kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Where]:
    with a_box(clinic, kept, tmp_path_factory.mktemp("box")) as where:
        yield where


def test_a_box_is_named_by_its_address_and_its_key_too(clinic: Clinic, box: Where) -> None:
    origin = json.loads((clinic.home / "box.kit.json").read_text())["boxes"][0]["address"]
    said = call("list", origin, "-i", clinic.key(), "--login", "ada", "--device-key", FINGERPRINT, "--json")
    assert said.code == 0, said.complaints
    assert said.told["rooms"][0]["recordings"][0]["key"] is None  # the box's own word
    assert call("list", origin, *box.words[2:], "--device-key", "0" * 16).code == 1  # a challenge of another box


def test_an_address_on_a_box_of_the_kit_needs_nothing_else(clinic: Clinic, box: Where, tmp_path: Path) -> None:
    origin = json.loads((clinic.home / "box.kit.json").read_text())["boxes"][0]["address"]
    words = ("open", f"{origin}/api/v1/recordings/{box.id}", "--last", "5", "-o", tmp_path / "x.mp4")
    said = call(*words, *box.words[2:])
    assert said.code == 0, said.complaints
    assert call(*words, "-i", clinic.key(), "--force").code == 6


def test_another_passphrase_reaches_no_box(clinic: Clinic, box: Where) -> None:
    wrong = clinic.home / "wrong"
    wrong.write_text(PASSPHRASE[:-1])
    said = call("list", *box.words[:-1], wrong)
    assert (said.code, "not the passphrase of the kit" in said.complaints) == (3, True)


def test_one_sign_in_serves_a_whole_call(box: Where, tmp_path: Path) -> None:
    assert box.box is not None
    before = sum(entry["what"] == What.LOGIN for entry in box.box.noted())
    box.call("pull", "--therapist", "Ben", "-o", tmp_path, "--device-key", fingerprint_of(box))
    assert sum(entry["what"] == What.LOGIN for entry in box.box.noted()) == before + 1


def test_of_what_somebody_may_not_see_a_box_tells_nothing(clinic: Clinic, box: Where, tmp_path: Path) -> None:
    other = box.kept.folder.with_name("000099-abcdefghij")
    shutil.copytree(box.kept.folder, other)
    Kept(other, box.kept.manifest, box.kept.key, ()).sign(id=other.name, therapist="0" * 11 + "9")
    try:
        assert other.name not in box.call("list").out
        assert call("pull", other.name, "-o", tmp_path, *box.words).code == 6
        assert call("note", other.name, *box.words).code == 6
    finally:
        shutil.rmtree(other)
