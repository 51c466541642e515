"""Which text the client had been given to read: in the manifest of every recording, whatever becomes of it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from device.config import ConsentSection
from device.recording.manifest import Manifest, RecordingState
from device.recording.signing import verify
from device.recovery import recover
from device.store import read_manifest
from device.words import Button
from provisioning.__main__ import run
from tests.service.rooms import MakeBox, only
from tests.support import store_at

TEXT = sha256(b"What is recorded, and who can open it.").hexdigest()
GIVEN = ConsentSection(text_version="2", text_sha256=TEXT)


def payload_of(folder: Path) -> dict[str, object]:
    return verify("manifest", (folder / "manifest.json").read_bytes()).payload


def test_version_and_digest_of_the_text_stand_in_the_signed_manifest(make_box: MakeBox) -> None:
    box = make_box(consent=GIVEN)
    box.begin()
    box.pass_s(2)
    box.end()
    assert payload_of(box.store.folder(only(box).id))["consent_text"] == {"version": "2", "sha256": TEXT}


def test_it_stays_there_when_the_client_withdraws_and_turns_that_over(make_box: MakeBox) -> None:
    box = make_box(consent=GIVEN)
    box.begin()
    box.pass_s(2)
    box.press(Button.CONSENT)
    box.until_state("withdrawn")
    box.press(Button.CONSENT, for_s=3.2)
    box.until(lambda status: status.state in {"sealing", "kept"})
    box.pass_s(150)
    manifest = only(box)
    assert [event.what for event in manifest.consent_events] == ["consented", "withdrawn", "kept"]
    assert manifest.consent_text is not None
    assert manifest.consent_text.sha256 == TEXT


def test_an_interrupted_recording_has_it_too(make_box: MakeBox, tmp_path: Path) -> None:
    box = make_box(consent=GIVEN)
    box.begin()
    box.pass_s(3)
    (recording_id,) = box.store.ids()
    running = box.store.folder(recording_id)
    cut = store_at(tmp_path / "cut")
    (cut.path / recording_id).mkdir(parents=True)
    for name in ("manifest.json", "session.mp4.age", "session.ledger"):
        if (running / name).exists():
            (cut.path / recording_id / name).write_bytes((running / name).read_bytes())
    list(recover(cut, at="2026-03-02T09:00:00Z"))
    manifest = read_manifest(cut.folder(recording_id))
    assert manifest.state is RecordingState.INTERRUPTED
    assert manifest.consent_text is not None
    assert manifest.consent_text.version == "2"


def test_a_box_that_was_told_of_no_text_names_none(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.pass_s(1)
    box.end()
    assert only(box).consent_text is None


def test_verify_shows_it_and_verifies_manifests_of_before(
    make_box: MakeBox, capsys: pytest.CaptureFixture[str]
) -> None:
    box = make_box(consent=GIVEN)
    box.begin()
    box.pass_s(2)
    box.end()
    folder = box.store.folder(only(box).id)
    assert run(["verify", str(folder)]) == 0
    assert f"the client had been given consent text 2 to read (sha256 {TEXT})" in capsys.readouterr().out
    assert run(["verify", str(folder), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["recordings"]
    assert told["manifest"]["consent_text"] == {"version": "2", "sha256": TEXT}

    before = payload_of(folder)
    del before["consent_text"]  # as boxes wrote it that knew of no text
    (folder / "manifest.json").write_bytes(box.store.signed("manifest", before))
    assert Manifest.model_validate_json(json.dumps(before)).consent_text is None
    assert run(["verify", str(folder)]) == 0
    assert "consent text" not in capsys.readouterr().out
