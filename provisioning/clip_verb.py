"""``sotto-clinic clip``: a slice of a recording for somebody else, who can open that and nothing more."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from device.age.recipients import Recipient
from provisioning.access import Access
from provisioning.clipping import clip_of, name_of
from provisioning.errors import UsageError
from provisioning.exits import DONE
from provisioning.open_verb import TIMES, add_recording, add_slice, slice_of
from provisioning.report import Bar


def add_clip(verb: argparse.ArgumentParser) -> None:
    """What ``clip`` takes."""
    verb.description = (
        "Share a slice of a recording: it is cut to whole chunks and sealed anew, for those who are named and nobody "
        f"else, under a key of its own. It opens as a recording does, and nothing outside of it can be opened. {TIMES}"
    )
    add_recording(verb)
    add_slice(verb)
    add_readers(verb, "who is to open it")
    add = verb.add_argument
    add("-o", "--output", metavar="FILE", type=Path, help="where it goes (default: clip-, its id and its times, here)")
    add("--force", action="store_true", help="overwrite the output if it is there")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_clip)


def add_readers(verb: argparse.ArgumentParser, about: str) -> None:
    """Whom something is sealed to."""
    add = verb.add_argument
    add("--for", metavar="NAME", dest="readers", action="append", default=[], help=f"{about}: a name in the kit")
    add("--recipient", metavar="RECIPIENT", action="append", default=[], help=f"{about}: age1…")


def run_clip(arguments: argparse.Namespace) -> int:
    """Cut it.

    Raises:
        SottoError, AgeError: it failed, and nothing was kept.
    """
    request, access = slice_of(arguments), Access.of(arguments)
    if not request.is_slice:
        raise UsageError("it was not said which part is to be shared", "give --last, or --from and --to")
    recipients: list[Recipient] = access.recipients(arguments.readers, arguments.recipient)
    if not recipients:
        raise UsageError("it was not said who is to open it", "give --for with a name in the kit, or --recipient")
    identities = access.identities()
    with access.place(arguments.recording) as place:
        to = arguments.output or Path(f"clip-{place.name}-{name_of(request)}")
        bar = Bar(arguments.recording, to=sys.stderr, doing="clipping")
        try:
            opened = clip_of(
                place,
                request,
                identities,
                recipients,
                to,
                device_keys=access.device_keys(),
                progress=bar.show,
                force=arguments.force,
            )
        finally:
            bar.clear()
    if arguments.json:
        print(json.dumps(opened.as_json()))
    else:
        print(*opened.lines(), sep="\n")
    return DONE
