"""A person's kit: one JSON file with what their programs need to know of the clinic, and their identity, locked.

It is made by `sotto-clinic kit` and read by the reader and by `sotto-clinic --kit` (docs/kit.md). Nothing in it is
secret but the identity, which is sealed by the person's passphrase; names are in it, so it stays within the clinic.
"""

from __future__ import annotations

import io
import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from device.age.armor import dearmor
from device.age.errors import AgeError, WrongKeyError
from device.age.identities import KeyIdentity, parse_identity_file
from device.age.opening import decrypt
from device.age.passphrase import PassphraseIdentity
from device.age.recipients import parse_recipient
from device.recording.named import Text, Word
from device.shapes import Hidden, Shape, ShapeError, rule, then, to_plain
from provisioning.errors import UsageError

MOST_KIT_BYTES: Final = 4 << 20
_MANY: Final = 1000
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")


class Part(Shape):
    """What may stand there is said here; anything else is refused."""


def _recipient(text: str) -> str:
    try:
        return str(parse_recipient(text))
    except AgeError as problem:
        raise ValueError("must be a recipient: age1…") from problem


def origin_of(text: str) -> str:
    """A box's address, as browsers write an origin: by http only what is on this very computer.

    Raises:
        UsageError: it is none.
    """
    try:
        return _address(text)
    except ValueError as problem:
        raise UsageError(f"{text[:80]!r} is not the address of a box", "write it like https://room-3.example") from (
            problem
        )


def _address(text: str) -> str:
    parts = urlsplit(text)
    host = parts.hostname or ""
    rest = (parts.username, parts.password, parts.query or None, parts.fragment or None)
    if parts.scheme not in {"https", "http"} or not host or parts.path not in {"", "/"} or any(rest):
        raise ValueError("must be an address like https://room-3.example")
    shown = f"[{host}]" if ":" in host else host
    if not _HOST.fullmatch(shown) or parts.port == 0 or (parts.scheme == "http" and not is_here(host)):
        raise ValueError("must be an address like https://room-3.example")
    return f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port is not None else "")


