"""Reviewing in the reader, in a real Chromium, with a real box: notes, measures, shared parts, clients' copies."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from device.age.opening import decrypt
from device.age.passphrase import PassphraseIdentity
from device.measures.document import from_bytes
from device.recording import ATTACHMENTS_NAME
from device.store import Store
from provisioning.copying import Release, write_release
from provisioning.opening import open_whole
from provisioning.reader import DIGEST_NAME, FOLDER, READER_NAME
from provisioning.report import Opened
from provisioning.review import Review, open_review, parse_review
from provisioning.source import FileSource
from tests.provisioning.conftest import Clinic, mux, noise, pictures
from tests.reader.practice import Session, fill, practice_room, put, sealed_for
from tests.reader.rooms import MARK, PASSPHRASE, kit_of, write_kit
from tests.support import PATIENCE_S, said

AGE_PQ = Path(__file__).parents[2] / ".cache" / "age" / "usr" / "bin" / "age"
GRACE, LINUS = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
RUBRIC = {
    "id": "basics",
    "title": "Basics",
    "items": [
        {"id": "empathy", "text": "Empathy", "least": 0, "most": 6},
        {"id": "focus", "text": "Focus", "least": 0, "most": 6},
    ],
}


@pytest.fixture(scope="module", autouse=True)
def patience() -> None:
    expect.set_options(timeout=PATIENCE_S * 1000)  # a busy machine is slow, not broken


@pytest.fixture(scope="module")
def recorded() -> tuple[Any, bytes]:
    """Twenty seconds of sound and picture."""
    sound = noise(20, seed=9)
    return mux(sound, pictures(20)), sound


@dataclass
class Desk:
    """A supervisor at the reader: the page, what lies on the box, and everything that the page asked for."""

    clinic: Clinic
    store: Store
    sessions: list[Session]
    page: Page
    address: str
    asked: list[str]

    def open(self, recording: str) -> None:
        """Open a recording from the list, and wait until it can be watched."""
        place = [one.recording for one in reversed(self.sessions)].index(recording)
        self.page.locator("button.open").nth(place).click()
        expect(self.page.locator("#add-note")).to_be_visible()

    def session(self, client: str, number: int) -> str:
        return next(one.recording for one in self.sessions if (one.client, one.number) == (client, number))

    def beside(self, recording: str, pattern: str) -> list[Path]:
        return sorted((self.store.folder(recording) / ATTACHMENTS_NAME).glob(pattern))

    def review(self, file: Path, *, key: str = "clinic") -> Review:
        return open_review(file.read_bytes(), [self.clinic.identities[key]])

    def downloads(self, press: Callable[[], None], count: int) -> dict[str, Path]:
        """The files that the browser was given after a press."""
        got: dict[str, Path] = {}
        waiting: list[Any] = []
        self.page.on("download", lambda one: waiting.append(one))  # noqa: PLW0108  # playwright marks what it calls
        press()
        until = time.monotonic() + PATIENCE_S
        while len(waiting) < count and time.monotonic() < until:
            self.page.wait_for_timeout(50)
        assert len(waiting) == count
        for one in waiting:
            to = self.clinic.home / "downloads" / one.suggested_filename
            one.save_as(to)
            got[one.suggested_filename] = to
        return got


@pytest.fixture
def desk(clinic: Clinic, chromium: Browser, recorded: Any) -> Iterator[Desk]:
    identity = clinic.identities["clinic"]
    (clinic.home / "store").mkdir()
    store = Store(clinic.home / "store", device_key=clinic.device_key)
    sessions = fill(store, clinic.seal(*recorded), identity.recipient())
    people = [
        {"mark": GRACE, "name": "Grace", "roles": ["therapist"], "recipient": _recipient(clinic, "stranger")},
        {"mark": LINUS, "name": "Linus", "roles": ["supervisor"], "recipient": _recipient(clinic, "classic")},
    ]
    with practice_room(store, clinic.device_key, identity) as box:
        kit = kit_of(identity, [box.place], people=people, tags=["Rupture", "Repair"], rubric=RUBRIC)
        page = chromium.new_page(accept_downloads=True)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        unlock(page, write_kit(clinic.home, kit))
        expect(page.locator("button.open").first).to_be_visible()
        yield Desk(clinic, store, sessions, page, box.address, asked)
        page.close()


def _recipient(clinic: Clinic, name: str) -> str:
    return str(clinic.identities[name].recipient())


def plays_to(page: Page, moment_s: float) -> None:
    """Wait until the recording has come so far. (What playwright has for it is not let in by the page's policy.)"""
    page.evaluate(
        """([moment_s, patience_s]) => new Promise((resolve, reject) => {
          const look = () =>
            document.querySelector("video").currentTime >= moment_s ? resolve() : setTimeout(look, 50);
          setTimeout(() => reject(new Error(`it never came to ${moment_s} s`)), patience_s * 1000);
          look();
        })""",
        [moment_s, PATIENCE_S],
    )


def unlock(page: Page, kit: Path) -> None:
    page.goto((FOLDER / READER_NAME).as_uri())
    page.set_input_files("#kit", kit)
    page.fill("#passphrase", PASSPHRASE)
    page.click("text=Unlock")


# -- notes ------------------------------------------------------------------------------------------------------------


def test_a_key_begins_a_note_at_the_present_moment_and_the_recording_goes_on(desk: Desk) -> None:
    desk.open(desk.session("A-04", 1))
    page = desk.page
    page.keyboard.press("k")
    plays_to(page, 1)
    page.keyboard.press("n")
    began_s = page.evaluate("document.querySelector('video').currentTime")
    page.keyboard.type("k and n and l are letters here, too")
    plays_to(page, began_s + 1)
    assert page.evaluate("document.querySelector('video').paused") is False
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    assert page.evaluate("document.querySelector('video').paused") is True
    page.click("#save-review")
    expect(page.locator(".said-before")).to_contain_text("k and n and l are letters here, too")
    (file,) = desk.beside(desk.session("A-04", 1), "review-*.age")
    (note,) = desk.review(file).notes
    assert note.at_us is not None
    assert 1 <= note.at_us / 1e6 <= began_s + 0.1


def test_a_review_is_sealed_to_those_chosen_and_lies_beside_the_recording(desk: Desk) -> None:
    recording = desk.session("B-17", 2)
    desk.open(recording)
    page = desk.page
    page.click("#add-note")
    page.keyboard.type("<img src=x onerror=alert(1)>\nsecond line")
    page.click(".notes >> text=Repair")
    page.fill("#review-growth_edge", "staying with silence")
    page.fill("#review-plan", "wait three breaths")
    page.fill("#review-next_date", "2026-12-01")
    page.click("text=Basics")
    page.select_option("#rating-empathy", "4")
    page.check("text=Grace")
    page.click("#save-review")
    expect(page.locator(".said-before")).to_contain_text("staying with silence")
    (file,) = desk.beside(recording, "review-*.age")
    for key in ("clinic", "stranger"):
        review = desk.review(file, key=key)
        assert (review.recording, review.by) == (recording, MARK)
        assert [(one.text, one.tags) for one in review.notes] == [
            ("<img src=x onerror=alert(1)>\nsecond line", ("Repair",))
        ]
        assert review.growth_edge == "staying with silence"
        assert review.plan is not None
        assert (review.plan.text, review.plan.next_date) == ("wait three breaths", "2026-12-01")
        assert review.ratings is not None
        assert dict(review.ratings.items) == {"empathy": 4, "focus": None}
        assert datetime.fromisoformat(review.at)
    assert file.read_bytes().count(b"\n-> ") == 2, "for nobody else"
    expect(page.locator(".notes li")).to_have_count(0)
    expect(page.locator("#review-growth_edge")).to_have_value("")
    assert page.locator(".said-before img").count() == 0


def test_readers_with_old_and_with_new_keys_get_a_file_each(desk: Desk) -> None:
    recording = desk.session("B-17", 2)
    desk.open(recording)
    desk.page.fill("#review-plan", "practise")
    desk.page.check("text=Linus")
    desk.page.click("#save-review")
    expect(desk.page.locator(".review .saving .note")).to_contain_text("review-001.age and review-002.age")
    new, old = desk.beside(recording, "review-*.age")
    assert desk.review(new) == desk.review(old, key="classic")


def test_a_review_as_a_file_opens_with_stock_age(desk: Desk) -> None:
    desk.open(desk.session("A-04", 1))
    desk.page.fill("#review-growth_edge", "pace")
    got = desk.downloads(lambda: desk.page.click("#save-review-file"), 1)
    ((name, file),) = got.items()
    assert name == f"review-{desk.session('A-04', 1)}.age"
    told = json.loads(said([AGE_PQ, "-d", "-i", desk.clinic.key(), file]))
    assert told["growth_edge"] == "pace"
    assert desk.review(file).growth_edge == "pace"


def test_nothing_is_saved_where_nothing_was_written(desk: Desk) -> None:
    desk.open(desk.session("A-04", 1))
    desk.page.click("#add-note")
    desk.page.click("#save-review")
    expect(desk.page.locator(".saving .problem")).to_contain_text("There is nothing to save yet.")
    assert not desk.beside(desk.session("A-04", 1), "review-*.age")


def test_a_draft_is_still_there_after_another_recording_and_is_kept_nowhere(desk: Desk) -> None:
    page = desk.page
    desk.open(desk.session("A-04", 1))
    page.click("#add-note")
    page.keyboard.type("not finished")
    page.click("header button")
    desk.open(desk.session("A-04", 2))
    expect(page.locator(".notes li")).to_have_count(0)
    page.click("header button")
    desk.open(desk.session("A-04", 1))
    expect(page.locator(".notes textarea")).to_have_value("not finished")
    assert page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)") == "{}{}"


