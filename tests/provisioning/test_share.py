"""``sotto-clinic share``: others can open a recording, its payload is the box's, and all of it can be verified."""

from __future__ import annotations

import io
import json
import random
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import generate_identity, identity_file
from device.age.recipients import fingerprint
from device.age.rewrapping import rewrap
from device.age.sealing import encrypt
from device.clock import SystemClock
from device.recording import MANIFEST_NAME, REWRAPPED_NAME, SESSION_NAME, WITHDRAWN_NAME
from device.recording.signing import sign, verify
from device.remote_folder import MARK_NAME, FolderRemote
from provisioning.desk import KEY_NAME, fingerprint_of, make_desk, open_desk, read_key, read_locked_key
from provisioning.place import in_folder
from provisioning.rewraps import REWRAP_KIND, with_header
from provisioning.shareable import shareable
from tests.age.conftest import AGE_PQ
from tests.provisioning.boxes import Said, call, send
from tests.provisioning.clinics import PASSPHRASE
from tests.provisioning.conftest import Clinic
from tests.provisioning.damage import ALTERATIONS, Kept, copy_of, edit_the_manifest, record
from tests.provisioning.folders import Admin

NOTE = b"what somebody wrote of it"
NEW = generate_identity(post_quantum=True)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    made = Clinic(tmp_path_factory.mktemp("clinic"))
    made.identities["new"] = NEW
    made.key("new").write_text(identity_file(NEW, datetime(2026, 1, 1, tzinfo=UTC)), encoding="ascii")
    return made


@pytest.fixture(scope="module")
def sealed(clinic: Clinic, sound_24: Any) -> Kept:
    """Twenty seconds, with a note for the clinic and a review that is for somebody else alone."""
    kept = record(clinic, sound_24[0], store="sealed")
    (kept.folder / "attachments").mkdir()
    for name, whose in (("note-001.age", "clinic"), ("review-001.age", "stranger")):
        with (kept.folder / "attachments" / name).open("wb") as file:
            encrypt(io.BytesIO(NOTE), file, [clinic.identities[whose].recipient()])
    return kept


@pytest.fixture
def kept(sealed: Kept, tmp_path: Path) -> Kept:
    return copy_of(sealed, tmp_path / "pulled")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    make_desk(tmp_path / "desk", SystemClock())
    return tmp_path / "desk"


def to(clinic: Clinic, name: str) -> str:
    return str(clinic.identities[name].recipient())


def share(clinic: Clinic, folder: Path, desk: Path, *words: object, key: str = "clinic") -> Said:
    return call("share", folder, "-i", clinic.key(key), "--desk", desk, *words)


def shared(clinic: Clinic, folder: Path, desk: Path, *, how: str = "--add", name: str = "new") -> None:
    done = share(clinic, folder, desk, how, to(clinic, name))
    assert done.code == 0, done.complaints


def stock_opens(file: Path, key: Path) -> bytes | None:
    """What stock age makes of a file with a key; ``None`` where it does not fit."""
    run = subprocess.run([AGE_PQ, "-d", "-i", key, file], capture_output=True, check=False)
    assert run.returncode == 0 or b"no identity matched" in run.stderr, run.stderr
    return run.stdout if run.returncode == 0 else None


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def entries(desk: Path) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = call("desk", "show", desk, "--json").told["entries"]
    return told


def verified(path: Path, *words: object) -> tuple[int, dict[str, Any]]:
    said = call("verify", path, "--json", *words)
    return said.code, said.told["recordings"][0]


# -- what it is for ---------------------------------------------------------------------------------------------------


def test_stock_age_opens_it_with_the_old_key_and_with_the_new_one(clinic: Clinic, kept: Kept, desk: Path) -> None:
    before = stock_opens(kept.file, clinic.key())
    assert stock_opens(kept.file, clinic.key("new")) is None
    shared(clinic, kept.folder, desk)
    assert before is not None
    assert stock_opens(kept.file, clinic.key()) == stock_opens(kept.file, clinic.key("new")) == before


