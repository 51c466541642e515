"""What the clinic decided and whom it has: one TOML file, of which kits, rosters and boxes' settings are made.

It is ``clinic.toml`` in the clinic's folder (docs/clinic-folder.md); kits can be made of such a file alone, too.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from device.age.identities import KeyIdentity
from device.age.passphrase import WRITE_LOG_N
from device.recording.named import Word
from device.roster import Policy
from device.shapes import ShapeError, rule
from provisioning.errors import UsageError
from provisioning.kit import (
    Address,
    Box,
    Colleague,
    DeviceKey,
    Kit,
    Mark,
    Owner,
    Part,
    Recipient,
    Roles,
    Rubric,
    Tags,
    first_fault,
)
from provisioning.locked import lock

_MOST_BYTES: Final = 4 << 20
CLINIC_NAME: Final = "clinic.toml"

Days = Annotated[int, rule(ge=0, le=36_500)]
Language = Annotated[str, rule(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]


class PolicySection(Part):
    """What the clinic decided for all its boxes.

    ``recipients``: who opens a therapist's recordings (``clinic/who_opens.py``). ``keep_days``: how long a box keeps
    what the server holds, too; none: for ever. ``withdrawal_days``: until when after a session a client can ask the
    clinic to have it erased, as the client's card says; none: at any time.
    """

    recipients: Policy
    languages: Annotated[tuple[Language, ...], rule(min_length=1, max_length=10)]
    keep_days: Days | None = None
    withdrawal_days: Days | None = None


class Listed(Part):
    """Somebody of the clinic; without a recipient nothing can be sealed to them."""

    mark: Mark
    login: Annotated[str, rule(min_length=1, max_length=200)]
    name: Word
    roles: Roles
    recipient: Recipient | None = None
    supervisees: Annotated[tuple[Mark, ...], rule(max_length=1000)] = ()  # whose recordings they supervise


class KnownBox(Part):
    """A box of the clinic's. Without ``device_key`` it is not enrolled (again) yet, and in nobody's kit.

    ``former_keys``: those that signed in this room before, in boxes that were replaced: what they signed holds on.
    """

    name: Word
    address: Address
    device_key: DeviceKey | None = None
    former_keys: Annotated[tuple[DeviceKey, ...], rule(max_length=100)] = ()


class ClinicFile(Part):
    """What the clinic wrote down. ``rooms``: a box is called after its room. ``recovery``: recipients, no identity.

    ``former_keys``: of boxes that are the clinic's no more.
    """

    name: Word | None = None
    policy: PolicySection | None = None
    rooms: Annotated[tuple[Word, ...], rule(max_length=1000)] = ()
    recovery: Annotated[tuple[Recipient, ...], rule(max_length=4)] = ()
    boxes: Annotated[tuple[KnownBox, ...], rule(max_length=1000)] = ()
    former_keys: Annotated[tuple[DeviceKey, ...], rule(max_length=10_000)] = ()
    people: tuple[Listed, ...] = ()
    tags: Tags = ()
    rubric: Rubric | None = None

    def _check(self) -> None:
        for what, names in (
            ("rooms", self.rooms),
            ("boxes has a name that another has, too", [one.name for one in self.boxes]),
            ("people has a login that another has, too", [one.login for one in self.people]),
            ("people has a mark that another has, too", [one.mark for one in self.people]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"one of the {what} is there twice" if what == "rooms" else f"one of the {what}")
        known = {one.mark for one in self.people}
        if not all(known.issuperset(one.supervisees) for one in self.people):
            raise ValueError("somebody supervises a mark that nobody has")

    def changed(self, **changes: Any) -> ClinicFile:
        """The same with other values, checked anew. Raises ``UsageError``."""
        return checked(json.loads(self.model_dump_json()) | changes, called="the clinic's file")

    def device_keys(self) -> frozenset[str]:
        """The fingerprints of all keys by which boxes of this clinic sign, or once did."""
        now = {one.device_key for one in self.boxes if one.device_key is not None}
        return frozenset(now.union(self.former_keys, *(one.former_keys for one in self.boxes)))

    def _gone(self) -> tuple[str, ...]:
        """The keys that signed and are in no box of a kit: also of a box that is not enrolled again yet."""
        waiting = (key for one in self.boxes if one.device_key is None for key in one.former_keys)
        return tuple(dict.fromkeys((*self.former_keys, *waiting)))

    def kit_for(self, login: str, identity: KeyIdentity, passphrase: str, *, log_n: int = WRITE_LOG_N) -> Kit:
        """The kit of whoever has that login.

        Raises:
            UsageError: there is nobody, two have it, the identity is not theirs, or two people have one name.
        """
        found = [one for one in self.people if one.login == login]
        if len(found) != 1:
            raise UsageError(f"{len(found) or 'nobody'} in the clinic's file has the login {login[:40]!r}", "check it")
        recipient = str(identity.recipient())
        owner = found[0]
        if owner.recipient != recipient:
            raise UsageError(
                f"the identity is not that of {owner.name}",
                f"give theirs, or write its recipient into the clinic's file: {recipient}",
            )
        others = [one for one in self.people if one is not owner]
        try:
            return Kit(
                person=Owner(recipient=recipient, **owner.model_dump(exclude={"recipient", "supervisees"})),
                identity=_locked(identity, passphrase, log_n=log_n),
                boxes=tuple(
                    Box(name=one.name, address=one.address, device_key=one.device_key, former_keys=one.former_keys)
                    for one in self.boxes
                    if one.device_key is not None
                ),
                people=tuple(
                    Colleague(mark=one.mark, name=one.name, roles=one.roles, recipient=one.recipient)
                    for one in others
                    if one.recipient is not None
                ),
                tags=self.tags,
                rubric=self.rubric,
                former_keys=self._gone(),
            )
        except ShapeError as problem:
            raise UsageError(
                f"no kit can be made of the clinic's file: {first_fault(problem)}", "correct it there"
            ) from problem


def _locked(identity: KeyIdentity, passphrase: str, *, log_n: int) -> str:
    """An identity file sealed by passphrase, as stock age takes it."""
    return lock(f"{identity.secret_text()}\n".encode("ascii"), passphrase, log_n=log_n)


def checked(values: Mapping[str, Any], *, called: object) -> ClinicFile:
    """Values as they stand in the file, checked. Raises ``UsageError``."""
    try:
        return ClinicFile.model_validate_json(json.dumps(values))
    except ShapeError as problem:
        fault = first_fault(problem)
        raise UsageError(f"{called} does not hold: {fault}", "docs/kit.md shows what can stand there") from problem


def read_clinic_file(path: Path) -> ClinicFile:
    """The clinic's file, checked; or that of the clinic's folder.

    Raises:
        UsageError: it cannot be read, or does not hold.
    """
    path = path / CLINIC_NAME if path.is_dir() else path
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8")
        return checked(tomllib.loads(text), called=path)
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {problem.strerror}", "give the clinic's file") from problem
    except (ValueError, TypeError) as problem:  # no UTF-8, no TOML, or a date where none can be
        raise UsageError(f"{path} is not TOML: {problem}", "docs/kit.md shows what it looks like") from problem
