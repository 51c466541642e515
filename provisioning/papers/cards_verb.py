"""``sotto-clinic cards``: writes the therapist's card and the client's, to be printed, and keeps the latter's text."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from provisioning.clinic.box_consent import name_in_boxes
from provisioning.clinic.folder import Folder
from provisioning.clinic_file import ClinicFile
from provisioning.errors import OutputError, UsageError
from provisioning.exits import DONE
from provisioning.papers.client_card import client_card
from provisioning.papers.consent_text import decided
from provisioning.papers.kept_texts import standing_text
from provisioning.papers.pdf import find_printer, print_pdf
from provisioning.papers.texts import LANGUAGES, NOT_YET, spoken
from provisioning.papers.therapist_card import therapist_card

CARDS_NAME = "cards"


def add_cards(verb: argparse.ArgumentParser) -> None:
    """What ``cards`` takes."""
    verb.description = (
        "Write the therapist's card and the client's card of this clinic, one side of A5 each, to be printed: as HTML "
        "pages with everything in them, and as PDF where Chromium is installed. The text of the client's card is kept "
        "in the clinic's folder under a number; number and SHA-256 are written into [consent] of each box's folder."
    )
    add = verb.add_argument
    add("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    add("-o", "--output", metavar="FOLDER", type=Path, help="where they go (default: CLINIC/cards)")
    add(
        "--language",
        metavar="CODE",
        action="append",
        help="this one only, of the clinic's languages; may be given several times (default: all of them)",
    )
    verb.set_defaults(run=run_cards)


def run_cards(arguments: argparse.Namespace) -> int:
    """Write them; what was there under the same names is replaced.

    Raises:
        UsageError: there is no policy, or a language is none of the clinic's.
        ConfigError: a box's configuration does not hold.
        OutputError: they cannot be written.
    """
    folder = Folder(arguments.folder)
    book = folder.read()
    languages = _languages(book, arguments.language)
    kept = standing_text(folder.path, book)
    to = arguments.output or folder.path / CARDS_NAME
    written = []
    for asked in languages:
        if spoken(asked) != asked.partition("-")[0]:
            print(f"note: {NOT_YET.format(language=asked)}", file=sys.stderr)
        written.append(_write(to / f"therapist-{asked}.html", therapist_card(asked)))
        written.append(_write(to / f"client-{asked}.html", client_card(book, asked, kept)))
    print(*written, *_printed(written), sep="\n")
    print(f'consent text {kept.version}; each box gets in its sotto.toml:\n[consent]\ntext_version = "{kept.version}"')
    print(f'text_sha256 = "{kept.sha256}"')
    if changed := name_in_boxes(folder, kept):
        print(f"written into the folders of {', '.join(changed)}: `sotto-clinic fleet config push` brings it to them")
    return DONE


def _languages(book: ClinicFile, wanted: Sequence[str] | None) -> Sequence[str]:
    policy, _ = decided(book)
    for one in wanted or ():
        if one not in policy.languages:
            raise UsageError(
                f"{one[:20]!r} is none of the clinic's languages: {', '.join(policy.languages)}",
                f"add it to [policy] languages in clinic.toml; there are cards in {', '.join(LANGUAGES)}",
            )
    return wanted or policy.languages


def _write(path: Path, page: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.new")
        beside.write_text(page, encoding="utf-8")
        beside.replace(path)
    except OSError as problem:
        raise OutputError(f"{path} cannot be written: {problem.strerror}", "choose another place with -o") from problem
    return path


def _printed(pages: Sequence[Path]) -> list[Path]:
    """The PDFs of them, as far as there can be any."""
    if (printer := find_printer()) is None:
        print("note: no PDF, for there is no Chromium here; any browser prints the pages, on A5", file=sys.stderr)
        return []
    made = [page.with_suffix(".pdf") for page in pages]
    for html, pdf in zip(pages, made, strict=True):
        print_pdf(printer, html, pdf)
    return made