def test_the_payload_stays_byte_for_byte_and_so_does_what_the_box_signed(
    clinic: Clinic, kept: Kept, desk: Path
) -> None:
    before = contents(kept.folder)
    shared(clinic, kept.folder, desk)
    after = contents(kept.folder)
    payload = before[SESSION_NAME][kept.payload - 16 :]
    assert after[SESSION_NAME].endswith(payload), "the nonce and every chunk"
    assert len(after[SESSION_NAME]) > len(before[SESSION_NAME])
    assert after[MANIFEST_NAME] == before[MANIFEST_NAME]
    assert set(after) - set(before) == {REWRAPPED_NAME}


def test_the_attachments_that_the_key_opens_are_shared_and_the_others_are_told(
    clinic: Clinic, kept: Kept, desk: Path
) -> None:
    done = share(clinic, kept.folder, desk, "--add", to(clinic, "new"))
    assert "attachments/review-001.age stays as it is" in done.out
    note, review = (kept.folder / "attachments" / name for name in ("note-001.age", "review-001.age"))
    assert stock_opens(note, clinic.key()) == stock_opens(note, clinic.key("new")) == NOTE
    assert stock_opens(review, clinic.key("new")) is None
    assert stock_opens(review, clinic.key("stranger")) == NOTE


@pytest.mark.parametrize("key", ["clinic", "new"])
def test_it_is_verified_as_complete_and_openly_told_who_made_the_header(
    clinic: Clinic, kept: Kept, desk: Path, key: str
) -> None:
    shared(clinic, kept.folder, desk)
    mark = fingerprint_of(read_key(desk))
    for words in ([], ["-i", clinic.key(key)], ["-i", clinic.key(key), "--clinic-key", mark]):
        code, told = verified(kept.folder, *words)
        assert (code, told["state"], told["wrong"]) == (0, "complete", [])
        assert any("made anew by the clinic" in note and mark in note for note in told["notes"])
        assert any(fingerprint(NEW.recipient()) in note for note in told["notes"])
        assert any("made anew by the clinic" in one for one in told["checked"])


@pytest.mark.parametrize("key", ["clinic", "new"])
def test_all_of_it_and_any_part_of_it_is_opened_as_before(
    clinic: Clinic, sealed: Kept, kept: Kept, desk: Path, key: str
) -> None:
    parts: tuple[tuple[str, ...], ...] = ((), ("--last", "5s"), ("--from", "8", "--to", "12"))
    before = {}
    for words in parts:
        clinic.open(sealed.folder, "-o", "before.mp4", *words)
        before[words] = (clinic.home / "before.mp4").read_bytes()
    shared(clinic, kept.folder, desk)
    for words in parts:
        told = clinic.open(kept.folder, "-o", "after.mp4", *words, key=key)
        assert (clinic.home / "after.mp4").read_bytes() == before[words]
        assert told["manifest"]["header_by_clinic"] == fingerprint_of(read_key(desk))
    assert clinic.player.kinds(clinic.home / "after.mp4") == ["audio"]


def test_it_is_opened_from_the_clinics_own_web_server_with_and_without_ranges(
    clinic: Clinic, kept: Kept, desk: Path, serve: Callable[..., str]
) -> None:
    shared(clinic, kept.folder, desk)
    for ranges in (True, False):
        told = clinic.open(f"{serve(kept.folder, ranges=ranges)}/recordings/{kept.folder.name}", key="new")
        assert told["manifest"]["header_by_clinic"]


def test_only_those_who_are_named_open_it_from_then_on(clinic: Clinic, kept: Kept, desk: Path) -> None:
    shared(clinic, kept.folder, desk, how="--only")
    assert stock_opens(kept.file, clinic.key()) is None
    assert stock_opens(kept.folder / "attachments" / "note-001.age", clinic.key()) is None
    assert stock_opens(kept.file, clinic.key("new"))
    code, told = verified(kept.folder, "-i", clinic.key("new"))
    assert (code, told["wrong"]) == (0, [])


def test_the_same_again_changes_nothing(clinic: Clinic, kept: Kept, desk: Path) -> None:
    for how in ("--add", "--only"):
        shared(clinic, kept.folder, desk, how=how)
        before, head = contents(kept.folder), entries(desk)
        again = share(clinic, kept.folder, desk, how, to(clinic, "new"))
        assert (again.code, contents(kept.folder), entries(desk)) == (0, before, head)
        assert "already" in again.out


