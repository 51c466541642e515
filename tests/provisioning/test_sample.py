"""``sotto-clinic sample``: registered before it is drawn, blinded, opened by raters with stock age, rated, exported."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from device.age.identities import generate_identity, identity_file
from device.age.sealing import encrypt
from device.clock import SystemClock
from device.recording import MANIFEST_NAME, SESSION_NAME, WITHDRAWN_NAME, is_recording_id
from device.recording.beside import Kind, file_name_of
from device.recording.named import LabelDocument, padded, to_bytes
from device.recording.signing import sign, verify
from device.words import Consent
from provisioning.desk import fingerprint_of, make_desk, read_key
from provisioning.review import Note, Ratings, Review, seal_review
from provisioning.sampling.blinding import new_id
from provisioning.sampling.handed import SAMPLE_KIND, SAMPLE_NAME, BlindingKey, open_key
from tests.age.conftest import AGE_PQ
from tests.provisioning.boxes import Said, call
from tests.provisioning.conftest import Clinic
from tests.provisioning.damage import Kept, record

PROTOCOL = b"""
sotto_sample = 1
[draw]
recordings = 3
[slices]
each = 2
length = "3s"
skip_start = "1s"
skip_end = "2s"
"""
RATER, LEAD = (generate_identity(post_quantum=True) for _ in range(2))
THERAPIST = "0123456789ab"


@dataclass
class Study:
    """A clinic with five recordings of twenty seconds, a desk, a rater and a study lead."""

    clinic: Clinic
    home: Path
    store: Path

    @property
    def desk(self) -> Path:
        return self.home / "desk"

    @property
    def out(self) -> Path:
        return self.home / "for-raters"

    @property
    def key(self) -> Path:
        return self.home / "lead" / "blinding.age"

    def register(self, protocol: bytes = PROTOCOL) -> Said:
        (self.home / "protocol.toml").write_bytes(protocol)
        return call("sample", "register", self.home / "protocol.toml", "--desk", self.desk)

    def draw(self, number: int = 2, *words: object, out: Path | None = None, key: Path | None = None) -> Said:
        return call(
            *("sample", "draw", number, self.store, "--desk", self.desk, "-i", self.clinic.key()),
            *("--to", RATER.recipient(), "--lead", LEAD.recipient()),
            *("-o", out or self.out, "--key", key or self.key, *words),
        )

    def check(self, number: int = 2) -> Said:
        return call("sample", "check", number, "--desk", self.desk, "--json")

    def export(self, *words: object) -> Said:
        return call("sample", "export", self.out, "--desk", self.desk, "-i", self.home / "lead.key", *words)

    def blinding(self) -> BlindingKey:
        return open_key(self.key.read_bytes(), [LEAD])

    def slices(self) -> list[Path]:
        return sorted(path for path in self.out.iterdir() if path.is_dir())

    def log(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = call("desk", "show", self.desk, "--json").told["entries"]
        return told


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return Clinic(tmp_path_factory.mktemp("clinic"))


@pytest.fixture(scope="module")
def five(clinic: Clinic, sound_24: Any) -> list[Kept]:
    return [record(clinic, sound_24[0], store="five") for _ in range(5)]


@pytest.fixture
def study(clinic: Clinic, five: list[Kept], tmp_path: Path) -> Study:
    made = Study(clinic, tmp_path, tmp_path / "pulled")
    shutil.copytree(five[0].folder.parent, made.store)
    (tmp_path / "lead").mkdir()
    (tmp_path / "lead.key").write_text(identity_file(LEAD, datetime(2026, 1, 1, tzinfo=UTC)))
    (tmp_path / "rater.key").write_text(identity_file(RATER, datetime(2026, 1, 1, tzinfo=UTC)))
    make_desk(made.desk, SystemClock())
    return made


@pytest.fixture
def drawn(study: Study) -> Study:
    assert study.register().code == 0
    done = study.draw()
    assert done.code == 0, done.complaints
    return study


def age(file: Path, key: Path) -> bytes | None:
    run = subprocess.run([AGE_PQ, "-d", "-i", key, file], capture_output=True, check=False)
    return run.stdout if run.returncode == 0 else None


# -- registered first -------------------------------------------------------------------------------------------------


def test_protocol_and_seed_are_in_the_log_before_anything_is_drawn(study: Study) -> None:
    said = study.register()
    assert said.code == 0
    (entry,) = (one for one in study.log() if one["what"] == "sample registered")
    assert entry["facts"]["protocol"] == sha256(PROTOCOL).hexdigest()
    assert entry["facts"]["seed"] in said.out
    assert [one["what"] for one in study.log()] == ["desk made", "sample registered"]
    head = call("desk", "show", study.desk, "--json").told["head"]
    assert head in said.out
    assert study.draw().code == 0
    code = call("verify", study.desk, "--head", head, "--device-key", fingerprint_of(read_key(study.desk)))
    assert code.code == 0, "the head that went out with the registration is in the log of today"


def test_two_registrations_of_one_protocol_have_two_seeds_unless_it_names_one(study: Study) -> None:
    for protocol in (PROTOCOL, PROTOCOL, *2 * [PROTOCOL.replace(b"[draw]", b'[draw]\nseed = "words"')]):
        assert study.register(protocol).code == 0
    seeds = [one["facts"]["seed"] for one in study.log() if one["what"] == "sample registered"]
    assert len(set(seeds)) == 3
    assert seeds[2] == seeds[3] == sha256(b"words").hexdigest()


@pytest.mark.parametrize("number", [1, 3, 99])
def test_what_was_not_registered_is_not_drawn(study: Study, number: int) -> None:
    study.register()
    assert study.draw(number).code == 2
    assert not study.out.exists()


def test_a_protocol_that_was_changed_after_it_was_registered_is_not_drawn(study: Study) -> None:
    study.register()
    path = study.desk / "samples" / "2" / "protocol.toml"
    path.write_bytes(path.read_bytes().replace(b"each = 2", b"each = 1"))
    assert study.draw().code == 4
    assert not study.out.exists()


def test_a_log_that_was_changed_draws_nothing(study: Study) -> None:
    study.register()
    study.register()
    (path,) = (study.desk / "audit").glob("*.jsonl")
    seed = study.log()[1]["facts"]["seed"]
    path.write_text(path.read_text().replace(seed, "0" * 64))
    assert study.draw().code == 4


# -- drawn ------------------------------------------------------------------------------------------------------------


def test_the_draw_in_the_log_is_repeated_by_anybody(drawn: Study) -> None:
    told = drawn.check().told
    (entry,) = (one for one in drawn.log() if one["what"] == "sample drawn")
    assert told["drawn"] == entry["facts"]["drawn"]
    assert (entry["facts"]["since"], entry["facts"]["count"]) == (2, 6)
    names = {one["recording"] for one in told["slices"]}
    assert len(names) == 3
    covered = {(one.recording, one.from_us // 1_000_000) for one in drawn.blinding().slices}
    assert {name for name, _ in covered} == names
    for one in told["slices"]:
        assert any(name == one["recording"] and one["from_s"] - 1 <= at <= one["from_s"] for name, at in covered)


def test_the_same_draw_comes_of_the_same_recordings_in_another_order_and_place(
    study: Study, clinic: Clinic, tmp_path: Path
) -> None:
    seeded = PROTOCOL.replace(b"[draw]", b'[draw]\nseed = "words"')
    for _ in range(2):
        study.register(seeded)
    assert study.draw(2).code == 0
    for number, folder in enumerate(sorted(study.store.iterdir())):
        (tmp_path / f"disk-{number % 2}").mkdir(exist_ok=True)
        folder.rename(tmp_path / f"disk-{number % 2}" / folder.name)
    done = call(
        *("sample", "draw", 3, tmp_path / "disk-1", tmp_path / "disk-0", "--desk", study.desk, "-i", clinic.key()),
        *("--to", RATER.recipient(), "--lead", LEAD.recipient(), "-o", tmp_path / "again", "--key", tmp_path / "k.age"),
    )
    assert done.code == 0, done.complaints
    assert study.check(2).told["slices"] == study.check(3).told["slices"]


def test_a_sample_is_drawn_once_and_what_is_recorded_later_changes_nothing(
    drawn: Study, clinic: Clinic, sound_24: Any, tmp_path: Path
) -> None:
    before = drawn.check().told
    late = record(clinic, sound_24[0], store="late")
    shutil.copytree(late.folder, drawn.store / late.folder.name)
    done = drawn.draw(2, out=tmp_path / "again", key=tmp_path / "again.age")
    assert done.code == 0, done.complaints
    assert drawn.check().told == before
    assert [one["what"] for one in drawn.log()].count("sample drawn") == 1
    again = open_key((tmp_path / "again.age").read_bytes(), [LEAD])
    old, new = ({(one.recording, one.from_us) for one in key.slices} for key in (drawn.blinding(), again))
    assert old == new
    assert not {one.id for one in drawn.blinding().slices} & {one.id for one in again.slices}


def test_a_population_that_was_changed_is_found(drawn: Study) -> None:
    path = drawn.desk / "samples" / "2" / "population.json"
    path.write_bytes(path.read_bytes().replace(b'"therapist": null', b'"therapist":  null'))
    assert drawn.check().code == 4


def test_a_recording_that_was_drawn_and_is_not_there_is_named(study: Study, tmp_path: Path) -> None:
    study.register()
    assert study.draw().code == 0
    gone = study.check().told["slices"][0]["recording"]
    shutil.rmtree(study.store / gone)
    done = study.draw(2, out=tmp_path / "again", key=tmp_path / "again.age")
    assert done.code == 6
    assert gone in done.complaints
    assert not (tmp_path / "again").exists()
    assert not (tmp_path / "again.part").exists()


def test_what_was_withdrawn_since_is_handed_out_to_nobody(study: Study, tmp_path: Path) -> None:
    study.register()
    study.draw()
    gone = study.check().told["slices"][0]["recording"]
    (study.store / gone / WITHDRAWN_NAME).touch()
    done = study.draw(2, out=tmp_path / "again", key=tmp_path / "again.age")
    assert done.code == 0, done.complaints
    assert "withdrawn" in done.out
    key = open_key((tmp_path / "again.age").read_bytes(), [LEAD])
    assert gone not in {one.recording for one in key.slices}
    assert len(key.slices) == 4


def test_a_damaged_recording_hands_nothing_out(study: Study) -> None:
    study.register()
    for folder in study.store.iterdir():
        content = bytearray((folder / SESSION_NAME).read_bytes())
        for at in range(70_000, len(content), 5_000):
            content[at] ^= random.Random(at).randrange(1, 256)
        (folder / SESSION_NAME).write_bytes(content)
    assert study.draw().code == 4
    assert not study.out.exists()
    assert not study.key.exists()


# -- who is drawn from ------------------------------------------------------------------------------------------------


def population(study: Study) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((study.desk / "samples" / "2" / "population.json").read_bytes())
    return told


def change(study: Study, clinic: Clinic, number: int, **facts: Any) -> str:
    """Let a recording's manifest say something else, signed by its box."""
    folder = sorted(study.store.iterdir())[number]
    payload = verify("manifest", (folder / MANIFEST_NAME).read_bytes()).payload
    (folder / MANIFEST_NAME).write_bytes(sign("manifest", payload | facts, clinic.device_key))
    return folder.name


