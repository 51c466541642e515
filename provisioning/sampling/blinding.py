"""The slices of a draw as raters get them: each in a folder under a new random id, sealed anew to the raters alone.

    OUT/418066-q0v2yk7m1z/session.mp4.age    a slice; its times start at 0, and nothing in it says whose it was, or when
        sample.json                          signed by the desk: which ids there are, and the digest of each

Which id stands for which recording is in one document, sealed to the study lead and put somewhere else. Ids are drawn
from the system's randomness and follow from nothing; the slices are written in their order, so that no time of a file
says anything, either. The folder gets its name once all of it is there; after a cut all is made anew, under other ids.
"""

from __future__ import annotations

import secrets
import shutil
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

from device.age.identities import KeyIdentity
from device.age.recipients import KeyRecipient, check_company, fingerprint
from device.durable import sync_folder, write_whole
from device.recording import SESSION_NAME
from device.recording.audited import Happened, Plain, What, Who
from provisioning.clipping import clip_of
from provisioning.desk import Desk
from provisioning.errors import AlteredError, UnreachableError, UsageError
from provisioning.opener import Request
from provisioning.output import FileOutput, output_error
from provisioning.place import in_folder
from provisioning.sampling.drawing import Drawn
from provisioning.sampling.handed import (
    SAMPLE_NAME,
    BlindingKey,
    HandedOut,
    HandedSlice,
    KeySlice,
    seal_key,
    sign_handed,
)
from provisioning.sampling.population import Population, manifest_in
from provisioning.sampling.registering import PROTOCOL_NAME, Sample
from provisioning.times import SECOND_US

_LETTERS: Final = string.ascii_lowercase + string.digits

Progress = Callable[[int, int | None], None]
"""Told how many slices are made, of how many."""


@dataclass(frozen=True, slots=True)
class Handing:
    """To whom slices go and where, and where the key of the blinding goes, for whom.

    Raises:
        UsageError: the key would lie among the slices, or somebody who rates could open it.
    """

    raters: tuple[KeyRecipient, ...]
    lead: tuple[KeyRecipient, ...]
    out: Path
    key: Path

    def __post_init__(self) -> None:
        check_company(self.raters)
        check_company(self.lead)
        if self.out.absolute() in self.key.absolute().parents:
            raise UsageError("the key of the blinding would lie among the slices", "let --key be somewhere else")
        if set(map(fingerprint, self.raters)) & set(map(fingerprint, self.lead)):
            raise UsageError(
                "somebody who rates could open the key of the blinding", "give the key to somebody who does not rate"
            )
        if self.out.exists():
            raise UsageError(f"{self.out} is there already", "give another name with -o")


def hand_out(
    desk: Desk,
    sample: Sample,
    population: Population,
    identities: Sequence[KeyIdentity],
    handing: Handing,
    *,
    progress: Progress,
) -> HandedOut:
    """Make all slices of a sample that was drawn, but of what was withdrawn since; ``population``: as it is now.

    Raises:
        UnreachableError: a recording that was drawn is not in any of the folders.
        AlteredError, DamagedError, AgeError: it is not the one that was drawn from, is damaged, or does not open.
        StoreError, OutputError: it cannot be noted, or written. Nothing is handed out then.
    """
    drawn = [one for one in sample.draw() if one.recording not in population.withdrawn]
    _check_there(sample, drawn, population.folders)
    making = handing.out.with_name(f"{handing.out.name}.part")
    try:
        with FileOutput(handing.key, force=False) as key_output:
            if making.exists():  # what an attempt that was cut left behind
                shutil.rmtree(making)
            making.mkdir(mode=0o700)
            job = _Job(sample, population.folders, identities, handing, making)
            key = BlindingKey(sample=sample.number, slices=tuple(job.make(drawn, progress=progress)))
            handed = _handed(sample, key, making)
            write_whole(making / SAMPLE_NAME, sign_handed(handed, desk.key))
            sealed = seal_key(key, handing.lead)
            _note(desk, sample, handing, sealed, count=len(drawn))
            key_output.write(sealed)
            key_output.keep()
        making.rename(handing.out)
        sync_folder(handing.out.absolute().parent)
    except OSError as problem:
        raise output_error(problem) from problem
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return handed


def new_id() -> str:
    """An id of the shape of a recording's, all of it random."""
    return f"{secrets.randbelow(1_000_000):06d}-{''.join(secrets.choice(_LETTERS) for _ in range(10))}"


@dataclass(frozen=True, slots=True)
class _Job:
    sample: Sample
    folders: Mapping[str, Path]
    identities: Sequence[KeyIdentity]
    handing: Handing
    making: Path

    def make(self, drawn: Sequence[Drawn], *, progress: Progress) -> Iterator[KeySlice]:
        ids: set[str] = set()
        while len(ids) < len(drawn):
            ids.add(new_id())
        shuffled = secrets.SystemRandom().sample(list(drawn), len(drawn))
        for done, (new, one) in enumerate(zip(sorted(ids), shuffled, strict=True), start=1):
            yield self._slice(new, one)
            progress(done, len(drawn))

    def _slice(self, new: str, drawn: Drawn) -> KeySlice:
        folder = self.making / new
        folder.mkdir(mode=0o700)
        opened = clip_of(
            in_folder(self.folders[drawn.recording]),
            Request(from_us=drawn.from_s * SECOND_US, to_us=drawn.until_s * SECOND_US),
            self.identities,
            self.handing.raters,
            folder / SESSION_NAME,
            device_keys=frozenset(),
            progress=lambda _done, _of: None,
            sound_only=self.sample.protocol.slices.sound_only,
        )
        sync_folder(folder)
        if opened.span is None:
            raise ValueError("a slice covers some time")
        return KeySlice(id=new, recording=drawn.recording, from_us=opened.span.start_us, until_us=opened.span.end_us)


def _check_there(sample: Sample, drawn: Sequence[Drawn], folders: Mapping[str, Path]) -> None:
    """Every recording that was drawn is there, and is the very one that was drawn from, before any slice is made."""
    members = () if sample.population is None else sample.population.members
    digests = {member.recording: member.digest for member in members}
    for recording in dict.fromkeys(one.recording for one in drawn):
        if recording not in folders:
            raise UnreachableError(
                f"{recording} was drawn, and is in none of the folders", "pull it, and name its folder, too"
            )
        if manifest_in(folders[recording]).digest != digests[recording]:
            raise AlteredError(f"{recording} is not the recording that was drawn from", "verify it, and pull it again")


def _handed(sample: Sample, key: BlindingKey, making: Path) -> HandedOut:
    slices = []
    for one in key.slices:
        path = making / one.id / SESSION_NAME
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        slices.append(HandedSlice(id=one.id, digest=digest, size_bytes=path.stat().st_size))
    protocol = sha256((sample.folder / PROTOCOL_NAME).read_bytes()).hexdigest()
    return HandedOut(sample=sample.number, protocol=protocol, slices=tuple(slices))


def _note(desk: Desk, sample: Sample, handing: Handing, sealed: bytes, *, count: int) -> None:
    facts: dict[str, Plain] = {
        "since": sample.number,
        "blinding": sha256(sealed).hexdigest(),
        "count": count,
        "added": tuple(map(fingerprint, handing.raters)),
    }
    desk.note(Happened(What.SAMPLE_HANDED_OUT, by=Who.CLINIC, facts=facts))