def test_what_was_said_before_is_shown_with_its_moments_and_who_said_it(desk: Desk) -> None:
    recording = desk.session("A-04", 2)
    review = Review(
        recording=recording,
        by=GRACE,
        at="2026-02-01T10:00:00Z",
        notes=({"at_us": 12_000_000, "text": "listen to this", "tags": ("Rupture",)},),
    )
    mine = desk.clinic.identities["clinic"].recipient()
    put(desk.store.path, recording, "review-001.age", sealed_for(mine, review.model_dump_json().encode()))
    others = desk.clinic.identities["stranger"].recipient()
    put(desk.store.path, recording, "review-002.age", sealed_for(others, b"not for you"))
    put(desk.store.path, recording, "review-003.age", sealed_for(mine, b'{"sotto_review": 1, "by": "<script>"}'))
    desk.open(recording)
    shown = desk.page.locator(".said-before")
    expect(shown).to_contain_text("Grace")
    expect(shown).to_contain_text("listen to this")
    expect(desk.page.locator(".earlier")).to_contain_text("1 more is sealed to others.")
    expect(desk.page.locator(".earlier .problem")).to_contain_text(
        "review-003.age opens, and is not what its name says."
    )
    shown.locator("button.moment").click()
    plays_to(desk.page, 12)


