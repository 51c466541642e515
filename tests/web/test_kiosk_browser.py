"""The tablet in a real browser: by touch, by keyboard, without JavaScript, and with nothing that keeps anybody out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from device.people.person import Role
from device.status import publish
from device.web.doors import PAGE_COOKIE
from tests.web.conftest import Box, audited
from tests.web.naming import Naming, naming
from tests.web.published import add_recording, status
from tests.web.test_browser import ARGUMENTS, CHROMIUM
from tests.web.test_handing import ago
from tests.web.test_serve import serving
from tests.web.visitors import THERAPIST, add_person, begin

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
# What is touched is no smaller (WCAG 2.2, 2.5.5, which is AAA: a client may be old, upset or both).
LEAST_PX = 44
CONTROLS = "main button:not(.kiosk-enter), main .button, main label:has(input), main input[type=range]"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The script that looks for what keeps people out of a page."""
    found = sorted((Path(__file__).parents[2] / ".cache" / "axe").glob("axe-*.min.js"))
    if not found:
        pytest.fail("there is no axe-core; run tests/tools/fetch-axe first")
    return found[-1].read_text(encoding="utf-8")


@dataclass
class Clinic:
    """A page that is served, with a therapist who is checked in and capture's desk."""

    address: str
    desk: Naming
    open: Callable[..., Page]

    def hand_over(self, page: Page, *measures: str) -> None:
        """As the therapist does it."""
        page.goto(self.address + "measures/")
        for measure in measures:
            page.get_by_label(measure).check()
        page.get_by_role("button", name="Hand over this device").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Before you begin")


@pytest.fixture
def clinic(bare_box: Box, browser: Browser) -> Iterator[Clinic]:
    box = bare_box
    person = add_person(box.people, Role.THERAPIST, mark=THERAPIST)
    box.people.check_in(THERAPIST, time.time())
    publish(status(simulated=()), box.run)
    with ExitStack() as stack:
        desk = stack.enter_context(naming(box, stack.enter_context(audited(box))))
        address = stack.enter_context(serving(box))
        complaints: list[str] = []

        def open_page(*, signed_in: bool = True, **options: object) -> Page:
            context = browser.new_context(**options)  # type: ignore[arg-type]  # playwright's own options, passed on
            stack.callback(context.close)
            if signed_in:
                context.add_cookies([{"name": PAGE_COOKIE, "value": begin(box.people, person).token, "url": address}])
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda request: complaints.append(request.url) if _elsewhere(request.url) else None)
            return page

        def _elsewhere(url: str) -> bool:
            return urlsplit(url).netloc != urlsplit(address).netloc

        yield Clinic(address, desk, open_page)
        assert complaints == []


def well(page: Page, axe: str) -> None:
    """Nothing keeps anybody out of this page; it has one heading and targets for any finger, and fits its width."""
    page.evaluate(axe)
    found = page.evaluate("axe.run().then((all) => all.violations.map((one) => `${one.impact} ${one.id}`))")
    assert found == [], page.url
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in page.locator(CONTROLS).all():
        place = control.bounding_box()
        assert place is not None
        assert min(place["width"], place["height"]) >= LEAST_PX, control.inner_text()


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"])
def test_every_page_of_it_is_open_to_everybody(clinic: Clinic, axe: str, viewport: dict[str, int], scheme: str) -> None:
    page = clinic.open(
        viewport=viewport, color_scheme=scheme, bypass_csp=True
    )  # for axe's own script, and nothing else
    page.goto(clinic.address + "measures/")
    page.evaluate(axe)
    assert page.evaluate("axe.run().then((all) => all.violations.map((one) => one.id))") == []
    clinic.hand_over(page, "PHQ-9", "How this session was")
    well(page, axe)
    page.get_by_role("button", name="Begin").click()
    for number in range(1, 11):
        expect(page.locator("#progress")).to_contain_text(f"Question {number} of")
        if number in (1, 8):
            well(page, axe)
        page.get_by_role("radio").nth(1).check()
        page.get_by_role("button", name="Next").last.click()
    well(page, axe)
    page.get_by_role("link", name="Stop").click()
    well(page, axe)
    page.get_by_role("link", name="Go on answering").click()
    page.get_by_role("button", name="Hand in").click()
    well(page, axe)
    for _ in range(4):
        page.get_by_role("button", name="I would rather not say").click()
    page.get_by_role("button", name="Hand in").click()
    expect(page.locator(".kiosk-tell")).to_contain_text("Please tell your therapist now")
    well(page, axe)
    page.get_by_role("button", name="Close").click()
    well(page, axe)


def test_it_can_be_answered_with_the_keyboard_alone(clinic: Clinic) -> None:
    page = clinic.open()
    clinic.hand_over(page, "How the last week was")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for number, presses in enumerate((["End"], ["Home"], ["ArrowLeft", "ArrowLeft"], ["PageUp"]), start=1):
        expect(page.locator("#progress")).to_have_text(f"Question {number} of 4")
        page.keyboard.press("Tab")
        expect(page.get_by_role("slider")).to_be_focused()
        for press in presses:
            page.keyboard.press(press)
        page.keyboard.press("Enter")  # goes on, as the button that is first does
    expect(page.get_by_role("heading", level=1)).to_have_text("That was the last question")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    (document,) = clinic.desk.waiting()
    assert [one.value for one in document.answers] == [100, 0, 48, 60]


def test_choices_can_be_answered_with_the_keyboard_alone(clinic: Clinic) -> None:
    page = clinic.open()
    clinic.hand_over(page, "GAD-7")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for number in range(1, 8):
        expect(page.locator("#progress")).to_contain_text(f"Question {number} of")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        if number == 2:
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_have_text("Question 8 of 8")


