"""Everything that goes in and out of the interface for programs, as shapes that are checked; the description is made
of them.

Lengths are microseconds, sizes bytes, moments UTC as ISO 8601. What the box does not know is null, never left out.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from device.people.person import Role
from device.recording.manifest import RecordingState, SoundVerdict
from device.recording.named import Session, Text, Word
from device.shapes import Hidden, Shape, rule
from device.words import By, Consent

_ATTACHMENT: Final = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,80}\.age"

RecordingId = Annotated[str, rule(pattern=r"^[0-9]{6}-[a-z0-9]{10}$", description="the id of a recording")]
AttachmentName = Annotated[str, rule(pattern=f"^{_ATTACHMENT}$", description="the name of an attachment")]
Mark = Annotated[str, rule(pattern=r"^[0-9a-f]{12}$", description="stands for a person of the clinic")]
TokenId = Annotated[str, rule(pattern=r"^[0-9a-f]{12}$", description="names a token, and is none")]
Count = Annotated[int, rule(ge=0)]


def is_attachment_name(text: str) -> bool:
    """Whether an attachment could have that name."""
    return re.fullmatch(_ATTACHMENT, text) is not None


class Problem(Shape):
    """Something did not work: what happened, and what to do now."""

    what: str
    hint: str


class ListQuery(Shape):
    """Which recordings are asked for, newest first: ``limit`` at most, of those older than ``before``."""

    limit: Annotated[int, rule(ge=1, le=10_000)] | None = None
    before: RecordingId | None = None
    therapist: Mark | None = None


class Entry(Shape):
    """A recording. ``going``: who wants it erased, so that nothing of it is handed out any more; else null.

    ``downloadable``: whether its sealed bytes can be had now. ``size_bytes`` is the sealed file as it is now. ``sound``
    is what to know before relying on it. ``held``: for research, so that retention lets it be.
    """

    id: RecordingId
    box: str
    state: RecordingState
    started: str
    ended: str | None
    clock_trusted: bool
    duration_us: Count
    consent: Consent
    picture: bool
    sound: SoundVerdict
    bookmarks: Count
    therapist: Mark | None
    size_bytes: Count
    digest: str | None
    held: bool
    going: By | None
    downloadable: bool


class Listing(Shape):
    """Recordings, newest first. ``more``: there are older ones that fit."""

    recordings: tuple[Entry, ...]
    more: bool


class Attached(Shape):
    """A small sealed file beside a recording."""

    name: str
    size_bytes: Count


class Facts(Entry):
    """A recording, and what lies beside it; null for those who may not have it."""

    attachments: tuple[Attached, ...] | None


class SignedDocument(Shape):
    """Facts that the box signed (Ed25519), exactly as it did."""

    payload: dict[str, Any]
    key: str
    signature: str


class Receipts(Shape):
    """The proofs that remotes hold a recording; none that does not hold is among them."""

    receipts: tuple[SignedDocument, ...]


class LabelIn(Shape, tag_field="kind", tag="label"):
    """Whose session it was, in the clinic's own code; which of theirs; where it is a study, which and which arm."""

    kind: ClassVar[Literal["label"]] = "label"
    client: Hidden[Word]
    session: Hidden[Session | None] = None
    study: Hidden[Word | None] = None
    arm: Hidden[Word | None] = None


class NoteIn(Shape, tag_field="kind", tag="note"):
    """Something to know about a recording."""

    kind: ClassVar[Literal["note"]] = "note"
    text: Hidden[Text]


AttachmentIn: TypeAlias = LabelIn | NoteIn
"""What is to be sealed and put beside a recording. A label takes the place of the one before."""


class SealedQuery(Shape):
    """What sealed bytes are that come in the place of JSON: a clip, or a review."""

    kind: Literal["clip", "review"] | None = None


class Kept(Shape):
    """It is sealed and durable, under this name."""

    name: str


class Me(Shape):
    """Whose program this is, and which box it speaks to."""

    mark: Mark
    name: str
    roles: tuple[Role, ...]
    box: str


class DeviceIn(Shape):
    """What the box is to sign: 32 random bytes in hexadecimal, made up for this one question."""

    challenge: Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")]


class ChallengeIn(Shape):
    """Who wants to sign in."""

    login: Annotated[str, rule(min_length=1, max_length=200)]


class Challenge(Shape):
    """A challenge sealed to the person's recipient (an age file in base64). The answer is the SHA-256 of what is in it:
    ``sotto-login:v1:<fingerprint of the box>:<random>``. Answer nothing that has another shape.
    """

    id: str
    sealed: Annotated[str, rule(schema={"contentEncoding": "base64"})]


class AnswerIn(Shape):
    """The answer to a challenge, in hexadecimal."""

    challenge: Annotated[str, rule(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
    answer: Hidden[Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")]]


class Granted(Shape):
    """A token, told this once: ``Authorization: Bearer <token>`` signs the requests that follow."""

    token: Hidden[str]


class TokenFacts(Shape):
    """A token of one's own, without itself. ``current``: the one that signs this very request."""

    id: TokenId
    began: str
    expires: str
    current: bool


class Tokens(Shape):
    """The tokens that hold."""

    tokens: tuple[TokenFacts, ...]