def test_what_came_beside_it_later_is_shared_by_the_same_command(clinic: Clinic, kept: Kept, desk: Path) -> None:
    shared(clinic, kept.folder, desk)
    session = kept.file.read_bytes()
    late = kept.folder / "attachments" / "note-002.age"
    with late.open("wb") as file:
        encrypt(io.BytesIO(NOTE), file, [clinic.identities["clinic"].recipient()])
    done = share(clinic, kept.folder, desk, "--add", to(clinic, "new"), "--json")
    assert done.told["recordings"][0]["attachments"] == ["note-002.age"]
    assert kept.file.read_bytes() == session
    assert stock_opens(late, clinic.key("new")) == NOTE


def test_one_after_the_other_can_be_added_and_each_header_is_answered_for(
    clinic: Clinic, kept: Kept, desk: Path
) -> None:
    shared(clinic, kept.folder, desk)
    done = share(clinic, kept.folder, desk, "--add", to(clinic, "stranger"), key="new")
    assert done.code == 0, done.complaints
    for key in ("clinic", "new", "stranger"):
        assert stock_opens(kept.file, clinic.key(key))
    code, told = verified(kept.folder, "-i", clinic.key("stranger"))
    assert (code, told["wrong"]) == (0, [])
    steps = verify(REWRAP_KIND, (kept.folder / REWRAPPED_NAME).read_bytes()).payload["steps"]
    assert [step["by"] for step in steps] == [
        fingerprint(clinic.identities[one].recipient()) for one in ("clinic", "new")
    ]
    assert steps[0]["old"]["digest"] == kept.manifest.header_digest
    assert steps[1]["old"] == steps[0]["new"]


def test_a_folder_of_recordings_is_shared_in_one_go(clinic: Clinic, sound_24: Any, desk: Path) -> None:
    folders = [record(clinic, sound_24[0], store="several").folder for _ in range(2)]
    done = share(clinic, folders[0].parent, desk, "--add", to(clinic, "new"))
    assert done.code == 0, done.complaints
    assert done.out.count(": shared;") == 2
    for folder in folders:
        assert verified(folder, "-i", clinic.key("new"))[1]["state"] == "complete"


def test_pulling_it_once_more_leaves_it_as_it_was_shared(
    clinic: Clinic, sealed: Kept, desk: Path, tmp_path: Path
) -> None:
    place = tmp_path / "remote"
    place.mkdir()
    (place / MARK_NAME).touch()
    send(FolderRemote(place), sealed.folder)
    command = ("pull", place, sealed.folder.name, "-o", tmp_path / "here")
    assert call(*command).code == 0
    here = tmp_path / "here" / sealed.folder.name
    shared(clinic, here, desk)
    before = contents(here)
    again = call(*command)
    assert (again.code, contents(here)) == (0, before), again.complaints


def test_what_was_shared_is_listed_as_whole_and_pulled_with_its_new_header(
    clinic: Clinic, kept: Kept, desk: Path, tmp_path: Path
) -> None:
    shared(clinic, kept.folder, desk)
    (one,) = call("list", kept.folder.parent, "--json").told["rooms"][0]["recordings"]
    assert (one["whole"], one["problem"]) == (True, None)
    done = call("pull", kept.folder.parent, kept.folder.name, "-o", tmp_path / "again")
    assert done.code == 0, done.complaints
    again = tmp_path / "again" / kept.folder.name
    assert contents(again) == contents(kept.folder)
    assert call("pull", kept.folder.parent, kept.folder.name, "-o", tmp_path / "again").code == 0
    code, told = verified(again, "-i", clinic.key("new"))
    assert (code, told["wrong"]) == (0, [])


@pytest.fixture
def elsewhere(clinic: Clinic, kept: Kept, desk: Path, tmp_path: Path) -> tuple[Path, str]:
    """What was shared, put to a server that no box sends to."""
    shared(clinic, kept.folder, desk)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / MARK_NAME).touch()
    send(FolderRemote(tmp_path / "elsewhere"), kept.folder)
    return tmp_path / "elsewhere", kept.folder.name


