"""The clinic's folder: what is in it, and how it is read and written.

    CLINIC/clinic.toml       what the clinic decided, and whom it has
           clinic.key.age    the key that signs rosters and the log (Ed25519), locked by the passphrase
           clinic.pub        its public half: the boxes get it
           ca.key.age        the key of the clinic's own certificate authority (P-256), locked by the same
           ca.crt            its certificate: browsers and boxes get it
           roster.json       the newest roster, signed: the boxes get it
           people.json       the newest list of people, signed: the boxes' pages get it
           audit/            the log of all that was changed here
           boxes/NAME/       a folder for each box (docs/boxes.md)
           samples/          where there are any (docs/research.md)

It is a desk (``provisioning.desk``). Nothing in it opens a recording, whoever knows its passphrase.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.audit import newest_entries
from device.clinic_list import List, ListKind
from device.clinic_people import PEOPLE_LISTS, PeopleList
from device.durable import write_private
from device.recording.audited import What
from device.recording.chain import AUDIT_NAME
from device.roster import ROSTERS, Roster
from provisioning.clinic.toml_text import to_toml
from provisioning.clinic_file import CLINIC_NAME, ClinicFile, read_clinic_file
from provisioning.desk import LOCKED_NAME, PUBLIC_NAME, public_key
from provisioning.errors import OutputError, UsageError

CA_KEY_NAME: Final = "ca.key.age"
CA_NAME: Final = "ca.crt"


@dataclass(frozen=True, slots=True)
class Folder:
    """A clinic's folder; nothing of it is held open."""

    path: Path

    @property
    def clinic(self) -> Path:
        return self.path / CLINIC_NAME

    @property
    def locked_key(self) -> Path:
        return self.path / LOCKED_NAME

    @property
    def public(self) -> Path:
        return self.path / PUBLIC_NAME

    @property
    def ca_key(self) -> Path:
        return self.path / CA_KEY_NAME

    @property
    def ca(self) -> Path:
        return self.path / CA_NAME

    @property
    def roster(self) -> Path:
        return self.path / ROSTERS.file_name

    @property
    def people_list(self) -> Path:
        return self.path / PEOPLE_LISTS.file_name

    @property
    def audit(self) -> Path:
        return self.path / AUDIT_NAME

    def read(self) -> ClinicFile:
        """What the clinic wrote down.

        Raises:
            UsageError: this is no clinic's folder, or its file does not hold.
        """
        if not self.clinic.exists() or not self.locked_key.exists():
            raise UsageError(
                f"{self.path} is no clinic's folder, or not all of one", "make it with `sotto-clinic init`"
            )
        return read_clinic_file(self.path)

    def read_roster(self) -> Roster | None:
        """The newest roster; ``None`` where none was signed yet.

        Raises:
            RecipientError, UsageError: it was changed, or cannot be read.
        """
        return self._read_list(ROSTERS, self.roster)

    def read_people_list(self) -> PeopleList | None:
        """The newest list of people; ``None`` where none was signed yet.

        Raises:
            AdminError, UsageError: it was changed, or cannot be read.
        """
        return self._read_list(PEOPLE_LISTS, self.people_list)

    def _read_list(self, kind: ListKind[List], path: Path) -> List | None:
        try:
            with path.open("rb") as file:
                document = file.read(kind.most_bytes)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise kind.error(
                f"{kind.called} cannot be read: {problem.strerror}", "check the clinic's folder"
            ) from problem
        return kind.read(document, clinic_key=public_key(self.path))

    def last_number(self, what: What = What.ROSTER_SIGNED, fact: str = "roster") -> int:
        """The highest number that a list had, by the log: a lost file takes no number back. Raises ``StoreError``."""
        if not self.audit.is_dir():
            return 0
        signed = (one for one in newest_entries(self.audit) if one.get("what") == what)
        return next((int(one["facts"][fact]) for one in signed), 0)

    def write_clinic(self, book: ClinicFile) -> None:
        """Put the clinic's file in its place, whole. Raises ``OutputError``, ``UsageError``."""
        self.write(self.clinic, to_toml(book.model_dump(mode="json")).encode())

    def write(self, path: Path, content: bytes) -> None:
        """Put a file of the folder in its place: the old one or the new one is there, whole, whatever is cut.

        Raises:
            OutputError: the old one is still there.
        """
        try:
            write_private(path, (content,))
        except OSError as problem:
            raise OutputError(
                f"{path.name} cannot be written in the clinic's folder: {problem.strerror}", "free some room, try again"
            ) from problem