@pytest.mark.parametrize(
    ("facts", "protocol", "why"),
    [
        ({"started": "2026-02-28T23:59:59.000Z"}, b"[population]\nsince = 2026-03-01\n", "another time"),
        ({"started": "2026-03-03T00:00:00.000Z"}, b"[population]\nuntil = 2026-03-02\n", "another time"),
        ({"clock_trusted": False}, b"[population]\nuntil = 2026-03-02\n", "clock not set"),
        ({"consent": "sound_and_picture"}, b'[population]\nconsent = ["sound"]\n', "another consent"),
        ({"state": "interrupted"}, b"", "interrupted"),
        ({"state": "open"}, b"", "not closed"),
        ({"duration_us": 8_000_000}, b"", "too short"),
    ],
)
def test_who_is_not_meant_is_left_out_and_counted(
    study: Study, clinic: Clinic, facts: dict[str, Any], protocol: bytes, why: str
) -> None:
    out = change(study, clinic, 2, **facts)
    study.register(PROTOCOL.replace(b"[draw]", protocol + b"[draw]"))
    done = study.draw()
    assert done.code == 0, done.complaints
    told = population(study)
    assert told["left_out"] == {why: 1}
    assert out not in {one["recording"] for one in told["members"]}
    assert len(told["members"]) == 4
    assert f"1 {why}" in done.out


