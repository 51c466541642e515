"""Of what a card is made: a box's own folder that has it all, or a box of the clinic's, whose secrets are made now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from device.clock import Clock
from device.recording.audited import Happened, What, Who
from provisioning.clinic import boxes
from provisioning.clinic.box_folders import BoxFolder
from provisioning.clinic.card_files import ACCOUNT_NAME, Made, make_for_card
from provisioning.desk import open_desk


@dataclass
class CardSource:
    """A folder with all that its card needs. ``files``: what is made for this card besides."""

    folder: Path
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def note(self) -> None:
        """The card is about to be written: have it noted. Raises ``StoreError``: it is not, and no card is made."""

    def keep(self) -> None:
        """The card is written: what is not secret is kept. Raises ``OutputError``."""

    def lines(self) -> list[str]:
        """What the admin has to know now, and never again."""
        return []

    def told(self) -> dict[str, object]:
        """The same, for a script."""
        return {}


@dataclass
class ClinicSource(CardSource):
    """A box of the clinic's."""

    box: BoxFolder = field(kw_only=True)
    made: Made = field(kw_only=True, repr=False)
    passphrase: str = field(kw_only=True, repr=False)
    clock: Clock = field(kw_only=True)

    @classmethod
    def of(cls, box: BoxFolder, *, passphrase: str, clock: Clock, credentials: Path | None) -> ClinicSource:
        """Make what only this card gets.

        Raises:
            SottoError, AgeError: that is not the passphrase, or something is missing in the clinic's folder.
        """
        boxes.find(box.clinic.read(), box.name)
        made = make_for_card(box, box.config(), passphrase=passphrase, now=clock.utc(), remote=credentials)
        return cls(box.path, made.files, box=box, made=made, passphrase=passphrase, clock=clock)

    def note(self) -> None:
        with open_desk(self.box.clinic.path, self.clock, passphrase=lambda: self.passphrase) as desk:
            desk.note(Happened(What.CARD_MADE, by=Who.CLINIC, facts={"digest": self.made.key_id}))

    def keep(self) -> None:
        self.box.keep_certificates({one.name: one.pem for one in self.made.certificates})
        if self.made.account is not None:
            self.box.keep(ACCOUNT_NAME, f"{self.made.account}\n".encode())

    def lines(self) -> list[str]:
        address = boxes.find(self.box.clinic.read(), self.box.name).address
        said = [
            f"for paper, for whoever looks after {self.box.name}:",
            f"  open {address}/first-admin and type {self.made.code}",
            "  It works once. Nobody else has it: of a lost one, make the card again.",
        ]
        if self.made.account is not None:
            said.append(f"left: let the server take {self.box.path / ACCOUNT_NAME} for this box's account")
        return [*said, f"left: once it has started, `sotto-clinic device enrol {self.box.clinic.path} {self.box.name}`"]

    def told(self) -> dict[str, object]:
        return {"first_admin": self.made.code, "account": self.made.account}
