"""The identity of whoever sits at the desk: an identity file, or their kit's, which its passphrase unlocks."""

from __future__ import annotations

import argparse
from pathlib import Path

from device.age.identities import KeyIdentity
from provisioning.access import Access
from provisioning.kit import read_kit


def add_own_keys(verb: argparse.ArgumentParser) -> None:
    """What a verb takes that opens something with one's own key."""
    add = verb.add_argument
    add("-i", "--identity", metavar="IDENTITY", type=Path, action="append", default=[], help="one that opens them")
    add("--kit", metavar="FILE", type=Path, help="your kit: its identity serves")
    add("--passphrase-file", metavar="FILE", type=Path, help="the kit's passphrase, instead of being asked")


def own_identities(arguments: argparse.Namespace) -> list[KeyIdentity]:
    """Those that open.

    Raises:
        UsageError: there are none.
        AgeError: that is not the kit's passphrase.
    """
    return Access(
        at=None,
        kit=None if arguments.kit is None else read_kit(arguments.kit),
        login=None,
        given_keys=frozenset(),
        identity_files=arguments.identity,
        passphrase_file=arguments.passphrase_file,
    ).identities()
