"""A paper as PDF, by Chromium, where there is one: it prints the page as it is, and can reach nobody meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from provisioning.errors import OutputError

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE_S: Final = 300
_WORDS: Final = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
)


def find_printer() -> str | None:
    """The program that makes PDFs here, if there is one."""
    return next((found for name in _NAMES if (found := shutil.which(name)) is not None), None)


def print_pdf(printer: str, html: Path, pdf: Path) -> None:
    """Print a page to a new file, which has its name only once it is whole.

    Raises:
        OutputError: there is none; the page itself can be printed by any browser.
    """
    hint = "print the HTML page with any browser: A5, without headers and footers"
    with tempfile.TemporaryDirectory(prefix="sotto-") as work:
        made = Path(work) / "paper.pdf"
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []  # it refuses to start otherwise, and the page is ours
        command = [printer, *_WORDS, *as_root, f"--user-data-dir={work}/profile", f"--print-to-pdf={made}"]
        try:
            subprocess.run([*command, html.resolve().as_uri()], capture_output=True, timeout=_PATIENCE_S, check=True)  # noqa: S603
            content = made.read_bytes()
            beside = pdf.with_name(f"{pdf.name}.new")
            beside.write_bytes(content)
            beside.replace(pdf)
        except subprocess.TimeoutExpired as problem:
            raise OutputError(f"{pdf.name}: Chromium did not end", hint) from problem
        except (OSError, subprocess.CalledProcessError) as problem:
            raise OutputError(f"{pdf.name}: Chromium made none", hint) from problem
