"""A recording at the clinic's server opened to others, where it is: a few small files are put, and nothing is moved.

The desk's log comes first, then what the clinic signs about the header, then attachments, then the header itself, each
all or nothing (``headed_source`` says how they are read). The payload is not read here: it is compared with what the
box signed by whoever opens, pulls or verifies it.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from device.age.errors import AgeError
from device.age.identities import KeyIdentity
from device.age.rewrapping import Rewrapped, rewrap
from device.age.stream import SEALED_CHUNK_BYTES
from device.errors import RemoteError
from device.recording import REWRAPPED_NAME
from provisioning.desk import Desk
from provisioning.errors import AlteredError, UsageError
from provisioning.exits import words_of
from provisioning.findings import layout_of
from provisioning.headed_source import HEAD_NAME, MOST_HEAD_BYTES, anew_name
from provisioning.remote_place import RemotePlace
from provisioning.remote_source import read_small
from provisioning.rewraps import AttachmentFact, Step, digest_of, fact_of, sign_rewrap
from provisioning.shareable import Shareable
from provisioning.sharing import Shared, Wanted, before_of, note_share, rewrap_of, step_of


def share_there(
    place: RemotePlace, recording: Shareable, wanted: Wanted, identities: Sequence[KeyIdentity], desk: Desk
) -> Shared:
    """Open a recording to others, where it is.

    Raises:
        AgeError: no identity opens it, or they cannot share a file.
        AlteredError: its header is none that was signed; nothing is signed or put.
        StoreError: the desk's log cannot be written; nothing is put.
        RemoteError, RetryError: the remote refuses or does not answer; the same command goes on.
    """
    made, step = _header(place, recording, wanted, identities, desk)
    anew, facts, left = _attachments(place, recording, wanted, identities)
    if step is not None or anew:
        note_share(desk, recording.name, wanted, step, count=len(anew))
        _put(place, REWRAPPED_NAME, sign_rewrap(rewrap_of(recording, step, facts), desk.key))
        for name, data in anew.items():
            _put(place, name, data)
        if made is not None:
            _put(place, HEAD_NAME, made.new)
    return Shared(recording.name, step is not None, tuple(facts), tuple(left))


def _header(
    place: RemotePlace, recording: Shareable, wanted: Wanted, identities: Sequence[KeyIdentity], desk: Desk
) -> tuple[Rewrapped | None, Step | None]:
    wanted = wanted.but(recording.recipients)
    if not wanted:
        return None, None
    layout = layout_of(recording.manifest)
    if layout is None or layout.payload_offset >= SEALED_CHUNK_BYTES:
        raise UsageError("its header is too long to be exchanged there", "pull it, and share the folder")
    source = place.source()
    try:
        made = rewrap(BytesIO(source.read_at(0, MOST_HEAD_BYTES)), identities, add=wanted.add, only=wanted.only)
    finally:
        source.close()
    if not recording.is_header(fact_of(made.old)):
        raise AlteredError("the header of the recording is not the one that was signed", "verify it there")
    return made, step_of(recording, wanted, made, at=desk.now())


def _attachments(
    place: RemotePlace, recording: Shareable, wanted: Wanted, identities: Sequence[KeyIdentity]
) -> tuple[dict[str, bytes], dict[str, AttachmentFact], list[tuple[str, str]]]:
    """Those made anew, by their names at the remote; what is said of each; and those that stay as they are, and why."""
    anew: dict[str, bytes] = {}
    facts: dict[str, AttachmentFact] = {}
    left: list[tuple[str, str]] = []
    for name in place.attachments():
        data = place.read_attachment(name)
        before = before_of(recording, name, digest_of(data))
        rest = wanted.but(before.whom)
        if not rest:
            continue
        try:
            made = rewrap(BytesIO(data), identities, add=rest.add, only=rest.only)
        except AgeError as problem:  # a review for somebody else, say: it is theirs to share
            left.append((name, words_of(problem)[0]))
            continue
        new = made.new + data[len(made.old) :]
        anew[anew_name(place.read_original(name))] = new
        whom = rest.whom if rest.only else (*before.whom, *rest.whom)
        facts[name] = AttachmentFact(of=before.of, digest=digest_of(new), whom=whom)
    return anew, facts, left


def _put(place: RemotePlace, file: str, data: bytes) -> None:
    """Put a small file, and read it again: nothing that a server says is believed."""
    name = place.held.name(file)
    place.remote.put(name, BytesIO(data), replace=True)
    if read_small(place.remote, name, most_bytes=len(data)) != data:
        raise RemoteError("the remote does not hold what was put there", "try again, and look at the server")
