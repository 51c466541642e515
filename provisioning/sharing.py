"""A recording in the clinic's keeping opened to others: a new header, and a payload that stays byte for byte.

``share`` works on a folder as ``pull`` makes it. The log comes first, then what the clinic signs about the header
(``rewraps``), then the files, each written aside and given its name whole. Whatever of it a cut leaves out, the
recording opens as before or anew, ``verify`` tells which, and the same command ends it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from stat import S_IMODE
from typing import BinaryIO, Final, Literal

from device.age.errors import AgeError
from device.age.identities import KeyIdentity
from device.age.recipients import KeyRecipient, fingerprint
from device.age.rewrapping import Rewrapped, rewrap
from device.durable import aside, sync_folder, write_whole
from device.recording import ATTACHMENTS_NAME, REWRAPPED_NAME, SESSION_NAME
from device.recording.audited import Happened, Plain, What, Who
from device.recording.manifest import Manifest
from provisioning.desk import Desk
from provisioning.errors import AlteredError
from provisioning.exits import words_of
from provisioning.findings import layout_of
from provisioning.judging import judge
from provisioning.output import output_error
from provisioning.rewraps import (
    AttachmentFact,
    Rewrap,
    Step,
    digest_of,
    fact_of,
    sign_rewrap,
    with_header,
)
from provisioning.sealed_pass import Progress, pass_over
from provisioning.shareable import Shareable
from provisioning.source import FileSource

_AT_ONCE_BYTES: Final = 1 << 20
_VERIFY: Final = "verify it, and take another copy; nothing was changed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to open a recording from now on: those who do and ``add``, or nobody but ``only``. One of the two."""

    add: tuple[KeyRecipient, ...] = ()
    only: tuple[KeyRecipient, ...] = ()

    @property
    def what(self) -> Literal["added", "only"]:
        """It in a word."""
        return "added" if self.add else "only"

    def but(self, known: Sequence[str]) -> Wanted:
        """What is left to do where the keys of these ids open it already."""
        if self.only:
            return Wanted() if {fingerprint(one) for one in self.only} == set(known) else self
        return Wanted(add=tuple(one for one in self.add if fingerprint(one) not in known))

    @property
    def whom(self) -> tuple[str, ...]:
        """The ids of their keys."""
        return tuple(fingerprint(one) for one in (*self.add, *self.only))

    def __bool__(self) -> bool:
        return bool(self.add or self.only)


@dataclass(frozen=True, slots=True)
class Shared:
    """What came of it: whether the header was made anew, which attachments' were, and what stayed as it was and why."""

    name: str
    has_new_header: bool
    attachments: tuple[str, ...]
    left: tuple[tuple[str, str], ...]

    def lines(self) -> Iterator[str]:
        """It for a person."""
        count = len(self.attachments)
        beside = "" if not count else f", {count} attachment{'s' if count > 1 else ''} with it"
        if self.has_new_header:
            yield f"{self.name}: shared{beside}; its chunks are as the box sealed them"
        else:
            yield f"{self.name}: {'opens for them already' if not beside else f'opened for them already{beside}'}"
        for file, why in self.left:
            yield f"  note: {ATTACHMENTS_NAME}/{file} stays as it is: {why}"


def step_of(recording: Shareable, wanted: Wanted, made: Rewrapped, *, at: str) -> Step:
    """What the clinic says of a header that it made."""
    known = recording.recipients
    return Step(
        at=at,
        by=made.key,
        what=wanted.what,
        whom=wanted.whom,
        recipients=wanted.whom if wanted.only else (*known, *wanted.whom) if known else (),
        old=fact_of(made.old),
        new=fact_of(made.new),
    )


def before_of(recording: Shareable, name: str, digest: str) -> AttachmentFact:
    """What is known of an attachment that has this digest now."""
    known = recording.attachments.get(name)
    if known is None or digest not in {known.of, known.digest}:
        return AttachmentFact(of=digest, digest=digest, whom=())
    return known if digest == known.digest else AttachmentFact(of=known.of, digest=known.of, whom=())


def rewrap_of(recording: Shareable, step: Step | None, attachments: Mapping[str, AttachmentFact]) -> Rewrap:
    """The document, with all that was said before."""
    return Rewrap(
        recording=recording.manifest.id,
        digest=recording.manifest.digest or "",
        steps=(*recording.steps, *(() if step is None else (step,))),
        attachments={**recording.attachments, **attachments},
    )