def test_the_growth_edge_and_the_plan_are_found_in_the_last_sessions(desk: Desk) -> None:
    mine = desk.clinic.identities["clinic"].recipient()
    for client, number, key, value in (
        ("A-04", 1, "growth_edge", "an older one"),
        ("A-04", 1, "plan", {"text": "wait three breaths", "next_date": "2026-12-01"}),
        ("B-17", 2, "growth_edge", "staying with silence"),
    ):
        recording = desk.session(client, number)
        said_then = {"recording": recording, "by": GRACE, "at": "2026-02-01T10:00:00Z", key: value}
        review = parse_review(json.dumps({"sotto_review": 1, **said_then}).encode())
        name = f"review-{len(desk.beside(recording, 'review-*.age')) + 1:03d}.age"
        put(desk.store.path, recording, name, sealed_for(mine, review.model_dump_json().encode()))
    desk.open(desk.session("A-04", 4))
    desk.page.click("#show-current")
    shown = desk.page.locator(".current")
    expect(shown).to_contain_text("Growth edge: staying with silence (Grace, ")
    expect(shown).to_contain_text("Plan: wait three breaths")
    expect(shown).to_contain_text("looked at again on Tue, Dec 1, 2026")
    assert "an older one" not in shown.inner_text()


def test_a_folder_is_reviewed_like_a_box_and_its_review_becomes_a_file(desk: Desk) -> None:
    recording = desk.session("B-17", 3)
    desk.page.set_input_files("#folder", desk.store.folder(recording))
    expect(desk.page.locator(".measures")).to_contain_text("Client code B-17, session 3")
    expect(desk.page.locator("[data-measure='phq-9']")).to_be_visible()
    expect(desk.page.locator("#save-review")).to_have_count(0)
    desk.page.fill("#review-plan", "practise")
    got = desk.downloads(lambda: desk.page.click("#save-review-file"), 1)
    assert desk.review(got[f"review-{recording}.age"]).recording == recording


