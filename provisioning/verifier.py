"""One recording verified: its manifest, its sealed file, what was said about consent, and whether it is withdrawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from device.age.identities import KeyIdentity
from device.errors import DamagedError
from device.recording import is_recording_id
from device.recording.erasure import CERTIFICATE_KIND, ORDER_KIND
from device.recording.manifest import Manifest, RecordingState
from device.recording.signing import fingerprint, verify
from provisioning import verdict
from provisioning.beside import Beside, as_it_is_now, read_beside
from provisioning.consent_chain import is_withdrawn, judge_consent
from provisioning.errors import UnreachableError
from provisioning.findings import Finding, Found, Part, layout_of
from provisioning.judging import judge, judge_alone
from provisioning.place import Place
from provisioning.rewraps import Remade
from provisioning.sealed_pass import Progress, pass_over
from provisioning.verdict import Verdict

_WITHDRAWN = "the client has withdrawn it: it is to be erased, and nobody is to open it"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a clinic brings to compare with, as far as it has it: identities that may open, and fingerprints of keys.

    ``device_keys`` are boxes'; ``clinic_keys`` those of the clinic's own desks, which may make headers anew.
    """

    identities: Sequence[KeyIdentity] = ()
    device_keys: frozenset[str] = frozenset()
    clinic_keys: frozenset[str] = frozenset()


def verify_recording(place: Place, knowledge: Knowledge, *, progress: Progress) -> Verdict:
    """Read a recording once, and tell what it is.

    Raises:
        SottoError, AgeError: it is not there, cannot be read, or is no recording; what was altered raises nothing.
    """
    document = place.read_manifest()
    try:
        beside = None if document is None else read_beside(document)
    except DamagedError as problem:
        return Verdict(place.name, verdict.ALTERED, (Finding(Part.MANIFEST, problem.what),))
    try:
        beside = None if beside is None else as_it_is_now(beside, place)
    except DamagedError as problem:
        return Verdict(place.name, verdict.ALTERED, (Finding(Part.REWRAP, problem.what),), beside=beside)
    found = _read(place, beside, knowledge, progress=progress)
    if beside is None:
        return _alone(place, found)
    return _judged(place, beside, found, knowledge)


def _read(place: Place, beside: Beside | None, knowledge: Knowledge, *, progress: Progress) -> Found | None:
    """What one pass found; ``None`` where a manifest speaks of a file that is not there."""
    source = place.source()
    layout = None if beside is None else layout_of(beside.manifest)
    try:
        return pass_over(source, layout, knowledge.identities, progress=progress)
    except UnreachableError:
        if beside is None or place.has_sealed():
            raise
        return None
    finally:
        source.close()


def _alone(place: Place, found: Found | None) -> Verdict:
    """A file that no manifest speaks of: an identity shows whether it opens, and nothing whether it was cut."""
    findings = judge_alone(found) if found is not None else []
    notes = ["no manifest is beside it, so nothing says whether something was taken from its end"]
    inside = None if found is None else found.inside
    if inside is not None:
        notes.append("it has an end mark" if inside.index is not None else "it has no end mark")
    return Verdict(
        place.name,
        verdict.ALTERED if findings else verdict.NOT_PROVEN,
        tuple(findings),
        checked=("every chunk by the key",) if inside is not None else (),
        notes=tuple(notes),
        duration_us=None if inside is None else inside.reached_us,
        refused=found is not None and found.refused,
    )


def _judged(place: Place, beside: Beside, found: Found | None, knowledge: Knowledge) -> Verdict:
    manifest = beside.manifest
    findings = list(_signer(place, beside, knowledge))
    if found is not None:
        findings += judge(manifest, found)
    elif manifest.state is not RecordingState.OPEN:
        findings.append(Finding(Part.FILE, "the sealed file is not there"))
    inside = None if found is None else found.inside
    findings += judge_consent(manifest, picture_in_file=None if inside is None else inside.has_picture)
    return Verdict(
        place.name,
        _state(manifest, findings),
        tuple(findings),
        checked=tuple(_checked(beside, found, knowledge)),
        notes=tuple(_notes(place, beside, found, knowledge)),
        beside=beside,
        duration_us=manifest.duration_us,
        refused=found is not None and found.refused,
    )


def _state(manifest: Manifest, findings: Sequence[Finding]) -> str:
    if findings:
        return verdict.ALTERED
    if manifest.state is RecordingState.OPEN:
        return verdict.OPEN
    if layout_of(manifest) is None or manifest.digest is None:
        return verdict.NOT_PROVEN
    return verdict.COMPLETE if manifest.state is RecordingState.COMPLETE else verdict.INTERRUPTED


