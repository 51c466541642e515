"""The page for everybody: nothing on it keeps anybody out, on a phone or at a desk, in the light and in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.web.test_browser import CHROMIUM, browser  # noqa: F401  # the fixture
from tests.web.views import CLINIC_VIEWS, SIZES, VIEWS, Looker, Scheme, looking

AXE = sorted((Path(__file__).parents[2] / ".cache" / "axe").glob("axe-*.min.js"))
# WCAG 2.2 AA, and what axe itself calls good practice.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
REFUSED = "the server responded with a status of 403"
NOT_HERE = "the server responded with a status of 400"  # nobody is made on this page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt install chromium")


@pytest.fixture(scope="module")
def looker(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Looker]:  # noqa: F811
    if not AXE:
        pytest.fail("there is no axe-core; run tests/tools/fetch-axe first")
    with looking(tmp_path_factory.mktemp("box"), browser) as looker:
        yield looker
        assert [told for told in looker.complaints if REFUSED not in told] == []


@pytest.fixture(scope="module")
def clinics(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Looker]:  # noqa: F811
    """The same, where people come from the clinic."""
    with looking(tmp_path_factory.mktemp("box"), browser, from_clinic=True) as looker:
        yield looker
        assert [told for told in looker.complaints if NOT_HERE not in told] == []


def found_by_axe(page: Page) -> list[str]:
    """What axe finds wrong, a line for each place."""
    page.evaluate(AXE[-1].read_text(encoding="utf-8"))  # not as a script of the page: its policy forbids that
    found: dict[str, Any] = page.evaluate("tags => axe.run({ runOnly: { type: 'tag', values: tags } })", TAGS)
    return [
        f"{rule['impact']}: {rule['id']}: {node['html'][:120]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def looks_well(looker: Looker, name: str, scheme: Scheme) -> None:
    """In every size axe finds nothing, and nothing sticks out."""
    for size in SIZES:
        with looker.look(name, size=size, scheme=scheme) as page:
            assert found_by_axe(page) == [], size
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{size}: {wide} px too wide"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", VIEWS)
def test_axe_finds_nothing_and_nothing_sticks_out(looker: Looker, name: str, scheme: Scheme) -> None:
    looks_well(looker, name, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", CLINIC_VIEWS)
def test_axe_finds_nothing_where_people_come_from_the_clinic(clinics: Looker, name: str, scheme: Scheme) -> None:
    looks_well(clinics, name, scheme)


@pytest.mark.parametrize("name", ["therapist-recording", "supervisor-filtered", "admin-sync"])
def test_everything_can_be_read_at_twice_the_size_on_a_narrow_phone(looker: Looker, name: str) -> None:
    with looker.look(name, size="phone") as page:
        page.set_viewport_size({"width": 320, "height": 800})  # WCAG 1.4.10
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        page.set_viewport_size({"width": 640, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("name", VIEWS)
def test_without_javascript_every_page_says_the_same(looker: Looker, name: str) -> None:
    with looker.look(name, size="desk") as page:
        words = page.locator("h1").first.inner_text()
    with looker.look(name, size="desk", javascript=False) as page:
        assert page.locator("h1").first.inner_text() == words
        assert page.locator("noscript").count() == 0 or name == "room"


def test_what_can_be_pressed_is_large_enough_for_a_finger(looker: Looker) -> None:
    for name in ("therapist-idle", "therapist-recording-kept", "admin-sync"):
        with looker.look(name, size="phone") as page:
            for thing in page.locator("main :is(button, .button, select, input, summary):visible").all():
                box = thing.bounding_box()
                assert box is not None
                assert box["height"] >= 24, thing.inner_text()  # WCAG 2.5.8
                if thing.evaluate("one => one.matches('button, .button')"):
                    assert box["height"] >= 40, thing.inner_text()