def test_what_its_client_has_withdrawn_is_neither_shared_nor_copied(desk: Desk) -> None:
    recording = desk.session("B-17", 3)
    (desk.store.folder(recording) / "withdrawn").touch()
    desk.page.set_input_files("#folder", desk.store.folder(recording))
    for panel in ("share", "copy"):
        desk.page.click(f"[data-panel={panel}] > summary")
        told = desk.page.locator(f"[data-panel={panel}]")
        expect(told).to_contain_text("Its client has withdrawn this recording.")
        expect(told.locator("button")).to_have_count(0)


# -- measures ---------------------------------------------------------------------------------------------------------


def test_who_is_off_track_comes_first_and_sessions_without_measures_are_marked(desk: Desk) -> None:
    page = desk.page
    page.click("#across")
    expect(page.locator("section.course")).to_have_count(3)
    told = [
        (one.get_attribute("data-client"), one.get_attribute("data-track"))
        for one in page.locator("section.course").all()
    ]
    assert told == [("B-17", "off"), ("C-02", "unsure"), ("A-04", "on")]
    expect(page.locator("[data-client='C-02']")).to_contain_text("2 of 2 sessions without measures.")
    expect(page.locator("[data-client='A-04'] .note")).to_have_text("1 of 4 sessions without measures.")
    expect(page.locator("[data-client='B-17'] .series").first).to_contain_text("7 worse than at the first; 6 counts")
    expect(page.locator("[data-client='B-17'] svg .chart-off")).to_have_count(2)
    marked = page.locator("[data-client='A-04'] svg").first.locator("a[aria-label*='not measured']")
    assert marked.get_attribute("aria-label") == "Session 3: not measured. Open the recording."


@pytest.mark.parametrize("by", ["finger", "keyboard"])
def test_each_point_and_each_missing_one_opens_its_recording(desk: Desk, by: str) -> None:
    page = desk.page
    for label, client, number in (("Session 2, ", "A-04", 2), ("Session 3: not measured", "A-04", 3)):
        page.click("#across")
        point = page.locator(f"[data-client='{client}'] svg").first.locator(f"a[aria-label^='{label}']")
        if by == "finger":
            point.click(force=True)
        else:
            point.focus()
            page.keyboard.press("Enter")
        expect(page.locator("#add-note")).to_be_visible()
        expect(page.locator(".measures")).to_contain_text(f"Client code {client}, session {number}")
        page.click("header button")
        page.click("header button")


def test_the_measures_of_a_session_stand_beside_it_and_their_course_on_demand(desk: Desk) -> None:
    page = desk.page
    desk.open(desk.session("B-17", 3))
    answered = page.locator("[data-measure='phq-9']")
    expect(answered).to_contain_text("16 of 0 to 27: Total, moderately severe")
    answered.locator("summary").click()
    expect(answered.locator("dd").first).to_have_text("Nearly every day")
    page.click("#show-course")
    expect(page.locator(".measures section.course")).to_have_attribute("data-client", "B-17")
    expect(page.locator(".measures svg")).to_have_count(2)


def test_what_somebody_else_put_in_the_place_of_a_measure_is_told_and_nothing_of_it_is_used(desk: Desk) -> None:
    recording = desk.session("A-04", 1)
    mine = desk.clinic.identities["clinic"].recipient()
    (genuine, _) = desk.beside(recording, "measure-*.age")
    opened = io.BytesIO()
    decrypt(io.BytesIO(genuine.read_bytes()), opened, [desk.clinic.identities["clinic"]])
    altered = json.loads(opened.getvalue())
    assert from_bytes(opened.getvalue())
    altered["scores"][0]["value"] = 9999
    altered["measure"]["title"] = "<script>document.title='taken over'</script>"
    put(desk.store.path, recording, genuine.name, sealed_for(mine, json.dumps(altered).encode()))
    put(desk.store.path, desk.session("A-04", 2), "label.age", sealed_for(mine, b"x" * 200_000))
    desk.page.click("#across")
    expect(desk.page.locator("[data-client='A-04'] .note")).to_have_text("1 of 3 sessions without measures.")
    expect(desk.page.locator(".courses details")).to_contain_text("1 without a label that your key opens")
    links = [one.get_attribute("aria-label") or "" for one in desk.page.locator("[data-client='A-04'] a").all()]
    assert any(one.startswith("Session 1: there are measures that your key does not open") for one in links)
    assert not any("9999" in one for one in links)
    assert desk.page.title() == "Sotto reader"
    assert "9999" not in desk.page.locator("main").inner_text()