def test_a_reader_of_screens_is_told_the_question_its_instruction_and_its_ends(clinic: Clinic) -> None:
    page = clinic.open()
    clinic.hand_over(page, "How the last week was")
    page.get_by_role("button", name="Begin").click()
    slider = page.get_by_role("slider", name="How did things go with your mood and your energy?")
    expect(slider).to_have_accessible_description(
        "Think of the last seven days, today included. Move the mark to where it belongs for you. very badly very well "
        "Drag the mark, or move it with the arrow keys."
    )
    page.get_by_role("button", name="Next").last.click()
    expect(page.get_by_role("alert")).to_have_text(
        "Your mark is in the middle, where it was at the beginning. Is that where it belongs?"
    )
    page.get_by_role("link", name="Stop").click()
    page.get_by_role("button", name="Stop, and forget it").click()


def test_a_mark_that_was_touched_is_an_answer_wherever_it_stands(clinic: Clinic) -> None:
    page = clinic.open(viewport=PHONE, has_touch=True)
    clinic.hand_over(page, "How the last week was")
    page.get_by_role("button", name="Begin").click()
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("data-moved", "0")
    slider.tap()  # in its middle
    expect(slider).to_have_attribute("data-moved", "1")
    page.get_by_role("button", name="Next").last.click()
    expect(page.locator("#progress")).to_have_text("Question 2 of 4")


def test_without_javascript_it_is_the_same(clinic: Clinic) -> None:
    page = clinic.open(java_script_enabled=False)
    clinic.hand_over(page, "How the last week was", "GAD-7")
    page.get_by_role("button", name="Begin").click()
    for number in range(1, 8):
        expect(page.locator("#progress")).to_contain_text(f"Question {number} of")
        page.get_by_label("Not at all").check()
        page.get_by_role("button", name="Next").last.click()
    page.get_by_role("button", name="Hand in").click()
    page.get_by_role("button", name="Next").last.click()
    expect(page.get_by_role("alert")).to_contain_text("Is that where it belongs?")
    page.get_by_role("button", name="Yes, leave it there").click()
    for _ in range(3):
        page.get_by_role("slider").press("End")
        page.get_by_role("button", name="Next").last.click()
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    found = {one.measure.id: [answer.value for answer in one.answers] for one in clinic.desk.waiting()}
    assert found == {"gad-7": [0] * 7, "outcome-4": [50, 100, 100, 100]}


def test_an_answer_that_is_missing_is_asked_for_without_leaving_the_page(clinic: Clinic) -> None:
    page = clinic.open()
    clinic.hand_over(page, "GAD-7")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Next").last.click()
    assert page.get_by_role("radio").first.evaluate("(radio) => radio.validity.valueMissing")
    expect(page.locator("#progress")).to_have_text("Question 1 of 7")
    page.get_by_role("button", name="I would rather not say").click()
    page.get_by_role("button", name="Back").click()
    expect(page.locator("#progress")).to_have_text("Question 1 of 7")


def test_the_back_button_leads_to_nothing_of_the_therapist(clinic: Clinic) -> None:
    recording_id = add_recording(clinic.desk.box.store, started=ago(300), ended=ago(240), therapist=THERAPIST)
    page = clinic.open()
    page.goto(clinic.address)
    expect(page.get_by_text(recording_id)).to_be_visible()
    clinic.hand_over(page, "GAD-7")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#progress")).to_have_text("Question 1 of 7")
    for _ in range(4):
        page.go_back()
        assert recording_id not in page.content()
        expect(page.locator("nav")).to_have_count(0)
    page.goto(f"{clinic.address}recordings/{recording_id}/")
    expect(page.locator("#progress")).to_have_text("Question 1 of 7")
    assert PAGE_COOKIE not in {cookie.get("name") for cookie in page.context.cookies()}


def test_after_the_end_the_back_button_shows_no_answer(clinic: Clinic) -> None:
    page = clinic.open()
    clinic.hand_over(page, "GAD-7")
    page.get_by_role("button", name="Begin").click()
    for _ in range(8):
        page.get_by_role("radio").nth(1).check()
        page.get_by_role("button", name="Next").last.click()
    page.get_by_role("button", name="Hand in").click()
    close = page.get_by_role("button", name="Close")
    close.click()
    expect(close).to_have_count(0)  # nobody goes back from a page that is still on its way
    page.wait_for_load_state()
    for _ in range(6):
        page.go_back()
        expect(page.get_by_role("radio")).to_have_count(0)


def test_a_code_that_is_read_aloud_makes_a_tablet_of_another_device(clinic: Clinic) -> None:
    desk, tablet = clinic.open(), clinic.open(signed_in=False, viewport=PHONE)
    desk.goto(clinic.address + "measures/")
    desk.get_by_label("GAD-7").check()
    desk.get_by_role("button", name="Show a code").click()
    code = desk.locator(".handing-code").inner_text()
    expect(desk.get_by_text(f"{clinic.address}kiosk/")).to_be_visible()
    tablet.goto(clinic.address + "kiosk/")
    tablet.get_by_label("Code").fill("abcd-efgh")
    tablet.get_by_role("button", name="Begin").click()
    expect(tablet.get_by_role("alert")).to_contain_text("Ask your therapist for a new one")
    tablet.get_by_label("Code").fill(code.replace("-", " ").upper())
    expect(desk.get_by_role("img", name="The address and the code as a picture")).to_be_visible()
    tablet.get_by_role("button", name="Begin").click()
    expect(tablet.get_by_role("heading", level=1)).to_have_text("Before you begin")
    desk.goto(clinic.address)
    expect(desk.get_by_role("link", name="Measures")).to_be_visible()
