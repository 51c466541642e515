"""Updates: which version a box takes, when it changes over to it, and when it goes back. Pure.

A version is one read-only image of what the package has in ``/opt/sotto``. Two links say which is used:

    current   on the disk: the version that is settled. Nothing there: the package's own.
    now       in memory: what is mounted. At each start of the machine it names ``current``.

A version on trial is named by ``now`` alone. So whatever ends a trial (a cut, a crash, a kernel that hangs) leaves
``current`` as it was, and the next start mounts what worked, without a line of code that could be wrong. A version is
settled by one rename of ``current``, and by nothing else.

    step       what is on the disk then                      after a cut runs
    placed     the image, whole, under its name              the old version
    staged     the state names it                            the old version
    tried      the state counts the try                      the old version
    kept       ``current`` names it                          the new version
    noted      the state has nothing staged                  the new version
    tidied     older images than the one before are gone     the new version
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias

from device.errors import UpdateError
from device.shapes import Shape, ShapeError, rule

IMAGE_SUFFIX: Final = ".squashfs"
FACTS_NAME: Final = "update.json"
MOST_TRIES: Final = 2  # a cut in the middle of a trial is not its fault; two are no accident
MOST_IMAGE_BYTES: Final = 1 << 30
_VERSION: Final = r"\d{1,3}\.\d{1,3}(\.\d{1,3})?((a|b|rc)\d{1,3})?"
_PARTS: Final = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:(a|b|rc)(\d+))?")
_RANKS: Final = {"a": 0, "b": 1, "rc": 2, None: 3}
_IMAGE: Final = re.compile(rf"sotto_({_VERSION})_([a-z0-9]+){re.escape(IMAGE_SUFFIX)}")

VersionText = Annotated[str, rule(pattern=rf"^{_VERSION}$")]


class Facts(Shape):
    """What an image says of itself, beside it in the order. ``frame``: of which units and packages it is a part.

    The frame is what an image cannot bring: units, users, Debian's packages. It is a number that goes up when a version
    needs another one (``deb/frame``); such a version comes as a package.
    """

    sotto_update: Literal[1] = 1
    version: VersionText
    machine: Annotated[str, rule(pattern=r"^[a-z0-9]{1,16}$")]  # as Debian calls it
    python: Annotated[str, rule(pattern=r"^3\.\d{1,2}$")]
    debian: Annotated[str, rule(pattern=r"^\d{1,3}$")]
    frame: Annotated[int, rule(ge=1, le=10**6)]

    @property
    def image(self) -> str:
        """The name of its image."""
        return f"sotto_{self.version}_{self.machine}{IMAGE_SUFFIX}"


class Staged(Shape):
    """A version that is here and not settled. ``failed``: why it is not tried (again)."""

    version: VersionText
    image: Annotated[str, rule(pattern=rf"^{_IMAGE.pattern}$")]
    size_bytes: Annotated[int, rule(ge=1, le=MOST_IMAGE_BYTES)]
    sha256: Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")]
    tries: Annotated[int, rule(ge=0, le=MOST_TRIES)] = 0
    failed: Annotated[str, rule(max_length=300)] | None = None


class State(Shape):
    """What a box remembers of its updates. ``order``: the number of the last order that was taken."""

    sotto_updates: Literal[1] = 1
    order: Annotated[int, rule(ge=0, le=2**53)] = 0
    staged: Staged | None = None
    previous: Annotated[str, rule(pattern=rf"^{_IMAGE.pattern}$")] | None = None  # kept beside the settled one


@dataclass(frozen=True, slots=True)
class Here:
    """What a box is, as far as a version has to fit it. ``newest``: the version that runs."""

    machine: str
    python: str
    debian: str
    frame: int
    newest: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A version as a signed order brings it."""

    order: int
    facts: Facts
    size_bytes: int
    sha256: str


