"""A browser for the reader, and recordings for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.provisioning.conftest import (  # noqa: F401
    camera_given_up,
    clinic,
    reader_packages,
    sound_24,
    sound_quiet,
    with_picture,
)
from tests.reader.browsing import Reader, reading
from tests.web.test_browser import CHROMIUM

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Of one module: Playwright lets nobody else start it while it runs, and the page's tests do."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def reader(chromium: Browser) -> Iterator[Reader]:
    with reading(chromium) as made:
        yield made
