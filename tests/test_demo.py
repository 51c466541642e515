"""The demo as a newcomer uses it: a real browser, real processes, one session from the press to the player."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from device.demo_people import PEOPLE_NAME
from device.devicekey import published_fingerprint
from device.recording import SESSION_NAME
from device.recording.chain import AUDIT_NAME
from tests.web.test_browser import browser  # noqa: F401  # the same Chromium

RUNNING_MS = 60_000
FIVE_SECONDS = re.compile(r"0:(0[5-9]|[1-5]\d)")  # or more, on a busy machine
PLAYER = """<!doctype html><video src="out.mp4" muted></video>"""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A running demo: its address and its folder."""
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "device", "demo", "--port", "0", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        address = None
        while address is None:
            line = program.stdout.readline()
            assert line, "the demo ended before it told its address"
            address = re.search(r"(http://127\.0\.0\.1:\d+/)", line)
        yield address[1], folder
        program.send_signal(signal.SIGINT)
        assert program.wait(120) == 0


def clinic(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "provisioning", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def sign_in(page: Page, address: str, folder: Path, login: str) -> None:
    """With what the demo wrote down for that person."""
    told = (folder / PEOPLE_NAME).read_text().partition(f"{login}\n")[2]
    password, code = re.findall(r"password\s+(\S+)|codes\n\s+(\S+)", told)[:2]
    page.goto(f"{address}sign-in")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password[0])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill(code[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible(timeout=RUNNING_MS)


def press(page: Page, key: str) -> None:
    """A press as a person makes it: nobody lifts a finger for less than a moment between two.

    The box hears of each end of it when the page's request arrives, which takes as long as a busy machine likes.
    """
    for end in (page.keyboard.down, page.keyboard.up):
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            end(key)
        page.wait_for_timeout(150)


def played(page: Page, mp4: Path) -> tuple[float, float]:
    """The length that the browser sees, and how far it has played after a jump to the middle."""
    (mp4.parent / "player.html").write_text(PLAYER)
    page.goto((mp4.parent / "player.html").as_uri())
    return tuple(
        page.evaluate(
            """async () => {
                const video = document.querySelector("video");
                await video.play();
                video.currentTime = video.duration / 2;
                await new Promise((done) => video.addEventListener("seeked", done, { once: true }));
                await new Promise((done) => video.addEventListener("timeupdate", done, { once: true }));
                return [video.duration, video.currentTime];
            }"""
        )
    )


def longest_s(opening: Sequence[str | Path], *, end_s: float, asked_s: float) -> float:
    """What the last seconds of a recording may be at most, by the key pictures of all of it, which is opened for that.

    They begin with the last key picture before, and the sound of that moment: a fragment of 0.75 s earlier.
    """
    done = clinic("open", *opening)
    assert done.returncode == 0, done.stderr
    words = ["ffprobe", "-v", "warning", "-select_streams", "v", "-show_packets", "-of", "json", opening[-1]]
    packets = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)["packets"]
    keys_s = [float(packet["pts_time"]) for packet in packets if packet["flags"].startswith("K")]
    return end_s - max(at_s for at_s in keys_s if at_s <= end_s - asked_s) + 0.75 + 0.1


def test_a_newcomer_records_sees_and_opens_a_session(
    demo: tuple[str, Path],
    browser: Browser,  # noqa: F811
    tmp_path: Path,
) -> None:
    address, folder = demo
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    sign_in(page, address, folder, "therapist")
    page.goto(f"{address}room")
    shown = page.locator('[data-say="shown"]')
    expect(shown).to_contain_text("off", timeout=RUNNING_MS)

    press(page, "r")
    expect(shown).to_contain_text("Nothing was started", timeout=RUNNING_MS)

    press(page, "c")
    expect(shown).to_contain_text("given: sound.", timeout=RUNNING_MS)
    press(page, "c")
    expect(shown).to_contain_text("sound and picture", timeout=RUNNING_MS)
    press(page, "r")
    expect(page.locator("#device")).to_have_attribute("data-light", "on", timeout=RUNNING_MS)
    expect(page.locator("#well")).to_have_attribute("data-well", "true", timeout=RUNNING_MS)
    expect(page.locator('[data-say="devices"]')).to_contain_text("camera open", timeout=RUNNING_MS)
    expect(page.locator('[data-say="elapsed"]')).to_have_text(FIVE_SECONDS, timeout=RUNNING_MS)
    press(page, "r")
    expect(page.locator("#device")).to_have_attribute("data-light", "off", timeout=RUNNING_MS)
    expect(page.get_by_text("complete").first).to_be_visible(timeout=RUNNING_MS)

    (recording,) = [path for path in (folder / "store").iterdir() if path.name[0].isdigit()]
    manifest = json.loads((recording / "manifest.json").read_bytes())["payload"]
    assert (manifest["state"], manifest["consent"], manifest["gaps"]) == ("complete", "sound_and_picture", [])

    out = tmp_path / "out.mp4"
    identity = folder / "clinic.key"
    device = published_fingerprint(folder / "run") or ""
    where, who = f"{address}api/v1/recordings/{recording.name}", ("--login", "supervisor", "--device-key", device)
    done = clinic("open", where, *who, "-i", identity, "-o", out, "--last", "3s")
    assert done.returncode == 0, done.stderr
    assert "complete" in done.stdout + done.stderr
    length_s, reached_s = played(page, out)
    opening = (where, *who, "-i", identity, "-o", tmp_path / "whole.mp4")
    assert 3.0 <= length_s <= longest_s(opening, end_s=manifest["duration_us"] / 1_000_000, asked_s=3.0)
    assert reached_s > length_s / 3

    page.goto(f"{address}room")
    press(page, "c")
    expect(shown).to_contain_text("sound", timeout=RUNNING_MS)
    press(page, "r")
    expect(page.locator("#device")).to_have_attribute("data-light", "on", timeout=RUNNING_MS)
    press(page, "c")
    expect(page.locator("#device")).to_have_attribute("data-light", "off", timeout=RUNNING_MS)
    expect(page.locator("[data-say='headline']")).to_contain_text("withdr", timeout=RUNNING_MS, ignore_case=True)

    # the next session closed the window of the first, so that one may leave the room
    page.goto(address)
    for _ in range(3 * RUNNING_MS // 500):
        if (recording / "receipts" / "clinic.json").exists():
            break
        page.wait_for_timeout(500)
    (synced,) = (folder / "clinic").rglob(SESSION_NAME)
    assert synced.read_bytes() == (recording / SESSION_NAME).read_bytes()
    expect(page.locator("[data-say='sync']")).to_have_text("Synced with clinic.", timeout=RUNNING_MS)
    page.close()


def test_a_newcomer_looks_through_the_camera_before_recording(
    demo: tuple[str, Path],
    browser: Browser,  # noqa: F811
    tmp_path: Path,
) -> None:
    address, folder = demo
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}room")
    shown = page.locator('[data-say="shown"]')
    expect(shown).to_contain_text("off", timeout=RUNNING_MS)
    for words in ("given: sound.", "sound and picture"):
        press(page, "c")
        expect(shown).to_contain_text(words, timeout=RUNNING_MS)

    page.keyboard.press("r", delay=1800)
    expect(shown).to_have_text("The room light is on. Framing check: nothing is stored.", timeout=RUNNING_MS)
    figure = page.locator("#framing")
    expect(figure).to_have_attribute("data-seen", "true", timeout=RUNNING_MS)
    expect(page.locator('[data-say="devices"]')).to_have_text("microphone closed, camera open")
    page.screenshot(path=tmp_path / "framing.png")
    assert [path.name for path in (folder / "store").iterdir()] == [AUDIT_NAME]
    pictures = [path for path in folder.rglob("*") if path.is_file() and b"\xff\xd8\xff" in path.read_bytes()]
    assert pictures == []

    press(page, "r")
    expect(figure).to_be_hidden(timeout=RUNNING_MS)
    expect(page.locator('[data-say="devices"]')).to_have_text("microphone open, camera open", timeout=RUNNING_MS)
    assert page.evaluate("async () => (await fetch('/framing.jpg')).status") == 204
    press(page, "c")
    expect(page.locator("#device")).to_have_attribute("data-light", "off", timeout=RUNNING_MS)
    page.close()
