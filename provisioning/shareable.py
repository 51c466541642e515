"""A recording as it has to be before the clinic opens it to anybody else: closed, signed, not withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from device.recording.manifest import Manifest, RecordingState
from provisioning.beside import Beside, read_beside
from provisioning.consent_chain import is_withdrawn
from provisioning.errors import AlteredError, NotARecordingError, OrderedErasedError
from provisioning.findings import layout_of
from provisioning.place import Place
from provisioning.rewraps import AttachmentFact, HeadFact, Rewrap, Step, header_of, read_rewrap


@dataclass(frozen=True, slots=True)
class Shareable:
    """What is known of it: the box's manifest, the headers that came true since, and the attachments made anew."""

    manifest: Manifest
    steps: tuple[Step, ...] = ()
    attachments: Mapping[str, AttachmentFact] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its id."""
        return self.manifest.id

    @property
    def recipients(self) -> tuple[str, ...]:
        """The ids of the keys that open it; none where they are not known."""
        return self.steps[-1].recipients if self.steps else self.manifest.recipients

    def is_header(self, found: HeadFact) -> bool:
        """Whether that is the header which somebody signed, be it the box or the clinic."""
        if self.steps:
            return found == self.steps[-1].new
        layout = layout_of(self.manifest)
        is_long = layout is not None and layout.payload_offset == found.size_bytes
        return is_long and self.manifest.header_digest in {None, found.digest}


def shareable(place: Place, *, device_keys: frozenset[str], clinic_keys: frozenset[str]) -> Shareable:
    """What is known of a recording; ``clinic_keys``: whose headers are taken over.

    Raises:
        UnreachableError: it is not there, or cannot be read.
        NotARecordingError: it has no manifest, or the box had not closed it yet.
        OrderedErasedError: it is withdrawn.
        DamagedError, AlteredError: what was signed of it does not hold, or another key signed it.
    """
    beside = _manifest(place, device_keys)
    said = _said(place, beside, clinic_keys)
    if said is None or not said.steps:
        return Shareable(beside.manifest, (), {} if said is None else said.attachments)
    source = place.source()
    try:
        step = header_of(said, lambda size_bytes: source.read_at(0, size_bytes)).step
    finally:
        source.close()
    # A step behind the one whose header is there never came true: a cut was faster, and it is done anew.
    true = () if step is None else said.steps[: said.steps.index(step) + 1]
    return Shareable(beside.manifest, true, said.attachments)


def _manifest(place: Place, device_keys: frozenset[str]) -> Beside:
    document = place.read_manifest()
    if document is None:
        raise NotARecordingError(
            f"there is no manifest beside {place.name}", "give a folder as `sotto-clinic pull` makes it"
        )
    beside = read_beside(document)
    if device_keys and beside.key not in device_keys:
        raise AlteredError(
            f"the manifest is signed by {beside.key}, which is none of the device keys given",
            "do not rely on it, and find out which box sent it",
        )
    if beside.manifest.state is RecordingState.OPEN or beside.manifest.digest is None:
        raise NotARecordingError(f"the box had not closed {place.name} yet", "pull it again once it has")
    if is_withdrawn(beside.manifest) or place.is_marked_withdrawn():
        raise OrderedErasedError(f"{place.name} is withdrawn: nobody is to open it", "erase this copy, too")
    return beside


def _said(place: Place, beside: Beside, clinic_keys: frozenset[str]) -> Rewrap | None:
    document = place.read_rewrap()
    if document is None:
        return None
    said = read_rewrap(document, beside.manifest)
    if said.key not in clinic_keys:
        raise AlteredError(
            f"its header was made anew by {said.key}, which is not this desk's key",
            "if you know that key, give it with --clinic-key; else take another copy",
        )
    return said.rewrap
