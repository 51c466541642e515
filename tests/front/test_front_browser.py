"""The page behind nginx in a real browser, by its own name and over TLS: what Chromium makes of it."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, Page, Request, Response, expect, sync_playwright

from device.people.person import Role
from device.recording import SESSION_NAME
from tests.front.conftest import Site, site_of
from tests.front.nginx_server import HOST, NAME, PATIENCE_S
from tests.people.persons import PASSWORD, code_for, enrol
from tests.remote.certificates import Authority
from tests.sync_faults.wire import Wire
from tests.web.conftest import Box
from tests.web.published import add_recording, republish, status
from tests.web.test_browser import ARGUMENTS, CHROMIUM
from tests.web.visitors import add_person

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt install chromium")

SEALED = bytes(range(256)) * 40_000
SIZE = len(SEALED)
CUT_AT_BYTES = 500_000
Launch = Callable[..., Browser]


@pytest.fixture
def by_name(box: Box, authority: Authority) -> Iterator[Site]:
    """A page that goes by a name of the clinic's."""
    republish(box.run, status())
    with site_of(box, authority, NAME, change=slowly) as made:
        yield made


def slowly(config: str) -> str:
    """So that there is a while in which a download can be cut; what was asked for stands in a file."""
    config = config.replace("internal;\n            alias", f"internal;\n limit_rate {SIZE // 8};\n alias")
    return config.replace("access_log off;", "log_format a '$status $http_range $uri'; access_log asked a;")


@pytest.fixture
def launch(by_name: Site) -> Iterator[Launch]:
    """Starts Chromium, for which that name is here, and which trusts this one certificate by its key."""
    expect.set_options(timeout=60_000)  # a busy machine is slow, not broken
    certificate = x509.load_pem_x509_certificate((by_name.folder / "page.pem").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pin = base64.b64encode(hashlib.sha256(key).digest()).decode()

    def launched(port: int, **options: Any) -> Browser:
        more = [f"--host-resolver-rules=MAP {NAME} {HOST}:{port}", f"--ignore-certificate-errors-spki-list={pin}"]
        return playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *more], **options)

    with sync_playwright() as playwright:
        yield launched


@pytest.fixture
def browser(launch: Launch, by_name: Site) -> Browser:
    return launch(by_name.nginx.port)


class Seen:
    """A page of that browser's, and everything that it asked for, was answered, and complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.places: set[str] = set()
        self.answers: list[Response] = []
        self.complaints: list[str] = []
        page.on("request", self._asks)
        page.on("response", self._hears)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asks(self, request: Request) -> None:
        self.places.add(urlsplit(request.url).netloc)

    def _hears(self, answer: Response) -> None:
        self.answers.append(answer)


@pytest.fixture
def seen(browser: Browser, by_name: Site) -> Iterator[Seen]:
    context = browser.new_context(base_url=address(by_name))
    made = Seen(context.new_page())
    yield made
    assert made.complaints == []
    assert made.places == {f"{NAME}:{by_name.nginx.port}"}
    context.close()


def address(site: Site) -> str:
    return f"https://{NAME}:{site.nginx.port}"


def enrolled(site: Site) -> tuple[str, str, str]:
    """A therapist who has set up an app: mark, login, and the app's key."""
    person = add_person(site.box.people, Role.THERAPIST)
    secret, _, _ = enrol(site.box.people, person, now_s=time.time())
    return person.mark, person.login, secret


def sign_in(page: Page, login: str, secret: str) -> None:
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code from your app").fill(code_for(secret, time.time() + 30))  # the last one is used up
    page.get_by_role("button", name="Sign in").click()


def test_a_therapist_signs_in_with_password_and_code_and_sees_the_box(seen: Seen, by_name: Site) -> None:
    mark, login, secret = enrolled(by_name)
    mine = add_recording(by_name.box.store, therapist=mark)
    seen.page.goto("/")
    expect(seen.page).to_have_title(re.compile("Sign in"))
    sign_in(seen.page, login, secret)
    expect(seen.page.get_by_text(mine)).to_be_visible()
    expect(seen.page.get_by_role("heading", name="The box now")).to_be_visible()
    expect(seen.page.locator("[data-as-of]")).to_be_hidden()  # what is live, is

    (cookie,) = [one for one in seen.page.context.cookies() if one["name"] == "__Host-sotto"]
    assert (cookie["domain"], cookie["path"]) == (NAME, "/")  # of this host alone (RFC 6265, 5.3)
    assert (cookie["secure"], cookie["httpOnly"]) == (True, True)
    assert all(one["name"].startswith("__Host-") and one["secure"] for one in seen.page.context.cookies())
    assert seen.page.evaluate("document.cookie") == ""
    for answer in seen.answers:
        headers = answer.all_headers()
        assert "default-src 'self'" in headers["content-security-policy"], answer.url
        assert int(re.findall(r"max-age=([0-9]+)", headers["strict-transport-security"])[0]) >= 31_536_000
    facts = seen.answers[0].security_details()
    assert facts is not None
    assert (facts["protocol"], facts["issuer"]) == ("TLS 1.3", "an authority of the tests")


def test_a_browser_that_was_here_once_never_asks_in_plain_again(seen: Seen, by_name: Site) -> None:
    seen.page.goto("/sign-in")
    seen.page.goto(f"http://{NAME}:{by_name.nginx.port}/sign-in")
    assert seen.page.url == f"{address(by_name)}/sign-in"
    expect(seen.page.get_by_label("Login")).to_be_visible()
    plain = [answer for answer in seen.answers if answer.url.startswith("http://")]
    assert [answer.header_value("non-authoritative-reason") for answer in plain] == ["HSTS"]  # Chromium itself says so


def test_no_script_runs_that_did_not_come_with_the_page(browser: Browser, by_name: Site) -> None:
    page = browser.new_page()
    page.goto(f"{address(by_name)}/sign-in")
    refused = page.evaluate(
        """() => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            if (window.ran) done("it ran");
        })"""
    )
    assert refused == "script-src-elem"
    assert page.evaluate("window.ran") is None


def test_a_download_that_the_network_cuts_goes_on_by_itself_where_it_was(
    launch: Launch, by_name: Site, tmp_path: Path
) -> None:
    """Chromium tries again by itself where it has a strong ETag: with Range and If-Range."""
    mark, login, secret = enrolled(by_name)
    mine = add_recording(by_name.box.store, sealed=SEALED, therapist=mark)
    with closing(Wire(by_name.nginx.port)) as wire:
        page = launch(wire.port, downloads_path=tmp_path).new_page(base_url=address(by_name))
        page.goto("/")
        sign_in(page, login, secret)
        with page.expect_download() as begun:
            page.get_by_role("link", name="Download").click()
        until(lambda: sum(path.stat().st_size for path in tmp_path.iterdir()) > CUT_AT_BYTES)
        wire.cut()
        assert begun.value.failure() is None
        assert begun.value.path().read_bytes() == SEALED
    assert begun.value.suggested_filename == f"{mine}.mp4.age"
    asked = [line.split() for line in (by_name.folder / "asked").read_text().splitlines() if SESSION_NAME in line]
    (first, _, _), (then, from_byte, _) = asked
    assert (first, then) == ("200", "206")
    assert 0 < int(from_byte.removeprefix("bytes=").removesuffix("-")) < SIZE


def until(holds: Callable[[], bool]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.02)