def is_here(host: str) -> bool:
    """Whether a host is this very computer."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _armored(text: str) -> str:
    try:
        dearmor(text)
    except AgeError as problem:
        raise ValueError("must be an age file as text") from problem
    return text


Mark = Annotated[str, rule(pattern=r"^[0-9a-f]{12}$")]
Recipient = Annotated[str, then(_recipient)]
Role = Literal["therapist", "supervisor", "admin"]
Roles = Annotated[tuple[Role, ...], rule(min_length=1, max_length=3)]
DeviceKey = Annotated[str, rule(pattern=r"^[0-9a-f]{16}$")]
ShortName = Annotated[str, rule(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Owner(Part):
    """Whose kit it is. ``recipient`` is that of the identity in it."""

    mark: Mark
    login: Annotated[str, rule(min_length=1, max_length=200)]
    name: Word
    roles: Roles
    recipient: Recipient


Address = Annotated[str, then(_address)]


class _Formerly(Part):
    """What can have had other keys before."""

    former_keys: Annotated[tuple[DeviceKey, ...], rule(max_length=10_000)] = ()


class Box(_Formerly):
    """A box that the person may sign in to. ``name``: what to call it; ``device_key``: the fingerprint of its key.

    ``former_keys``: of the boxes that stood in its place before.
    """

    name: Word
    address: Address
    device_key: DeviceKey


class Colleague(Part):
    """Somebody to whom a clip or a review can be sealed."""

    mark: Mark
    name: Word
    roles: Roles
    recipient: Recipient


class RubricItem(Part):
    """One line of a rubric, rated from ``least`` to ``most`` in whole numbers."""

    id: ShortName
    text: Text
    least: Annotated[int, rule(ge=-100, le=100)]
    most: Annotated[int, rule(ge=-100, le=100)]

    def _check(self) -> None:
        if self.least >= self.most:
            raise ValueError("least must be less than most")


class Rubric(Part):
    """What a clinic rates its sessions by."""

    id: ShortName
    title: Word
    items: Annotated[tuple[RubricItem, ...], rule(min_length=1, max_length=100)]

    def _check(self) -> None:
        if len({item.id for item in self.items}) != len(self.items):
            raise ValueError("two items have one id")


Boxes = Annotated[tuple[Box, ...], rule(max_length=_MANY)]
Tags = Annotated[tuple[Word, ...], rule(max_length=200)]


class Kit(_Formerly):
    """A person's kit. ``identity``: their identity file, sealed by passphrase, as stock age's ``-i`` takes it, too.

    ``former_keys``: of boxes that the clinic has no more.
    """

    sotto_kit: Literal[1] = 1
    person: Owner
    identity: Hidden[Annotated[str, rule(max_length=64 * 1024), then(_armored)]]
    boxes: Boxes
    people: Annotated[tuple[Colleague, ...], rule(max_length=_MANY)]
    tags: Tags = ()
    rubric: Rubric | None = None

    def _check(self) -> None:
        for what, names in (("boxes", self.boxes), ("people", self.people)):
            if len({one.name for one in names}) != len(names):
                raise ValueError(f"two of the {what} have one name")

    def _told(self) -> dict[str, Any]:
        """Where there were no other keys before, a kit says nothing of it, as programs before this."""
        told: dict[str, Any] = to_plain(self)
        for one in (told, *told["boxes"]):
            if not one["former_keys"]:
                del one["former_keys"]
        return told

    def unlock(self, passphrase: str) -> list[KeyIdentity]:
        """The identity in it.

        Raises:
            WrongKeyError: that is not its passphrase.
            AgeError: what is there was damaged, or is no identity file.
        """
        opened = io.BytesIO()
        try:
            decrypt(io.BytesIO(dearmor(self.identity)), opened, [PassphraseIdentity(passphrase)])
        except WrongKeyError as problem:
            raise WrongKeyError("This is not the passphrase of the kit.", "Type it again.") from problem
        return parse_identity_file(opened.getvalue().decode("utf-8", "replace"))

    def device_keys(self) -> frozenset[str]:
        """The fingerprints of all keys by which boxes of this clinic sign, or once did."""
        now = {box.device_key for box in self.boxes}
        return frozenset(now.union(self.former_keys, *(box.former_keys for box in self.boxes)))

    def former(self, key: str) -> str | None:
        """Which box that was, in words, where the key is that of one that was replaced; none: it is not."""
        if key in {box.device_key for box in self.boxes}:
            return None
        if (found := next((box for box in self.boxes if key in box.former_keys), None)) is not None:
            return f"the box that stood in {found.name} before"
        return "a box that the clinic has no more" if key in self.former_keys else None

    def box(self, name: str) -> Box:
        """The box of that name. Raises ``UsageError``."""
        return _only([box for box in self.boxes if box.name == name], name, [box.name for box in self.boxes])

    def colleague(self, name: str) -> Colleague:
        """Somebody by name or mark. Raises ``UsageError``."""
        found = [one for one in self.people if name in (one.name, one.mark)]
        return _only(found, name, [one.name for one in self.people])


_One = TypeVar("_One", Box, Colleague)


def _only(found: Sequence[_One], name: str, known: Sequence[str]) -> _One:
    if len(found) != 1:
        names = ", ".join(known[:20]) or "nothing of the kind"
        raise UsageError(f"the kit knows nothing of {name[:60]!r}", f"it knows {names}; else have it made anew")
    return found[0]


def read_kit(path: Path) -> Kit:
    """A kit, checked.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_KIT_BYTES + 1)
    except OSError as problem:
        raise UsageError(
            f"the kit {path} cannot be read: {problem.strerror}", "give the file that you got"
        ) from problem
    try:
        return Kit.model_validate_json(data[:MOST_KIT_BYTES])
    except ShapeError as problem:
        raise UsageError(f"{path} is no kit: {first_fault(problem)}", "have it made anew by your admin") from problem


def first_fault(problem: ShapeError) -> str:
    """The first thing that does not hold, and where; never what stood there."""
    return str(problem.faults[0])
