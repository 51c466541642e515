"""That the clinic made the header of a recording anew: ``rewrapped.json`` beside it, signed by the clinic's own key.

    {"payload": {"recording": …, "digest": …, "steps": [{"at": …, "by": …, "old": …, "new": …, "recipients": …}], …}}

The box's manifest stays as the box signed it. It has a digest of the header, and one of all the chunks behind it; the
second holds as ever, and for the first the newest step stands in: what it says of the header takes the manifest's
place, and everything that compares a recording with its manifest goes on as before. Each step says which header it
found, so that the first found what the box sealed, and no header is in between that nobody answers for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.errors import DamagedError
from device.recording.manifest import Manifest
from device.recording.signing import fingerprint, sign, verify
from device.shapes import Shape, ShapeError, rule
from provisioning.errors import AlteredError
from provisioning.findings import layout_of

REWRAP_KIND: Final = "rewrap"
MOST_REWRAP_BYTES: Final = 1 << 20
_HINT: Final = "do not rely on it; verify the clinic's log, and take another copy of the recording"

Digest = Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")]
KeyId = Annotated[str, rule(pattern=r"^[0-9a-f]{16}$")]


class HeadFact(Shape):
    """All the bytes before the first chunk."""

    digest: Digest
    size_bytes: Annotated[int, rule(ge=1)]


class Step(Shape):
    """One header that took another's place.

    ``by``: the id of the key that opened the old one. ``whom``: those who were added, or who alone remain.
    ``recipients``: everybody who opens the new one; empty where that is not known of all.
    """

    at: str
    by: KeyId
    what: Literal["added", "only"]
    whom: tuple[KeyId, ...]
    recipients: tuple[KeyId, ...]
    old: HeadFact
    new: HeadFact


class AttachmentFact(Shape):
    """An attachment whose header was made anew: its SHA-256 as it was found first (``of``), and as it is now."""

    of: Digest
    digest: Digest
    whom: tuple[KeyId, ...]


class Rewrap(Shape):
    """The document. ``digest`` as in the manifest: of which recording's chunks it speaks."""

    format: Literal["sotto rewrap 1"] = "sotto rewrap 1"
    recording: str
    digest: Digest
    steps: tuple[Step, ...]
    attachments: Mapping[str, AttachmentFact] = {}


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """A document whose signature holds and which fits its manifest; ``key`` is the fingerprint of who signed it."""

    rewrap: Rewrap
    key: str


@dataclass(frozen=True, slots=True)
class Header:
    """The header that a recording has now: the one of a step, or (``step`` is none) the one that the box sealed.

    ``is_newest``: no later step speaks of another, which a cut then kept from coming true.
    """

    step: Step | None
    is_newest: bool


@dataclass(frozen=True, slots=True)
class Remade:
    """The header that a recording has now, and the fingerprint of the clinic's key that answers for it."""

    header: Header
    key: str


def sign_rewrap(rewrap: Rewrap, key: Ed25519PrivateKey) -> bytes:
    """The document as it lies beside the recording."""
    return sign(REWRAP_KIND, rewrap.model_dump(mode="json"), key)


def read_rewrap(document: bytes, manifest: Manifest) -> Rewrapped:
    """What the clinic says of the header of the recording that has this manifest.

    Raises:
        DamagedError: it does not hold, or says things that are not known here.
        AlteredError: it is about another recording, or a step in it found a header that nobody answers for.
    """
    try:
        signed = verify(REWRAP_KIND, document)
        rewrap = Rewrap.model_validate(signed.payload)
    except ShapeError as problem:
        raise DamagedError(
            "what the clinic said of its header is not known here", "use a newer version of sotto-clinic"
        ) from problem
    except DamagedError as problem:
        raise DamagedError("what the clinic said of its header was changed after it was signed", _HINT) from problem
    if rewrap.recording != manifest.id or rewrap.digest != manifest.digest:
        raise AlteredError("what the clinic said of its header is about another recording", _HINT)
    _check_chain(rewrap, manifest)
    return Rewrapped(rewrap, fingerprint(signed.key))


def header_of(rewrap: Rewrap, head: Callable[[int], bytes]) -> Header:
    """Which of the headers that are spoken of a file has; the newest where it has none of them. There has to be one.

    ``head`` gives the file's first bytes, so many of them.
    """
    newest = rewrap.steps[-1]
    spoken_of = [*((step.new, step) for step in reversed(rewrap.steps)), (rewrap.steps[0].old, None)]
    for fact, step in spoken_of:
        if sha256(head(fact.size_bytes)).hexdigest() == fact.digest:
            return Header(step, is_newest=step is newest)
    return Header(newest, is_newest=True)


def with_header(manifest: Manifest, step: Step | None) -> Manifest:
    """What the manifest would say of the same recording with the header of that step; of none: what it says."""
    layout = layout_of(manifest)
    if layout is None or step is None:
        return manifest
    facts: dict[str, Any] = {
        "header_digest": step.new.digest,
        "size_bytes": manifest.size_bytes - layout.payload_offset + step.new.size_bytes,
        "recipients": step.recipients,
    }
    return manifest.model_copy(update=facts)


def fact_of(head: bytes) -> HeadFact:
    """What is said of a header."""
    return HeadFact(digest=digest_of(head), size_bytes=len(head))


def digest_of(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(data).hexdigest()


def _check_chain(rewrap: Rewrap, manifest: Manifest) -> None:
    layout = layout_of(manifest)
    if layout is None:
        raise AlteredError("what the clinic said of its header belongs to no recording that was closed", _HINT)
    if not rewrap.steps:  # attachments alone were opened to somebody
        return
    first = rewrap.steps[0].old
    is_sealed = first.size_bytes == layout.payload_offset and layout.header_digest in {None, first.digest}
    chained = all(after.old == before.new for before, after in pairwise(rewrap.steps))
    if not is_sealed or not chained:
        what = "between the header that the box sealed and the one that the clinic made is one that nobody answers for"
        raise AlteredError(what, _HINT)
