"""``sotto-clinic copy``: a copy for a client, on a stick."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path

from device.age.passphrase import PassphraseRecipient
from device.clock import SystemClock
from provisioning.access import Access
from provisioning.copying import Release, copy_of, write_release
from provisioning.errors import UsageError
from provisioning.exits import DONE
from provisioning.open_verb import TIMES, add_recording, add_slice, slice_of
from provisioning.output import output_error
from provisioning.passphrases import made_up, new_passphrase
from provisioning.report import Bar

_REVOCABLE = (
    "at any time, by telling the clinic. It then erases what it has; what is on this copy only its holder can erase."
)


def add_copy(verb: argparse.ArgumentParser) -> None:
    """What ``copy`` takes."""
    verb.description = (
        "Make a copy for a client: one file sealed by a passphrase, the reader that plays it, and a note of who agreed "
        "to it and when. The passphrase is made up and shown once, unless you give one: hand it over apart from the "
        f"copy. {TIMES}"
    )
    add_recording(verb)
    add_slice(verb)
    add = verb.add_argument
    add("-o", "--output", metavar="FOLDER", type=Path, required=True, help="where the copy goes: a folder, a stick")
    add("--agreed", metavar="WHO", required=True, help="who agreed to it: 'client A-17, in writing'")
    add("--agreed-on", metavar="DATE", required=True, help="on which day: 2026-11-20")
    add("--revocable", metavar="HOW", default=_REVOCABLE, help="how it can be taken back (default: %(default)s)")
    add("--by", metavar="NAME", help="who hands it out (default: the kit's person)")
    add("--sound-only", action="store_true", help="leave the picture out: not a byte of it is in the copy")
    add("--copy-passphrase-file", metavar="FILE", type=Path, help="the copy's passphrase: its first line")
    add("--force", action="store_true", help="overwrite a copy that is there")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_copy)


def run_copy(arguments: argparse.Namespace) -> int:
    """Make it.

    Raises:
        SottoError, AgeError: it failed; without its release note a copy is not whole.
    """
    request, access = slice_of(arguments), Access.of(arguments)
    release = _release(arguments, access)
    given = arguments.copy_passphrase_file
    passphrase = made_up() if given is None else new_passphrase(given, what="the copy")
    identities = access.identities()
    try:
        arguments.output.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise output_error(problem) from problem
    with access.place(arguments.recording) as place:
        bar = Bar(arguments.recording, to=sys.stderr, doing="copying")
        try:
            opened = copy_of(
                place,
                request,
                identities,
                PassphraseRecipient(passphrase),
                arguments.output,
                device_keys=access.device_keys(),
                progress=bar.show,
                force=arguments.force,
                sound_only=arguments.sound_only,
            )
        finally:
            bar.clear()
    has_reader = write_release(arguments.output, release, opened, force=arguments.force)
    shown = passphrase if given is None else None
    if arguments.json:
        print(json.dumps(opened.as_json() | {"passphrase": shown, "reader": has_reader}))
        return DONE
    print(*opened.lines(), sep="\n")
    if not has_reader:
        print("no reader is beside it: `sotto-clinic reader build` makes one; the copy opens with age as well")
    if shown is not None:
        print(f"passphrase: {shown}\nwrite it down now: it is shown this once, and nobody can make another")
    return DONE


def _release(arguments: argparse.Namespace, access: Access) -> Release:
    by = arguments.by or (None if access.kit is None else access.kit.person.name)
    if by is None:
        raise UsageError("it was not said who hands the copy out", "give --by, or a --kit")
    for text in (arguments.agreed, arguments.revocable, by):
        if not text.strip() or not text.isprintable():
            raise UsageError(f"{text[:40]!r} cannot stand in a release note", "write it on one line")
    try:
        agreed_on = date.fromisoformat(arguments.agreed_on).isoformat()
    except ValueError as problem:
        raise UsageError(f"{arguments.agreed_on[:40]!r} is not a day", "write it like 2026-11-20") from problem
    at = SystemClock().utc().isoformat(timespec="seconds").replace("+00:00", "Z")
    return Release(arguments.agreed, agreed_on, arguments.revocable, by, at)
