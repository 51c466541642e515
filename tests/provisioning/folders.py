"""A clinic's folder for the tests, its passphrase stretched with little work: what a person gets takes a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device.age.recipients import KeyRecipient
from device.clock import Clock, SystemClock
from provisioning.clinic.folder import Folder
from provisioning.clinic.making import Making
from provisioning.clinic.questions import Ask, Question
from provisioning.errors import UsageError
from tests.provisioning.boxes import Said, call
from tests.provisioning.clinics import LOG_N, PASSPHRASE

ANSWERS = {
    "name": "Practice",
    "policy": "private-first",
    "languages": "de, en",
    "keep_days": "30",
    "withdrawal_days": "",
    "rooms": "room-1, room-3",
    "domains": "practice.internal, local",
    "networks": "192.168.7.0/24",
}


class Desk:
    """Who sits at the admin's desk: answers what is asked, ``most`` times, and then is gone."""

    def __init__(self, answers: dict[str, str], most: int = 1000) -> None:
        self.answers = dict(answers)
        self.most = most
        self.asked: list[str] = []

    def ask(self, question: Question) -> Ask:
        def answer(_prompt: str) -> str:
            if len(self.asked) >= self.most:
                raise UsageError("nobody is there to be asked", "come back")
            self.asked.append(question.name)
            return self.answers[question.name]

        return answer


def making(
    path: Path,
    desk: Desk | None = None,
    *,
    given: dict[str, str] | None = None,
    passphrase: str = PASSPHRASE,
    clock: Clock | None = None,
) -> Making:
    return Making(
        folder=Folder(path),
        given=given or {},
        ask=(desk or Desk(ANSWERS)).ask,
        passphrase=lambda: passphrase,
        new_passphrase=lambda: passphrase,
        clock=clock or SystemClock(),
        told=lambda _line: None,
        log_n=LOG_N,
    )


def made(path: Path, **answers: str) -> Folder:
    """A folder that is made; it has no recovery recipient yet."""
    for _ in making(path, Desk(ANSWERS | answers)).steps():
        pass
    return Folder(path)


class Admin:
    """An admin and their folder."""

    def __init__(self, home: Path, **answers: str) -> None:
        self.home = home
        self.folder = made(home / "folder", **answers)
        self.passphrase = home / "folder-passphrase"
        self.passphrase.write_text(f"{PASSPHRASE}\n")

    def does(self, *words: object) -> Said:
        """One of the verbs that change the folder."""
        return call(*words, "--passphrase-file", self.passphrase)

    def has(self, login: str, recipient: KeyRecipient | None, *words: object, role: str = "therapist") -> None:
        """Somebody comes."""
        key = () if recipient is None else ("--recipient", recipient)
        said = self.does(
            "person", "add", self.folder.path, login, "--name", login.title(), "--role", role, *key, *words
        )
        assert said.code == 0, said.complaints

    def log(self) -> list[str]:
        return [one["what"] for one in call("desk", "show", self.folder.path, "--json", "--last", 1000).told["entries"]]


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Whatever is done meanwhile leaves every file of a folder as it was."""
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    yield
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before
