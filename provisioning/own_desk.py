"""The desk that a verb works at: a desk's folder, or the clinic's, whose passphrase is asked for."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from device.clock import SystemClock
from provisioning.desk import FOLDER, Desk, open_desk
from provisioning.passphrases import passphrase_of

_HELP: Final = "the clinic's folder, or its desk (`sotto-clinic desk new`): it signs, and its log says what was done"


def add_own_desk(verb: argparse.ArgumentParser) -> None:
    """What a verb takes that signs what it does."""
    add = verb.add_argument
    add("--desk", metavar="DESK", type=Path, required=True, help=_HELP)
    add("--desk-passphrase-file", metavar="FILE", type=Path, help="the clinic's folder's, instead of being asked")


def own_desk(arguments: argparse.Namespace) -> AbstractContextManager[Desk]:
    """It, open until the end of the ``with``; raises as ``open_desk``."""
    return open_desk(
        arguments.desk, SystemClock(), passphrase=lambda: passphrase_of(arguments.desk_passphrase_file, what=FOLDER)
    )
