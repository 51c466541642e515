"""How a change of the clinic's folder is shown before it is made, and made: the same for people, rooms and recovery."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from device.clock import SystemClock
from device.recording.audited import Happened
from provisioning.clinic.changing import carry_out, next_roster, standing
from provisioning.clinic.folder import Folder
from provisioning.clinic.init_verb import add_passphrase
from provisioning.clinic.rosters import supervision_told, told
from provisioning.clinic.signing_people import next_people_list
from provisioning.clinic_file import ClinicFile
from provisioning.desk import FOLDER
from provisioning.exits import DONE
from provisioning.passphrases import passphrase_of

_BRINGS: Final = "`sotto-clinic fleet lists` brings it to the boxes"


def add_change(verb: argparse.ArgumentParser) -> None:
    """What every verb takes that changes the folder."""
    add_passphrase(verb)
    verb.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")


def show_and_carry_out(
    arguments: argparse.Namespace,
    folder: Folder,
    before: ClinicFile,
    after: ClinicFile,
    happened: Sequence[Happened],
    *,
    above: int = 0,
) -> int:
    """Say who opens what from then on; then do it, unless it is a dry run. ``above``: as for ``carry_out``.

    Raises:
        SottoError, AgeError: it cannot be done, and is not.
    """
    clock = SystemClock()
    roster = next_roster(folder, after, clock, above=above) if after.recovery else None
    listed = next_people_list(folder, after, clock, above=above)
    for line in supervision_told(before, after):
        print(line)
    for line in [] if roster is None else told(standing(folder), roster, before, after):
        print(line)
    if arguments.dry_run:
        print("nothing was changed")
        return DONE
    signed = carry_out(
        folder,
        before,
        after,
        happened,
        passphrase=lambda: passphrase_of(arguments.passphrase_file, what=FOLDER),
        clock=clock,
        above=above,
    )
    if signed is not None:
        print(f"roster {signed.number} signed: {_BRINGS}; it holds from their next session on")
    elif not after.recovery:
        print("no roster yet: there is no recovery recipient")
    else:
        print("the roster stays as it is")
    if listed is not None:
        print(f"list of people {listed.number} signed: {_BRINGS}; it holds at once")
    return DONE
