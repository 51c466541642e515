"""The reader in a real browser, as somebody uses it, and what can be seen of it from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from provisioning.reader import FOLDER, READER_NAME
from tests.support import PATIENCE_S

READER = FOLDER / READER_NAME
PATIENCE_MS = int(PATIENCE_S * 1000)
PHONE = {"width": 390, "height": 844}

# Everything that is handed to the browser's player is kept, and what the page was told of it.
SPY = """
window.appended = [];
window.added = [];
const hand = SourceBuffer.prototype.appendBuffer;
SourceBuffer.prototype.appendBuffer = function (bytes) {
  window.appended.push(bytes.slice());
  return hand.call(this, bytes);
};
const add = MediaSource.prototype.addSourceBuffer;
MediaSource.prototype.addSourceBuffer = function (type) {
  window.added.push(type);
  window.appended.push(null);
  return add.call(this, type);
};
"""

# What was handed over last, decoded by the browser; the SHA-256 of its sound as 24-bit samples, and how many there are.
# A float has 24 bits of its own, so nothing is lost on the way.
DECODED = """async () => {
  const parts = window.appended.slice(window.appended.lastIndexOf(null) + 1);
  const bytes = await new Blob(parts).arrayBuffer();
  const heard = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes);
  const samples = heard.getChannelData(0);
  const wide = new Uint8Array(samples.length * 3);
  for (let at = 0; at < samples.length; at += 1) {
    const value = samples[at] * 8388608;
    if (!Number.isInteger(value)) throw new Error(`sample ${at} is ${value}`);
    wide[3 * at] = value & 255; wide[3 * at + 1] = (value >> 8) & 255; wide[3 * at + 2] = (value >> 16) & 255;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", wide));
  return [Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""), samples.length];
}"""
PLAYS = (
    "(fromS) => { const video = document.querySelector('video'); return video.currentTime > fromS && !video.paused; }"
)


class Reader:
    """One page of the reader. ``asked``: every address that it asked for, but for itself."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.wrong: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.add_init_script(SPY)

    def show(self) -> Reader:
        self.page.goto(READER.as_uri())
        self.asked.clear()
        return self

    def unlock(self, file: Path, passphrase: str = "") -> Reader:
        """With a kit, or a key."""
        self.page.set_input_files("#kit", file)
        self.page.fill("#passphrase", passphrase)
        self.page.click("text=Unlock")
        self.page.locator("#file").wait_for(state="attached")
        return self

    def choose(self, *files: Path) -> Reader:
        """Files of this computer."""
        self.page.set_input_files("#file", [str(file) for file in files])
        return self

    def opened(self) -> Reader:
        """Once it can be played."""
        self.page.locator("#play").wait_for()
        return self

    def play(self) -> Reader:
        self.page.click("#play")
        return self

    def plays(self, *, from_s: float = 0) -> Reader:
        """Once it is heard, from somewhere behind that moment on."""
        self.page.wait_for_function(PLAYS, arg=from_s)
        return self

    def brought(self, end_s: float, *, short_s: float = 0.02) -> Reader:
        """Once what is played was brought up to about that moment."""
        self.page.wait_for_function(
            """([end]) => { const { buffered } = document.querySelector('video');
            return buffered.length > 0 && buffered.end(buffered.length - 1) >= end; }""",
            arg=[end_s - short_s],
        )
        return self

    def heard(self) -> tuple[str, int]:
        """The SHA-256 of all that was handed over to be heard, decoded, as 24-bit samples; and how many they are."""
        digest, samples = self.page.evaluate(DECODED)
        return str(digest), int(samples)

    def handed_bytes(self) -> int:
        return int(self.page.evaluate("window.appended.reduce((sum, one) => sum + (one?.length ?? 0), 0)"))

    def types(self) -> list[str]:
        """What the browser was told to play."""
        return list(self.page.evaluate("window.added"))

    def problem(self, kind: str) -> str:
        """What is told of a failure, once one of that kind is."""
        found = self.page.locator(f'.problem[data-kind="{kind}"]')
        try:
            expect(found).to_be_visible(timeout=PATIENCE_MS)
        except AssertionError as problem:
            raise AssertionError(f"no {kind!r}; there is: {self.page.inner_text('main')}") from problem
        return found.inner_text()

    def at_s(self) -> float:
        return float(self.page.evaluate("document.querySelector('video').currentTime"))


@contextmanager
def reading(browser: Browser, **context: Any) -> Iterator[Reader]:
    """A reader in a browser that knows nothing; it must not have failed by itself."""
    made = browser.new_context(**{"viewport": PHONE, **context})
    try:
        reader = Reader(made.new_page())
        yield reader.show()
        assert reader.wrong == []
    finally:
        made.close()
