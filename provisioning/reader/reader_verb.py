"""``sotto-clinic reader``: hand out the reader that ships with this version, or make it anew of its sources."""

from __future__ import annotations

import argparse
from pathlib import Path

from provisioning.exits import DONE
from provisioning.reader import FOLDER, READER_NAME, built_reader
from provisioning.reader.build import make_reader, write_reader


def add_reader(verb: argparse.ArgumentParser) -> None:
    """What ``reader`` takes."""
    verb.description = (
        "The reader is one HTML file: opened in a browser, it opens, plays and reviews recordings. Give it to people "
        "with their kit, on a stick or from a web server of the clinic's own; a box never serves it."
    )
    verbs = verb.add_subparsers(required=True, metavar="WHAT")
    save = verbs.add_parser("save", help="write the reader that ships with this version, and its SHA-256")
    save.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", default=Path(), help="where (default: here)")
    save.set_defaults(run=run_save)
    build = verbs.add_parser("build", help="make it anew of its sources, in a checkout (needs npm)")
    build.add_argument("-o", "--output", metavar="FOLDER", type=Path, default=FOLDER, help="where (default: its place)")
    build.set_defaults(run=run_build)


def run_save(arguments: argparse.Namespace) -> int:
    """Write the reader as it ships."""
    return _write(built_reader(), arguments.folder)


def run_build(arguments: argparse.Namespace) -> int:
    """Make the reader, and write it.

    Raises:
        UsageError: there are no sources here, or no npm.
        OutputError: it cannot be made, or not written.
    """
    return _write(make_reader(), arguments.output)


def _write(reader: bytes, folder: Path) -> int:
    digest = write_reader(reader, folder)
    print(f"{folder / READER_NAME}: {len(reader)} bytes, SHA-256 {digest}")
    return DONE
