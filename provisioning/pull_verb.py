"""``sotto-clinic pull``: whole recordings, sealed as they are; or the last minutes of each, sealed anew for oneself."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.age.errors import AgeError
from device.errors import SottoError
from provisioning.access import PLACE_HELP, Access, add_access
from provisioning.clipping import clip_of, name_of
from provisioning.errors import UsageError
from provisioning.exits import DONE, gravest, one_failed
from provisioning.keeping import Keeping
from provisioning.list_verb import look_at
from provisioning.opener import Request
from provisioning.pulling import pull
from provisioning.remote_place import RemotePlace
from provisioning.report import Bar
from provisioning.times import parse_time
from provisioning.wanted import Wanted, add_wanted, wanted_of


def add_pull(verb: argparse.ArgumentParser) -> None:
    """What ``pull`` takes."""
    verb.description = (
        "Fetch recordings, with their manifests and attachments, and compare them with what the boxes signed. Nothing "
        "is opened: they stay sealed. What a cut left unfinished goes on with the same command; what is there already "
        "is never overwritten. With --last only the last part of each is read, and sealed anew for you alone: a file "
        "that opens as a recording does. That needs an identity."
    )
    add = verb.add_argument
    add(
        "words",
        metavar="PLACE WHAT",
        nargs="*",
        help=f"where they are: {PLACE_HELP} (not with --at); then recordings' ids, or paths there: a recording, a "
        "month, a room (none: all that fits --since and so on)",
    )
    add_access(verb, at=False)
    add_wanted(verb)
    add("-o", "--output", metavar="FOLDER", type=Path, required=True, help="each recording gets a folder in it")
    add("--last", metavar="TIME", help="only the last part of each, this long: 15m")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_pull, stopped="stopped; what was fetched is kept, and the same command goes on")


@dataclass(frozen=True, slots=True)
class _Job:
    """How each is fetched."""

    access: Access
    into: Path
    last: Request | None
    is_quiet: bool

    def whole_or_last(self, place: RemotePlace, bar: Bar) -> dict[str, Any]:
        """Fetch one; what is told of it."""
        if self.last is None:
            pulled = pull(place, self.into, device_keys=self.access.device_keys(), progress=bar.show)
            bar.clear()
            self._say(pulled.line(), *self.access.former_told(pulled.key))
            return {"folder": str(pulled.folder), "moved_bytes": pulled.moved_bytes}
        place.let_be_if_ordered_erased()
        identities = self.access.identities()
        to = self.into / place.name / name_of(self.last)
        if to.exists():
            self._say(f"{place.name}: there already: {to}")
            return {"file": str(to), "moved_bytes": 0}
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        recipients = [identities[0].recipient()]
        opened = clip_of(
            place, self.last, identities, recipients, to, device_keys=self.access.device_keys(), progress=bar.show
        )
        bar.clear()
        self._say(*opened.lines(), *self.access.former_told(opened.signer))
        return opened.as_json() | {"file": str(to), "moved_bytes": opened.bytes_read}

    def _say(self, *lines: str) -> None:
        if not self.is_quiet:
            print(*lines, sep="\n")


def run_pull(arguments: argparse.Namespace) -> int:
    """Fetch all that was meant; the gravest exit code of all.

    Raises:
        SottoError, AgeError: something named makes no sense or is not there, or nobody answers there, or refuses.
    """
    access = Access.of(arguments)
    wanted = wanted_of(arguments, access.kit)
    last = None if arguments.last is None else Request(last_us=parse_time(arguments.last))
    where, texts = _split(arguments.words, named=access.at is not None)
    if not texts and wanted.is_all:
        raise UsageError("it was not said which recordings", "name some, or give --since, --therapist or --state")
    job = _Job(access, arguments.output, last, arguments.json)
    told: list[dict[str, Any]] = []
    with access.keeping(where) as keeping:
        places = _places(keeping, texts, wanted)
        for number, place in enumerate(places, start=1):
            count = f"{number}/{len(places)} " if len(places) > 1 else ""
            told.append(_pull(job, place, count=count))
    code = gravest({int(one["exit_code"]) for one in told})
    if arguments.json:
        print(json.dumps({"exit_code": code, "recordings": told}))
    elif not told:
        print("no recording fits")
    return code


def _split(words: Sequence[str], *, named: bool) -> tuple[str | None, Sequence[str]]:
    """The place, where it was not named otherwise, and what is meant there."""
    if named:
        return None, words
    return (words[0], words[1:]) if words else (None, ())


def _places(keeping: Keeping, texts: Sequence[str], wanted: Wanted) -> list[RemotePlace]:
    found = [keeping.held(text) for text in texts or (None,)]
    recordings = [recording for holdings in found for recording in holdings.recordings]
    if not wanted.is_all:
        looked = look_at(keeping, [room for holdings in found for room in holdings.rooms], wanted)
        recordings = []
        for listed in (listed for _, room in looked for listed in room):
            if listed.problem is None:
                recordings.append(listed.held)
            else:
                print(f"note: {listed.held.recording} is left out: {listed.problem}", file=sys.stderr)
    return [keeping.place(keeping.with_attachments(recording)) for recording in dict.fromkeys(recordings)]


def _pull(job: _Job, place: RemotePlace, *, count: str) -> dict[str, Any]:
    bar = Bar(f"{count}{place.name}", to=sys.stderr, doing="pulling")
    try:
        told = job.whole_or_last(place, bar)
    except (SottoError, AgeError) as problem:
        bar.clear()
        return one_failed(problem, place.name)
    finally:
        bar.clear()
    return {"id": place.name, "exit_code": DONE, **told}
