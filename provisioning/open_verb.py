"""``sotto-clinic open``: a recording, or a slice of it, into an MP4 that plays on its own."""

from __future__ import annotations

import argparse
import json
import sys

from provisioning.access import Access, add_access
from provisioning.errors import UsageError
from provisioning.exits import DONE
from provisioning.opener import STANDARD_OUTPUT, Request, open_recording, output_at
from provisioning.report import Bar
from provisioning.times import parse_time

TIMES = "Times: 15m, 90s, 1h2m, 10:00, 1:02:03, or seconds."


def add_open(verb: argparse.ArgumentParser) -> None:
    """What ``open`` takes."""
    verb.description = f"Open a recording, or a slice of it, into an MP4 that plays on its own. {TIMES}"
    add_recording(verb)
    add_slice(verb)
    add = verb.add_argument
    add("-o", "--output", metavar="FILE", help="where it goes, - for standard output (default: its id, here)")
    add("--force", action="store_true", help="overwrite the output if it is there")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_open)


def add_recording(verb: argparse.ArgumentParser) -> None:
    """What names one recording."""
    verb.add_argument(
        "recording", metavar="RECORDING", help="a recording's folder, an .age file, or an http(s) address of either"
    )
    add_access(verb)


def add_slice(verb: argparse.ArgumentParser) -> None:
    """What names a slice of it."""
    add = verb.add_argument
    add("--last", metavar="TIME", help="only the last part, this long")
    add("--from", metavar="TIME", dest="from_", help="only from this moment on")
    add("--to", metavar="TIME", help="only up to this moment")


def slice_of(arguments: argparse.Namespace) -> Request:
    """The slice that was asked for. Raises ``UsageError``."""
    last, from_, to = (
        None if text is None else parse_time(text) for text in (arguments.last, arguments.from_, arguments.to)
    )
    return Request(last_us=last, from_us=from_, to_us=to)


def run_open(arguments: argparse.Namespace) -> int:
    """Open it.

    Raises:
        SottoError, AgeError: it failed, and nothing was kept.
    """
    if arguments.json and arguments.output == STANDARD_OUTPUT:
        raise UsageError("--json and -o - both want standard output", "write the recording to a file")
    request, access = slice_of(arguments), Access.of(arguments)
    identities = access.identities()
    with access.place(arguments.recording) as place:
        to = f"{place.name}.mp4" if arguments.output is None else arguments.output
        output = output_at(to, force=arguments.force)
        bar = Bar(arguments.recording, to=sys.stderr)
        try:
            opened = open_recording(request, place, identities, output, to, progress=bar.show)
        finally:
            bar.clear()
    if arguments.json:
        print(json.dumps(opened.as_json()))
    else:
        lines = (*opened.lines(), *access.former_told(opened.signer))
        print(*lines, sep="\n", file=sys.stderr if to == STANDARD_OUTPUT else sys.stdout)
    return DONE
