"""What the clinic signs for its boxes: lists of one kind or another, each with a number that only goes up.

The clinic's desk makes them of what the clinic decided; a box checks them. Each is written on one line, in the one way
in which it can be, so that no byte of it can change unseen. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.errors import AgeError
from device.age.recipients import parse_recipient
from device.digests import sha256
from device.errors import AdminError, DamagedError
from device.recording.signing import sign_line, verify_line
from device.shapes import Shape, ShapeError, rule, then

MOST_LISTED: Final = 1000


def _recipient(text: str) -> str:
    try:
        return str(parse_recipient(text))
    except AgeError as problem:
        raise ValueError("must be a recipient: age1…") from problem


Mark = Annotated[str, rule(pattern=r"^[0-9a-f]{12}$")]
KeyText = Annotated[str, then(_recipient)]


class Part(Shape):
    """What such a list is made of."""


class ClinicList(Part):
    """What each of them has. ``number`` goes up with each: a box that took one takes none with a lower number."""

    number: Annotated[int, rule(ge=1, le=2**53)]
    made: Annotated[str, rule(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")]
    boxes: Annotated[tuple[Annotated[str, rule(min_length=1, max_length=60)], ...], rule(max_length=MOST_LISTED)]

    def _check(self) -> None:
        each_once("boxes", self.boxes)


List = TypeVar("List", bound=ClinicList)


@dataclass(frozen=True, slots=True)
class ListKind(Generic[List]):
    """One kind of list: ``kind``, for which alone a signature holds; what it is called, and which error tells of it.

    ``named_by``: the key of the configuration that says where it lies.
    """

    kind: str
    called: str
    file_name: str
    named_by: str
    model: type[List]
    error: Callable[[str, str], AdminError]
    most_bytes: int = 4 << 20

    def sign(self, one: List, key: Ed25519PrivateKey) -> bytes:
        """The list as boxes take it."""
        return sign_line(self.kind, one.model_dump(mode="json"), key)

    def read(self, document: bytes, *, clinic_key: bytes) -> List:
        """What the clinic signed. ``clinic_key``: its public key, 32 bytes.

        Raises:
            AdminError: by ``error``: it was changed after that, another key signed it, or it makes no sense.
        """
        try:
            signed = verify_line(self.kind, document)
        except DamagedError as problem:
            what = f"{self.called} is damaged, or was changed after the clinic signed it"
            raise self.error(what, self.again) from problem
        if signed.key != clinic_key:
            raise self.error(
                f"{self.called} is signed by another key than the clinic's",
                "trust nothing in it; compare recipients.clinic_key with clinic.pub in the clinic's folder",
            )
        try:
            return self.model.model_validate_json(json.dumps(signed.payload))
        except ShapeError as problem:
            first = problem.faults[0]
            raise self.error(
                f"{self.called} cannot be used: {first.words}", "sign it anew at the clinic's desk, with this version"
            ) from problem

    def check(self, one: List, *, box: str, taken: List | None) -> None:
        """Whether this box may take it. ``taken``: the one that it took before.

        Raises:
            AdminError: by ``error``: it is for other boxes, or older than the one that was taken, or another with its
                number.
        """
        if box not in one.boxes:
            raise self.error(
                f"{self.called} is for other boxes, not for {box}",
                "add the room at the clinic's desk, or compare box.name with its rooms",
            )
        if taken is None or taken == one:
            return
        if one.number <= taken.number:
            raise self.error(
                f"{self.called} is number {one.number}, and this box took number {taken.number} before",
                f"an old one is never taken again: {self.again}",
            )

    @property
    def again(self) -> str:
        """What to do about one that cannot be taken."""
        return f"copy {self.file_name} from the clinic's folder to the box again"


def digest_of(document: bytes) -> str:
    """By which the audit logs of clinic and box name a list: its SHA-256 (hex)."""
    return sha256(document).hexdigest()


def each_once(what: str, names: Sequence[str]) -> None:
    """Raises ``ValueError``: something is named twice."""
    if len(set(names)) != len(names):
        raise ValueError(f"one of the {what} is there twice")