def test_every_verb_reads_it_with_its_new_header_on_another_server(
    clinic: Clinic, kept: Kept, elsewhere: tuple[Path, str], tmp_path: Path
) -> None:
    place, name = elsewhere
    (one,) = call("list", place, "--json").told["rooms"][0]["recordings"]
    assert one["whole"]
    assert not call("list", place, "--json").told["strange"]
    said = call("verify", "--at", place, "-i", clinic.key("new"), "--json")
    assert (said.code, said.told["recordings"][0]["state"]) == (0, "complete")
    told = clinic.open(name, "--at", place, "-o", tmp_path / "part.mp4", "--last", "5s", key="new")
    assert told["manifest"]["header_by_clinic"]
    words = ("-i", clinic.key("new"), "--recipient", to(clinic, "stranger"), "-o", tmp_path / "clip.mp4.age")
    done = call("clip", name, "--at", place, "--last", "5s", *words)
    assert done.code == 0, done.complaints
    assert call("pull", place, name, "-o", tmp_path / "here").code == 0
    assert contents(tmp_path / "here" / name) == contents(kept.folder)


# -- what is refused, and changes nothing -----------------------------------------------------------------------------


def refused(clinic: Clinic, kept: Kept, desk: Path, *words: object, key: str = "clinic") -> tuple[int, str]:
    before, head = contents(kept.folder), entries(desk)
    done = share(clinic, kept.folder, desk, *words, key=key)
    assert done.code != 0
    assert contents(kept.folder) == before
    assert entries(desk) == head
    return done.code, done.complaints


@pytest.mark.parametrize("how", ["--add", "--only"])
def test_a_classic_recipient_is_never_put_to_a_post_quantum_recording(
    clinic: Clinic, kept: Kept, desk: Path, how: str
) -> None:
    code, complaints = refused(clinic, kept, desk, how, to(clinic, "classic"))
    assert code == 1
    assert "post-quantum" in complaints


def test_a_key_that_does_not_open_it_shares_nothing(clinic: Clinic, kept: Kept, desk: Path) -> None:
    assert refused(clinic, kept, desk, "--add", to(clinic, "new"), key="stranger")[0] == 3


@pytest.mark.parametrize("alter", [one for one in ALTERATIONS if one is not edit_the_manifest])
def test_the_clinic_signs_nothing_that_was_altered(clinic: Clinic, kept: Kept, desk: Path, alter: Any) -> None:
    alter(kept, random.Random(5))
    assert refused(clinic, kept, desk, "--add", to(clinic, "new"))[0] in {3, 4, 5}


@pytest.mark.parametrize("before", ["as the box sealed it", "shared"])
def test_a_header_that_nobody_signed_is_not_built_upon(clinic: Clinic, kept: Kept, desk: Path, before: str) -> None:
    those = [clinic.identities["clinic"]]
    if before == "shared":
        shared(clinic, kept.folder, desk)
        those.append(NEW)
    content = kept.file.read_bytes()
    made = rewrap(io.BytesIO(content), those, only=[one.recipient() for one in those])
    kept.file.write_bytes(made.new + content[len(made.old) :])
    assert refused(clinic, kept, desk, "--add", to(clinic, "stranger"))[0] == 4


def test_a_manifest_that_was_edited_is_not_built_upon(clinic: Clinic, kept: Kept, desk: Path) -> None:
    edit_the_manifest(kept, random.Random(5))
    assert refused(clinic, kept, desk, "--add", to(clinic, "new"))[0] == 4


def test_the_box_that_signed_it_can_be_asked_for(clinic: Clinic, kept: Kept, desk: Path) -> None:
    assert refused(clinic, kept, desk, "--add", to(clinic, "new"), "--device-key", "0" * 16)[0] == 4


def test_what_is_withdrawn_is_opened_to_nobody(clinic: Clinic, kept: Kept, desk: Path) -> None:
    (kept.folder / WITHDRAWN_NAME).touch()
    assert "withdrawn" in refused(clinic, kept, desk, "--add", to(clinic, "new"))[1]


