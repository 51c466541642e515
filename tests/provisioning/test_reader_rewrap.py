"""What the reader thinks of a recording that the clinic opened to others; its own modules, run by Node.js."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device.age.identities import generate_identity, identity_file
from device.age.rewrapping import rewrap
from device.clock import SystemClock
from device.recording import REWRAPPED_NAME
from device.recording.signing import sign, verify
from provisioning.desk import fingerprint_of, make_desk, read_key
from provisioning.rewraps import REWRAP_KIND
from tests.provisioning.boxes import call
from tests.provisioning.conftest import Clinic
from tests.provisioning.damage import Kept, record
from tests.support import said

pytestmark = pytest.mark.usefixtures("reader_packages")

JUDGE = Path(__file__).parents[1] / "reader" / "js" / "judge.mjs"
NEW = generate_identity(post_quantum=True)


@pytest.fixture
def kept(clinic: Clinic, sound_24: Any) -> Kept:
    clinic.key("new").write_text(identity_file(NEW, datetime(2026, 1, 1, tzinfo=UTC)), encoding="ascii")
    make_desk(clinic.home / "desk", SystemClock())
    return record(clinic, sound_24[0])


def thinks(clinic: Clinic, kept: Kept, *, key: str = "new") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(said(["node", "--no-warnings", JUDGE, kept.folder, clinic.key(key)]))
    return told


def share(clinic: Clinic, kept: Kept, *, to: Any = NEW) -> None:
    words = ("-i", clinic.key(), "--desk", clinic.home / "desk", "--add", to.recipient())
    assert call("share", kept.folder, *words).code == 0


def test_it_opens_with_the_new_key_and_says_that_the_clinic_opened_it(clinic: Clinic, kept: Kept) -> None:
    share(clinic, kept)
    share(clinic, kept, to=clinic.identities["stranger"])
    mark = fingerprint_of(read_key(clinic.home / "desk"))
    for key in ("clinic", "new", "stranger"):
        told = thinks(clinic, kept, key=key)
        assert told["id"] == kept.folder.name
        assert any(mark in note for note in told["notes"]), told


def test_what_nobody_shared_is_as_before(clinic: Clinic, kept: Kept) -> None:
    told = thinks(clinic, kept, key="clinic")
    assert told["id"] == kept.folder.name
    assert not any("opened it to others" in note for note in told["notes"])


def test_a_header_that_nobody_signed_is_refused(clinic: Clinic, kept: Kept) -> None:
    content = kept.file.read_bytes()
    made = rewrap(io.BytesIO(content), [clinic.identities["clinic"]], add=[NEW.recipient()])
    kept.file.write_bytes(made.new + content[len(made.old) :])
    assert thinks(clinic, kept)["problem"] == "other length"


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload.__setitem__("recording", "000009-zzzzzzzzzz"),
        lambda payload: payload.__setitem__("digest", "0" * 64),
        lambda payload: payload["steps"][0]["old"].__setitem__("digest", "0" * 64),
        lambda payload: payload["steps"][0]["old"].__setitem__("size_bytes", 9),
        lambda payload: payload["steps"].append(payload["steps"][0]),
        lambda payload: payload["steps"][0].__setitem__("more", 1),
    ],
)
def test_a_document_that_does_not_fit_is_refused(clinic: Clinic, kept: Kept, change: Any) -> None:
    share(clinic, kept)
    path = kept.folder / REWRAPPED_NAME
    payload = verify(REWRAP_KIND, path.read_bytes()).payload
    change(payload)
    path.write_bytes(sign(REWRAP_KIND, payload, read_key(clinic.home / "desk")))
    assert thinks(clinic, kept)["problem"] == "altered header"


def test_a_document_that_was_edited_is_refused(clinic: Clinic, kept: Kept) -> None:
    share(clinic, kept)
    path = kept.folder / REWRAPPED_NAME
    path.write_bytes(path.read_bytes().replace(b'"added"', b'"only"'))
    assert thinks(clinic, kept)["problem"] == "altered header"


def test_a_step_of_another_length_is_refused(clinic: Clinic, kept: Kept) -> None:
    share(clinic, kept)
    path = kept.folder / REWRAPPED_NAME
    payload = verify(REWRAP_KIND, path.read_bytes()).payload
    payload["steps"][0]["new"]["size_bytes"] += 1
    path.write_bytes(sign(REWRAP_KIND, payload, read_key(clinic.home / "desk")))
    assert thinks(clinic, kept)["problem"] == "other length"
