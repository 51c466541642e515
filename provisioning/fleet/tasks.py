"""What boxes are to get, worked out of the clinic's folder; nothing is signed or sent here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from device.clinic_people import PEOPLE_LISTS
from device.clock import Clock
from device.roster import ROSTER_NAME
from device.updating import FACTS_NAME
from provisioning.clinic.box_folders import BoxFolder
from provisioning.clinic.folder import Folder
from provisioning.clinic.series import next_series
from provisioning.clinic_file import ClinicFile
from provisioning.errors import UsageError
from provisioning.fleet.calling import Caller, Target
from provisioning.fleet.key import FLEET_NAME
from provisioning.fleet.pushing import Task
from provisioning.orders import Content
from provisioning.update_verb import facts_of

_CONFIG = "sotto.toml"


def targets_of(book: ClinicFile, names: Sequence[str]) -> list[Target]:
    """The clinic's boxes; ``names``: of them these alone. Raises ``UsageError``."""
    known = {one.name: Target(one.name, one.address, one.device_key) for one in book.boxes}
    if strange := [name for name in names if name not in known]:
        raise UsageError(f"there is no box {strange[0][:60]!r}", f"the clinic has {', '.join(known) or 'none'}")
    if not known:
        raise UsageError("the clinic has no box yet", "`sotto-clinic device add` enters one")
    return [known[name] for name in dict.fromkeys(names)] if names else list(known.values())


def config_task(folder: Folder, target: Target) -> Task:
    """Its configuration, as its folder has it now. Raises ``SottoError``: it does not hold."""
    box = BoxFolder.of(folder, target.name)
    return Task(target, box.config().box.name, "config", {_CONFIG: box.settings.read_bytes()})


def list_tasks(folder: Folder, target: Target) -> Iterator[Task]:
    """The roster, and the list of people where the box takes one. Raises ``SottoError``."""
    config = BoxFolder.of(folder, target.name).config()
    if config.recipients.roster is not None and folder.roster.exists():
        yield Task(target, config.box.name, "roster", {ROSTER_NAME: folder.roster.read_bytes()})
    if config.people is not None and folder.people_list.exists():
        yield Task(target, config.box.name, "people", {PEOPLE_LISTS.file_name: folder.people_list.read_bytes()})


def certificates_task(
    folder: Folder, target: Target, caller: Caller, authority_key: ec.EllipticCurvePrivateKey, clock: Clock
) -> Task:
    """Certificates for the key and the names of the one that the box shows now. Raises ``SottoError``."""
    shown = caller.certificate(target)
    series = next_series(folder.ca.read_bytes(), authority_key, certificate=shown, now=clock.utc())
    name = BoxFolder.of(folder, target.name).config().box.name
    return Task(target, name, "certificates", {one.name: one.pem for one in series})


def update_task(folder: Folder, target: Target, image: Path) -> Task:
    """A version. Raises ``SottoError``: that is none."""
    facts, name = facts_of(image), BoxFolder.of(folder, target.name).config().box.name
    files: dict[str, Content] = {FACTS_NAME: facts.model_dump_json().encode(), facts.image: image}
    return Task(target, name, "update", files, version=facts.version)


def preview(folder: Folder, task: Task) -> list[str]:
    """What a task would change, as far as the desk knows what the box has: what was sent to it last."""
    if task.about != "config":
        return [f"{task.target.name}: {task.about}: {', '.join(task.files)}"]
    sent, content = _sent(folder, task), task.files[_CONFIG]
    before = sent.read_text(encoding="utf-8").splitlines() if sent.exists() else []
    after = content.decode("utf-8").splitlines() if isinstance(content, bytes) else []
    known = "as it was sent last" if sent.exists() else "not known here"
    changes = list(unified_diff(before, after, f"{task.target.name}: {known}", f"{task.target.name}: new", lineterm=""))
    return changes or [f"{task.target.name}: nothing changes"]


def remember(folder: Folder, task: Task) -> None:
    """Keep what a box took, to compare with the next time. Raises ``OutputError``."""
    content = task.files.get(_CONFIG)
    if task.about == "config" and isinstance(content, bytes):
        path = _sent(folder, task)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.write(path, content)


def _sent(folder: Folder, task: Task) -> Path:
    return folder.path / FLEET_NAME / "sent" / f"{task.target.name}.toml"