def test_a_folder_without_a_manifest_is_refused(clinic: Clinic, kept: Kept, desk: Path) -> None:
    (kept.folder / MANIFEST_NAME).unlink()
    assert refused(clinic, kept, desk, "--add", to(clinic, "new"))[0] == 5


def test_without_a_log_nothing_is_done(clinic: Clinic, kept: Kept, desk: Path) -> None:
    with open_desk(desk, SystemClock()):
        assert "another program" in refused(clinic, kept, desk, "--add", to(clinic, "new"))[1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("--add", "age1nobody"), 2),
        (("--add", "no-such-file"), 2),
        (("--add", "AGE-SECRET-KEY-1QQQQ"), 2),
    ],
)
def test_wrong_usage_is_told(clinic: Clinic, kept: Kept, desk: Path, words: tuple[str, ...], code: int) -> None:
    assert refused(clinic, kept, desk, *words)[0] == code


def test_add_and_only_do_not_go_together(clinic: Clinic, kept: Kept, desk: Path) -> None:
    assert refused(clinic, kept, desk, "--add", to(clinic, "new"), "--only", to(clinic, "new"))[0] == 2


def test_what_a_box_or_a_server_keeps_is_not_changed_there(clinic: Clinic, desk: Path) -> None:
    done = call(
        *("share", "https://room-3.example/api/v1/recordings/000001-abcdefghij", "-i", clinic.key()),
        *("--desk", desk, "--add", to(clinic, "new")),
    )
    assert done.code == 2
    assert "sotto-clinic pull" in done.complaints


def test_a_folder_that_a_box_compares_is_not_changed_by_its_path(
    clinic: Clinic, kept: Kept, desk: Path, tmp_path: Path
) -> None:
    (kept.folder.parent / "audit").mkdir()
    assert "box's own store" in refused(clinic, kept, desk, "--add", to(clinic, "new"))[1]
    (kept.folder.parent / "audit").rmdir()
    (tmp_path / MARK_NAME).touch()
    assert "--at" in refused(clinic, kept, desk, "--add", to(clinic, "new"))[1]


def test_there_has_to_be_a_desk(clinic: Clinic, kept: Kept, tmp_path: Path) -> None:
    done = share(clinic, kept.folder, tmp_path / "nowhere", "--add", to(clinic, "new"))
    assert done.code == 2
    assert "desk new" in done.complaints


# -- what somebody could put there ------------------------------------------------------------------------------------


def test_a_header_that_nobody_signed_is_found(clinic: Clinic, kept: Kept) -> None:
    with kept.file.open("rb") as file:
        made = rewrap(file, [clinic.identities["clinic"]], add=[NEW.recipient()])
        kept.file.write_bytes(made.new + file.read())
    code, told = verified(kept.folder)
    assert (code, told["state"]) == (4, "altered")


def forge(kept: Kept, key: Ed25519PrivateKey, change: Callable[[dict[str, Any]], object]) -> None:
    path = kept.folder / REWRAPPED_NAME
    payload = verify(REWRAP_KIND, path.read_bytes()).payload
    change(payload)
    path.write_bytes(sign(REWRAP_KIND, payload, key))


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.__setitem__("recording", "000009-zzzzzzzzzz"),
        lambda said: said.__setitem__("digest", "0" * 64),
        lambda said: said["steps"][0]["old"].__setitem__("digest", "0" * 64),
        lambda said: said["steps"][0]["new"].__setitem__("digest", "0" * 64),
        lambda said: said["steps"][0]["old"].__setitem__("size_bytes", 5),
        lambda said: said["steps"].append(dict(said["steps"][0])),
        lambda said: said.__setitem__("more", 1),
    ],
)
def test_a_document_that_does_not_fit_is_found(clinic: Clinic, kept: Kept, desk: Path, change: Any) -> None:
    shared(clinic, kept.folder, desk)
    forge(kept, read_key(desk), change)
    code, told = verified(kept.folder, "-i", clinic.key())
    assert (code, told["state"]) == (4, "altered")
    assert clinic.fail(kept.folder, "-o", "forged.mp4", "--last", "5s")[0] == 4