def read_facts(document: bytes) -> Facts:
    """What an image says of itself. Raises ``UpdateError``: that makes no sense."""
    try:
        return Facts.model_validate_json(document)
    except ShapeError as problem:
        raise UpdateError("the update says nothing sensible of itself", "make it again, with this version") from problem


def rank(version: str) -> tuple[int, ...]:
    """By which versions are put in order: 0.2.0rc1 is before 0.2.0, and 0.2 the same as 0.2.0.

    Raises:
        UpdateError: that is no version.
    """
    parts = _PARTS.fullmatch(version)
    if parts is None:
        raise UpdateError("that is no version", "versions are written like 0.2.0")
    return (int(parts[1]), int(parts[2]), int(parts[3] or 0), _RANKS[parts[4]], int(parts[5] or 0))


def version_of(image: str) -> str | None:
    """The version that an image's name says; ``None`` where it is no image's."""
    parts = _IMAGE.fullmatch(image)
    return None if parts is None else parts[1]


def check_offer(offer: Offer, *, here: Here, state: State) -> None:
    """Whether this box takes it.

    Raises:
        UpdateError: it is older than what is here, or for another machine, or comes with an order that is too old.
    """
    facts = offer.facts
    if offer.order <= state.order:
        raise UpdateError(
            f"the update comes with order {offer.order}, and this box took order {state.order} before",
            "an old one is never taken again: make a new one at the clinic's desk",
        )
    if rank(facts.version) <= rank(here.newest):
        raise UpdateError(
            f"the update is version {facts.version}, and this box has {here.newest}",
            "a version that is older, or the same, is never taken: make a newer one",
        )
    for what, theirs, ours in (
        ("machine", facts.machine, here.machine),
        ("Python", facts.python, here.python),
        ("Debian", facts.debian, here.debian),
    ):
        if theirs != ours:
            raise UpdateError(
                f"the update is for another {what}: {theirs}, and this box has {ours}", "make it for this box's"
            )
    if facts.frame != here.frame:
        raise UpdateError(
            "this version comes with units or packages that an update cannot bring",
            "install its package, or prepare a new card (docs/updates.md)",
        )
    if not 0 < offer.size_bytes <= MOST_IMAGE_BYTES:
        raise UpdateError("the update's image has no size that can be", "make it again")


def staged_of(offer: Offer) -> Staged:
    """What the state says of it once it is here."""
    facts = offer.facts
    return Staged(version=facts.version, image=facts.image, size_bytes=offer.size_bytes, sha256=offer.sha256)


class Next(StrEnum):
    """What is to be done about updates."""

    REST = "rest"
    NOTE = "note"
    GIVE_UP = "give up"
    TRY = "try"


def next_step(state: State, *, current: str | None) -> Next:
    """What is to be done, after a start or a cut as much as after staging. ``current``: the image that is settled."""
    staged = state.staged
    if staged is None:
        return Next.REST
    if staged.image == current:
        return Next.NOTE
    if staged.failed is not None:
        return Next.REST
    return Next.GIVE_UP if staged.tries >= MOST_TRIES else Next.TRY


def noted(state: State, *, previous: str | None) -> State:
    """The state once the staged version is settled; ``previous``: the image that was, if there was one."""
    return state.model_copy(update={"staged": None, "previous": previous})


def failed(state: State, staged: Staged, why: str) -> State:
    """The state once the staged version is given up."""
    return state.model_copy(update={"staged": staged.model_copy(update={"failed": why[:300]})})


def tried(state: State, staged: Staged) -> State:
    """The state with one try more."""
    return state.model_copy(update={"staged": staged.model_copy(update={"tries": staged.tries + 1})})


def needed(state: State, *, current: str | None) -> frozenset[str]:
    """The images that stay: the settled one, and the staged one or, where none is, the one before. Never three."""
    staged = state.staged
    other = state.previous if staged is None or staged.failed is not None else staged.image
    return frozenset(image for image in (current, other) if image is not None)


Units: TypeAlias = Mapping[str, str]
"""What systemd says of units: ``active``, ``failed`` …"""
