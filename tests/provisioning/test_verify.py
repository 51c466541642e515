"""``sotto-clinic verify``: every alteration is found and rightly placed, and what is honest is left in peace."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.header import read_header
from device.age.opening import open_header
from device.recording import LEDGER_NAME, MANIFEST_NAME, SESSION_NAME, WITHDRAWN_NAME
from device.recording.manifest import ConsentEvent, PictureFacts, RecordingState
from device.recording.signing import fingerprint
from device.store import Store
from device.words import Consent, Fate
from provisioning.__main__ import run
from tests.provisioning.conftest import SEALED_BYTES, Clinic
from tests.provisioning.damage import (
    ALTERATIONS,
    CLOSING_BYTES,
    Altered,
    Kept,
    copy_of,
    edit_the_manifest,
    flip_in_chunk,
    group_of,
    record,
)

OTHER_KEY = Ed25519PrivateKey.generate()


@dataclass(frozen=True)
class Said:
    """What one call of ``verify`` said."""

    code: int
    told: dict[str, Any]
    complaints: str

    @property
    def first(self) -> dict[str, Any]:
        recording: dict[str, Any] = self.told["recordings"][0]
        return recording

    @property
    def state(self) -> str:
        return str(self.first["state"])

    @property
    def parts(self) -> set[str]:
        return {str(wrong["part"]) for wrong in self.first["wrong"]}

    @property
    def where(self) -> list[dict[str, Any]]:
        return [wrong["where"] for wrong in self.first["wrong"] if wrong["where"] is not None]


def call(*words: object) -> tuple[int, str, str]:
    said, complaints = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complaints):
        code = run(["verify", *map(str, words)])
    return code, said.getvalue(), complaints.getvalue()


def verify(*words: object) -> Said:
    code, said, complaints = call("--json", *words)
    told = json.loads(said)
    assert told["exit_code"] == code
    return Said(code, told, complaints)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return Clinic(tmp_path_factory.mktemp("clinic"))


@pytest.fixture(scope="module")
def short(clinic: Clinic, sound_24: Any) -> Kept:
    """Twenty seconds, less than one group of chunks."""
    return record(clinic, sound_24[0])


@pytest.fixture(scope="module")
def long(clinic: Clinic, sound_quiet: Any) -> Kept:
    """Ten minutes, some 800 chunks in thirteen groups."""
    return record(clinic, sound_quiet[0], store="long")


@pytest.fixture(params=["with an identity", "without"])
def keys(request: pytest.FixtureRequest, clinic: Clinic) -> list[object]:
    return ["-i", clinic.key()] if request.param == "with an identity" else []


# -- what is honest ---------------------------------------------------------------------------------------------------


def test_a_whole_recording_is_complete(short: Kept, keys: list[object]) -> None:
    said = verify(short.folder, *keys)
    assert (said.code, said.state, said.first["wrong"]) == (0, "complete", [])
    assert said.first["duration_s"] == pytest.approx(20, abs=0.1)
    chunks = f"{short.manifest.chunks} chunks by digest" + (" and by key" if keys else "")
    assert said.first["checked"] == ["signature", "consent", "header", chunks, "end mark" if keys else "closing"]


@pytest.mark.parametrize("fragments", [1, 2, 9])
def test_an_interrupted_recording_is_interrupted_and_not_altered(
    clinic: Clinic, sound_24: Any, keys: list[object], fragments: int
) -> None:
    kept = record(clinic, sound_24[0], fragments=fragments, store="cut")
    said = verify(kept.folder, *keys)
    assert (said.code, said.state, said.first["wrong"]) == (0, "interrupted", [])


def test_a_recording_with_picture_is_complete(clinic: Clinic, with_picture: Any, keys: list[object]) -> None:
    kept = record(clinic, with_picture[0], consent=Consent.SOUND_AND_PICTURE, store="picture")
    kept.sign(picture=PictureFacts(width=320, height=180, camera="clock"))
    assert verify(kept.folder, *keys).state == "complete"


def test_a_recording_that_the_box_has_not_closed_is_open_and_nothing_is_proven(
    clinic: Clinic, short: Kept, tmp_path: Path, keys: list[object]
) -> None:
    kept = copy_of(short, tmp_path)
    kept.sign(state=RecordingState.OPEN, chunks=0, size_bytes=0, digest=None, digest_groups=(), header_digest=None)
    (kept.folder / LEDGER_NAME).write_bytes(b"")
    said = verify(kept.folder, *keys)
    assert (said.code, said.state) == (7, "open")


def test_a_file_and_an_address_are_verified_as_a_folder_is(
    short: Kept, serve: Callable[..., str], keys: list[object]
) -> None:
    assert verify(short.file, *keys).state == "complete"
    for ranges in (True, False):
        address = f"{serve(short.folder, ranges=ranges)}/recordings/{short.folder.name}"
        said = verify(address, *keys)
        assert (said.state, said.first["name"]) == ("complete", short.folder.name)


def test_a_file_without_a_manifest_is_not_proven(short: Kept, tmp_path: Path, keys: list[object]) -> None:
    alone = tmp_path / "alone.age"
    shutil.copy(short.file, alone)
    said = verify(alone, *keys)
    assert (said.code, said.state) == (7, "not proven")
    assert any("no manifest" in note for note in said.first["notes"])
    alone.write_bytes(alone.read_bytes()[:-1])
    assert (verify(alone, *keys).code, verify(alone, *keys).parts) == (4, {"closing"})


def test_a_manifest_from_before_the_groups_still_verifies(short: Kept, tmp_path: Path, keys: list[object]) -> None:
    kept = copy_of(short, tmp_path)
    kept.sign(digest_groups=(), closing_digest=None)
    assert verify(kept.folder, *keys).state == "complete"
    _, number = flip_in_chunk(kept, random.Random(4))
    said = verify(kept.folder, *keys)
    assert (said.state, said.parts) == ("altered", {"chunks"})
    placed = [(where["first_chunk"], where["last_chunk"]) for where in said.where]
    assert placed == ([number] if keys else [])


# -- what was altered -------------------------------------------------------------------------------------------------


def is_placed_right(said: Said, altered: Altered, kept: Kept, *, exact: bool) -> None:
    """The parts are those that were altered, and every place lies where it was (or in the groups of that)."""
    parts, chunks = altered
    assert said.state == "altered"
    assert said.code == 4
    assert said.parts <= parts
    if chunks is None:
        return
    first, last = chunks if exact else group_of(chunks, of=kept.manifest.chunks)
    placed = [where for where in said.where if where["first_chunk"] is not None]
    assert placed
    for where in placed:
        assert first <= where["first_chunk"] <= where["last_chunk"] <= last
        assert where["start_byte"] == kept.chunk_at(where["first_chunk"])
        assert 0 <= where["from_s"] <= where["to_s"] <= said.first["duration_s"] + 0.001


@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda alter: alter.__name__)
def test_every_alteration_is_found_and_placed(
    short: Kept, tmp_path: Path, keys: list[object], alter: Callable[[Kept, random.Random], Altered]
) -> None:
    kept = copy_of(short, tmp_path)
    altered = alter(kept, random.Random(1))
    is_placed_right(verify(kept.folder, *keys), altered, kept, exact=bool(keys))


def test_two_hundred_random_alterations_are_all_found_and_placed(
    clinic: Clinic, long: Kept, short: Kept, tmp_path: Path
) -> None:
    found = 0
    for seed in range(200):
        chance = random.Random(seed)
        kept = copy_of(long if seed % 10 == 0 else short, tmp_path / str(seed))
        altered = chance.choice(ALTERATIONS)(kept, chance)
        for words in ([], ["-i", clinic.key()]):
            is_placed_right(verify(kept.folder, *words), altered, kept, exact=bool(words))
        shutil.rmtree(kept.folder)
        found += 1
    assert found == 200


def test_without_an_identity_a_flipped_bit_is_placed_within_four_mebibytes(long: Kept, tmp_path: Path) -> None:
    kept = copy_of(long, tmp_path)
    kept.change(lambda data: data.__setitem__(kept.chunk_at(300) + 9, data[kept.chunk_at(300) + 9] ^ 1))
    (where,) = verify(kept.folder).where
    assert (where["first_chunk"], where["last_chunk"], where["exact"]) == (256, 319, False)
    assert where["end_byte"] - where["start_byte"] == 64 * SEALED_BYTES
    truth_s = 300 / kept.manifest.chunks * kept.manifest.duration_us / 1e6
    assert where["from_s"] <= truth_s <= where["to_s"]


def test_with_an_identity_it_is_placed_to_the_chunk_and_its_moment(clinic: Clinic, long: Kept, tmp_path: Path) -> None:
    kept = copy_of(long, tmp_path)
    kept.change(lambda data: data.__setitem__(kept.chunk_at(300) + 9, data[kept.chunk_at(300) + 9] ^ 1))
    (where,) = verify(kept.folder, "-i", clinic.key()).where
    assert (where["first_chunk"], where["last_chunk"], where["exact"]) == (300, 300, True)
    assert where["to_s"] - where["from_s"] == pytest.approx(0.75, abs=0.25)
    assert where["from_s"] == pytest.approx(299 / kept.manifest.chunks * kept.manifest.duration_us / 1e6, abs=2)


def test_cut_at_any_chunk_is_found(short: Kept, tmp_path: Path, keys: list[object]) -> None:
    kept = copy_of(short, tmp_path)
    whole = kept.file.read_bytes()
    for chunks in range(1, kept.manifest.chunks):
        kept.file.write_bytes(whole[: kept.chunk_at(chunks)] + kept.closings[chunks - 1])
        said = verify(kept.folder, *keys)
        assert said.parts == {"missing chunks"}
        (where,) = said.where
        assert (where["first_chunk"], where["last_chunk"]) == (chunks, kept.manifest.chunks - 1)


def test_a_cut_within_the_header_is_found(short: Kept, tmp_path: Path, keys: list[object]) -> None:
    kept = copy_of(short, tmp_path)
    for size in (0, 1, 40, kept.payload - 1, kept.payload):
        kept.file.write_bytes(short.file.read_bytes()[:size])
        said = verify(kept.folder, *keys)
        assert (said.code, said.parts - {"header"}) == (4, {"missing chunks"})


def test_the_end_mark_taken_away_is_told_with_the_chunk_that_held_it(
    short: Kept, tmp_path: Path, keys: list[object]
) -> None:
    kept = copy_of(short, tmp_path)
    last = kept.manifest.chunks - 1
    kept.change(lambda data: data.__setitem__(slice(kept.chunk_at(last), None), kept.closings[last - 1]))
    said = verify(kept.folder, *keys)
    assert said.parts == {"missing chunks"}
    assert "and the end mark with them" in said.first["wrong"][0]["what"]


@pytest.mark.parametrize("other", ["another recording", "nonsense"])
def test_another_file_in_its_place_is_told_as_such(
    clinic: Clinic, short: Kept, long: Kept, tmp_path: Path, keys: list[object], other: str
) -> None:
    kept = copy_of(short, tmp_path)
    content = long.file.read_bytes() if other == "another recording" else random.Random(1).randbytes(4_000_000)
    kept.file.write_bytes(content)
    said = verify(kept.folder, *keys)
    assert (said.code, said.parts) == (4, {"file"})


def test_the_manifest_of_another_recording_is_told_as_such(
    short: Kept, long: Kept, tmp_path: Path, keys: list[object]
) -> None:
    kept = copy_of(short, tmp_path)
    shutil.copy(long.folder / MANIFEST_NAME, kept.folder / MANIFEST_NAME)
    said = verify(kept.folder, *keys)
    assert said.parts >= {"manifest"}
    assert any("that of another recording" in wrong["what"] for wrong in said.first["wrong"])


def test_chunks_sealed_anew_by_somebody_who_holds_a_key_are_found(clinic: Clinic, long: Kept, tmp_path: Path) -> None:
    # A recipient can read the file's key out of the header, and make any chunk anew; the signed digests show it.
    kept = copy_of(long, tmp_path)
    with kept.file.open("rb") as file:
        cipher, _ = open_header(file, [clinic.identities["clinic"]])
    at = slice(kept.chunk_at(200), kept.chunk_at(201))
    plain = bytearray(cipher.open(200, kept.file.read_bytes()[at], last=False))
    plain[-1] ^= 1
    kept.change(lambda data: data.__setitem__(at, cipher.seal(200, plain, last=False)))
    said = verify(kept.folder, "-i", clinic.key())
    assert "sealed them anew" in said.first["wrong"][0]["what"]
    (where,) = said.where
    assert (where["first_chunk"], where["last_chunk"]) == (192, 255)


def test_a_manifest_signed_by_another_key_is_found_by_whoever_knows_the_boxs(
    clinic: Clinic, short: Kept, tmp_path: Path, keys: list[object]
) -> None:
    kept = copy_of(short, tmp_path)
    kept.sign(OTHER_KEY)
    known = fingerprint(clinic.device_key.public_key().public_bytes_raw())
    assert verify(kept.folder, *keys).code == 0  # nobody said whose key it has to be; its fingerprint is told
    said = verify(kept.folder, "--device-key", known, *keys)
    assert (said.code, said.parts) == (4, {"device key"})
    assert verify(short.folder, "--device-key", known, *keys).first["checked"][0] == "signature and device key"
    listed = tmp_path / "boxes.txt"
    keys_there = [OTHER_KEY, clinic.device_key]
    listed.write_text("# ours\n" + "\n".join(b64encode(k.public_key().public_bytes_raw()).decode() for k in keys_there))
    assert verify(short.folder, "--device-key", listed, *keys).code == 0


@pytest.mark.parametrize("content", ["", "# nothing\n", "not a key\n", "AAAA\n"])
def test_a_file_of_device_keys_that_has_none_is_wrong_usage(short: Kept, tmp_path: Path, content: str) -> None:
    (tmp_path / "boxes.txt").write_text(content)
    code, _, said = call_failing(short.folder, "--device-key", tmp_path / "boxes.txt")
    assert (code, "device key" in said) == (2, True)
    assert call_failing(short.folder, "--device-key", tmp_path / "none")[0] == 2


def call_failing(*words: object) -> tuple[int, str, str]:
    code, said, complaints = call(*words)
    assert "error: " in complaints
    assert "\nhint: " in complaints
    return code, said, complaints


# -- consent ----------------------------------------------------------------------------------------------------------

GIVEN = ConsentEvent(at_us=-200_000, what="consented", consent=Consent.SOUND)
TAKEN = ConsentEvent(at_us=5_000_000, what=Fate.WITHDRAWN, consent=Consent.NONE)
BACK = ConsentEvent(at_us=6_000_000, what=Fate.KEPT, consent=Consent.SOUND)
TAKEN_LATER = TAKEN.model_copy(update={"at_us": 7_000_000})
PICTURE = PictureFacts(width=320, height=180, camera="clock")


@pytest.mark.parametrize(
    "facts",
    [
        {"consent_events": ()},
        {"consent_events": (TAKEN, GIVEN)},
        {"consent_events": (GIVEN.model_copy(update={"at_us": 1}),)},
        {"consent_events": (GIVEN.model_copy(update={"consent": Consent.NONE}),)},
        {"consent_events": (GIVEN, GIVEN.model_copy(update={"consent": Consent.NONE}))},
        {"consent_events": (GIVEN,), "consent": Consent.NONE},
        {"consent_events": (GIVEN,), "consent": Consent.SOUND_AND_PICTURE},
        {"consent_events": (GIVEN,), "picture": PICTURE},
        {"consent_events": (GIVEN, BACK)},
        {"consent_events": (GIVEN, TAKEN, TAKEN)},
        {"consent_events": (GIVEN, TAKEN, BACK.model_copy(update={"consent": Consent.SOUND_AND_PICTURE}))},
        {"consent_events": (GIVEN, TAKEN, BACK.model_copy(update={"at_us": 0}))},
        {"consent_events": (GIVEN, TAKEN.model_copy(update={"people": 2}))},
    ],
    ids=str,
)
def test_a_consent_that_makes_no_sense_is_found(short: Kept, tmp_path: Path, facts: dict[str, Any]) -> None:
    kept = copy_of(short, tmp_path)
    kept.sign(**facts)
    said = verify(kept.folder)
    assert (said.code, said.parts) == (4, {"consent"})


@pytest.mark.parametrize("events", [(GIVEN,), (GIVEN, TAKEN, BACK), (GIVEN, TAKEN, BACK, TAKEN_LATER)], ids=len)
def test_a_consent_that_was_taken_and_given_back_is_in_order(
    short: Kept, tmp_path: Path, events: tuple[ConsentEvent, ...]
) -> None:
    kept = copy_of(short, tmp_path)
    kept.sign(consent_events=events)
    said = verify(kept.folder)
    assert (said.code, said.state) == (0, "complete")


def test_a_file_with_a_picture_under_consent_to_sound_is_found_with_an_identity(
    clinic: Clinic, with_picture: Any
) -> None:
    kept = record(clinic, with_picture[0], store="smuggled")
    assert verify(kept.folder).code == 0
    said = verify(kept.folder, "-i", clinic.key())
    assert (said.code, said.parts) == (4, {"consent"})
    assert "the file has a picture track" in said.first["wrong"][0]["what"]


@pytest.mark.parametrize("how", ["its events", "its mark"])
def test_a_withdrawn_recording_is_told_as_such(short: Kept, tmp_path: Path, how: str) -> None:
    kept = copy_of(short, tmp_path)
    if how == "its events":
        kept.sign(consent_events=(GIVEN, TAKEN))
    else:
        (kept.folder / WITHDRAWN_NAME).write_bytes(b"")
    said = verify(kept.folder)
    assert (said.code, said.state) == (0, "complete")
    assert any("has withdrawn it" in note for note in said.first["notes"])


# -- recipients and identities ----------------------------------------------------------------------------------------


def test_a_manifest_that_names_others_than_the_file_is_sealed_to_is_found(
    clinic: Clinic, short: Kept, tmp_path: Path, keys: list[object]
) -> None:
    kept = copy_of(short, tmp_path)
    with kept.file.open("rb") as file:
        assert len(read_header(file).stanzas) == 1
    kept.sign(recipients=("a" * 16, "b" * 16))
    assert verify(kept.folder, *keys).parts == {"recipients"}
    kept.sign(recipients=("a" * 16,))
    assert verify(kept.folder, *keys).parts == ({"recipients"} if keys else set())


def test_an_identity_that_does_not_fit_is_told_and_the_digests_still_judge(
    clinic: Clinic, short: Kept, tmp_path: Path
) -> None:
    said = verify(short.folder, "-i", clinic.key("stranger"))
    assert (said.code, said.state) == (3, "complete")
    assert any("none of the keys given opens it" in note for note in said.first["notes"])
    kept = copy_of(short, tmp_path)
    flip_in_chunk(kept, random.Random(2))
    assert verify(kept.folder, "-i", clinic.key("stranger")).code == 4


# -- many, and what is no recording -----------------------------------------------------------------------------------


def test_a_whole_store_is_verified_in_one_call(clinic: Clinic, sound_24: Any, keys: list[object]) -> None:
    name = f"whole-{len(keys)}"
    store = Store(clinic.home / name, device_key=clinic.device_key)
    kept = [record(clinic, sound_24[0], store=name), record(clinic, sound_24[0], store=name, fragments=4)]
    erased = record(clinic, sound_24[0], store=name)
    altered = record(clinic, sound_24[0], store=name)
    edit_the_manifest(altered, random.Random(1))
    store.erase(erased.folder.name, by="client", at="2026-03-02T10:00:00.000Z")
    said = verify(store.path, *keys)
    states = {one["name"]: one["state"] for one in said.told["recordings"]}
    assert states == {
        kept[0].folder.name: "complete",
        kept[1].folder.name: "interrupted",
        altered.folder.name: "altered",
        erased.folder.name: "erased",
    }
    assert said.code == 4
    assert verify(store.path / erased.folder.name).state == "erased"
    code, lines, progress = call(store.path, *keys)
    assert code == 4
    assert lines.splitlines()[-1] == "4 in all: 1 complete, 1 interrupted, 1 altered, 1 erased"
    assert progress.splitlines()[0] == f"verifying 1/4 {kept[0].folder.name}"


def test_a_certificate_that_was_edited_or_whose_recording_is_still_there_is_found(
    clinic: Clinic, sound_24: Any
) -> None:
    store = Store(clinic.home / "certified", device_key=clinic.device_key)
    kept = record(clinic, sound_24[0], store="certified")
    copied = shutil.copytree(kept.folder, clinic.home / "aside" / kept.folder.name)
    store.erase(kept.folder.name, by="client", at="2026-03-02T10:00:00.000Z")
    certificate = store.path / "erased" / f"{kept.folder.name}.json"
    assert verify(certificate).state == "erased"
    shutil.copytree(copied, kept.folder)
    said = verify(store.path)
    assert {one["state"] for one in said.told["recordings"]} == {"complete", "altered"}
    certificate.write_text(certificate.read_text().replace("client", "nobody"))
    assert verify(certificate).parts == {"erase certificate"}


def test_what_is_not_there_and_what_is_no_recording_have_their_own_exit_codes(
    clinic: Clinic, short: Kept, tmp_path: Path
) -> None:
    assert call_failing(tmp_path / "none")[0] == 6
    assert call_failing(tmp_path)[0] == 6
    (tmp_path / "text.age").write_bytes(b"hello")
    assert call_failing(tmp_path / "text.age")[0] == 5
    assert call_failing(tmp_path / "text.age", short.folder)[0] == 5
    kept = copy_of(short, tmp_path)
    kept.file.unlink()
    said = verify(kept.folder)
    assert (said.code, said.parts) == (4, {"file"})


def test_the_words_name_the_place_and_what_to_do(clinic: Clinic, long: Kept, tmp_path: Path) -> None:
    kept = copy_of(long, tmp_path)
    kept.change(lambda data: data.__setitem__(kept.chunk_at(300), data[kept.chunk_at(300)] ^ 1))
    code, lines, _ = call(kept.folder, "-i", clinic.key())
    assert code == 4
    start = kept.chunk_at(300)
    assert f"wrong: a chunk is not what the box sealed at this place (chunk 300, bytes {start} to" in lines
    assert "hint: do not rely on it" in lines
    assert kept.file.stat().st_size == kept.manifest.size_bytes
    assert kept.manifest.size_bytes - kept.chunk_at(kept.manifest.chunks) == CLOSING_BYTES
    assert SESSION_NAME in str(kept.file)


def test_a_recording_is_read_once_and_in_constant_memory(long: Kept, clinic: Clinic) -> None:
    import tracemalloc

    from provisioning.device_keys import read_device_keys
    from provisioning.keys import read_identities
    from provisioning.place import in_folder
    from provisioning.verifier import Knowledge, verify_recording

    knowledge = Knowledge(read_identities([clinic.key()]), read_device_keys([]))
    read: list[tuple[int, int | None]] = []
    tracemalloc.start()
    verdict = verify_recording(in_folder(long.folder), knowledge, progress=lambda done, of: read.append((done, of)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert verdict.state == "complete"
    assert read[-1] == (long.manifest.size_bytes, long.manifest.size_bytes)
    assert long.manifest.size_bytes > 40 << 20
    assert peak_bytes < 6 << 20


def test_whoever_reads_only_the_beginning_gets_no_traceback(long: Kept) -> None:
    """``sotto-clinic verify … | head -n 0``."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "provisioning", "verify", long.folder, "--json"]
    said = subprocess.run(command, check=False, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (said.returncode, said.stderr) == (1, f"verifying {long.folder.name}\n")
