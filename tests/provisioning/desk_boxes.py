"""Boxes of a clinic for the tests: an admin whose folder has a roster, and boxes added to it by the command line."""

from __future__ import annotations

from pathlib import Path

from device.age.identities import KeyIdentity, generate_identity
from provisioning.clinic.box_folders import BoxFolder
from tests.provisioning.boxes import Said
from tests.provisioning.cards import some_packages, stock_folder
from tests.provisioning.folders import Admin

ANSWERS = {
    "host-name": "room-3",
    "timezone": "Europe/Berlin",
    "address": "192.168.7.31/24",
    "gateway": "192.168.7.1",
    "dns": "192.168.7.1, 192.168.7.2",
    "microphone": "card=Mic",
    "camera": "disabled",
    "panel": "gpio",
}
SFTP = """
[remote]
driver = "sftp"
host = "files.practice.example"
user = "desk"
key = "/etc/sotto-clinic/desk.key"
host_key = "ssh-ed25519 AAAA"
"""
S3 = """
[remote]
driver = "s3"
endpoint = "https://s3.practice.example"
region = "eu-central-1"
bucket = "recordings"
credentials = "/etc/sotto-clinic/desk-s3.toml"
"""


def options(**answers: str) -> list[str]:
    """The answers as options; one that is given as ``""`` is left out."""
    told = ANSWERS | {name.replace("_", "-"): answer for name, answer in answers.items()}
    return [word for name, answer in told.items() if answer for word in (f"--{name}", answer)]


def admin_with_roster(home: Path, **answers: str) -> tuple[Admin, KeyIdentity]:
    """An admin whose folder has Anna, a recovery recipient, and so a roster; and what opens all."""
    home.mkdir(exist_ok=True)
    admin, recovery = Admin(home, **answers), generate_identity(post_quantum=True)
    (home / "recovery.recipient").write_text(f"{recovery.recipient()}\n")
    said = admin.does("recovery", "set", admin.folder.path, home / "recovery.recipient")
    assert said.code == 0, said.complaints
    return admin, recovery


def added(admin: Admin, name: str = "room-3", *words: object, **answers: str) -> BoxFolder:
    """A box of the clinic's."""
    said = admin.does("device", "add", admin.folder.path, name, *options(**answers), *words)
    assert said.code == 0, said.complaints
    return BoxFolder(admin.folder, name)


def card(admin: Admin, boot: Path, *words: object, name: str = "room-3") -> Said:
    """Its card, in a folder."""
    if not boot.exists():
        stock_folder(boot)
    packages = admin.home / "packages"
    if not packages.exists():
        some_packages(packages)
    where = ("--packages", packages, "--folder", boot, "--yes")
    return admin.does("device", "card", admin.folder.path, name, *where, *words)
