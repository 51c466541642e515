"""``sotto-clinic kit``: a person's kit, made of the clinic's file and their identity."""

from __future__ import annotations

import argparse
from pathlib import Path

from provisioning.clinic_file import read_clinic_file
from provisioning.errors import UsageError
from provisioning.exits import DONE
from provisioning.keys import read_identities
from provisioning.output import FileOutput
from provisioning.passphrases import new_passphrase


def add_kit(verb: argparse.ArgumentParser) -> None:
    """What ``kit`` takes."""
    verb.description = (
        "Make somebody's kit: one file with the clinic's boxes and people, and their identity, locked by a passphrase. "
        "The reader opens it, and every verb that takes --kit."
    )
    add = verb.add_argument
    add("clinic", metavar="CLINIC", type=Path, help="the clinic's folder, or a TOML file (docs/kit.md)")
    add("--for", metavar="LOGIN", dest="login", required=True, help="whose kit it is")
    add("-i", "--identity", metavar="IDENTITY", type=Path, required=True, help="their identity file")
    add("-o", "--output", metavar="FILE", type=Path, required=True, help="the kit: ada.kit.json")
    add("--force", action="store_true", help="overwrite it if it is there")
    add("--passphrase-file", metavar="FILE", type=Path, help="its first line, instead of being asked")
    verb.set_defaults(run=run_kit)


def run_kit(arguments: argparse.Namespace) -> int:
    """Make it.

    Raises:
        SottoError, AgeError: the clinic's file, the identity or the passphrase will not do, or it cannot be written.
    """
    clinic = read_clinic_file(arguments.clinic)
    identities = read_identities([arguments.identity])
    if len(identities) != 1:
        raise UsageError("a kit holds one identity", f"leave one of the {len(identities)} in {arguments.identity}")
    output = FileOutput(arguments.output, force=arguments.force)
    passphrase = new_passphrase(arguments.passphrase_file, what="the kit")
    kit = clinic.kit_for(arguments.login, identities[0], passphrase)
    with output:
        output.write(kit.model_dump_json(indent=2).encode() + b"\n")
        output.keep()
    boxes = f"{len(kit.boxes)} box{'' if len(kit.boxes) == 1 else 'es'}"
    others = f"{len(kit.people)} other{'' if len(kit.people) == 1 else 's'}"
    print(f"{arguments.output}: the kit of {kit.person.name}, with {boxes} and {others}")
    return DONE
