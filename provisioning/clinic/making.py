"""Makes a clinic's folder, step by step: what an earlier try left is found, kept and gone on from.

Each answer is on disk before the next question, each file has its name only once it is whole, and a key that is there
is never made again. So wherever it is interrupted, the same command goes on.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from device.age.passphrase import WRITE_LOG_N
from device.audit import newest_entries
from device.clock import Clock
from device.recording.audited import Happened, What, Who
from provisioning.clinic.authority import authority_certificate, authority_key, new_authority_key
from provisioning.clinic.changing import sign_anew
from provisioning.clinic.folder import Folder
from provisioning.clinic.people_lists import has_admin
from provisioning.clinic.questions import QUESTIONS, Ask, Question, answers_to
from provisioning.clinic.signing_people import sign_people
from provisioning.clinic_file import ClinicFile, checked, read_clinic_file
from provisioning.desk import FOLDER, KEY_NAME, open_desk, read_locked_key
from provisioning.errors import OutputError, UsageError
from provisioning.locked import lock, unlock

DRAFT_NAME: Final = "init.json"
_KEY_BYTES: Final = 32
_OF_THE_AUTHORITY: Final = {"domains", "networks"}  # they stand in its certificate and nowhere else


@dataclass
class Making:
    """What is needed to make a folder. ``new_passphrase`` and ``passphrase`` are asked for once between them."""

    folder: Folder
    given: dict[str, str]
    ask: Callable[[Question], Ask]
    passphrase: Callable[[], str]
    new_passphrase: Callable[[], str]
    clock: Clock
    told: Callable[[str], None]
    log_n: int = WRITE_LOG_N
    _said: str | None = field(default=None, repr=False)

    def steps(self) -> Iterator[str]:
        """Do one step after another, and say what was done; each is durable when it is said.

        Raises:
            UsageError, OutputError, StoreError, WrongKeyError: it ends here; the steps before stand.
        """
        self._begin()
        answers = self._answers()
        yield "the questions are answered"
        yield self._clinic_file(answers)
        yield self._signing_key()
        yield self._authority(answers)
        yield self._log_and_roster()

    # -- the answers ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if (self.folder.path / KEY_NAME).exists():
            raise UsageError(
                f"{self.folder.path} is a desk whose key is not locked", "give another folder: keys are never replaced"
            )
        try:
            self.folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise OutputError(
                f"{self.folder.path} cannot be made: {problem.strerror}", "choose a place that you can write to"
            ) from problem

    def _answers(self) -> dict[str, Any]:
        """All answers: of an earlier try, of the options, and of the person."""
        if self.folder.ca.exists():
            return {}  # all of them are in the folder's own files
        draft = self.folder.path / DRAFT_NAME
        keep = partial(self.folder.write, draft)
        return _values(answers_to(QUESTIONS, self.given, draft=draft, keep=keep, ask=self.ask, told=self.told))

    # -- the files --------------------------------------------------------------------------------------------------

    def _clinic_file(self, answers: dict[str, Any]) -> str:
        if self.folder.clinic.exists():
            self._keep_to(read_clinic_file(self.folder.clinic))
            return f"{self.folder.clinic.name}: it was there"
        values = {name: value for name, value in answers.items() if name not in _OF_THE_AUTHORITY}
        self.folder.write_clinic(checked(values, called="what was answered"))
        return f"{self.folder.clinic.name}: what the clinic decided"

    def _keep_to(self, book: ClinicFile) -> None:
        """What is given again has to be what the file says: nothing that was asked for is let fall unseen."""
        stands = json.loads(book.model_dump_json())
        for question in (one for one in QUESTIONS if one.name in self.given.keys() - _OF_THE_AUTHORITY):
            for name, value in question.values(self.given[question.name]).items():
                same = value.items() <= stands[name].items() if isinstance(value, dict) else value == stands[name]
                if not same:
                    raise UsageError(
                        f"{question.option} is not what {self.folder.clinic.name} says since an earlier try",
                        "leave it out; then change the file, and sign it with `sotto-clinic roster --sign`",
                    )

    def _signing_key(self) -> str:
        there = self.folder.locked_key.exists()
        if not there:
            self._said = self.new_passphrase()
            text = lock(os.urandom(_KEY_BYTES), self._said, log_n=self.log_n)
            self.folder.write(self.folder.locked_key, text.encode("ascii"))
        key = read_locked_key(self.folder.path, self._passphrase())  # read again: what was written does open
        if not self.folder.public.exists():
            self.folder.write(self.folder.public, f"{key.public_key().public_bytes_raw().hex()}\n".encode("ascii"))
        return f"{self.folder.locked_key.name}: {'it was there' if there else 'the key that signs, locked'}"

    def _authority(self, answers: dict[str, Any]) -> str:
        if self.folder.ca.exists() and self.folder.ca_key.exists():
            return f"{self.folder.ca.name}: it was there"
        if not self.folder.ca_key.exists():
            text = lock(new_authority_key(), self._passphrase(), log_n=self.log_n)
            self.folder.write(self.folder.ca_key, text.encode("ascii"))
        key = authority_key(unlock(self.folder.ca_key.read_text("ascii"), self._passphrase(), what=FOLDER))
        certificate = authority_certificate(
            key,
            clinic=str(read_clinic_file(self.folder.clinic).name),
            domains=answers["domains"],
            networks=[ipaddress.ip_network(one) for one in answers["networks"]],
            now=self.clock.utc(),
        )
        self.folder.write(self.folder.ca, certificate)
        return f"{self.folder.ca.name}: the clinic's own authority, its key locked"

    def _log_and_roster(self) -> str:
        book = self.folder.read()
        with open_desk(self.folder.path, self.clock, passphrase=self._passphrase) as desk:
            if not any(one.get("what") == What.DESK_MADE for one in newest_entries(self.folder.audit)):
                desk.note(Happened(What.DESK_MADE, by=Who.CLINIC))
            (self.folder.path / DRAFT_NAME).unlink(missing_ok=True)
            roster = sign_anew(self.folder, book, desk)
            sign_people(self.folder, book, desk)
        return "audit: the log of all that is changed here" + (f"; roster {roster.number} signed" if roster else "")

    def _passphrase(self) -> str:
        if self._said is None:
            self._said = self.passphrase()
        return self._said


def _values(answers: dict[str, str]) -> dict[str, Any]:
    """What the answers come to, as it stands in the clinic's file."""
    whole: dict[str, Any] = {"policy": {}}
    for question in QUESTIONS:
        values = dict(question.values(answers[question.name]))
        whole["policy"] |= values.pop("policy", {})
        whole |= values
    return whole


def what_is_left(book: ClinicFile) -> list[str]:
    """What a clinic's folder still needs before boxes can take its roster."""
    left = []
    if not book.recovery:
        left.append(
            "recovery: on another machine `sotto-clinic recovery new`, here `sotto-clinic recovery set CLINIC FILE`"
        )
    if not any("therapist" in one.roles and one.recipient for one in book.people):
        left.append("people: `sotto-clinic person add CLINIC …`, and `person invite` says what each of them does")
    if not has_admin(book):
        left.append(
            "an admin, before boxes get their people from here: `sotto-clinic person add CLINIC … --role admin`"
        )
    return left