# -- shared parts and copies ------------------------------------------------------------------------------------------


def test_a_shared_part_opens_for_the_other_person_alone_and_plays(desk: Desk) -> None:
    page = desk.page
    desk.open(desk.session("A-04", 1))
    page.click("[data-panel=share] > summary")
    page.fill("#share-from", "0:08")
    page.fill("#share-to", "0:12")
    page.select_option("#share-person", label="Grace")
    got = desk.downloads(lambda: page.click("#save-clip"), 1)
    ((name, file),) = got.items()
    assert name == f"{desk.session('A-04', 1)}-0-08-to-0-12.mp4.age"
    expect(page.locator("[data-panel=share] .note")).to_contain_text("for Grace alone")
    assert (
        subprocess.run([AGE_PQ, "-d", "-i", desk.clinic.key(), file], capture_output=True, check=False).returncode == 1
    )
    clip = desk.clinic.home / "clip.mp4"
    clip.write_bytes(said([AGE_PQ, "-d", "-i", desk.clinic.key("stranger"), file]))
    assert desk.clinic.player.kinds(clip) == ["audio", "video"]
    assert 4 <= float(desk.clinic.player.probe(clip)["format"]["duration"]) < 7
    assert desk.clinic.player.pictures(clip) > 90


def test_moments_that_make_no_sense_are_told_and_nothing_is_saved(desk: Desk) -> None:
    page = desk.page
    desk.open(desk.session("A-04", 1))
    page.click("[data-panel=share] > summary")
    for from_, to, told in (
        ("0:12", "0:12", "There is nothing between"),
        ("0:30", "0:40", "The recording is over at 0:20."),
        ("soon", "0:10", "“soon” is no moment"),
    ):
        page.fill("#share-from", from_)
        page.fill("#share-to", to)
        page.click("#save-clip")
        expect(page.locator("[data-panel=share] .problem")).to_contain_text(told)


def make_copy(desk: Desk, *, sound_only: bool) -> tuple[dict[str, Path], str]:
    """A client's copy as downloads, and its passphrase."""
    page = desk.page
    page.click("[data-panel=copy] > summary")
    page.fill("#copy-who", "client A-04, in writing")
    page.fill("#copy-on", "2026-11-20")
    if sound_only:
        page.check("#copy-sound")
    got = desk.downloads(lambda: page.click("#copy-download"), 4)
    return got, page.locator("output.passphrase").inner_text()


