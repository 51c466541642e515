"""A therapist of a private-first clinic opens one of their recordings to their supervisor, later: the whole way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from device.age.identities import KeyIdentity, parse_identity_file
from device.recording import SESSION_NAME
from device.recording.signing import fingerprint
from device.remote_folder import MARK_NAME, FolderRemote
from provisioning.desk import public_key
from tests.provisioning.boxes import call, send
from tests.provisioning.conftest import Clinic
from tests.provisioning.damage import record
from tests.provisioning.folders import Admin, unchanged
from tests.provisioning.test_share import stock_opens


def made_by(name: str, home: Path) -> KeyIdentity:
    """An identity, as its owner makes it at their own computer: NAME.key, and NAME.recipient for the admin."""
    assert call("key", "new", "-o", home / f"{name}.key").code == 0
    (home / f"{name}.recipient").write_text(call("key", "recipient", home / f"{name}.key").out)
    (found,) = parse_identity_file((home / f"{name}.key").read_text())
    return found


def test_a_therapist_opens_a_recording_of_theirs_to_their_supervisor_later(tmp_path: Path, sound_24: Any) -> None:
    clinic = Clinic(tmp_path)
    for name in ("anna", "ben", "recovery"):
        clinic.identities[name] = made_by(name, tmp_path)
    admin = Admin(tmp_path, policy="private-first")
    path = admin.folder.path
    assert admin.does("recovery", "set", path, tmp_path / "recovery.recipient").code == 0
    for login, *words in (("anna",), ("ben", "--supervises", "anna")):
        role = "supervisor" if words else "therapist"
        admin.has(login, None, "--recipient", tmp_path / f"{login}.recipient", *words, role=role)

    # A box seals what it records with Anna on duty, as the roster says; it goes to the clinic's server.
    roster = admin.folder.read_roster()
    assert roster is not None
    (anna,) = [one.mark for one in admin.folder.read().people if one.login == "anna"]
    keys = ("anna", "recovery")
    assert roster.recipients_for(anna) == [clinic.identities[key].recipient() for key in keys]
    kept = record(clinic, sound_24[0], keys=keys)
    (remote := tmp_path / "remote").mkdir()
    (remote / MARK_NAME).touch()
    send(FolderRemote(remote), kept.folder)
    assert stock_opens(kept.file, tmp_path / "ben.key") is None

    # Anna, with her identity and a desk of her own: the clinic's folder is not needed for it.
    desk, box_key = tmp_path / "anna-desk", fingerprint(clinic.device_key.public_key().public_bytes_raw())
    assert call("desk", "new", desk).code == 0
    with unchanged(path):
        shared = call(
            "share", "--at", remote, kept.folder.name, "--add", tmp_path / "ben.recipient", "-i", tmp_path / "anna.key",
            "--desk", desk, "--device-key", box_key,
        )  # fmt: skip
    assert shared.code == 0, shared.complaints

    # Ben fetches it: it is whole, says who opened it to him, and stock age opens it.
    assert call("pull", remote, kept.folder.name, "-o", tmp_path / "bens").code == 0
    here = tmp_path / "bens" / kept.folder.name
    assert stock_opens(here / SESSION_NAME, tmp_path / "ben.key") == stock_opens(kept.file, tmp_path / "anna.key")
    annas = fingerprint(public_key(desk))
    verified = call(
        "verify", here, "-i", tmp_path / "ben.key", "--device-key", box_key, "--clinic-key", annas, "--json"
    )
    (told,) = verified.told["recordings"]
    assert (verified.code, told["state"], told["wrong"]) == (0, "complete", [])
    assert any(annas in note for note in told["notes"])
    # The next one is Anna's alone again.
    assert roster.recipients_for(anna) == [clinic.identities[key].recipient() for key in keys]
