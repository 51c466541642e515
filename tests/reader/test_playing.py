"""Recordings of every kind in Chromium: what is heard is what was recorded, and begins where it was asked for."""

from __future__ import annotations

from hashlib import sha256

import pytest
from playwright.sync_api import Browser

from device.recording import MANIFEST_NAME
from tests.provisioning.conftest import RATE_HZ, Chunks, Clinic, mux, noise
from tests.provisioning.damage import record
from tests.reader.browsing import Reader, reading

SECOND_BYTES = RATE_HZ * 3


def digest(sound: bytes) -> str:
    return sha256(sound).hexdigest()


@pytest.mark.parametrize("to", ["clinic", "classic"])
def test_what_chromium_decodes_is_the_source_bit_for_bit(
    reader: Reader, clinic: Clinic, sound_24: tuple[Chunks, bytes], to: str
) -> None:
    """Full-scale 24-bit noise: the post-quantum key opens what was sealed to it, and the classic one."""
    sealed = clinic.seal(*sound_24, to=to)
    reader.unlock(clinic.key(to)).choose(sealed.file, sealed.folder / MANIFEST_NAME).opened().brought(20)
    assert reader.heard() == (digest(sound_24[1]), 20 * RATE_HZ)
    reader.play().plays()
    assert reader.types() == ['audio/mp4; codecs="flac"']


def test_what_is_heard_is_the_source_bit_for_bit(
    chromium: Browser, clinic: Clinic, sound_24: tuple[Chunks, bytes]
) -> None:
    """Not only decoded: taken where the browser's own player hands it on to be heard."""
    sealed = clinic.seal(*sound_24)
    with reading(chromium, bypass_csp=True) as reader:
        reader.unlock(clinic.key()).choose(sealed.file).opened()
        reader.page.evaluate(LISTEN)
        reader.play().plays(from_s=4)
        heard = bytes(reader.page.evaluate("() => window.taken()"))
    start = sound_24[1].find(heard[:300])
    assert start >= 0
    assert start % 3 == 0
    assert len(heard) >= SECOND_BYTES
    assert sound_24[1][start : start + len(heard)] == heard


LISTEN = """async () => {
  const code = `registerProcessor("ear", class extends AudioWorkletProcessor {
    process([input]) { if (input[0]) this.port.postMessage(input[0].slice()); return true; } });`;
  const context = new AudioContext({ sampleRate: 48000 });
  await context.audioWorklet.addModule("data:text/javascript," + encodeURIComponent(code));
  const ear = new AudioWorkletNode(context, "ear");
  const parts = [];
  ear.port.onmessage = ({ data }) => parts.push(data);
  context.createMediaElementSource(document.querySelector("video")).connect(ear).connect(context.destination);
  await context.resume();
  window.taken = () => {
    const samples = parts.flatMap((part) => Array.from(part));
    const from = samples.findIndex((value) => value !== 0) + 48000;  // the first second may be faded in
    return samples.slice(from, from + 48000).flatMap((sample) => {
      const value = sample * 8388608;
      if (!Number.isInteger(value)) throw new Error(`${value} is no 24-bit sample`);
      return [value & 255, (value >> 8) & 255, (value >> 16) & 255];
    });
  };
}"""


def test_sound_and_picture_play_together(reader: Reader, clinic: Clinic, with_picture: tuple[Chunks, bytes]) -> None:
    sealed = clinic.seal(*with_picture)
    reader.unlock(clinic.key()).choose(sealed.file).opened().brought(20)
    assert reader.heard() == (digest(with_picture[1]), 20 * RATE_HZ)
    assert reader.types() == ['video/mp4; codecs="avc3.42C01F,flac"']
    reader.play().plays(from_s=1)
    shown = "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"
    assert reader.page.evaluate(shown) > 5
    assert reader.page.evaluate("document.querySelector('video').videoWidth") == 320


def test_where_the_camera_was_given_up_the_sound_goes_on(
    reader: Reader, clinic: Clinic, camera_given_up: tuple[Chunks, bytes]
) -> None:
    """A picture that ends would end the sound as well: the browser plays what both tracks have."""
    sealed = clinic.seal(*camera_given_up)
    reader.unlock(clinic.key()).choose(sealed.file).opened().play().plays(from_s=7)
    assert reader.types() == ['video/mp4; codecs="avc3.42C01F,flac"', 'audio/mp4; codecs="flac"']
    reader.page.keyboard.press("Home")
    reader.page.locator("#timeline").focus()
    for _ in range(4):
        reader.page.keyboard.press("ArrowRight")
    reader.plays(from_s=20)
    reader.page.keyboard.press("Home")
    reader.page.wait_for_function("() => document.querySelector('video').currentTime < 5")
    reader.plays(from_s=1)
    assert reader.types()[-1].startswith("video/mp4")