@pytest.mark.parametrize("sound_only", [False, True])
def test_a_clients_copy_opens_with_its_passphrase_and_says_who_agreed(
    desk: Desk, recorded: Any, *, sound_only: bool
) -> None:
    recording = desk.session("A-04", 1)
    desk.open(recording)
    files, passphrase = make_copy(desk, sound_only=sound_only)
    assert sorted(files) == ["RELEASE.txt", "reader.html", "recording.mp4.age", "release.json"]
    plain = desk.clinic.home / "copy.mp4"
    source = FileSource(files["recording.mp4.age"])
    with plain.open("wb") as sink:
        open_whole(source, [PassphraseIdentity(passphrase)], sink, progress=lambda *_: None)
    source.close()
    assert desk.clinic.player.kinds(plain) == (["audio"] if sound_only else ["audio", "video"])
    assert desk.clinic.player.samples(plain) == recorded[1]
    facts = json.loads(files["release.json"].read_text(encoding="utf-8"))
    for name, told in facts["files"].items():
        content = files[name].read_bytes()
        assert told == {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert facts["agreed"] == {"who": "client A-04, in writing", "on": "2026-11-20"}
    assert (facts["recording"], facts["sound_only"]) == (recording, sound_only)


def test_the_reader_goes_along_letter_for_letter(desk: Desk) -> None:
    desk.open(desk.session("A-04", 1))
    files, _ = make_copy(desk, sound_only=True)
    digest = (FOLDER / DIGEST_NAME).read_text(encoding="ascii").split()[0]
    assert hashlib.sha256(files["reader.html"].read_bytes()).hexdigest() == digest


def test_the_release_note_is_the_one_that_sotto_clinic_writes(desk: Desk) -> None:
    recording = desk.session("A-04", 1)
    desk.open(recording)
    files, _ = make_copy(desk, sound_only=False)
    facts = json.loads(files["release.json"].read_text(encoding="utf-8"))
    theirs = desk.clinic.home / "theirs"
    theirs.mkdir()
    (theirs / "recording.mp4.age").write_bytes(files["recording.mp4.age"].read_bytes())
    release = Release(
        facts["agreed"]["who"],
        facts["agreed"]["on"],
        facts["revocable"],
        facts["released"]["by"],
        facts["released"]["at"],
    )
    opened = Opened(
        name=recording, index=None, duration_us=0, has_picture=True, chunks=0, size_bytes=0, bytes_read=0, output=""
    )
    write_release(theirs, release, opened, force=False)
    for name in ("release.json", "RELEASE.txt"):
        assert files[name].read_text(encoding="utf-8") == (theirs / name).read_text(encoding="utf-8")


@contextmanager
def reader_on_a_server() -> Iterator[str]:
    """The reader's address on a web server of the clinic's own."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(FOLDER))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{READER_NAME}"
        finally:
            server.shutdown()
            thread.join()


def test_a_copy_is_written_into_a_folder_and_over_nothing_that_is_there(
    clinic: Clinic, chromium: Browser, recorded: Any
) -> None:
    """The browser's own private folder stands in for one that a person would choose: it is written to alike."""
    with reader_on_a_server() as address, closing(chromium.new_page()) as page:
        page.goto(address)
        page.set_input_files("#kit", clinic.key())
        page.click("text=Unlock")
        page.set_input_files("#folder", clinic.seal(*recorded).folder)
        page.click("[data-panel=copy] > summary")
        page.fill("#copy-by", "Ada")
        _copies_into_a_folder(page)


def _copies_into_a_folder(page: Page) -> None:
    page.evaluate("window.showDirectoryPicker = () => navigator.storage.getDirectory()")
    page.fill("#copy-who", "client A-04, in writing")
    page.fill("#copy-on", "2026-11-20")
    page.click("#copy-folder")
    passphrase = page.locator("output.passphrase").inner_text(timeout=PATIENCE_S * 1000)
    written = page.evaluate(
        """async () => {
          const files = {};
          for await (const [name, handle] of (await navigator.storage.getDirectory()).entries()) {
            const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
            let text = "";
            for (let at = 0; at < bytes.length; at += 8192) {
              text += String.fromCharCode(...bytes.subarray(at, at + 8192));
            }
            files[name] = btoa(text);
          }
          return files;
        }"""
    )
    assert sorted(written) == ["RELEASE.txt", "reader.html", "recording.mp4.age", "release.json"]
    opened = io.BytesIO()
    decrypt(io.BytesIO(b64decode(written["recording.mp4.age"])), opened, [PassphraseIdentity(passphrase)])
    assert opened.getvalue()[4:8] == b"ftyp"
    page.click("#copy-folder")
    expect(page.locator("[data-panel=copy] .problem")).to_contain_text(
        "There is a file recording.mp4.age in that folder"
    )


def test_the_copy_plays_in_the_reader_that_came_with_it(desk: Desk, chromium: Browser) -> None:
    desk.open(desk.session("A-04", 1))
    files, passphrase = make_copy(desk, sound_only=False)
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(files["reader.html"].as_uri())
    page.click("text=I was given a copy with a passphrase")
    page.fill("#copy-passphrase", passphrase)
    page.click("text=Go on to choose the file")
    page.set_input_files("#file", files["recording.mp4.age"])
    expect(page.locator("#play")).to_be_visible()
    page.click("#play")
    plays_to(page, 0.5)
    assert all(url.startswith(("file:", "blob:", "data:")) for url in asked)
    page.close()


def test_without_saying_who_agreed_there_is_no_copy(desk: Desk) -> None:
    desk.open(desk.session("A-04", 1))
    desk.page.click("[data-panel=copy] > summary")
    desk.page.click("#copy-download")
    expect(desk.page.locator("[data-panel=copy] .problem")).to_contain_text("It is not said who agreed to it.")


def test_reviewing_asks_nobody_but_the_box(desk: Desk) -> None:
    page = desk.page
    page.click("#across")
    page.locator("[data-client='A-04'] a").first.click(force=True)
    page.fill("#review-plan", "practise")
    page.click("#save-review")
    expect(page.locator(".review .saving .note")).to_be_visible()
    make_copy(desk, sound_only=True)
    assert desk.asked
    for url in desk.asked:
        assert url.startswith((desk.address + "/api/v1/", "file:", "blob:", "data:")), url