def test_those_of_one_therapist_alone_can_be_drawn_and_so_many_of_each(study: Study, clinic: Clinic) -> None:
    for number in range(4):
        change(study, clinic, number, therapist=THERAPIST if number < 3 else "a" * 12)
    study.register(PROTOCOL.replace(b"recordings = 3", b"each_therapist = 1"))
    assert study.draw().code == 0
    told = population(study)
    assert told["left_out"] == {"no therapist": 1}
    whose = {one["recording"]: one["therapist"] for one in told["members"]}
    drawn = {one["recording"] for one in study.check().told["slices"]}
    assert sorted(whose[one] for one in drawn) == [THERAPIST, "a" * 12]


def test_a_study_is_known_by_its_labels(study: Study, clinic: Clinic) -> None:
    names = sorted(folder.name for folder in study.store.iterdir())
    for name, arm in zip(names, ("A", "B", "B"), strict=False):
        (study.store / name / "attachments").mkdir()
        label = LabelDocument(
            at="2026-03-02T09:00:00.000Z",
            clock_trusted=True,
            by=THERAPIST,
            client="A-17",
            session=3,
            study="S-1",
            arm=arm,
        )
        with (study.store / name / "attachments" / "label.age").open("wb") as file:
            recipient = clinic.identities["clinic"].recipient()
            encrypt(io.BytesIO(padded(Kind.LABEL, to_bytes(label))), file, [recipient])
    study.register(PROTOCOL.replace(b"[draw]", b'[population]\nstudy = "S-1"\narm = "B"\n[draw]'))
    done = study.draw()
    assert done.code == 0, done.complaints
    assert [one["recording"] for one in population(study)["members"]] == names[1:3]
    assert population(study)["left_out"] == {"another study or arm": 1, "no label": 2}
    assert "there were no more" in done.out
    for path in study.desk.rglob("*"):
        assert path.is_dir() or b"A-17" not in path.read_bytes()


