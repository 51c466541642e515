"""A clinic's file and kits for the tests: Ada supervises, Ben is a therapist, Eve is of no clinic."""

from __future__ import annotations

from pathlib import Path

from provisioning.clinic_file import read_clinic_file
from tests.provisioning.conftest import Clinic

ADA, BEN = "0" * 11 + "1", "0" * 11 + "2"
PASSPHRASE = " ".join(("correct", "horse", "battery", "staple"))
DEVICE_KEY = "00112233aabbccdd"
LOG_N = 10  # the work of a passphrase; what a person gets is 2**18 KiB, and a second


def clinic_toml(
    clinic: Clinic, *, boxes: dict[str, str] | None = None, device_key: str = DEVICE_KEY, ben: str = "stranger"
) -> str:
    """The clinic's file. Ada has the key "clinic", Ben that of ``ben``."""
    rooms = {"room-3": "https://room-3.example"} if boxes is None else boxes
    people = (("ada", ADA, "Ada", "supervisor", "clinic"), ("ben", BEN, "Ben", "therapist", ben))
    lines = ['tags = ["rupture", "repair"]']
    for name, address in rooms.items():
        lines += ["[[boxes]]", f'name = "{name}"', f'address = "{address}"', f'device_key = "{device_key}"']
    for login, mark, name, role, key in people:
        recipient = clinic.identities[key].recipient()
        lines += ["[[people]]", f'login = "{login}"', f'mark = "{mark}"', f'name = "{name}"', f'roles = ["{role}"]']
        lines += [f'recipient = "{recipient}"']
    lines += ["[[people]]", 'login = "cy"', f'mark = "{"0" * 11}3"', 'name = "Cy"', 'roles = ["admin"]']
    lines += ["[rubric]", 'id = "basics"', 'title = "Basics"']
    lines += ['items = [{ id = "empathy", text = "Empathy", least = 0, most = 4 }]']
    return "\n".join(lines) + "\n"


def kit_of(
    clinic: Clinic,
    *,
    boxes: dict[str, str] | None = None,
    device_key: str = DEVICE_KEY,
    login: str = "ada",
    key: str = "clinic",
    ben: str = "stranger",
) -> Path:
    """Somebody's kit, locked with little work, and ``PASSPHRASE`` in a file beside it."""
    path = clinic.home / "clinic.toml"
    path.write_text(clinic_toml(clinic, boxes=boxes, device_key=device_key, ben=ben))
    kit = read_clinic_file(path).kit_for(login, clinic.identities[key], PASSPHRASE, log_n=LOG_N)
    made = clinic.home / f"{login}.kit.json"
    made.touch(0o600)
    made.write_text(kit.model_dump_json(indent=2))
    return made


def with_kit(kit: Path) -> tuple[str | Path, ...]:
    """The words that use a kit."""
    file = kit.with_name("passphrase")
    file.write_text(f"{PASSPHRASE}\n")
    return ("--kit", kit, "--passphrase-file", file)
