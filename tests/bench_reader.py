"""How soon the last ten minutes of an hour are heard in the reader, beside a full download. ``make bench-reader``.

A real Chromium shows the reader from disk; the box is a real page behind its nginx, by TLS; between them everything
takes 30 ms each way, and a new connection a round trip more (``tests/reader/delay.py``). Counted is from the press on
"Last 10 min" until the player's clock has moved, which it does with the first sample that is given to the sound device.
A press comes at once after the pointer, as a program presses, or a third of a second after it, as a hand does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from device.capture import encoder
from device.capture.boxes import SoundTrack
from device.capture.encoder import FlacEncoder, stream_info
from device.capture.facts import Facts
from device.capture.mux import Muxer
from device.capture.sealer import Sealer
from device.recording import LEDGER_NAME
from device.recording.manifest import RecordingState
from device.sealed_file import SealedFile
from device.store import Store
from provisioning.reader import FOLDER, READER_NAME
from tests.provisioning.conftest import FORMAT, RATE_HZ, Clinic
from tests.provisioning.damage import facts_of
from tests.reader.delay import Way, delayed
from tests.reader.rooms import MARK, PASSPHRASE, Room, kit_of, room_by_tls, write_kit
from tests.web.test_browser import ARGUMENTS, CHROMIUM

EACH_WAY_S = 0.030
FIRST_SOUND = """() => new Promise((resolve) => {
  const look = () => {
    const video = document.querySelector("video");
    if (video && !video.paused && window.began !== undefined) {
      window.from ??= video.currentTime || undefined;
      if (window.from && video.currentTime > window.from + 0.001 && !video.seeking) {
        return resolve(performance.now() - window.began);
      }
    }
    requestAnimationFrame(look);
  };
  look();
})"""


def speech(seconds: int) -> Iterator[bytes]:
    """The bundled clip over and over, as 24-bit mono, a second at a time."""
    with wave.open(str(Path(encoder.__file__).parent / "room.wav")) as clip:
        assert (clip.getframerate(), clip.getsampwidth(), clip.getnchannels()) == (RATE_HZ, 3, 1)
        whole = clip.readframes(clip.getnframes())
    at, piece = 0, RATE_HZ * 3
    for _ in range(seconds):
        part = whole[at : at + piece]
        part += whole[: piece - len(part)]
        at = (at + piece) % len(whole)
        yield part


def make_recording(clinic: Clinic, seconds: int) -> str:
    """A recording of so many seconds in the clinic's store, written by the box's own hands; its id."""
    (clinic.home / "store").mkdir(exist_ok=True)
    box = Store(clinic.home / "store", device_key=clinic.device_key)
    folder = box.new_folder()
    facts: Facts = facts_of(clinic)
    facts.recording_id = folder.name
    box.write_manifest(facts.manifest(RecordingState.OPEN))
    recipients = [clinic.identities["clinic"].recipient()]
    sealer = Sealer(recipients, SealedFile(folder), on_durable=lambda _end, _size: None)
    muxer = Muxer(SoundTrack(RATE_HZ, 1, 24, stream_info(FORMAT)), None, sink=sealer)
    muxer.open()
    flac = FlacEncoder(FORMAT, sink=muxer.write_frames)
    for part in speech(seconds):
        flac.write(part, len(part) // 3)
    flac.close()
    muxer.close(gaps=())
    sealer.close()
    manifest = facts.manifest(
        RecordingState.COMPLETE,
        duration_us=seconds * 1_000_000,
        chunks=sealer.chunks,
        size_bytes=sealer.size_bytes,
        header_digest=sealer.header_digest,
        digests=sealer.digests,
        closing_digest=sealer.closing_digest,
    )
    box.write_manifest(manifest.model_copy(update={"therapist": MARK}))
    (folder / LEDGER_NAME).unlink()
    return folder.name


@contextmanager
def reader_at(room: Room, clinic: Clinic) -> Iterator[Page]:
    """The reader in Chromium, from disk, with the shelf of that box shown."""
    kit = write_kit(clinic.home, kit_of(clinic.identities["clinic"], [room.place]))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(120_000)
        page.add_init_script(SPY)
        page.goto((FOLDER / READER_NAME).as_uri())
        page.set_input_files("#kit", kit)
        page.fill("#passphrase", PASSPHRASE)
        page.click("text=Unlock")
        page.wait_for_selector("button.pill")
        yield page
        browser.close()


def first_sound(page: Page, way: Way, *, pause_s: float) -> dict[str, float]:
    """One press on "Last 10 min": milliseconds to the first sound, and what came back until then, in all."""
    page.mouse.move(0, 0)
    button = page.locator("button.pill").first
    page.evaluate(
        """() => {
          window.began = window.from = undefined;
          addEventListener("pointerdown", () => (window.began = performance.now()), { once: true, capture: true });
        }"""
    )
    before_bytes, before_connections = way.back_bytes, way.connections
    button.hover()
    time.sleep(pause_s)
    button.click()
    took_ms = float(page.evaluate(FIRST_SOUND))
    told = {"ms": took_ms, "kib": (way.back_bytes - before_bytes) / 1024}
    assert page.evaluate("document.querySelector('video').currentTime") > 60
    page.click("header button")
    page.wait_for_selector("button.pill")
    return {**told, "connections": way.connections - before_connections}


def download(page: Page, recording_id: str) -> dict[str, float]:
    """The whole recording by the same browser on the same way, as the page would have to before it could play it."""
    token = page.evaluate("window.shown")
    path = f"recordings/{recording_id}/session.mp4.age"
    took_ms = page.evaluate(
        """async ([base, path, token]) => {
          const began = performance.now();
          const quiet = { headers: { Accept: token }, credentials: "omit", cache: "no-store" };
          const answer = await fetch(base + path, quiet);
          const reader = answer.body.getReader();
          let bytes = 0;
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return [performance.now() - began, bytes];
            bytes += value.length;
          }
        }""",
        [page.evaluate("window.base"), path, token],
    )
    return {"ms": took_ms[0], "mib": took_ms[1] / 1024**2}


SPY = """(() => {
  const real = window.fetch;
  window.fetch = (address, options) => {
    const shown = options?.headers?.Accept;
    if (shown) [window.shown, window.base] = [shown, new URL("/api/v1/", address).href];
    return real(address, options);
  };
})()"""


def main() -> int:
    """Make the recording, measure, print."""
    words = argparse.ArgumentParser(description="How soon the last ten minutes of a session are heard.")
    words.add_argument("--minutes", type=int, default=60, help="how long the session was (default: 60)")
    words.add_argument("--times", type=int, default=9, help="how often each is measured (default: 9)")
    words.add_argument("--json", action="store_true", help="print one JSON object")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clinic = Clinic(Path(folder))
        recording_id = make_recording(clinic, asked.minutes * 60)
        told = measure(clinic, recording_id, asked.times)
    print(json.dumps(told) if asked.json else "\n".join(lines(told, asked.minutes)))
    return 0


def measure(clinic: Clinic, recording_id: str, times: int) -> dict[str, Any]:
    """All of it."""
    ways: list[Way] = []

    @contextmanager
    def between(port: int) -> Iterator[int]:
        with delayed(port, each_way_s=EACH_WAY_S) as way:
            ways.append(way)
            yield way.port

    identity = clinic.identities["clinic"]
    with (
        room_by_tls(clinic.home / "store", clinic.device_key, identity, between=between) as room,
        reader_at(room, clinic) as page,
    ):
        (way,) = ways
        told: dict[str, Any] = {}
        for name, pause_s in (("at once", 0.0), ("by hand", 0.3)):
            told[name] = [first_sound(page, way, pause_s=pause_s) for _ in range(times)]
        told["download"] = download(page, recording_id)
    return told


def lines(told: dict[str, Any], minutes: int) -> Iterator[str]:
    """What a person reads."""
    yield f"last 10 of {minutes} minutes, 30 ms each way, TLS, Chromium:"
    for name in ("at once", "by hand"):
        ms = sorted(one["ms"] for one in told[name])
        kib = statistics.median(one["kib"] for one in told[name])
        yield (
            f"  pressed {name}: first sound after {statistics.median(ms):.0f} ms "
            f"({ms[0]:.0f} to {ms[-1]:.0f}; the first time {told[name][0]['ms']:.0f}), {kib:.0f} KiB moved by then"
        )
    whole = told["download"]
    yield f"  the whole recording: {whole['ms'] / 1000:.1f} s, {whole['mib']:.0f} MiB"


if __name__ == "__main__":
    sys.exit(main())
