"""The page in a real browser: what is seen, heard of and pressed in the room view."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from device.session_events import State, Tone
from device.status import Status, publish
from device.web.doors import PAGE_COOKIE
from device.words import Consent
from tests.web.conftest import Box
from tests.web.published import add_recording, panel, recording_status, republish, status
from tests.web.test_serve import serving
from tests.web.visitors import begin, the_therapist

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=user-gesture-required",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=60_000)  # a busy machine is slow, not broken
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Publisher:
    """Capture's status, published anew until it is stopped: what a page shows has to stay alive."""

    def __init__(self, box: Box, first: Status) -> None:
        self._box = box
        self._now: Status | None = first
        self._change = threading.Condition()
        self._over = False
        republish(box.run, first)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def show(self, now: Status) -> None:
        with self._change:
            self._now = now
            republish(self._box.run, now)

    def fall_silent(self) -> None:
        """As a capture service does that has died: its last status stays behind."""
        with self._change:
            self._now, last = None, self._now
            if last is not None:
                publish(last.model_copy(update={"published_unix_s": 0.0}), self._box.run)

    def close(self) -> None:
        with self._change:
            self._over = True
            self._change.notify()
        self._thread.join()

    def _run(self) -> None:
        with self._change:
            while not self._over:
                if self._now is not None:
                    republish(self._box.run, self._now)
                self._change.wait(0.1)


class Visit:
    """A page that was opened, the status it shows, and everything it asked for."""

    def __init__(self, page: Page, publisher: Publisher, address: str) -> None:
        self.page = page
        self.show = publisher.show
        self.fall_silent = publisher.fall_silent
        self.address = address
        self.requested: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def say(self, name: str) -> Locator:
        return self.page.locator(f"[data-say={name}]")


@pytest.fixture
def visit(capture: Box, browser: Browser) -> Iterator[Callable[..., Visit]]:
    with serving(capture) as address, contextmanager(_visits)(capture, browser, address) as opened:
        yield opened


def sign_in(context: BrowserContext, box: Box, address: str) -> None:
    """Sign in the therapist whose the recordings are."""
    begun = begin(box.people, the_therapist(box.people))
    context.add_cookies([{"name": PAGE_COOKIE, "value": begun.token, "url": address}])


def _visits(box: Box, browser: Browser, address: str) -> Iterator[Callable[..., Visit]]:
    publisher = Publisher(box, status())
    contexts, visits = [], []

    def visit(path: str, first: Status, **options: object) -> Visit:
        context = browser.new_context(**options)  # type: ignore[arg-type]  # playwright's own options, passed on
        sign_in(context, box, address)
        contexts.append(context)
        publisher.show(first)
        opened = Visit(context.new_page(), publisher, address)
        visits.append(opened)
        opened.page.goto(address + path)
        expect(opened.page.locator("[data-as-of]")).to_be_hidden()
        return opened

    try:
        yield visit
        for opened in visits:
            assert opened.complaints == []
            assert {urlsplit(url).netloc for url in opened.requested} == {urlsplit(address).netloc}
    finally:
        for context in contexts:
            context.close()
        publisher.close()


def test_the_room_view_shows_what_the_panel_shows(visit: Callable[..., Visit]) -> None:
    room = visit("room", status())
    device = room.page.locator("#device")
    lamps = [room.page.locator(f"[data-lamp='{index}']") for index in (0, 1)]
    expect(device).to_have_attribute("data-light", "off")
    expect(lamps[0]).to_have_attribute("data-lit", "off")
    expect(lamps[1]).to_have_attribute("data-lit", "dim")

    room.show(status(State.ARMED, Consent.SOUND_AND_PICTURE))
    for index, lamp in enumerate(lamps):
        expect(lamp).to_have_attribute("data-lit", "on")
        expect(lamp).to_have_attribute("data-colour", "blue")
        expect(room.page.locator(f"[data-lamp-text='{index}']")).to_have_text("blue, steady")

    room.show(recording_status())
    expect(device).to_have_attribute("data-light", "on")
    expect(room.say("shown")).to_have_text("The room light is on. Recording sound and picture.")
    expect(room.say("well_text")).to_have_text("Recording well")
    expect(room.page.get_by_role("meter")).to_have_attribute("aria-valuenow", "-14")

    room.fall_silent()
    expect(device).to_have_attribute("data-light", "unknown")
    expect(room.say("headline")).to_have_text("The capture service does not answer.")
    expect(room.page.locator("#well")).to_be_hidden()
    expect(room.page.get_by_role("meter")).to_have_attribute("aria-valuenow", "-60")


def test_lamps_blink_as_their_beats_say_and_not_for_who_asked_for_stillness(visit: Callable[..., Visit]) -> None:
    room = visit("room", status(State.FAULT))
    times = room.page.evaluate(
        """() => new Promise((done) => {
            const times = [];
            new MutationObserver(() => times.push(performance.now()) === 6 && done(times)).observe(
                document.querySelector("[data-lamp='0']"), { attributeFilter: ["data-lit"] });
        })"""
    )
    assert times[-1] - times[0] > 5 * 250 - 150  # 2 Hz: a change every 250 ms, later on a busy machine, never sooner
    calm = """async (beats) => (await import("/static/lamps.js")).isCalm(beats)"""
    assert room.page.evaluate(calm, [150, 250, 150, 250, 150, 1050])
    assert not room.page.evaluate(calm, [100, 100])

    still = visit("room", status(State.FAULT), reduced_motion="reduce")
    assert still.page.locator("[data-lamp='0']").get_attribute("data-lit") == "on"
    expect(still.page.locator("[data-lamp-text='0']")).to_have_text("yellow, blinks twice a second")