def _signer(place: Place, beside: Beside, knowledge: Knowledge) -> Iterator[Finding]:
    if knowledge.device_keys and beside.key not in knowledge.device_keys:
        yield Finding(
            Part.DEVICE_KEY, f"the manifest is signed by {beside.key}, which is none of the device keys given"
        )
    if beside.remade is not None and knowledge.clinic_keys and beside.remade.key not in knowledge.clinic_keys:
        what = f"the header was made anew by {beside.remade.key}, which is none of the clinic keys given"
        yield Finding(Part.REWRAP, what)
    if is_recording_id(place.name) and beside.manifest.id != place.name:
        yield Finding(Part.MANIFEST, f"the manifest beside it is that of another recording, {beside.manifest.id}")


def _checked(beside: Beside, found: Found | None, knowledge: Knowledge) -> Iterator[str]:
    manifest = beside.manifest
    yield "signature" + (" and device key" if knowledge.device_keys else "")
    yield "consent"
    if found is None or layout_of(manifest) is None:
        return
    if manifest.header_digest is not None:
        by_clinic = " and clinic key" if knowledge.clinic_keys else ""
        yield "header" + ("" if beside.remade is None else f" (made anew by the clinic){by_clinic}")
    yield f"{min(found.chunks, manifest.chunks)} chunks by digest" + (" and by key" if found.inside else "")
    if found.inside is not None:
        yield "end mark"
    elif manifest.closing_digest is not None:
        yield "closing"


def _notes(place: Place, beside: Beside, found: Found | None, knowledge: Knowledge) -> Iterator[str]:
    manifest = beside.manifest
    if is_withdrawn(manifest) or place.is_marked_withdrawn():
        yield _WITHDRAWN
    if (text := manifest.consent_text) is not None:
        yield f"the client had been given consent text {text.version} to read (sha256 {text.sha256})"
    if manifest.state is RecordingState.OPEN:
        yield "the box has not closed it yet; verify it again once it has ended, or the box was started again"
    if not knowledge.device_keys:
        yield f"signed by box {manifest.box!r} (key {beside.key}); compare the key, or give --device-key"
    if beside.remade is not None:
        yield from _remade(beside.remade, knowledge)
    if found is None:
        return
    if found.refused:
        yield "none of the keys given opens it: it was checked by its digests"
    elif found.inside is None and manifest.closing_digest is None and layout_of(manifest) is not None:
        yield "a manifest of this age says nothing about the file's last bytes: only an identity can check them"


def _remade(remade: Remade, knowledge: Knowledge) -> Iterator[str]:
    step = remade.header.step
    if step is not None:
        whose = "" if knowledge.clinic_keys else "; compare the key, or give --clinic-key"
        yield f"its header was made anew by the clinic (key {remade.key}) at {step.at}{whose}"
        if step.recipients:
            yield f"it is now for the keys {', '.join(step.recipients)}"
    if not remade.header.is_newest:
        yield "the clinic signed a newer header than this file has: share it again, or read it with --at its server"


def verify_erased(
    name: str,
    document: bytes,
    knowledge: Knowledge,
    *,
    part: Literal[Part.CERTIFICATE, Part.ORDER],
    folder_is_there: bool,
) -> Verdict:
    """What an erase certificate, or at a remote the order that was carried out, says of the recording ``name``."""
    kind, done = (CERTIFICATE_KIND, "erased") if part is Part.CERTIFICATE else (ORDER_KIND, "ordered")
    try:
        signed = verify(kind, document)
    except DamagedError as problem:
        return Verdict(name, verdict.ALTERED, (Finding(part, problem.what),))
    key, facts = fingerprint(signed.key), signed.payload
    findings = []
    if knowledge.device_keys and key not in knowledge.device_keys:
        what = f"the {part} is signed by {key}, which is none of the device keys given"
        findings.append(Finding(Part.DEVICE_KEY, what))
    if facts.get("recording") != name:
        findings.append(Finding(part, f"the {part} is that of another recording"))
    if folder_is_there:
        findings.append(Finding(part, f"there is an {part} that was carried out, and the recording is still there"))
    by, at = facts.get("by"), facts.get(done)
    return Verdict(
        name,
        verdict.ALTERED if findings else verdict.ERASED,
        tuple(findings),
        checked=("signature" + (" and device key" if knowledge.device_keys else ""),),
        notes=(f"{done} {at}, by {by} (key {key})",),
    )
