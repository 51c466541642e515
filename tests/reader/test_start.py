"""Who reads: kits, keys and passphrases; and what is kept of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.provisioning.conftest import Chunks, Clinic
from tests.reader.browsing import READER, Reader, reading
from tests.reader.rooms import PASSPHRASE, kit_of, locked, write_kit

PLACE = {"name": "room-3", "address": "https://room-3.example", "device_key": "00112233aabbccdd"}


@pytest.fixture
def kit(clinic: Clinic) -> dict[str, Any]:
    return kit_of(clinic.identities["clinic"], [])


def refused(reader: Reader, file: Path, passphrase: str, kind: str) -> str:
    reader.page.set_input_files("#kit", file)
    reader.page.fill("#passphrase", passphrase)
    reader.page.click("text=Unlock")
    return reader.problem(kind)


def test_a_kit_is_unlocked_by_its_passphrase(reader: Reader, clinic: Clinic, kit: dict[str, Any]) -> None:
    file = write_kit(clinic.home, kit)
    assert "does not open it" in refused(reader, file, "another", "wrong passphrase")
    reader.unlock(file, PASSPHRASE)
    assert "Recordings for Ada" in reader.page.inner_text("h1")


def test_an_identity_that_is_sealed_by_passphrase_is_unlocked_too(
    reader: Reader, clinic: Clinic, sound_24: tuple[Chunks, bytes]
) -> None:
    sealed = clinic.seal(*sound_24)
    (file := clinic.home / "ada.key.age").write_text(locked(clinic.key().read_text()), encoding="ascii")
    reader.unlock(file, PASSPHRASE).choose(sealed.file).opened()


def test_nothing_is_kept_unless_somebody_asks_and_then_it_is_locked(
    chromium: Browser, clinic: Clinic, kit: dict[str, Any]
) -> None:
    file = write_kit(clinic.home, kit)
    secret = clinic.identities["clinic"].secret_text()
    with reading(chromium) as reader:
        reader.unlock(file, PASSPHRASE)
        assert reader.page.evaluate("() => [localStorage.length, document.cookie.length]") == [0, 0]
        assert reader.page.evaluate("() => indexedDB.databases()") == []
        reader.page.reload()
        reader.page.check("#remember")
        reader.unlock(file, PASSPHRASE)
        kept = reader.page.evaluate("() => JSON.stringify(localStorage)")
        assert PASSPHRASE not in kept
        assert secret not in kept
        reader.page.reload()
        reader.page.fill("#passphrase", PASSPHRASE)
        reader.page.click("text=Unlock")
        reader.page.locator("#file").wait_for(state="attached")
        reader.page.reload()
        reader.page.click("text=Forget it")
        reader.page.wait_for_function("() => localStorage.length === 0")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"sotto_kit": 2}, "not a kit"),
        ({"more": 1}, "not a kit"),
        ({"boxes": [PLACE | {"address": "http://room-3.example"}]}, "not a kit"),
        ({"boxes": [PLACE | {"address": "javascript:alert(1)"}]}, "not a kit"),
        ({"boxes": [PLACE | {"address": "https://room-3.example/elsewhere"}]}, "not a kit"),
        ({"boxes": [PLACE | {"device_key": "x"}]}, "not a kit"),
        ({"identity": locked("no key in it")}, "not a key"),
        ({"identity": "AGE-SECRET-KEY-1"}, "not age"),
    ],
)
def test_what_is_no_kit_is_told(
    reader: Reader, clinic: Clinic, kit: dict[str, Any], change: dict[str, Any], kind: str
) -> None:
    refused(reader, write_kit(clinic.home, kit | change), PASSPHRASE, kind)


def test_without_a_file_nothing_is_unlocked(reader: Reader) -> None:
    reader.page.click("text=Unlock")
    assert "No kit was chosen" in reader.problem("nothing chosen")


def test_a_copy_is_opened_by_its_passphrase_alone(
    reader: Reader, clinic: Clinic, sound_24: tuple[Chunks, bytes]
) -> None:
    from device.age.header import encode_header
    from device.age.passphrase import PassphraseRecipient

    sealed = clinic.seal(*sound_24)
    copy = clinic.home / "copy.age"
    copy.write_bytes(sealed_anew(sealed.plaintext, PassphraseRecipient(PASSPHRASE, log_n=10), encode_header))
    reader.page.click("summary")
    reader.page.fill("#copy-passphrase", PASSPHRASE)
    reader.page.click("text=Go on to choose the file")
    reader.page.locator("#file").wait_for(state="attached")
    reader.choose(copy).opened().play().plays()


def sealed_anew(plaintext: bytes, recipient: Any, encode_header: Any) -> bytes:
    """The chunks of a recording under a passphrase, with its closing as the last one."""
    import secrets

    from device.age.chunks import ChunkCipher, payload_key
    from device.recording import CHUNK_BYTES

    key, nonce = secrets.token_bytes(16), secrets.token_bytes(16)
    cipher = ChunkCipher(payload_key(key, nonce))
    pieces = [plaintext[at : at + CHUNK_BYTES] for at in range(0, len(plaintext), CHUNK_BYTES)]
    sealed = [cipher.seal(number, piece, last=number == len(pieces) - 1) for number, piece in enumerate(pieces)]
    return b"".join((encode_header([recipient.wrap(key)], key), nonce, *sealed))


def test_the_reader_by_itself_asks_nobody_for_anything(reader: Reader, clinic: Clinic) -> None:
    """From disk, with a key, and after everything was looked at: not one request."""
    reader.unlock(clinic.key())
    assert [address for address in reader.asked if not address.startswith(("blob:", "data:"))] == []
    text = READER.read_text(encoding="utf-8")
    assert json.dumps(text).count("http://www.w3.org/2000/svg") == 2  # a name, not a place: ours, and the QR code's
    policy = reader.page.get_attribute('meta[http-equiv="Content-Security-Policy"]', "content") or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
