"""The population of a sample: of all recordings in some folders those that the protocol means, frozen with the draw."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Literal

from device.age.errors import AgeError
from device.age.identities import KeyIdentity
from device.age.opening import decrypt
from device.errors import DamagedError
from device.recording import ATTACHMENTS_NAME
from device.recording.beside import LABEL_FILE
from device.recording.manifest import Manifest, RecordingState
from device.recording.named import LabelDocument, from_bytes
from device.shapes import Shape, ShapeError
from provisioning.beside import read_beside
from provisioning.consent_chain import is_withdrawn
from provisioning.errors import AlteredError, NotARecordingError
from provisioning.place import in_folder
from provisioning.sampling.drawing import Member, parts_of
from provisioning.sampling.protocol import PopulationPart, Protocol

_MOST_LABEL_BYTES: Final = 64 * 1024
_WITHDRAWN: Final = "withdrawn"


class MemberFact(Shape):
    """A member as the frozen population has it."""

    recording: str
    duration_us: int
    therapist: str | None
    digest: str  # of the recording, as its manifest has it: the draw is from these bytes and no others


class PopulationFact(Shape):
    """The document. ``left_out``: why others are not in it, and how many."""

    format: Literal["sotto population 1"] = "sotto population 1"
    members: tuple[MemberFact, ...]
    left_out: Mapping[str, int]


@dataclass
class Population:
    """Who can be drawn, where every recording is kept that may be opened, and why others are no members."""

    members: list[MemberFact] = field(default_factory=list)
    folders: dict[str, Path] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)

    def document(self) -> bytes:
        """It as it is frozen: in one order, whatever that of the folders was."""
        members = tuple(sorted(self.members, key=lambda member: member.recording))
        fact = PopulationFact(members=members, left_out=dict(sorted(self.left_out.items())))
        return (json.dumps(fact.model_dump(mode="json"), indent=1) + "\n").encode()


def population_of(folders: Iterable[Path], protocol: Protocol, identities: Sequence[KeyIdentity]) -> Population:
    """Look at every recording once; ``identities`` open labels, where the protocol asks for what is in them.

    Raises:
        DamagedError: a manifest does not hold, or two recordings bear one id.
        NotARecordingError: one has no manifest, so nothing says what it is.
    """
    found = Population()
    seen: dict[str, str | None] = {}
    for folder in folders:
        manifest = manifest_in(folder)
        if manifest.id in seen:
            if seen[manifest.id] != manifest.digest:
                raise AlteredError(f"there are two recordings {manifest.id}, and they differ", "verify both")
            continue
        seen[manifest.id] = manifest.digest
        why = _why_not(folder, manifest, protocol, identities)
        if why is None:
            found.members.append(_member(manifest))
        else:
            found.left_out[why] += 1
        if why == _WITHDRAWN:
            found.withdrawn.add(manifest.id)
        else:
            found.folders[manifest.id] = folder
    return found


def read_population(document: bytes) -> PopulationFact:
    """A population that was frozen. Raises ``DamagedError``."""
    try:
        return PopulationFact.model_validate_json(document)
    except ShapeError as problem:
        raise DamagedError(
            "the sample's population is not what was frozen", "restore the desk from a copy"
        ) from problem


def members_of(fact: PopulationFact) -> list[Member]:
    """It as the draw takes it."""
    return [Member(one.recording, one.duration_us, one.therapist) for one in fact.members]


def manifest_in(folder: Path) -> Manifest:
    """The manifest in a recording's folder, once its signature holds. Raises as ``population_of``."""
    document = in_folder(folder).read_manifest()
    if document is None:
        raise NotARecordingError(f"there is no manifest in {folder}", "pull the recording again, or move it away")
    return read_beside(document).manifest


def _member(manifest: Manifest) -> MemberFact:
    return MemberFact(
        recording=manifest.id,
        duration_us=manifest.duration_us,
        therapist=manifest.therapist,
        digest=manifest.digest or "",
    )


def _why_not(folder: Path, manifest: Manifest, protocol: Protocol, identities: Sequence[KeyIdentity]) -> str | None:
    """Why a recording is not in the population; ``None``: it is. The first reason counts."""
    is_marked = in_folder(folder).is_marked_withdrawn()
    reasons = (reason for reason, holds in _reasons(manifest, protocol, is_marked=is_marked) if holds)
    if (why := next(reasons, None)) is not None:
        return why
    wanted = protocol.population
    return _why_not_labelled(folder, wanted, identities) if wanted.asks_for_labels else None


def _reasons(manifest: Manifest, protocol: Protocol, *, is_marked: bool) -> Iterator[tuple[str, bool]]:
    wanted = protocol.population
    yield _WITHDRAWN, is_marked or is_withdrawn(manifest)
    yield "not closed", manifest.state is RecordingState.OPEN or manifest.digest is None
    yield "interrupted", manifest.state is RecordingState.INTERRUPTED and not wanted.interrupted
    yield "another consent", manifest.consent not in wanted.consent
    yield "no therapist", protocol.draw.each_therapist is not None and manifest.therapist is None
    yield "another therapist", bool(wanted.therapists) and manifest.therapist not in wanted.therapists
    then = _why_not_then(manifest, wanted)
    yield str(then), then is not None
    member = Member(manifest.id, manifest.duration_us, manifest.therapist)
    yield "too short", parts_of(member, protocol.slices) is None


def _why_not_then(manifest: Manifest, wanted: PopulationPart) -> str | None:
    if wanted.since is None and wanted.until is None:
        return None
    if not manifest.clock_trusted:
        return "clock not set"
    day = date.fromisoformat(manifest.started[:10])
    is_then = (wanted.since or day) <= day <= (wanted.until or day)
    return None if is_then else "another time"


def _why_not_labelled(folder: Path, wanted: PopulationPart, identities: Sequence[KeyIdentity]) -> str | None:
    path = folder / ATTACHMENTS_NAME / LABEL_FILE
    if not path.exists():
        return "no label"
    opened = io.BytesIO()
    with path.open("rb") as file:
        try:
            decrypt(io.BytesIO(file.read(_MOST_LABEL_BYTES)), opened, identities)
            label = from_bytes(opened.getvalue().rstrip(b" "), LabelDocument)
        except (AgeError, DamagedError):
            return "label not readable"
    is_meant = wanted.study in {None, label.study} and wanted.arm in {None, label.arm}
    return None if is_meant else "another study or arm"