def test_a_document_that_was_edited_is_found(clinic: Clinic, kept: Kept, desk: Path) -> None:
    shared(clinic, kept.folder, desk)
    path = kept.folder / REWRAPPED_NAME
    document = json.loads(path.read_bytes())
    document["payload"]["steps"][0]["at"] = "2020-01-01T00:00:00.000Z"
    path.write_text(json.dumps(document))
    code, told = verified(kept.folder)
    assert (code, [wrong["part"] for wrong in told["wrong"]]) == (4, ["header made anew"])


def test_another_desks_key_is_found_where_the_clinics_is_known(clinic: Clinic, kept: Kept, desk: Path) -> None:
    shared(clinic, kept.folder, desk)
    mark = fingerprint_of(read_key(desk))
    forge(kept, Ed25519PrivateKey.generate(), lambda said: said)
    code, told = verified(kept.folder, "--clinic-key", mark)
    assert (code, [wrong["part"] for wrong in told["wrong"]]) == (4, ["header made anew"])
    assert share(clinic, kept.folder, desk, "--add", to(clinic, "stranger")).code == 4


@pytest.mark.parametrize("alter", [one for one in ALTERATIONS if one is not edit_the_manifest])
@pytest.mark.parametrize("keyed", [True, False])
def test_what_is_altered_after_a_share_is_found_where_it_is(
    clinic: Clinic, kept: Kept, desk: Path, alter: Any, *, keyed: bool
) -> None:
    shared(clinic, kept.folder, desk)
    now = shareable(
        in_folder(kept.folder), device_keys=frozenset(), clinic_keys=frozenset({fingerprint_of(read_key(desk))})
    )
    as_now = Kept(kept.folder, with_header(kept.manifest, now.steps[-1]), kept.key, kept.closings)
    parts, chunks = alter(as_now, random.Random(11))
    code, told = verified(kept.folder, *(["-i", clinic.key("new")] if keyed else []))
    assert code == 4
    assert {wrong["part"] for wrong in told["wrong"]} & parts
    places = [wrong["where"] for wrong in told["wrong"] if wrong["where"] and wrong["where"]["first_chunk"] is not None]
    if chunks is not None and keyed and places:
        assert places[0]["first_chunk"] <= chunks[1]
        assert places[-1]["last_chunk"] >= chunks[0]


def test_every_bit_of_the_new_header_is_answered_for_without_any_key(clinic: Clinic, kept: Kept, desk: Path) -> None:
    shared(clinic, kept.folder, desk)
    good = kept.file.read_bytes()
    head = len(good) - (kept.manifest.size_bytes - kept.payload)
    for number in range(20):
        content = bytearray(good)
        content[random.Random(number).randrange(head)] ^= 1 << number % 8
        kept.file.write_bytes(content)
        code, told = verified(kept.folder)
        assert (code, {wrong["part"] for wrong in told["wrong"]}) == (4, {"header"})


# -- cuts -------------------------------------------------------------------------------------------------------------


