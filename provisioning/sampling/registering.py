"""A sample at the clinic's desk: what its log says of it, and the documents that this is about.

    DESK/samples/7/protocol.toml     as it was registered by entry 7 of the log, byte for byte
                   population.json   what was drawn from; frozen by the entry of the draw

A sample's number is that of the log's entry which registered it. Nothing of a sample is believed before the whole log
was verified and the documents have the digests that stand in it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from device.audit import newest_entries
from device.durable import sync_folder, write_whole
from device.recording.audited import Happened, Plain, What, Who
from device.recording.chain import AUDIT_NAME
from provisioning.desk import Desk
from provisioning.errors import AlteredError, OutputError, UnreachableError, UsageError
from provisioning.output import output_error
from provisioning.sampling.drawing import Drawn, digest_of, draw
from provisioning.sampling.population import PopulationFact, members_of, read_population
from provisioning.sampling.protocol import MOST_PROTOCOL_BYTES, Protocol, parse_protocol, seed_of
from provisioning.verify_audit import verify_audit

PROTOCOL_NAME: Final = "protocol.toml"
POPULATION_NAME: Final = "population.json"
_RESTORE: Final = "restore the desk from a copy, and find out who changed it"
_MOST_POPULATION_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """A registered sample. ``drawn_digest``: what the log says of its draw, if it was drawn."""

    number: int
    folder: Path
    protocol: Protocol
    seed: str
    population: PopulationFact | None = None
    drawn_digest: str | None = None

    def draw(self) -> tuple[Drawn, ...]:
        """What is drawn from its population. Raises ``AlteredError`` where that is not what the log says."""
        if self.population is None:
            raise UsageError(f"sample {self.number} was not drawn yet", "draw it with `sotto-clinic sample draw`")
        drawn = draw(self.seed, members_of(self.population), self.protocol.draw, self.protocol.slices)
        if self.drawn_digest not in {None, digest_of(drawn)}:
            raise AlteredError(f"the draw of sample {self.number} is not the one in the log", _RESTORE)
        return drawn


def register(desk: Desk, document: bytes) -> Sample:
    """Put a protocol and its seed into the log; the sample that it is from then on.

    Raises:
        UsageError: it is no protocol.
        StoreError: it cannot be noted: nothing is registered.
        OutputError: it was noted, and could not be kept; register it again.
    """
    protocol = parse_protocol(document)
    seed = secrets.token_hex(32) if protocol.draw.seed is None else seed_of(protocol.draw.seed)
    facts = {"protocol": sha256(document).hexdigest(), "seed": seed}
    number = desk.note(Happened(What.SAMPLE_REGISTERED, by=Who.CLINIC, facts=facts)).number
    folder = desk.samples / str(number)
    try:
        folder.mkdir(mode=0o700, parents=True)
        write_whole(folder / PROTOCOL_NAME, document)
        for parent in (desk.samples, desk.folder):
            sync_folder(parent)
    except OSError as problem:
        raise output_error(problem) from problem
    return Sample(number, folder, protocol, seed)


def freeze(desk: Desk, sample: Sample, population: bytes) -> Sample:
    """Keep what is drawn from, and put the draw into the log; from then on it is this one and no other.

    Raises:
        OutputError, StoreError: it cannot be kept or noted: nothing is drawn.
    """
    path = sample.folder / POPULATION_NAME
    try:
        write_whole(path, population)
    except OSError as problem:
        raise OutputError(f"{path} cannot be written: {problem.strerror}", "free some room and try again") from problem
    fact = read_population(population)
    drawn = draw(sample.seed, members_of(fact), sample.protocol.draw, sample.protocol.slices)
    digest = digest_of(drawn)
    facts: dict[str, Plain] = {
        "since": sample.number,
        "population": sha256(population).hexdigest(),
        "drawn": digest,
        "count": len(drawn),
    }
    desk.note(Happened(What.SAMPLE_DRAWN, by=Who.CLINIC, facts=facts))
    return Sample(sample.number, sample.folder, sample.protocol, sample.seed, fact, digest)


def sample_at(desk: Desk, number: int) -> Sample:
    """A sample, once the log holds and its documents are those that stand in it.

    Raises:
        AlteredError: they are not, or the log was altered.
        UsageError: no sample was registered with that number.
    """
    entries = verified_entries(desk)
    registered = next((one for one in entries if one["number"] == number), None)
    if registered is None or registered["what"] != What.SAMPLE_REGISTERED:
        raise UsageError(f"no sample {number} was registered at this desk", "see `sotto-clinic desk show DESK`")
    folder = desk.samples / str(number)
    facts = registered["facts"]
    document = _document(folder / PROTOCOL_NAME, facts["protocol"], most_bytes=MOST_PROTOCOL_BYTES)
    sample = Sample(number, folder, parse_protocol(document), facts["seed"])
    draws = [one["facts"] for one in entries if one["what"] == What.SAMPLE_DRAWN and one["facts"]["since"] == number]
    if not draws:
        return sample
    population = _document(folder / POPULATION_NAME, draws[0]["population"], most_bytes=_MOST_POPULATION_BYTES)
    fact = read_population(population)
    return Sample(number, folder, sample.protocol, sample.seed, fact, draws[0]["drawn"])


def verified_entries(desk: Desk) -> list[dict[str, Any]]:
    """What the desk's log says, oldest first, once all of it was verified. Raises ``AlteredError``."""
    report = verify_audit(desk.folder, device_keys=frozenset({desk.fingerprint}))
    if report.bad is not None:
        raise AlteredError(f"the desk's log was altered at entry {report.bad.number}: {report.problem}", _RESTORE)
    return list(newest_entries(desk.folder / AUDIT_NAME))[::-1]


def _document(path: Path, digest: str, *, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as problem:
        raise UnreachableError(f"{path} cannot be read: {problem.strerror}", _RESTORE) from problem
    if sha256(data).hexdigest() != digest:
        raise AlteredError(f"{path} is not what the log speaks of", _RESTORE)
    return data
