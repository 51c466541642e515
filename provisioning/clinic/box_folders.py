"""A box's folder within the clinic's: made of questions, step by step; what an earlier try left is gone on from."""

from __future__ import annotations

import ipaddress
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from device.config import Config, S3Remote, load_config, load_remote
from device.tls_series import Series, read_series
from provisioning.clinic.authority import permitted
from provisioning.clinic.box_answers import BoxQuestion, machine_of, questions_of, values_of
from provisioning.clinic.box_texts import CERTIFICATES, REMOTE_CA, machine_toml, sotto_toml
from provisioning.clinic.folder import Folder
from provisioning.clinic.questions import Ask, Question, answers_to
from provisioning.clinic_file import ClinicFile
from provisioning.desk import public_key
from provisioning.errors import OutputError, UsageError
from provisioning.papers.kept_texts import standing_text

BOXES_NAME: Final = "boxes"
DRAFT_NAME: Final = "add.json"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


@dataclass(frozen=True, slots=True)
class BoxFolder:
    """The folder of one box. It holds no private key: those are made with its card, and are on that alone."""

    clinic: Folder
    name: str

    @classmethod
    def of(cls, clinic: Folder, name: str) -> BoxFolder:
        """Raises ``UsageError``: a box cannot be called that."""
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name[:60]!r} is no name of a box", "letters, digits and . _ - (60 at most): room-3")
        return cls(clinic, name)

    @property
    def path(self) -> Path:
        return self.clinic.path / BOXES_NAME / self.name

    @property
    def settings(self) -> Path:
        return self.path / "sotto.toml"

    @property
    def machine(self) -> Path:
        return self.path / "machine.toml"

    @property
    def certificates(self) -> Path:
        return self.path / "etc" / CERTIFICATES

    def config(self) -> Config:
        """Its configuration. Raises ``ConfigError``, ``UsageError``: it does not hold, or there is none yet."""
        if not self.settings.exists():
            raise UsageError(
                f"there is no folder of a box {self.name}", f"`sotto-clinic device add … {self.name}` makes it"
            )
        return load_config(self.settings)

    def series(self) -> Series:
        """The certificates that its card got. Raises ``AdminError``: there are none."""
        return read_series(self.certificates)

    def keep_certificates(self, files: dict[str, bytes]) -> None:
        """Put certificates (no keys) in the place of those that were there. Raises ``OutputError``."""
        try:
            shutil.rmtree(self.certificates, ignore_errors=True)
            self.certificates.mkdir(parents=True)
        except OSError as problem:
            raise _unwritten(self.certificates, problem) from problem
        for name, pem in files.items():
            Folder(self.certificates).write(self.certificates / name, pem)

    def keep(self, name: str, content: bytes) -> None:
        """Put a file in its place, whole. Raises ``OutputError``."""
        path = self.path / name
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise _unwritten(path, problem) from problem
        Folder(path.parent).write(path, content)

    def take_away(self) -> None:
        """The folder goes. Raises ``OutputError``."""
        try:
            if self.path.exists():
                shutil.rmtree(self.path)
        except OSError as problem:
            raise _unwritten(self.path, problem) from problem


@dataclass
class Adding:
    """What is needed to make a box's folder. ``given``: what options answered already."""

    box: BoxFolder
    room: str
    given: dict[str, str]
    ask: Callable[[Question], Ask]
    told: Callable[[str], None]
    remote_user: str | None = None

    def make(self, book: ClinicFile) -> list[str]:
        """Make the folder, or go on with it; what was done. Every answer is on disk before the next question.

        Raises:
            UsageError, ConfigError, OutputError: it ends here; what was answered stands.
        """
        if self.box.settings.exists():
            if self.given:
                raise UsageError(
                    f"{self.box.name} was made already", f"change {self.box.settings}, or leave the options out"
                )
            return [f"{self.box.path}: it was there"]
        values = values_of(self.box.name, self._answers())
        made = files_of(self.box, book, room=self.room, values=values, remote_user=self.remote_user)
        for name, content in made.items():
            self.box.keep(name, content)
        (self.box.path / DRAFT_NAME).unlink(missing_ok=True)
        return [f"made: {self.box.path / name}" for name in made]

    def _answers(self) -> dict[str, str]:
        questions, draft = questions_of(self.box.name), self.box.path / DRAFT_NAME
        keep = partial(self.box.keep, DRAFT_NAME)
        return answers_to(questions, self.given, draft=draft, keep=keep, ask=self.ask, told=self.told)


def files_of(
    box: BoxFolder, book: ClinicFile, *, room: str, values: dict[str, Any], remote_user: str | None
) -> dict[str, bytes]:
    """The files of a box's folder; the one that makes it whole comes last.

    Raises:
        UsageError, ConfigError: none can be made of these answers.
    """
    remote = None if values["remote"] is None else load_remote(values["remote"])
    domains, networks = permitted(box.clinic.ca.read_bytes())
    names = [f"{values['host_name']}.{domain}" for domain in domains]
    machine = machine_of(values)
    if machine.ethernet is not None:
        address = machine.ethernet.address.partition("/")[0]
        if any(ipaddress.ip_address(address) in network for network in networks):
            names.append(f"[{address}]" if ":" in address else address)
    text = sotto_toml(
        book,
        box=box.name,
        room=room,
        clinic_key=public_key(box.clinic.path),
        names=tuple(names),
        values=values,
        remote=remote,
        remote_user=remote_user,
        consent=standing_text(box.clinic.path, book),
    )
    made = {"machine.toml": machine_toml(machine).encode()}
    if isinstance(remote, S3Remote) and remote.ca is not None:
        made[f"etc/{REMOTE_CA}"] = _read(remote.ca)
    return made | {"sotto.toml": text.encode()}


def given_in(name: str, arguments: Any) -> dict[str, str]:
    """What options answered already. Raises ``UsageError``: that is no answer."""
    found: dict[str, str] = {}
    for question in questions_of(name):
        answer = getattr(arguments, question.name)
        if answer is not None:
            question.check(answer)
            found[question.name] = answer
    return found


def asked_of(name: str, given: dict[str, str]) -> list[BoxQuestion]:
    """What would still be asked."""
    return [one for one in questions_of(name) if one.name not in given]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {problem.strerror}", "the remote's file names it") from problem


def _unwritten(path: Path, problem: OSError) -> OutputError:
    return OutputError(f"{path} cannot be written: {problem.strerror}", "free some room, try again")