def test_a_cut_at_any_step_leaves_a_recording_that_opens_and_the_same_command_ends_it(
    clinic: Clinic, kept: Kept, desk: Path, tmp_path: Path
) -> None:
    before = contents(kept.folder)
    shared(clinic, kept.folder, desk)
    after = contents(kept.folder)
    order = [REWRAPPED_NAME, SESSION_NAME, "attachments/note-001.age"]  # as they get their names
    for done in range(len(order)):
        state = before | {name: after[name] for name in order[:done]}
        asides = {f"{name}.new": after[name][: len(after[name]) // (1 + (not done))] for name in order[done:]}
        folder = tmp_path / f"cut-{done}" / kept.folder.name
        for name, content in (state | asides).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        code, told = verified(folder, "-i", clinic.key())
        assert (code, told["state"]) == (0, "complete"), (done, told)
        assert any("share it again" in note for note in told["notes"]) is (done == 1)
        clinic.open(folder, "-o", "cut.mp4")
        shared(clinic, folder, desk)
        code, told = verified(folder, "-i", clinic.key("new"))
        assert (code, told["wrong"]) == (0, [])
        assert not any("share it again" in note for note in told["notes"])
        assert stock_opens(folder / "attachments" / "note-001.age", clinic.key("new")) == NOTE
        assert not list(folder.rglob("*.new"))


def test_a_kill_at_any_moment_leaves_a_recording_that_opens(
    clinic: Clinic, kept: Kept, desk: Path, rounds: int
) -> None:
    command = ("share", kept.folder, "-i", clinic.key(), "--desk", desk, "--add")
    with clinic.start(*command, to(clinic, "new")) as process:
        started_s = time.monotonic()
        process.communicate()
        took_s = time.monotonic() - started_s
    assert process.returncode == 0
    for number in range(rounds):
        extra = generate_identity(post_quantum=True)
        with clinic.start(*command, extra.recipient()) as process:
            time.sleep(took_s * (0.5 + random.Random(number).random() / 2))
            process.kill()
        code, told = verified(kept.folder, "-i", clinic.key(), "-i", clinic.key("new"))
        assert (code, told["state"], told["wrong"]) == (0, "complete", []), told
        assert stock_opens(kept.folder / "attachments" / "note-001.age", clinic.key()) == NOTE
        assert call("verify", desk).code == 0
    shared(clinic, kept.folder, desk, name="stranger")
    assert stock_opens(kept.file, clinic.key("stranger")) == stock_opens(kept.file, clinic.key("new")) is not None
    assert not list(kept.folder.rglob("*.new"))


def test_the_log_says_it_first_and_nobody_is_named(clinic: Clinic, kept: Kept, desk: Path) -> None:
    shared(clinic, kept.folder, desk)
    (entry,) = (one for one in entries(desk) if one["what"] == "shared")
    assert entry["recording"] == kept.folder.name
    facts = entry["facts"]
    assert facts["added"] == [fingerprint(NEW.recipient())]
    assert facts["header_before"] == kept.manifest.header_digest
    code = call("verify", desk, "--device-key", fingerprint_of(read_key(desk)), "--json")
    assert (code.code, code.told["audit_logs"][0]["entries"]) == (0, 2)


def test_a_file_keeps_who_may_read_it(clinic: Clinic, kept: Kept, desk: Path) -> None:
    kept.file.chmod(0o640)
    shared(clinic, kept.folder, desk)
    assert kept.file.stat().st_mode & 0o777 == 0o640
    assert (desk / KEY_NAME).stat().st_mode & 0o777 == 0o600


def test_a_desk_is_never_made_over_another(desk: Path) -> None:
    key = (desk / KEY_NAME).read_bytes()
    assert call("desk", "new", desk).code == 1
    assert (desk / KEY_NAME).read_bytes() == key


def test_without_any_identity_nothing_is_shared(clinic: Clinic, kept: Kept, desk: Path) -> None:
    before = contents(kept.folder)
    done = call("share", kept.folder, "--desk", desk, "--add", to(clinic, "new"))
    assert done.code == 2
    assert "identity" in done.complaints
    assert contents(kept.folder) == before


def test_the_clinics_folder_is_a_desk_whose_passphrase_is_asked_for(clinic: Clinic, kept: Kept, tmp_path: Path) -> None:
    admin = Admin(tmp_path)
    words = ("--add", to(clinic, "new"), "--desk-passphrase-file", admin.passphrase)
    done = share(clinic, kept.folder, admin.folder.path, *words)
    assert done.code == 0, done.complaints
    assert stock_opens(kept.file, clinic.key("new")) is not None
    assert admin.log()[-1] == "shared"
    mark = fingerprint_of(read_locked_key(admin.folder.path, PASSPHRASE))
    code, told = verified(kept.folder, "--clinic-key", mark)
    assert (code, told["state"], told["wrong"]) == (0, "complete", [])
    assert any("made anew by the clinic" in note and mark in note for note in told["notes"])
    without = share(clinic, kept.folder, admin.folder.path, "--add", to(clinic, "stranger"))
    assert without.code == 2
    assert "nobody is there to be asked for a passphrase" in without.complaints