def test_without_anybody_to_draw_from_nothing_is_drawn(study: Study) -> None:
    study.register(PROTOCOL.replace(b'"3s"', b'"3h"'))
    done = study.draw()
    assert done.code == 2
    assert "5 too short" in done.complaints
    assert [one["what"] for one in study.log()] == ["desk made", "sample registered"]


# -- blinded ----------------------------------------------------------------------------------------------------------


def test_the_rater_opens_each_slice_with_stock_age_and_it_plays(drawn: Study, clinic: Clinic, five: list[Kept]) -> None:
    assert len(drawn.slices()) == 6
    whole = clinic.home / "whole.mp4"
    clinic.open(five[0].folder, "-o", whole)
    samples = clinic.player.samples(whole)
    by_id = {one.id: one for one in drawn.blinding().slices}
    for folder in drawn.slices():
        plain = age(folder / SESSION_NAME, drawn.home / "rater.key")
        assert plain
        (drawn.home / "slice.mp4").write_bytes(plain)
        assert clinic.player.kinds(drawn.home / "slice.mp4") == ["audio"]
        assert clinic.player.starts_s(drawn.home / "slice.mp4")["file"] == 0.0
        heard = clinic.player.samples(drawn.home / "slice.mp4")
        at_us = samples.find(heard) / 3 / 48_000 * 1_000_000
        assert at_us == pytest.approx(by_id[folder.name].from_us, abs=50)
        assert len(heard) / 3 / 48_000 >= 3


