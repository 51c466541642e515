"""Reviewing works in Firefox ESR, too: notes, courses, and a copy in which the reader goes along letter for letter."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from pathlib import Path

import pytest

from device.recording import ATTACHMENTS_NAME
from device.store import Store
from provisioning.reader import DIGEST_NAME, FOLDER
from provisioning.review import open_review
from tests.provisioning.conftest import Chunks, Clinic
from tests.reader.firefox import FIREFOX, Firefox, firefox
from tests.reader.practice import fill, practice_room
from tests.reader.rooms import PASSPHRASE, kit_of, write_kit
from tests.reader.test_firefox import unlocked

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="there is no Firefox here: apt install firefox-esr")

# What would be a download is kept in the page: where Firefox puts files is not the reader's business.
KEEP_DOWNLOADS = """
window.kept = {};
HTMLAnchorElement.prototype.click = function () {
  fetch_(this.href, this.download);
};
async function fetch_(href, name) {
  window.kept[name] = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1]);
    reader.readAsDataURL(blobs.get(href));
  });
}
const blobs = new Map();
const create = URL.createObjectURL;
URL.createObjectURL = (blob) => {
  const href = create.call(URL, blob);
  blobs.set(href, blob);
  return href;
};
"""


def test_a_session_is_reviewed_in_firefox(clinic: Clinic, with_picture: tuple[Chunks, bytes], tmp_path: Path) -> None:
    (own := tmp_path / "firefox").mkdir()
    identity = clinic.identities["clinic"]
    (clinic.home / "store").mkdir()
    store = Store(clinic.home / "store", device_key=clinic.device_key)
    sessions = fill(store, clinic.seal(*with_picture), identity.recipient())
    with practice_room(store, clinic.device_key, identity) as box, firefox(own, {}) as browser:
        unlocked(browser, write_kit(clinic.home, kit_of(identity, [box.place])), PASSPHRASE)
        browser.until("document.querySelector('#across')")
        browser.click("#across")
        browser.until("document.querySelectorAll('svg.chart').length === 4")
        first = browser.script("return document.querySelector('section.course').dataset.client")
        assert first == "B-17"
        browser.click("header button")
        browser.until("document.querySelector('button.open')")
        browser.click("button.open")
        browser.until("document.querySelector('#add-note')")
        browser.click("#add-note")
        browser.type(".notes textarea", "here you waited")
        browser.click("#save-review")
        browser.until("document.querySelector('.said-before')")
        (review,) = (store.folder(sessions[-1].recording) / ATTACHMENTS_NAME).glob("review-*.age")
        assert open_review(review.read_bytes(), [identity]).notes[0].text == "here you waited"
        copied(browser)


def copied(browser: Firefox) -> None:
    """A copy made in Firefox: the very reader, and a recording that is sealed by passphrase."""
    browser.script(KEEP_DOWNLOADS)
    browser.click("[data-panel=copy] > summary")
    browser.type("#copy-who", "client A-04, in writing")
    browser.script("document.querySelector('#copy-on').value = '2026-11-20'")
    browser.click("#copy-download")
    browser.until("document.querySelector('output.passphrase') && Object.keys(window.kept).length === 4")
    kept = {name: b64decode(text) for name, text in json.loads(browser.script("return JSON.stringify(kept)")).items()}
    digest = (FOLDER / DIGEST_NAME).read_text(encoding="ascii").split()[0]
    assert hashlib.sha256(kept["reader.html"]).hexdigest() == digest
    assert kept["recording.mp4.age"].startswith(b"age-encryption.org/v1\n-> scrypt ")
    facts = json.loads(kept["release.json"])
    assert facts["files"]["recording.mp4.age"]["sha256"] == hashlib.sha256(kept["recording.mp4.age"]).hexdigest()