def test_a_press_lasts_as_long_as_the_finger_is_down(visit: Callable[..., Visit], capture: Box) -> None:
    page = visit("room", status()).page
    keys = {button: page.locator(f"[data-button={button}]") for button in ("consent", "record")}

    def look_away() -> None:
        page.evaluate("window.dispatchEvent(new Event('blur'))")

    def nothing() -> None:
        pass

    presses: tuple[tuple[str, Callable[[], None], Callable[[], None], Callable[[], None]], ...] = (
        ("consent", nothing, lambda: page.keyboard.down("c"), lambda: page.keyboard.up("c")),
        ("record", nothing, lambda: page.keyboard.down("R"), lambda: page.keyboard.up("R")),
        ("record", keys["record"].focus, lambda: page.keyboard.down(" "), lambda: page.keyboard.up(" ")),
        ("consent", keys["consent"].hover, page.mouse.down, page.mouse.up),
        ("consent", nothing, lambda: page.keyboard.down("c"), look_away),
    )
    for button, before, down, up in presses:
        before()
        down()
        assert capture.next_heard() == ("room.sock", f'{{"button":"{button}","down":true}}'.encode())
        expect(keys[button]).to_have_attribute("aria-pressed", "true")
        assert capture.heard.empty()
        up()
        assert capture.next_heard() == ("room.sock", f'{{"button":"{button}","down":false}}'.encode())
        expect(keys[button]).to_have_attribute("aria-pressed", "false")


def test_keys_pressed_for_something_else_press_no_button(visit: Callable[..., Visit], capture: Box) -> None:
    page = visit("room", status()).page
    page.locator("#people").focus()
    page.keyboard.press("c")
    page.locator("#people").blur()
    page.keyboard.press("Control+c")
    page.keyboard.down("r")
    page.keyboard.down("r")  # held: the keyboard repeats it
    page.keyboard.up("r")
    heard = [capture.next_heard()[1] for _ in range(2)]
    assert heard == [b'{"button":"record","down":true}', b'{"button":"record","down":false}']
    assert capture.heard.empty()


def test_each_tone_is_shown_once_and_played_after_the_first_press(visit: Callable[..., Visit], capture: Box) -> None:
    room = visit("room", status(panel=panel(State.IDLE, tone=Tone.ONE_LONG, tones=7)))
    sound = room.page.locator("#sound")
    expect(sound).to_have_attribute("aria-pressed", "false")
    expect(room.page.locator("#notes rect")).to_have_count(0)  # what sounded before is not repeated
    room.page.keyboard.press("c")
    expect(sound).to_have_attribute("aria-pressed", "true")
    room.show(status(panel=panel(State.IDLE, tone=Tone.THREE_FALLING, tones=8)))
    expect(room.say("tone")).to_have_text("last: three falling tones")
    expect(room.page.locator("#notes rect")).to_have_count(3)
    expect(room.page.locator("#sounder")).to_have_class("sounder sounding")
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "false")
    capture.next_heard()


def test_the_page_asks_without_being_left(visit: Callable[..., Visit], capture: Box) -> None:
    room = visit("room", recording_status())
    room.page.get_by_role("button", name="Mark").click()
    expect(room.page.locator("[data-answer]")).to_have_text("Asked for a bookmark.")
    assert capture.next_heard() == ("requests.sock", b'{"ask":"mark"}')
    room.page.get_by_label("People in the next session").select_option("4")
    room.page.get_by_role("button", name="Set").click()
    assert capture.next_heard() == ("requests.sock", b'{"ask":"people","people":4}')
    room.show(status())
    expect(room.page.locator("#live")).to_have_attribute("data-capturing", "false")
    room.page.get_by_role("button", name="Stop").click()
    expect(room.page.locator("[data-answer]")).to_have_text("There is no recording now.")
    assert capture.heard.empty()


def test_without_javascript_the_list_and_the_forms_work(
    visit: Callable[..., Visit], capture: Box, browser: Browser
) -> None:
    recording_id = add_recording(capture.store)
    address = visit("", recording_status()).address
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, capture, address)
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_text(recording_id)).to_be_visible()
    expect(page.locator("[data-as-of]")).to_contain_text("As it was at")
    page.get_by_role("button", name="Stop").click()
    assert capture.next_heard() == ("requests.sock", b'{"ask":"stop"}')
    assert page.url == address
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == f"{recording_id}.mp4.age"
    context.close()


def test_the_list_follows_what_happens(visit: Callable[..., Visit], capture: Box) -> None:
    page = visit("", recording_status())
    expect(page.page.get_by_text("There is no recording yet.")).to_be_visible()
    recording_id = add_recording(capture.store)
    page.show(status())
    expect(page.page.get_by_text(recording_id)).to_be_visible()


def test_a_page_that_lost_its_service_shows_nothing_as_live(visit: Callable[..., Visit]) -> None:
    room = visit("room", recording_status())
    device = room.page.locator("#device")
    expect(device).to_have_attribute("data-light", "on")
    room.page.context.set_offline(True)
    expect(device).to_have_attribute("data-light", "unknown")
    expect(room.say("headline")).to_have_text("The page's service does not answer.")
    expect(room.say("elapsed")).to_have_text("–")
    expect(room.say("simulated")).to_contain_text("Simulated: the microphone")
    room.page.context.set_offline(False)
    expect(device).to_have_attribute("data-light", "on")
    assert all("ERR_INTERNET_DISCONNECTED" in complaint for complaint in room.complaints)
    room.complaints.clear()
