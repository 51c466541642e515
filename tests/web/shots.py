"""Pictures of every page as each role sees it: ``python -m tests.web.shots FOLDER [WHICH]``; for looking at."""

from __future__ import annotations

import sys
import tempfile
from itertools import product
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.web.test_browser import ARGUMENTS, CHROMIUM
from tests.web.views import CLINIC_VIEWS, SIZES, VIEWS, Scheme, looking

SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def main(folder: Path, which: str) -> None:
    """One picture for each page, size and scheme whose name holds ``which``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for from_clinic, views in ((False, VIEWS), (True, CLINIC_VIEWS)):
            (own := Path(work) / str(from_clinic)).mkdir()
            with looking(own, browser, from_clinic=from_clinic) as looker:
                for name, size, scheme in product(views, SIZES, SCHEMES):
                    called = f"{'clinic-' if from_clinic else ''}{name}-{size}-{scheme}"
                    if which in called:
                        with looker.look(name, size=size, scheme=scheme) as page:
                            page.screenshot(path=folder / f"{called}.png", full_page=True)
                        sys.stdout.write(f"{called}\n")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
