"""How the reader looks: axe finds nothing and nothing sticks out, on a phone and at a desk, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from device.recording import MANIFEST_NAME
from tests.provisioning.conftest import Chunks, Clinic
from tests.provisioning.damage import record
from tests.reader.browsing import Reader, reading
from tests.reader.rooms import MARK, PASSPHRASE, kit_of, room, write_kit
from tests.reader.test_identity import PASSPHRASE as WORDS
from tests.reader.test_identity import fill
from tests.web.test_looks import found_by_axe

SIZES = {"phone": (360, 740), "desk": (1280, 900)}


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join)
def seen(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Reader]:
    size, scheme = request.param
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    with reading(chromium, viewport=viewport, color_scheme=scheme, reduced_motion="reduce") as reader:
        yield reader


def looks_right(reader: Reader) -> None:
    assert found_by_axe(reader.page) == []
    assert reader.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_it_looks_right_from_the_first_page_to_a_failure(
    seen: Reader, clinic: Clinic, with_picture: tuple[Chunks, bytes]
) -> None:
    looks_right(seen)
    seen.page.click("summary")
    seen.page.click("text=Unlock")
    seen.problem("nothing chosen")
    looks_right(seen)
    kept = record(clinic, with_picture[0])
    kept.sign(therapist=MARK, bookmarks_us=(3_000_000, 9_000_000))
    identity = clinic.identities["clinic"]
    with room(clinic.home / "store", clinic.device_key, identity) as box:
        away = {"name": "a room that is away", "address": "http://127.0.0.1:9", "device_key": "0" * 16}
        seen.unlock(write_kit(clinic.home, kit_of(identity, [box.place, away])), PASSPHRASE)
        seen.problem("unreachable")
        looks_right(seen)
        seen.page.locator("button.open").first.click()
        seen.opened().play().plays()
        seen.page.click('[data-preset="bookmark-1"]')
        looks_right(seen)
    kept.change(lambda content: content.__setitem__(kept.chunk_at(3), content[kept.chunk_at(3)] ^ 1))
    seen.page.click("header button")
    seen.choose(kept.file, kept.folder / MANIFEST_NAME)
    seen.problem("damaged")
    looks_right(seen)


def test_making_an_identity_looks_right_from_the_first_word_to_the_picture(seen: Reader) -> None:
    seen.page.click("#identity summary")
    looks_right(seen)
    fill(seen, "Anna B", WORDS, WORDS)
    seen.problem("no login")
    looks_right(seen)
    seen.page.click("#identity-suggest")
    looks_right(seen)
    fill(seen, "anna", WORDS, WORDS)
    seen.page.locator("#identity-save").wait_for()
    looks_right(seen)


def test_it_is_worked_by_keys_alone(reader: Reader, clinic: Clinic, sound_24: tuple[Chunks, bytes]) -> None:
    """What has the focus is seen, and a page that is new begins at its heading."""
    sealed = clinic.seal(*sound_24)
    reader.unlock(clinic.key()).choose(sealed.file).opened()
    assert reader.page.evaluate("() => document.activeElement.tagName") == "H1"
    passed = []
    for _ in range(4):
        reader.page.keyboard.press("Tab")
        passed.append(reader.page.evaluate("() => document.activeElement.id || document.activeElement.title"))
        outline = reader.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
    assert passed == ["timeline", "Back 10 seconds", "play", "On 10 seconds"]
    reader.page.keyboard.press("Shift+Tab")
    reader.page.keyboard.press("Enter")
    reader.plays()


def test_the_levels_are_drawn_of_the_whole_recording(
    reader: Reader, clinic: Clinic, sound_24: tuple[Chunks, bytes]
) -> None:
    """From disk by themselves: in every part of the line there is more than the line."""
    sealed = clinic.seal(*sound_24)
    reader.unlock(clinic.key()).choose(sealed.file).opened()
    drawn = """() => {
      const canvas = document.querySelector("canvas");
      const { data, width } = canvas.getContext("2d").getImageData(0, canvas.height / 2 - 6, canvas.width, 1);
      let found = 0;
      for (let part = 0; part < 10; part += 1) {
        const at = 4 * Math.floor(((part + 0.5) * width) / 10);
        found += data[at + 3] > 0;
      }
      return found === 10;
    }"""
    reader.page.wait_for_function(drawn)