def note_share(desk: Desk, recording: str, wanted: Wanted, step: Step | None, *, count: int) -> None:
    """Put it into the desk's log. Raises ``StoreError``: nothing may be done then."""
    facts: dict[str, Plain] = {wanted.what: wanted.whom, "count": count}
    if step is not None:
        facts |= {"opened_by": (step.by,), "header_before": step.old.digest, "header": step.new.digest}
    desk.note(Happened(What.SHARED, recording, Who.CLINIC, facts))


def share(
    folder: Path,
    recording: Shareable,
    wanted: Wanted,
    identities: Sequence[KeyIdentity],
    desk: Desk,
    *,
    progress: Progress,
) -> Shared:
    """Open the recording in a folder to others.

    Raises:
        AgeError: no identity opens it, or they cannot share a file.
        AlteredError: it is not what the box sealed, so nothing was signed and nothing changed.
        StoreError: the desk's log cannot be written; nothing was changed.
        OutputError: it cannot be written here.
    """
    job = _Job(folder, recording, wanted, identities, desk, progress)
    try:
        return job.run()
    except OSError as problem:
        raise output_error(problem) from problem
    finally:
        job.tidy()


@dataclass
class _Job:
    folder: Path
    recording: Shareable
    wanted: Wanted
    identities: Sequence[KeyIdentity]
    desk: Desk
    progress: Progress
    made: list[Path] = field(default_factory=list)  # files whose new selves are there, aside
    left: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> Shared:
        step = self._session()
        attachments = dict(self._attachments())
        if self.made:
            self._sync()
            note_share(self.desk, self.recording.name, self.wanted, step, count=len(attachments))
            document = sign_rewrap(rewrap_of(self.recording, step, attachments), self.desk.key)
            write_whole(self.folder / REWRAPPED_NAME, document)
            self._name()
        return Shared(self.recording.name, step is not None, tuple(attachments), tuple(self.left))

    def tidy(self) -> None:
        """Take away what did not get its name."""
        for path in self.made:
            aside(path).unlink(missing_ok=True)

    # -- what is made -------------------------------------------------------------------------------------------------

    def _session(self) -> Step | None:
        """The recording with its new header, aside; ``None`` where there is nothing to do."""
        wanted = self.wanted.but(self.recording.recipients)
        if not wanted:
            return None
        path = self.folder / SESSION_NAME
        with path.open("rb") as file:
            made = rewrap(file, self.identities, add=wanted.add, only=wanted.only)
            if not self.recording.is_header(fact_of(made.old)):
                raise AlteredError("the header of the recording is not the one that was signed", _VERIFY)
            with self._aside(path) as to:
                to.write(made.new)
                shutil.copyfileobj(file, to, _AT_ONCE_BYTES)
        step = step_of(self.recording, wanted, made, at=self.desk.now())
        self._check(aside(path), with_header(self.recording.manifest, step))
        return step

    def _check(self, path: Path, manifest: Manifest) -> None:
        """Read what was written again, all of it: the clinic signs nothing that it has not compared."""
        source = FileSource(path)
        try:
            found = pass_over(source, layout_of(manifest), self.identities, progress=self.progress)
        finally:
            source.close()
        if findings := judge(manifest, found):
            raise AlteredError(f"the recording is not what the box sealed: {findings[0].line()}", _VERIFY)

    def _attachments(self) -> Iterator[tuple[str, AttachmentFact]]:
        """The attachments whose headers are made anew, aside."""
        for path in sorted((self.folder / ATTACHMENTS_NAME).glob("*.age")):
            data = path.read_bytes()
            before = before_of(self.recording, path.name, digest_of(data))
            wanted = self.wanted.but(before.whom)
            if not wanted:
                continue
            try:
                made = rewrap(BytesIO(data), self.identities, add=wanted.add, only=wanted.only)
            except AgeError as problem:  # a review for somebody else, say: it is theirs to share
                self.left.append((path.name, words_of(problem)[0]))
                continue
            new = made.new + data[len(made.old) :]
            with self._aside(path) as to:
                to.write(new)
            whom = wanted.whom if wanted.only else (*before.whom, *wanted.whom)
            yield path.name, AttachmentFact(of=before.of, digest=digest_of(new), whom=whom)

    def _aside(self, path: Path) -> BinaryIO:
        self.made.append(path)
        beside = aside(path)
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, S_IMODE(path.stat().st_mode))
        return os.fdopen(descriptor, "wb")

    # -- what is kept -------------------------------------------------------------------------------------------------

    def _sync(self) -> None:
        for path in self.made:
            with aside(path).open("rb") as file:
                os.fsync(file.fileno())

    def _name(self) -> None:
        for folder in dict.fromkeys(path.parent for path in self.made):
            for path in (one for one in self.made if one.parent == folder):
                aside(path).rename(path)
            sync_folder(folder)
