"""How reviewing looks: axe finds nothing and nothing sticks out, on a phone and at a desk, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from device.store import Store
from provisioning.reader import FOLDER, READER_NAME
from tests.provisioning.conftest import Clinic, mux, noise, pictures
from tests.reader.practice import fill, practice_room
from tests.reader.rooms import PASSPHRASE, kit_of, write_kit
from tests.reader.test_review_browser import GRACE, RUBRIC
from tests.support import PATIENCE_S
from tests.web.test_looks import found_by_axe

SIZES = {"phone": (360, 740), "desk": (1280, 900)}


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A box with a practice, and the kit for it."""
    clinic = Clinic(tmp_path_factory.mktemp("clinic"))
    identity = clinic.identities["clinic"]
    (clinic.home / "store").mkdir()
    store = Store(clinic.home / "store", device_key=clinic.device_key)
    sound = noise(5, seed=9)
    fill(store, clinic.seal(mux(sound, pictures(5)), sound), identity.recipient())
    stranger = str(clinic.identities["stranger"].recipient())
    people = [{"mark": GRACE, "name": "Grace", "roles": ["therapist"], "recipient": stranger}]
    with practice_room(store, clinic.device_key, identity) as box:
        tags = ["Rupture", "Repair", "A tag as long as tags can be, so that it has to find a line"]
        yield write_kit(clinic.home, kit_of(identity, [box.place], people=people, tags=tags, rubric=RUBRIC))


@pytest.fixture(scope="module", autouse=True)
def patience() -> None:
    expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join)
def page(request: pytest.FixtureRequest, chromium: Browser, practice: Path) -> Iterator[Page]:
    """The shelf of that box."""
    size, scheme = request.param
    width, height = SIZES[size]
    page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
    page.goto((FOLDER / READER_NAME).as_uri())
    page.set_input_files("#kit", practice)
    page.fill("#passphrase", PASSPHRASE)
    page.click("text=Unlock")
    expect(page.locator("button.open").first).to_be_visible()
    yield page
    page.close()


def looks_right(page: Page) -> None:
    assert found_by_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_courses_of_all_client_codes_look_right(page: Page) -> None:
    page.click("#across")
    expect(page.locator("svg.chart")).to_have_count(4)
    looks_right(page)


def test_everything_beside_a_recording_looks_right(page: Page) -> None:
    page.locator("button.open").nth(2).click()
    page.click("#show-course")
    expect(page.locator("svg.chart").first).to_be_visible()
    page.click("#add-note")
    page.keyboard.type("here you waited")
    page.click("text=Basics")
    for panel in ("share", "copy"):
        page.click(f"[data-panel={panel}] > summary")
    looks_right(page)
    page.click("#save-review")
    expect(page.locator(".said-before").first).to_be_visible()
    page.click("#copy-download")
    expect(page.locator("[data-panel=copy] .problem")).to_be_visible()
    looks_right(page)
