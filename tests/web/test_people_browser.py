"""Signing in, one's own account and the register in a real browser: phone and desktop, with and without JavaScript."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from device.people.first_admin import write_first_admin_code
from device.people.keyring import Keyring
from device.people.passkeys import Site
from device.people.person import Role
from tests.people.persons import PASSWORD, code_for
from tests.web.conftest import Box
from tests.web.test_browser import CHROMIUM, browser  # noqa: F401  # the browser is a fixture
from tests.web.test_looks import AXE, found_by_axe
from tests.web.test_serve import serving
from tests.web.visitors import add_person

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt install chromium")

PHONE: dict[str, ViewportSize] = {"viewport": {"width": 390, "height": 844}}
DESKTOP: dict[str, ViewportSize] = {"viewport": {"width": 1280, "height": 900}}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# A folder to look at: each page is drawn into it.
DRAWN = os.environ.get("SOTTO_DRAWN")
Open = Callable[..., Page]


def draw(page: Page, name: str) -> None:
    if DRAWN:
        page.screenshot(path=Path(DRAWN) / f"{name}.png", full_page=True)


def look(page: Page, name: str) -> None:
    """Draw the page, and have axe look at it: on a phone and at a desk, in the light and in the dark."""
    before = page.viewport_size
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size["viewport"])
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            place = f"{name}-{size['viewport']['width']}-{scheme}"
            draw(page, place)
            assert found_by_axe(page) == [], place
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{place}: {wide} px too wide"
    page.emulate_media(color_scheme="light")
    if before is not None:
        page.set_viewport_size(before)


@pytest.fixture
def opened(capture: Box, browser: Browser) -> Iterator[Open]:  # noqa: F811  # the fixture, imported
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    with serving(capture) as address:
        base = f"http://localhost:{urlsplit(address).port}"

        def open_(**options: object) -> Page:
            context = browser.new_context(base_url=base, **options)  # type: ignore[arg-type]  # playwright's own options
            contexts.append(context)
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda request: _only_here(request.url, base, complaints))
            return page

        try:
            yield open_
            assert complaints == []
        finally:
            for context in contexts:
                context.close()


def _only_here(url: str, base: str, complaints: list[str]) -> None:
    if not url.startswith(base):
        complaints.append(f"asked {url}")


def set_up_app(page: Page) -> str:
    """Type what the app shows; the app's key."""
    secret = page.locator("code.letters").inner_text().replace(" ", "")
    page.get_by_label("Code from your app").fill(code_for(secret, time.time()))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    return secret


@pytest.mark.parametrize("options", [PHONE, DESKTOP, {**PHONE, "java_script_enabled": False}])
def test_the_first_admin_adds_a_therapist_who_signs_in(capture: Box, opened: Open, options: dict[str, object]) -> None:
    name = {id(PHONE): "phone", id(DESKTOP): "desktop"}.get(id(options), "without-script")
    page = opened(**options)
    page.goto("/sign-in")
    draw(page, f"sign-in-{name}")
    page.get_by_role("link", name="Become the first admin").click()
    page.get_by_label("Code").fill(write_first_admin_code(capture.people._database.folder))
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Login").fill("ada")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    draw(page, f"first-admin-{name}")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("img", name="QR code for your app")).to_be_visible()
    draw(page, f"app-{name}")
    set_up_app(page)
    draw(page, f"codes-{name}")
    page.goto("/persons/")
    page.get_by_role("link", name="Add a person").click()
    page.get_by_label("Name").fill("Tom Tern")
    page.get_by_label("Login").fill("tom")
    page.get_by_label("therapist", exact=True).check()
    draw(page, f"person-{name}")
    page.get_by_role("button", name="Add, and make a code").click()
    code = page.locator(".code-large code").inner_text()
    draw(page, f"invited-{name}")
    page.goto("/persons/")
    expect(page.get_by_text("has a code, has not used it yet")).to_be_visible()
    draw(page, f"persons-{name}")

    toms = opened(**options)
    toms.goto("/sign-in")
    toms.get_by_role("link", name="Set up your account").click()
    toms.get_by_label("Code").fill(code)
    toms.get_by_label("Choose a password").fill(PASSWORD)
    toms.get_by_label("The same password again").fill(PASSWORD + "!")
    toms.get_by_role("button", name="Continue").click()
    expect(toms.get_by_role("alert")).to_contain_text("The two passwords are not the same.")
    draw(toms, f"welcome-refused-{name}")
    toms.get_by_label("Code").fill(code)
    toms.get_by_label("Choose a password").fill(PASSWORD)
    toms.get_by_label("The same password again").fill(PASSWORD)
    toms.get_by_role("button", name="Continue").click()
    set_up_app(toms)
    toms.get_by_role("link", name="I have written them down").click()
    toms.goto("/account/")
    expect(toms.get_by_text("this browser")).to_be_visible()
    draw(toms, f"account-{name}")


@pytest.fixture
def axe() -> None:
    if not AXE:
        pytest.fail("there is no axe-core; run tests/tools/fetch-axe first")


