"""Everything that a program can ask, as one table. The description is made of it, and a test holds it against the
routes that there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from device.shapes import Shape
from device.web.api.shapes import (
    AnswerIn,
    AttachmentIn,
    Challenge,
    ChallengeIn,
    DeviceIn,
    Facts,
    Granted,
    Kept,
    Listing,
    ListQuery,
    Me,
    Receipts,
    SealedQuery,
    SignedDocument,
    Tokens,
)


class Plain(Enum):
    """What is handed out that is no shape."""

    SEALED = "application/octet-stream"
    DESCRIPTION = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to ask. ``gives``: the status of success and what comes with it, ``None``: nothing.

    ``takes_sealed``: whether sealed bytes can come in the place of JSON. ``refuses``: the failures that are to be
    expected beside those that any request can meet. ``ranges``: whether a part of it can be asked for. ``strangers``:
    whether no token is needed.
    """

    endpoint: str
    method: str
    path: str
    summary: str
    gives: tuple[int, type[Shape] | Plain | None]
    takes: Any = None
    takes_sealed: bool = False
    query: type[Shape] | None = None
    refuses: tuple[int, ...] = ()
    ranges: bool = False
    strangers: bool = False


_RECORDING: Final = "/recordings/{recording_id}"

OPERATIONS: Final = (
    Operation(
        "api.description",
        "get",
        "/openapi.json",
        "This description",
        gives=(200, Plain.DESCRIPTION),
        strangers=True,
    ),
    Operation(
        "api.challenge",
        "post",
        "/challenges",
        "Ask for a challenge, to sign in with a key",
        takes=ChallengeIn,
        gives=(201, Challenge),
        refuses=(400, 413, 415, 503),
        strangers=True,
    ),
    Operation(
        "api.sign_in",
        "post",
        "/tokens",
        "Answer a challenge, and get a token",
        takes=AnswerIn,
        gives=(201, Granted),
        refuses=(400, 401, 413, 415, 503),
        strangers=True,
    ),
    Operation(
        "api.device_key",
        "post",
        "/device",
        "Have the box prove by which key it signs",
        takes=DeviceIn,
        gives=(200, SignedDocument),
        refuses=(400, 413, 415, 503),
        strangers=True,
    ),
    Operation("api.tokens", "get", "/tokens", "Your tokens that hold", gives=(200, Tokens)),
    Operation(
        "api.revoke",
        "delete",
        "/tokens/{token_id}",
        "End a token of yours",
        gives=(204, None),
        refuses=(404, 503),
    ),
    Operation("api.me", "get", "/me", "Whose program this is", gives=(200, Me)),
    Operation(
        "api.listing",
        "get",
        "/recordings",
        "The recordings that you may know of",
        query=ListQuery,
        gives=(200, Listing),
        refuses=(400, 503),
    ),
    Operation(
        "api.recording",
        "get",
        _RECORDING,
        "One recording, and what lies beside it",
        gives=(200, Facts),
        refuses=(404, 503),
    ),
    Operation(
        "download.manifest",
        "get",
        f"{_RECORDING}/manifest.json",
        "The manifest that the box signed",
        gives=(200, SignedDocument),
        refuses=(404, 503),
    ),
    Operation(
        "download.session",
        "get",
        f"{_RECORDING}/session.mp4.age",
        "The sealed bytes, whole or a part of them",
        gives=(200, Plain.SEALED),
        refuses=(404, 409, 503),
        ranges=True,
    ),
    Operation(
        "api.receipts",
        "get",
        f"{_RECORDING}/receipts",
        "The proofs that remotes hold it",
        gives=(200, Receipts),
        refuses=(404, 503),
    ),
    Operation(
        "api.attachment",
        "get",
        f"{_RECORDING}/attachments/{{name}}",
        "An attachment, sealed",
        gives=(200, Plain.SEALED),
        refuses=(404, 503),
    ),
    Operation(
        "api.attach",
        "post",
        f"{_RECORDING}/attachments",
        "Have something sealed and put beside it; or, as bytes, what you have sealed yourself",
        takes=AttachmentIn,
        takes_sealed=True,
        query=SealedQuery,
        gives=(201, Kept),
        refuses=(400, 404, 409, 413, 415, 503),
    ),
)
