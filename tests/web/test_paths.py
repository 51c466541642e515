"""What each role comes for, done in a real browser from the first page to the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, expect

from device.datagrams import DatagramServer
from device.recording.named import LabelDocument, NoteDocument
from device.sync_control import control_path
from device.sync_status import SyncState
from tests.web.scene import sync_now
from tests.web.test_browser import CHROMIUM, browser  # noqa: F401  # the fixture
from tests.web.views import Looker, looking

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt install chromium")


@pytest.fixture(scope="module")
def looker(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Looker]:  # noqa: F811
    with looking(tmp_path_factory.mktemp("box"), browser) as looker:
        yield looker


def test_a_therapist_takes_the_room_over_and_gives_it_back(looker: Looker) -> None:
    with looker.look("other-idle", size="phone") as page:
        expect(page.locator(".duty-who")).to_contain_text("First therapist is checked in")
        expect(page.get_by_role("button", name="Mark")).to_have_count(0)
        page.get_by_role("button", name="Check in instead").click()
        expect(page.locator(".duty-who")).to_have_text("You are checked in.")
        page.get_by_role("button", name="Check out").click()
        expect(page.locator(".duty-who")).to_have_text("Nobody is checked in.")
    with looker.look("therapist-idle", size="phone") as page:
        page.get_by_role("button", name="Check in").click()
        expect(page.locator(".duty-who")).to_have_text("You are checked in.")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_therapist_labels_a_session_with_the_keyboard_alone(looker: Looker, *, javascript: bool) -> None:
    with looker.look("therapist-recording-moving", size="desk", javascript=javascript) as page:
        page.locator("#label > summary").focus()
        for key in ("Enter", "Tab"):
            page.keyboard.press(key)
        for word in ("K-17", "4", "ALPHA", "b"):
            page.keyboard.type(word)
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".said")).to_have_text("The label is sealed. It is not shown here again.")
        expect(page.locator("body")).not_to_contain_text("K-17")
    sealed = looker.desk.opened(looker.scene.moving, "label.age", LabelDocument)
    assert (sealed.client, sealed.session, sealed.study, sealed.arm) == ("K-17", 4, "ALPHA", "b")
    assert sealed.by == looker.scene.therapist.mark


def test_a_supervisor_finds_the_open_items_of_one_therapist_and_pulls_one(looker: Looker) -> None:
    with looker.look("supervisor-library", size="desk") as page:
        expect(page.locator(".recording")).to_have_count(6)
        page.get_by_text("Look for").click()
        page.get_by_label("Therapist").select_option(label="Second therapist")
        page.get_by_label("only those without measures").check()
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator(".recording")).to_have_count(3)
        quiet = page.locator(".recording", has_text="Sound: quiet")
        expect(quiet).to_contain_text("no measures attached")
        with page.expect_download() as download:
            quiet.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == f"{looker.scene.quiet}.mp4.age"
        quiet.get_by_role("link", name="Facts of the recording").click()
        page.get_by_text("Note", exact=True).click()
        page.get_by_label("What should stand beside it").fill("listen to <b>10:00</b>")
        page.get_by_role("button", name="Seal the note").click()
        expect(page.locator(".said")).to_contain_text("The note is sealed.")
    assert looker.desk.opened(looker.scene.quiet, "note-001.age", NoteDocument).text == "listen to <b>10:00</b>"


def test_an_admin_follows_sync_pauses_it_and_sees_no_content(looker: Looker) -> None:
    heard, done = [], threading.Event()

    def hear(data: bytes) -> None:
        heard.append(data)
        done.set()

    box = looker.desk.box
    with looker.look("admin-sync", size="desk") as page:
        now = page.locator("[data-fragment-url]")
        expect(now).to_contain_text("35 % of 890 MB · 4.2 MB a second · about 2 min 17 s left")
        sync_now(box, looker.scene.moving, sent_bytes=445_000_000)
        expect(now).to_contain_text("50 % of 890 MB")
        sync_now(
            box, looker.scene.moving, state=SyncState.HELD_UP, trouble=("the server is away", "wait"), next_try_s=60
        )
        expect(now).to_contain_text("The server is away.")
        with closing(DatagramServer(control_path(box.run), hear)):
            page.get_by_role("button", name="Pause").click()
            assert done.wait(20)
        assert heard == [b"pause"]
        page.goto(page.url.replace("box/sync", ""))
        expect(page.get_by_role("link", name="Download")).to_have_count(0)


def test_an_admin_gives_a_recording_of_nobody_to_its_therapist(looker: Looker) -> None:
    nobodys = looker.scene.nobodys
    with looker.look("admin-recording", size="phone") as page:
        expect(page.locator("h1 + .whose")).to_contain_text("nobody was checked in")
        page.get_by_label("Therapist").select_option(label="Second therapist")
        page.get_by_role("button", name="Let it be theirs").click()
        expect(page.locator("h1 + .whose")).to_contain_text("Second therapist")
    with looker.look("other-idle", size="phone") as page:
        expect(page.locator(f"a[href='/recordings/{nobodys}/']")).to_be_visible()


def test_what_is_heard_and_what_is_wrong_is_told_as_it_happens(looker: Looker) -> None:
    with looker.look("therapist-recording", size="phone") as page:
        expect(page.get_by_role("status").first).to_have_text("Recording sound and picture.")
        expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "-14")
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        looker.show("therapist-troubled")
        expect(page.locator("#wrong")).to_contain_text("There is no sound.")
        looker.show("therapist-idle")
        expect(page.get_by_role("meter")).to_have_count(0)
        expect(page.get_by_role("button", name="Stop")).to_have_count(0)