def _become_first_admin(capture: Box, page: Page, *, again: str) -> None:
    page.get_by_label("Code").fill(write_first_admin_code(capture.people._database.folder))
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Login").fill("ada")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(again)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.usefixtures("axe")
def test_axe_finds_nothing_where_the_first_admin_comes_in_and_invites(capture: Box, opened: Open) -> None:
    page = opened(**DESKTOP)
    page.goto("/first-admin")
    look(page, "first-admin")
    _become_first_admin(capture, page, again=PASSWORD + "!")
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "first-admin-refused")
    _become_first_admin(capture, page, again=PASSWORD)
    expect(page.get_by_role("img", name="QR code for your app")).to_be_visible()
    look(page, "app")
    set_up_app(page)
    look(page, "codes")
    page.goto("/account/")
    look(page, "account")
    page.goto("/persons/")
    look(page, "persons")
    page.get_by_role("link", name="Add a person").click()
    look(page, "person-new")
    page.get_by_label("Name").fill("Tom Tern")
    page.get_by_label("Login").fill("tom")
    page.get_by_label("therapist", exact=True).check()
    page.get_by_role("button", name="Add, and make a code").click()
    expect(page.locator(".code-large code")).to_be_visible()
    look(page, "invited")
    page.goto("/persons/")
    look(page, "persons-two")
    page.get_by_role("link", name="Tom Tern").click()
    expect(page.get_by_label("Name")).to_have_value("Tom Tern")
    look(page, "person")


@pytest.mark.usefixtures("axe")
def test_axe_finds_nothing_where_somebody_takes_up_an_invitation_and_signs_in(capture: Box, opened: Open) -> None:
    anna = add_person(capture.people, Role.THERAPIST)
    code = capture.people.office.invite(anna.mark, time.time())
    page = opened(**DESKTOP)
    page.goto("/welcome")
    look(page, "welcome")
    for again in (PASSWORD + "!", PASSWORD):
        page.get_by_label("Code").fill(code)
        page.get_by_label("Choose a password").fill(PASSWORD)
        page.get_by_label("The same password again").fill(again)
        page.get_by_role("button", name="Continue").click()
        if again != PASSWORD:
            expect(page.get_by_role("alert")).to_contain_text("The two passwords are not the same.")
            look(page, "welcome-refused")
    secret = set_up_app(page)

    later = opened(**DESKTOP)
    later.goto("/sign-in")
    look(later, "sign-in")
    for password in ("a guess or two", PASSWORD):
        later.get_by_label("Login").fill(anna.login)
        later.get_by_label("Password").fill(password)
        later.keyboard.press("Enter")
        if password != PASSWORD:
            expect(later.get_by_role("alert")).to_contain_text("That does not fit.")
            look(later, "sign-in-refused")
    expect(later.get_by_label("Code from your app")).to_be_focused()
    look(later, "code")
    later.get_by_label("Code from your app").fill(code_for(secret, time.time() + 30))
    later.keyboard.press("Enter")
    expect(later.locator("h1").first).to_be_visible()


def test_signing_in_works_with_the_keyboard_alone(capture: Box, opened: Open) -> None:
    anna = add_person(capture.people, Role.THERAPIST)
    code = capture.people.office.invite(anna.mark, time.time())
    page = opened()
    page.goto("/welcome")
    page.get_by_label("Code").focus()
    for typed in (code, PASSWORD, PASSWORD):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()
    secret = set_up_app(page)
    again = opened()
    again.goto("/account/")
    expect(again.get_by_role("heading", name="Sign in")).to_be_visible()
    again.get_by_label("Login").focus()
    again.keyboard.type(anna.login)
    again.keyboard.press("Tab")
    again.keyboard.type("a guess or two")
    again.keyboard.press("Enter")
    expect(again.get_by_role("alert")).to_contain_text("That does not fit.")
    expect(again.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    draw(again, "sign-in-refused")
    again.get_by_label("Password").fill(PASSWORD)
    again.keyboard.press("Enter")
    expect(again.get_by_label("Code from your app")).to_be_focused()
    draw(again, "code")
    again.keyboard.type(code_for(secret, time.time() + 30))
    again.keyboard.press("Enter")
    expect(again.get_by_role("heading", name="Your account")).to_be_visible()  # where they wanted to go


def test_a_passkey_is_added_and_then_lets_in(capture: Box, opened: Open) -> None:
    people, anna = capture.people, add_person(capture.people, Role.THERAPIST)
    page = opened(**PHONE)
    page.goto("/sign-in")
    origin = page.evaluate("location.origin")
    people.keyring = Keyring(people._database, people.account._passwords, site=Site("localhost", (origin,), "Room"))
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    held = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": held})
    code = people.office.invite(anna.mark, time.time())
    page.goto("/welcome")
    page.get_by_label("Code").fill(code)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    set_up_app(page)
    page.goto("/account/")
    adding = page.locator("#add-passkey")
    adding.get_by_label("Your password").fill("a guess or two")
    adding.get_by_label("What to call it").fill("my phone")
    adding.get_by_role("button", name="Add a passkey").click()
    expect(adding.locator("[data-answer]")).to_contain_text("That does not fit.")
    adding.get_by_label("Your password").fill(PASSWORD)
    adding.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()
    expect(page.get_by_text("my phone")).to_be_visible()
    draw(page, "account-passkey")
    page.context.clear_cookies()
    page.goto("/account/")
    draw(page, "sign-in-passkey")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    assert [entry["facts"]["way"] for entry in capture.noted() if entry["what"] == "login"] == ["password", "passkey"]
    page.get_by_role("button", name="Remove the passkey my phone").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
