"""``sotto-clinic sample``: pre-registered random slices for blinded raters, and what came of it (docs/research.md)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from device.age.identities import Identity
from device.recording.audited import Happened, What, Who
from provisioning.desk import Desk
from provisioning.errors import AlteredError, UnreachableError, UsageError
from provisioning.exits import ALTERED, DONE, complain
from provisioning.folders import is_recording, recordings_in
from provisioning.output import FileOutput
from provisioning.own_desk import add_own_desk, own_desk
from provisioning.own_keys import add_own_keys, own_identities
from provisioning.recipients import read_recipients
from provisioning.report import Bar
from provisioning.sampling.blinding import Handing, hand_out
from provisioning.sampling.drawing import digest_of
from provisioning.sampling.exporting import Known, Row, as_csv, handed_in, rows_of
from provisioning.sampling.handed import MOST_HANDED_BYTES, BlindingKey, open_key
from provisioning.sampling.population import Population, population_of
from provisioning.sampling.protocol import MOST_PROTOCOL_BYTES
from provisioning.sampling.registering import Sample, freeze, register, sample_at

_SEALED: Final = "who is to open it; or a file of several"


def add_sample(verb: argparse.ArgumentParser) -> None:
    """What ``sample`` takes."""
    verbs = verb.add_subparsers(required=True, metavar="STEP")
    _add_register(verbs.add_parser("register", help="put a protocol and its seed into the desk's log"))
    _add_draw(verbs.add_parser("draw", help="draw a registered sample, and hand its slices out"))
    _add_check(verbs.add_parser("check", help="repeat a draw, and compare it with the log"))
    _add_export(verbs.add_parser("export", help="list what was reviewed, when and by whom"))


def _add_register(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("protocol", metavar="PROTOCOL", type=Path, help="a TOML file: docs/research.md")
    add_own_desk(verb)
    verb.set_defaults(run=run_register)


def _add_draw(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add("sample", metavar="NUMBER", type=int, help="the number that `sample register` gave it")
    add("folders", metavar="FOLDER", nargs="+", help="a recording's folder as `pull` makes it, or a folder of them")
    add_own_desk(verb)
    add_own_keys(verb)
    add("--to", metavar="RECIPIENT", action="append", required=True, help=f"a rater: {_SEALED}")
    add("--lead", metavar="RECIPIENT", action="append", required=True, help=f"for the key of the blinding: {_SEALED}")
    add("-o", "--output", metavar="FOLDER", type=Path, required=True, help="new folder for the raters")
    add("--key", metavar="FILE", type=Path, required=True, help="new file for the key of the blinding, somewhere else")
    verb.set_defaults(run=run_draw, stopped="stopped; nothing was handed out, and the same command makes it all anew")


def _add_check(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("sample", metavar="NUMBER", type=int, help="the number that `sample register` gave it")
    add_own_desk(verb)
    verb.add_argument("--json", action="store_true", help="print one JSON object, with all that was drawn")
    verb.set_defaults(run=run_check)


def _add_export(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add(
        "folder",
        metavar="FOLDER",
        type=Path,
        help="what was handed out, with the reviews beside the slices; or a store",
    )
    add_own_desk(verb)
    add_own_keys(verb)
    add("--key", metavar="FILE", type=Path, help="the key of the blinding: what each slice stands for is then told")
    add("-o", "--output", metavar="FILE", type=Path, help="where the CSV goes (default: standard output)")
    add("--json", action="store_true", help="JSON instead of CSV")
    verb.set_defaults(run=run_export)


def run_register(arguments: argparse.Namespace) -> int:
    """``sample register``. Raises ``SottoError``: nothing is registered."""
    document = _read(arguments.protocol, most_bytes=MOST_PROTOCOL_BYTES)
    with own_desk(arguments) as desk:
        sample = register(desk, document)
        print(f"sample {sample.number}: registered, with the seed {sample.seed}")
        print(f"head of the log: {desk.log.head}; keep it apart, or put it where the study is registered")
    return DONE


def run_draw(arguments: argparse.Namespace) -> int:
    """``sample draw``. Raises ``SottoError``, ``AgeError``: nothing is handed out."""
    handing = Handing(
        raters=read_recipients(arguments.to),
        lead=read_recipients(arguments.lead),
        out=arguments.output,
        key=arguments.key,
    )
    identities = own_identities(arguments)
    folders = recordings_in(arguments.folders)
    with own_desk(arguments) as desk:
        sample = sample_at(desk, arguments.sample)
        population = population_of(folders, sample.protocol, identities)
        sample = sample if sample.population is not None else _freeze(desk, sample, population)
        bar = Bar(f"sample {sample.number}", to=sys.stderr, doing="drawing")
        try:
            handed = hand_out(desk, sample, population, identities, handing, progress=bar.show)
        finally:
            bar.clear()
    _tell(sample, population, handing, count=len(handed.slices))
    return DONE


def _freeze(desk: Desk, sample: Sample, population: Population) -> Sample:
    if not population.members:
        reasons = ", ".join(f"{count} {why}" for why, count in sorted(population.left_out.items())) or "there is none"
        raise UsageError(f"no recording there is as the protocol wants it: {reasons}", "name other folders")
    return freeze(desk, sample, population.document())


def _tell(sample: Sample, population: Population, handing: Handing, *, count: int) -> None:
    fact, drawn = sample.population, sample.draw()
    members = 0 if fact is None else len(fact.members)
    recordings = {one.recording for one in drawn}
    print(f"sample {sample.number}: {count} slices of {len(recordings)} recordings, out of {members}: {handing.out}")
    wanted = sample.protocol.draw.recordings
    if wanted is not None and len(recordings) < wanted:
        print(f"note: the protocol wants {wanted} recordings; there were no more")
    if fact is not None:
        for why, number in fact.left_out.items():
            print(f"left out: {number} {why}")
    if gone := recordings & population.withdrawn:
        print(f"note: {len(gone)} that were drawn are withdrawn since; nothing of them was handed out")
    print(f"key of the blinding, for the study lead alone: {handing.key}")


def run_check(arguments: argparse.Namespace) -> int:
    """``sample check``. Raises ``AlteredError``: log, documents and draw do not fit together."""
    with own_desk(arguments) as desk:
        sample = sample_at(desk, arguments.sample)
    drawn = sample.draw()
    if arguments.json:
        slices = [{"recording": one.recording, "from_s": one.from_s, "until_s": one.until_s} for one in drawn]
        print(json.dumps({"sample": sample.number, "seed": sample.seed, "drawn": digest_of(drawn), "slices": slices}))
    else:
        print(f"sample {sample.number}: {len(drawn)} slices, drawn as the log says (digest {digest_of(drawn)})")
    return DONE


def run_export(arguments: argparse.Namespace) -> int:
    """``sample export``; 4 where something is not as it was handed out. Raises ``SottoError``, ``AgeError``."""
    identities = own_identities(arguments)
    output = None if arguments.output is None else FileOutput(arguments.output, force=False)
    with own_desk(arguments) as desk:
        known = _known(desk, arguments.folder, _key(arguments.key, identities))
        rows = list(rows_of(_slices_in(arguments.folder), known, identities))
        _note(desk, known, rows)
    text = json.dumps([row.facts() for row in rows], indent=1) + "\n" if arguments.json else as_csv(rows)
    if output is None:
        sys.stdout.write(text)
    else:
        with output:
            output.write(text.encode())
            output.keep()
    for row in rows:
        if not row.is_well:
            which = row.slice if row.file is None else f"{row.slice}: {row.file}"
            what = row.problem or f"the slice is {row.slice_is}"
            complain(what, "find out why, and ask for it again", of=which)
    return DONE if all(row.is_well for row in rows) else ALTERED


def _known(desk: Desk, folder: Path, key: BlindingKey | None) -> Known:
    """What to compare with, once it is this desk that signed it, and its log knows the sample."""
    found = handed_in(folder)
    if found is None:
        return Known.of(None, key)
    handed, whose = found
    if whose != desk.fingerprint:
        raise AlteredError(f"the list in {folder} is signed by {whose}, not by this desk", "name that desk")
    sample_at(desk, handed.sample)
    return Known.of(handed, key)


def _key(path: Path | None, identities: Sequence[Identity]) -> BlindingKey | None:
    return None if path is None else open_key(_read(path, most_bytes=MOST_HANDED_BYTES), identities)


def _slices_in(folder: Path) -> list[Path]:
    """The recordings, or slices, in a folder; there may be none left."""
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir() and is_recording(entry))
    except OSError as problem:
        raise UnreachableError(f"{folder} cannot be read: {problem.strerror}", "check the name") from problem


def _note(desk: Desk, known: Known, rows: Sequence[Row]) -> None:
    count = sum(row.file is not None for row in rows)
    since = {} if known.handed is None else {"since": known.handed.sample}
    desk.note(Happened(What.EXPORTED, by=Who.CLINIC, facts={"count": count, **since}))


def _read(path: Path, *, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most_bytes + 1)
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {problem.strerror}", "check the name") from problem
