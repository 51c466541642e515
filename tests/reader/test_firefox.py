"""Firefox ESR plays too: it has no ChaCha20-Poly1305 of its own, and decodes by other hands."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from device.recording import MANIFEST_NAME
from tests.capture.alsa_rooms import PulseRoom
from tests.provisioning.conftest import RATE_HZ, Chunks, Clinic
from tests.provisioning.damage import record
from tests.reader.browsing import DECODED, READER, SPY
from tests.reader.firefox import FIREFOX, Firefox, firefox
from tests.reader.rooms import MARK, PASSPHRASE, kit_of, room, write_kit

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="there is no Firefox here: apt install firefox-esr")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with tempfile.TemporaryDirectory() as short:
        sound = PulseRoom(Path(short))
        try:
            sound.start()
            with firefox(tmp_path_factory.mktemp("firefox"), sound.client_environment) as made:
                yield made
        finally:
            sound.stop()


def unlocked(browser: Firefox, kit: Path, passphrase: str = "") -> None:
    browser.show(READER.as_uri())
    browser.script(SPY)
    browser.type("#kit", str(kit))
    if passphrase:
        browser.type("#passphrase", passphrase)
    browser.click("button.main")
    browser.until("document.querySelector('#file')")


def plays(browser: Firefox, from_s: float) -> None:
    browser.until(f"document.querySelector('video').currentTime > {from_s} && !document.querySelector('video').paused")


@pytest.mark.parametrize("to", ["clinic", "classic"])
def test_a_file_from_disk_plays_and_is_the_source_bit_for_bit(
    browser: Firefox, clinic: Clinic, sound_24: tuple[Chunks, bytes], to: str
) -> None:
    sealed = clinic.seal(*sound_24, to=to)
    unlocked(browser, clinic.key(to))
    browser.type("#file", str(sealed.file))
    browser.until("document.querySelector('#play')")
    browser.until(
        "document.querySelector('video').buffered.length && document.querySelector('video').buffered.end(0) > 19.9"
    )
    browser.click("#play")
    plays(browser, 1)
    digest, samples = browser.script(f"return await ({DECODED})()")
    assert (digest, samples) == (sha256(sound_24[1]).hexdigest(), 20 * RATE_HZ)


def test_sound_and_picture_play(browser: Firefox, clinic: Clinic, with_picture: tuple[Chunks, bytes]) -> None:
    sealed = clinic.seal(*with_picture)
    unlocked(browser, clinic.key())
    browser.type("#file", str(sealed.file))
    browser.until("document.querySelector('#play')")
    browser.click("#play")
    plays(browser, 1)
    assert browser.script("return document.querySelector('video').videoWidth") == 320


def test_a_box_is_signed_in_to_and_played_from(
    browser: Firefox, clinic: Clinic, sound_24: tuple[Chunks, bytes]
) -> None:
    kept = record(clinic, sound_24[0])
    kept.sign(therapist=MARK)
    identity = clinic.identities["clinic"]
    with room(clinic.home / "store", clinic.device_key, identity) as box:
        unlocked(browser, write_kit(clinic.home, kit_of(identity, [box.place])), PASSPHRASE)
        browser.until("document.querySelector('button.open')")
        browser.click("button.open")
        browser.until("document.querySelector('#play')")
        browser.click("#play")
        plays(browser, 1)
        assert "signed by Room 3" in browser.script("return document.querySelector('main').innerText")


def test_damage_is_told(browser: Firefox, clinic: Clinic, sound_24: tuple[Chunks, bytes]) -> None:
    kept = record(clinic, sound_24[0])
    kept.change(lambda content: content.__setitem__(kept.chunk_at(4) + 9, content[kept.chunk_at(4) + 9] ^ 1))
    unlocked(browser, clinic.key())
    browser.type("#file", f"{kept.file}\n{kept.folder / MANIFEST_NAME}")
    browser.until("document.querySelector('.problem[data-kind=damaged]')")
    assert "chunk 4 is not what was sealed" in browser.script("return document.querySelector('.problem').innerText")