def test_an_interrupted_recording_plays_to_its_end_and_is_called_one(reader: Reader, clinic: Clinic) -> None:
    sound = noise(20)
    kept = record(clinic, mux(sound), fragments=9)
    reader.unlock(clinic.key()).choose(kept.file, kept.folder / MANIFEST_NAME).opened()
    assert "interrupted" in reader.page.inner_text("main")
    end_s = reader.page.evaluate("Number(document.querySelector('#timeline').getAttribute('aria-valuemax'))")
    # All of it in order first: who goes to the end before that is brought there at once, without what lies between.
    heard, samples = reader.brought(end_s, short_s=0.5).heard()
    assert 0 < samples < 20 * RATE_HZ
    assert heard == digest(sound[: samples * 3])
    reader.page.locator("#timeline").focus()
    reader.page.keyboard.press("End")
    reader.page.wait_for_function("end => document.querySelector('video').currentTime > end - 1", arg=end_s)


def test_without_an_index_a_moment_is_found_by_halves(
    reader: Reader, clinic: Clinic, sound_quiet: tuple[Chunks, bytes]
) -> None:
    """Ten minutes: of some 800 chunks ten or so are looked at."""
    sealed = clinic.seal(*sound_quiet, most=700)
    assert sealed.index is None
    reader.unlock(clinic.key()).choose(sealed.file).opened()
    reader.page.evaluate("window.appended.push(null)")
    for _ in range(8):
        reader.page.locator("#timeline").press("PageUp")
    reader.play().plays(from_s=480)
    assert reader.handed_bytes() < sealed.file.stat().st_size / 4


def test_the_last_ten_minutes_of_three_hours_are_played_without_reading_the_rest(
    reader: Reader, clinic: Clinic
) -> None:
    sound = noise(60, bits=8)
    kept = record(clinic, mux_long(sound, minutes=180))
    kept.sign(bookmarks_us=(3_600_000_000,))
    reader.unlock(clinic.key()).choose(kept.file, kept.folder / MANIFEST_NAME).opened()
    reader.page.evaluate(READS)
    reader.page.click('[data-preset="last-10"]')
    reader.plays(from_s=10_200)
    assert reader.at_s() < 10_300
    reader.page.click('[data-preset="bookmark-1"]')
    reader.plays(from_s=3_480)
    assert reader.at_s() < 3_600
    assert reader.page.evaluate("window.readBytes") < 24 << 20
    assert "around the bookmark at 1:00:00" in reader.page.inner_text(".slice")


READS = """() => {
  window.readBytes = 0;
  const slice = Blob.prototype.slice;
  Blob.prototype.slice = function (from, to) { window.readBytes += to - from; return slice.call(this, from, to); };
}"""


def mux_long(sound: bytes, *, minutes: int) -> Chunks:
    """A minute over and over: what is in it does not matter here."""
    return mux(sound * minutes)


def test_a_part_ends_where_it_was_said_to_end(
    reader: Reader, clinic: Clinic, sound_quiet: tuple[Chunks, bytes]
) -> None:
    kept = record(clinic, sound_quiet[0])
    kept.sign(bookmarks_us=(2_000_000,))
    reader.unlock(clinic.key()).choose(kept.file, kept.folder / MANIFEST_NAME).opened()
    reader.page.click('[data-preset="bookmark-1"]')
    reader.plays()
    reader.page.locator("#timeline").press("PageUp")
    reader.page.locator("#timeline").press("PageUp")
    for _ in range(12):
        reader.page.locator("#timeline").press("ArrowRight")
        if reader.at_s() > 174:  # five seconds more stay within the part, however long the next press takes
            break
    reader.page.wait_for_function("() => document.querySelector('video').paused")
    assert 181.5 < reader.at_s() < 183.5


def test_keys_play_skip_and_change_the_speed(reader: Reader, clinic: Clinic, sound_quiet: tuple[Chunks, bytes]) -> None:
    sealed = clinic.seal(*sound_quiet)
    reader.unlock(clinic.key()).choose(sealed.file).opened()
    press = reader.page.keyboard.press
    press("k")
    reader.plays()
    press("l")
    reader.plays(from_s=10)
    press(">")
    press(">")
    assert reader.page.evaluate("document.querySelector('video').playbackRate") == 1.5
    assert reader.page.input_value("#speed") == "1.5"
    press("j")
    press("k")
    assert reader.page.evaluate("document.querySelector('video').paused")


def test_the_loudness_is_changed_only_when_somebody_asks_for_it(
    reader: Reader, clinic: Clinic, sound_quiet: tuple[Chunks, bytes]
) -> None:
    sealed = clinic.seal(*sound_quiet)
    reader.unlock(clinic.key()).choose(sealed.file).opened()
    reader.page.evaluate(
        """() => { window.gains = 0; const made = AudioContext.prototype.createGain;
        AudioContext.prototype.createGain = function () { window.gains += 1; return made.call(this); }; }"""
    )
    reader.play().plays(from_s=0.5)
    assert reader.page.evaluate("window.gains") == 0
    reader.page.check("#even")
    reader.page.fill("#gain", "12")
    reader.plays(from_s=1)
    assert reader.page.evaluate("window.gains") == 1
    assert reader.page.inner_text("output") == "+12 dB"