def test_nobody_else_opens_a_slice_and_no_rater_opens_the_key(drawn: Study) -> None:
    for folder in drawn.slices():
        assert age(folder / SESSION_NAME, drawn.clinic.key()) is None
        assert age(folder / SESSION_NAME, drawn.home / "lead.key") is None
    assert age(drawn.key, drawn.home / "rater.key") is None
    assert age(drawn.key, drawn.home / "lead.key")


def test_nothing_that_a_rater_gets_says_whose_it_was_or_when(drawn: Study, clinic: Clinic, five: list[Kept]) -> None:
    names = [kept.folder.name for kept in five]
    told = [*names, *(name[7:] for name in names), "Room 3", "2026-03-02", "2026-", THERAPIST]
    for path in (path for path in drawn.out.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.name == SESSION_NAME:
            content += age(path, drawn.home / "rater.key") or b""
        for word in told:
            assert word.encode() not in content, (path, word)
            assert word not in str(path.relative_to(drawn.out))
    for folder in drawn.slices():
        assert is_recording_id(folder.name)
        (drawn.home / "slice.mp4").write_bytes(age(folder / SESSION_NAME, drawn.home / "rater.key") or b"")
        shown = clinic.player.probe(drawn.home / "slice.mp4")
        tags = shown["format"].get("tags", {}) | shown["streams"][0].get("tags", {})
        assert not {"creation_time", "title", "artist", "comment", "date"} & set(tags)


def test_no_time_of_a_file_says_which_recording_comes_first(drawn: Study) -> None:
    made = sorted(drawn.slices(), key=lambda folder: (folder / SESSION_NAME).stat().st_mtime_ns)
    assert made == drawn.slices()


def test_new_ids_have_the_shape_of_a_recordings_and_follow_from_nothing() -> None:
    ids = [new_id() for _ in range(500)]
    assert all(map(is_recording_id, ids))
    assert len(set(ids)) == 500


def test_the_log_knows_the_key_of_the_blinding_without_saying_what_is_in_it(drawn: Study) -> None:
    (entry,) = (one for one in drawn.log() if one["what"] == "sample handed out")
    assert entry["facts"]["blinding"] == sha256(drawn.key.read_bytes()).hexdigest()
    ids = {one.id for one in drawn.blinding().slices}
    for path in (path for path in drawn.desk.rglob("*") if path.is_file()):
        assert not any(one.encode() in path.read_bytes() for one in ids)


@pytest.mark.parametrize("words", [("--lead", str(RATER.recipient())), ("--to", str(LEAD.recipient()))])
def test_who_rates_never_holds_the_key(study: Study, words: tuple[str, ...]) -> None:
    study.register()
    assert study.draw(2, *words).code == 2
    assert not study.out.exists()


def test_the_key_never_lies_among_the_slices(study: Study) -> None:
    study.register()
    assert study.draw(2, key=study.out / "key.age").code == 2
    assert [one["what"] for one in study.log()] == ["desk made", "sample registered"]


def test_nothing_that_is_there_is_overwritten(drawn: Study) -> None:
    before = drawn.key.read_bytes()
    assert drawn.draw().code == 2
    assert drawn.draw(2, out=drawn.home / "other").code == 2
    assert drawn.key.read_bytes() == before
    assert not (drawn.home / "other").exists()


def test_a_key_that_cannot_be_written_is_told_before_anything_is_made(study: Study) -> None:
    study.register()
    assert study.draw(2, key=study.home / "nowhere" / "key.age").code == 1
    assert not study.out.exists()
    assert "sample handed out" not in [one["what"] for one in study.log()]


@pytest.mark.parametrize("sound_only", [True, False])
def test_the_picture_comes_along_unless_the_protocol_leaves_it_out(
    study: Study, clinic: Clinic, with_picture: Any, *, sound_only: bool
) -> None:
    shutil.rmtree(study.store)
    kept = record(clinic, with_picture[0], consent=Consent.SOUND_AND_PICTURE, store=f"pictures-{sound_only}")
    shutil.copytree(kept.folder.parent, study.store)
    study.register(PROTOCOL + f"sound_only = {'true' if sound_only else 'false'}\n".encode())
    assert study.draw().code == 0
    for folder in study.slices():
        plain = age(folder / SESSION_NAME, study.home / "rater.key")
        (study.home / "slice.mp4").write_bytes(plain or b"")
        assert clinic.player.kinds(study.home / "slice.mp4") == (["audio"] if sound_only else ["audio", "video"])


def test_what_a_cut_left_is_made_anew(drawn: Study, tmp_path: Path) -> None:
    half = tmp_path / "again.part"
    (half / "000001-abcdefghij").mkdir(parents=True)
    done = drawn.draw(2, out=tmp_path / "again", key=tmp_path / "again.age")
    assert done.code == 0, done.complaints
    assert not half.exists()
    assert not (tmp_path / "again" / "000001-abcdefghij").exists()


# -- rated and exported -----------------------------------------------------------------------------------------------


def rate(folder: Path, *, about: str | None = None, number: int = 1, to: Any = LEAD) -> Review:
    """What a rater puts beside a slice with the reader, or `sotto-clinic note`."""
    review = Review(
        recording=about or folder.name,
        by="b" * 12,
        at=f"2026-11-{number:02d}T10:00:00Z",
        notes=(Note(at_us=1_000_000, text="a secret remark"),),
        ratings=Ratings(rubric="basics", items={"empathy": number, "focus": None}),
    )
    (folder / "attachments").mkdir(exist_ok=True)
    (folder / "attachments" / file_name_of(Kind.REVIEW, number)).write_bytes(seal_review(review, [to.recipient()]))
    return review


def test_what_was_reviewed_when_and_by_whom_is_exported(drawn: Study) -> None:
    first, second, *others = drawn.slices()
    rate(first)
    rate(first, number=2)
    rate(second)
    said = drawn.export("--key", drawn.key)
    assert said.code == 0, said.complaints
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert len(rows) == 3 + len(others)
    assert {row["slice_is"] for row in rows} == {"as handed out"}
    mine = [row for row in rows if row["slice"] == first.name]
    assert [(row["by"], row["at"], row["rubric"], row["item empathy"]) for row in mine] == [
        ("b" * 12, "2026-11-01T10:00:00Z", "basics", "1"),
        ("b" * 12, "2026-11-02T10:00:00Z", "basics", "2"),
    ]
    key = {one.id: one for one in drawn.blinding().slices}
    assert mine[0]["recording"] == key[first.name].recording
    assert float(mine[0]["from_s"]) == key[first.name].from_us / 1e6
    assert [row["by"] for row in rows if row["slice"] == others[0].name] == [""]
    assert "secret" not in said.out
    (entry,) = (one for one in drawn.log() if one["what"] == "exported")
    assert (entry["facts"]["count"], entry["facts"]["since"]) == (3, 2)


def test_without_the_key_an_export_stays_blinded(drawn: Study) -> None:
    rate(drawn.slices()[0])
    said = drawn.export("--json")
    assert said.code == 0
    assert {row["recording"] for row in json.loads(said.out)} == {None}


def test_what_a_rater_writes_with_sotto_clinic_is_exported(drawn: Study) -> None:
    slice_ = drawn.slices()[0]
    (drawn.home / "rating.txt").write_text("0:01 here you waited #repair\n", encoding="utf-8")
    done = call(
        *("note", slice_, "-i", drawn.home / "rater.key", "--write", drawn.home / "rating.txt"),
        *("--recipient", LEAD.recipient(), "--by", "b" * 12),
    )
    assert done.code == 0, done.complaints
    said = drawn.export("--json")
    assert said.code == 0, said.complaints
    (row,) = (row for row in json.loads(said.out) if row["slice"] == slice_.name)
    assert (row["by"], row["notes"], row["file"]) == ("b" * 12, 1, "review-001.age")


def test_an_export_is_written_to_a_file(drawn: Study) -> None:
    assert drawn.export("-o", drawn.home / "ratings.csv").code == 0
    assert (drawn.home / "ratings.csv").read_text().startswith("slice,")
    assert drawn.export("-o", drawn.home / "ratings.csv").code == 2


def test_a_slice_that_was_altered_or_taken_away_is_told(drawn: Study) -> None:
    first, second, *_ = drawn.slices()
    content = bytearray((first / SESSION_NAME).read_bytes())
    content[-100] ^= 1
    (first / SESSION_NAME).write_bytes(content)
    shutil.rmtree(second)
    stranger = drawn.out / "000009-zzzzzzzzzz"
    stranger.mkdir()
    (stranger / SESSION_NAME).write_bytes(bytes(content))
    said = drawn.export("--json")
    assert said.code == 4
    is_ = {row["slice"]: row["slice_is"] for row in json.loads(said.out)}
    assert (is_[first.name], is_[second.name], is_[stranger.name]) == ("altered", "missing", "altered")


def test_a_review_that_is_not_about_its_slice_or_cannot_be_opened_is_told(drawn: Study) -> None:
    first, second, third, *_ = drawn.slices()
    rate(first, about=second.name)
    rate(second, to=RATER)
    (third / "attachments").mkdir()
    (third / "attachments" / "review-001.age").write_bytes(b"no age file")
    said = drawn.export("--json")
    assert said.code == 4
    problems = {row["slice"]: row["problem"] for row in json.loads(said.out)}
    assert "another recording" in problems[first.name]
    assert "None of the keys" in problems[second.name] or "none of the keys" in problems[second.name]
    assert problems[third.name]


def test_a_list_that_another_desk_signed_is_refused(drawn: Study) -> None:
    path = drawn.out / SAMPLE_NAME
    payload = verify(SAMPLE_KIND, path.read_bytes()).payload
    path.write_bytes(sign(SAMPLE_KIND, payload, drawn.clinic.device_key))
    assert drawn.export().code == 4
    path.write_bytes(path.read_bytes().replace(b"slices", b"sliced"))
    assert drawn.export().code == 4


def test_the_key_of_another_sample_is_refused(drawn: Study, tmp_path: Path) -> None:
    number = len(drawn.log()) + 1
    drawn.register()
    assert drawn.draw(number, out=tmp_path / "other", key=tmp_path / "other.age").code == 0
    assert drawn.export("--key", tmp_path / "other.age").code == 4


def test_the_reviews_of_any_recordings_are_exported(study: Study) -> None:
    folder = sorted(study.store.iterdir())[0]
    rate(folder)
    said = call("sample", "export", study.store, "--desk", study.desk, "-i", study.home / "lead.key", "--json")
    assert said.code == 0, said.complaints
    rows = json.loads(said.out)
    assert {row["slice_is"] for row in rows} == {"unknown"}
    assert [row["by"] for row in rows if row["slice"] == folder.name] == ["b" * 12]
