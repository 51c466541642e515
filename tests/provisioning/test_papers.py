"""What is printed: a therapist's card that says what the panel does, a client's that says what the clinic decided."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from itertools import product
from pathlib import Path
from string import Formatter

import pytest
from playwright.sync_api import sync_playwright

from device.age.identities import generate_identity
from device.config import parse_config
from device.errors import ConfigError
from device.panel_language import Colour, Pattern, face_of
from device.session_diagram import tones_into
from device.session_events import State, Tone
from device.words import Consent
from provisioning.clinic.box_consent import with_consent
from provisioning.clinic.folder import Folder
from provisioning.clinic_file import ClinicFile
from provisioning.errors import UsageError
from provisioning.papers import pdf
from provisioning.papers.client_card import client_card
from provisioning.papers.consent_text import document_of, numbers
from provisioning.papers.drawing import face_svg, tone_svg
from provisioning.papers.faces import faces
from provisioning.papers.kept_texts import KeptText, newest_text, standing_text
from provisioning.papers.texts import LANGUAGES, all_spoken, spoken, text
from provisioning.papers.therapist_card import BUTTONS, therapist_card
from tests.provisioning.boxes import call
from tests.provisioning.clinics import PASSPHRASE
from tests.provisioning.desk_boxes import added, admin_with_roster
from tests.provisioning.folders import made
from tests.reader.conftest import ARGUMENTS
from tests.test_config import TEXT as BOX
from tests.web.test_browser import CHROMIUM

KEPT = KeptText("1", "ab" * 32)
A5_PX = (559, 794)  # 148 by 210 mm, at 96 to the inch
WIDEST = ('"Liberation Sans", Arial, Helvetica', '"DejaVu Sans"')  # the widest that a desk without those falls back to

LOWEST = "Math.max(...[...document.querySelectorAll('body *')].map((one) => one.getBoundingClientRect().bottom))"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return made(tmp_path / "clinic")


def book_of(folder: Folder, **policy: object) -> ClinicFile:
    book = folder.read()
    assert book.policy is not None
    return book.changed(policy=book.policy.model_dump(mode="json") | policy)


def words_of(page: str) -> list[str]:
    """What can be read of a page, without its style."""
    body = re.sub(r"<(style|svg|title).*?</\1>", " ", page, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", body)).split()


# -- the therapist's card -------------------------------------------------------------------------------------------


def test_every_face_that_the_panel_can_show_is_on_the_card_once_and_has_words() -> None:
    shown = [
        face_of(state, choice, scant=scant, unsynced=unsynced)
        for state, choice, scant, unsynced in product(State, Consent, (False, True), (False, True))
        if not (scant and choice is Consent.SOUND_AND_PICTURE)  # where there is no room for it nobody can choose it
    ]
    card = [one.face for one in faces()]
    assert set(card) == set(shown)
    assert len(card) == len(set(card)) == 14
    for language, one in product(LANGUAGES, faces()):
        page = therapist_card(language)
        name = text(language, f"face.{one.name}")
        assert page.count(face_svg(one.face, says=name)) == 1
        assert text(language, f"face.{one.name}.do", **numbers()) in unescape(page)


def test_no_two_faces_look_alike_where_there_is_no_colour() -> None:
    gray = {re.sub(r'fill="#\w+"', 'fill="gray"', face_svg(one.face, says="")) for one in faces()}
    assert len(gray) == len(faces())


@pytest.mark.parametrize("pattern", [pattern for pattern in Pattern if pattern.beats_ms])
def test_the_strip_beside_a_lamp_is_four_seconds_of_it(pattern: Pattern) -> None:
    (one,) = [one for one in faces() if any(lamp.pattern is pattern for lamp in one.face.lamps)][:1]
    lit = [lamp.pattern is pattern for lamp in one.face.lamps].count(True)
    drawn = re.findall(r'<rect x="[\d.]+" y="12.0" width="([\d.]+)"', face_svg(one.face, says=""))
    on_ms = sum(on for on, _ in zip(pattern.beats_ms[::2], pattern.beats_ms[1::2], strict=True))
    share = on_ms / sum(pattern.beats_ms)
    assert sum(map(float, drawn)) / lit / 14 == pytest.approx(share, abs=0.03)


def test_the_room_light_is_drawn_lit_where_it_is_lit() -> None:
    for one in faces():
        lit = 'stroke="#000" stroke-width=".9"' in face_svg(one.face, says="")
        assert lit is one.face.room_light


# What the words on the card take for granted: where each tone leads.
HEARD = {
    Tone.TICK: {State.IDLE, State.CHOOSING, State.ARMED},
    Tone.RISING_TICK: {State.ARMED},
    Tone.FOUR_TICKS: {State.FRAMING},
    Tone.TWO_SHORT: {State.RECORDING},
    Tone.TWO_LOW: {State.ARMED, State.TROUBLED, State.SEALING},
    Tone.ONE_LONG: {State.SEALED, State.KEPT},
    Tone.THREE_FALLING: {State.WITHDRAWN},
    Tone.THREE_LOW: {State.IDLE, State.REFUSED, State.FAULT},
}


@pytest.mark.parametrize("tone", Tone)
def test_every_tone_is_on_the_card_and_leads_where_its_words_say(tone: Tone) -> None:
    assert {state for state in State if tone in tones_into(state)} <= HEARD[tone]
    for language in LANGUAGES:
        assert text(language, f"tone.{tone}") in unescape(therapist_card(language))


def test_no_two_tones_are_drawn_alike() -> None:
    drawn = {re.findall(r'class="tone".*?</svg>', therapist_card("en"))[number] for number in range(len(Tone))}
    assert len(drawn) == len(Tone)
    assert tone_svg((), says="").count("<rect") == 0


def test_all_languages_have_the_same_sentences_with_the_same_names_in_them() -> None:
    def names(sentence: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(sentence) if name}

    english = LANGUAGES["en"]
    for texts in LANGUAGES.values():
        assert texts.keys() == english.keys()
        assert {key: names(one) for key, one in texts.items()} == {key: names(one) for key, one in english.items()}


def test_there_is_no_sentence_that_no_card_has() -> None:
    used = {f"face.{one.name}{do}" for one in faces() for do in ("", ".do")}
    used |= {f"tone.{tone}" for tone in Tone} | {f"button.{one}{do}" for one in BUTTONS for do in ("", ".do")}
    sources = "".join(path.read_text() for path in Path(pdf.__file__).parent.glob("*.py"))
    for key in LANGUAGES["en"].keys() - used:
        assert key.startswith("client.") or f'"{key}"' in sources or f"'{key}'" in sources, key


def test_times_on_the_card_are_those_of_the_box() -> None:
    card = " ".join(words_of(therapist_card("en")))
    for said in ("within 60 seconds", "CONSENT, 3 s", "RECORD, 1.5 s", "within 2 minutes", "For 5 seconds"):
        assert said in card


# -- the client's card ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_says_what_its_text_says_and_nothing_else(folder: Folder, language: str) -> None:
    book = book_of(folder)
    _, _, rest = document_of(book).decode().partition(f"[{language}]\n")
    said = rest.partition("\n[")[0].split()
    card = words_of(client_card(book, language, KEPT))
    foot = text(language, "client.foot", version="1", clinic="Practice", digest=" ".join(["abab"] * 16)).split()
    assert card == [*said, *foot]


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"recipients": "private-first"}, "Your therapist."),
        ({"recipients": "supervised"}, "Your therapist, and the supervisors of your therapist."),
        ({"keep_days": 30}, "The box erases its copy 30 days after the clinic’s server has one."),
        ({"keep_days": 1}, "The box erases its copy one day after the clinic’s server has one."),
        ({"keep_days": 0}, "The box erases its copy as soon as the clinic’s server has one."),
        ({"keep_days": None}, "The box keeps its copy until somebody has it erased."),
        ({"withdrawal_days": 28}, "Until 28 days after the session you can ask us to erase it."),
        ({"withdrawal_days": 1}, "Until the day after the session you can ask us to erase it."),
        ({"withdrawal_days": 0}, "Until the end of the day of the session you can ask us to erase it."),
        ({"withdrawal_days": None}, "You can ask us at any time to erase it."),
    ],
)
def test_what_the_clinic_decided_is_what_the_client_reads(folder: Folder, policy: dict[str, object], says: str) -> None:
    lines = document_of(book_of(folder, **policy)).decode().split("\n")
    assert lines.count(says) == 1


def test_it_says_all_that_somebody_has_to_know_before_they_press(folder: Folder) -> None:
    said = document_of(book_of(folder, withdrawal_days=28)).decode()
    for known in (
        "once for sound, twice for sound and picture",
        "the camera stays off",
        "no disadvantage",
        "The box itself cannot",
        "closed at once, and the recording is erased",
        "And for 2 minutes afterwards",
        "Hold CONSENT for 3 seconds",
        "Until 28 days",
        "Ask for one.",
        "The box does not know your name.",
    ):
        assert known in said


def test_a_text_keeps_its_number_until_it_says_another_thing(folder: Folder) -> None:
    first = standing_text(folder.path, book_of(folder))
    assert first == standing_text(folder.path, book_of(folder)) == newest_text(folder.path)
    kept = (folder.path / "consent" / "1.txt").read_bytes()
    assert (first.version, first.sha256) == ("1", sha256(kept).hexdigest())
    second = standing_text(folder.path, book_of(folder, withdrawal_days=28))
    assert second.version == "2"
    assert second.sha256 == sha256((folder.path / "consent" / "2.txt").read_bytes()).hexdigest() != first.sha256
    assert (folder.path / "consent" / "1.txt").read_bytes() == kept
    third = standing_text(folder.path, book_of(folder))  # back to what it was: a time of its own all the same
    assert (third.version, third.sha256) == ("3", first.sha256)


def test_what_a_cut_left_of_a_text_is_no_text(folder: Folder) -> None:
    (folder.path / "consent").mkdir()
    (folder.path / "consent" / "1.txt.new").write_text("half of")
    assert newest_text(folder.path) is None
    assert standing_text(folder.path, book_of(folder)).version == "1"


# -- the verb -------------------------------------------------------------------------------------------------------


def test_a_box_takes_what_is_printed_for_its_configuration(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder.path))  # no Chromium: pages alone
    said = call("cards", folder.path)
    assert said.code == 0
    assert "no PDF" in said.complaints
    section = said.out.partition("sotto.toml:\n")[2]
    consent = parse_config(BOX + "\n" + section).consent
    assert consent is not None
    assert consent.text_sha256 == sha256((folder.path / "consent" / "1.txt").read_bytes()).hexdigest()
    names = sorted(path.name for path in (folder.path / "cards").iterdir())
    assert names == ["client-de.html", "client-en.html", "therapist-de.html", "therapist-en.html"]
    assert call("cards", folder.path).out == said.out


def test_a_box_that_is_added_names_the_text_that_clients_are_given(folder: Folder, tmp_path: Path) -> None:
    recovery = tmp_path / "recovery.recipient"
    recovery.write_text(f"{generate_identity(post_quantum=True).recipient()}\n")
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(f"{PASSPHRASE}\n")
    sign = ("--passphrase-file", passphrase)
    assert call("recovery", "set", folder.path, recovery, *sign).code == 0
    asked = {"timezone": "UTC", "microphone": "card=Mic", "camera": "disabled", "panel": "gpio", "remote": ""}
    answers = [word for name, answer in asked.items() for word in (f"--{name}", answer)]
    said = call("device", "add", folder.path, "room-3", *answers, *sign)
    assert said.code == 0, said.complaints
    consent = parse_config((folder.path / "boxes" / "room-3" / "sotto.toml").read_text()).consent
    kept = newest_text(folder.path)
    assert consent is not None
    assert kept == KeptText(consent.text_version, consent.text_sha256)


def test_a_change_of_policy_reaches_the_folder_of_every_box_and_nothing_else_in_it(tmp_path: Path) -> None:
    admin, _ = admin_with_roster(tmp_path / "desk")
    one, other = added(admin, "room-1", host_name="room-1"), added(admin)
    for box in (one, other):
        box.settings.write_text("# ours\n" + box.settings.read_text() + "# the end\n")
    before = [box.settings.read_text() for box in (one, other)]
    assert "written into" not in call("cards", admin.folder.path, "--language", "de").out
    book = admin.folder.read()
    assert book.policy is not None
    policy = book.policy.model_copy(update={"keep_days": 31, "withdrawal_days": 99})
    admin.folder.write_clinic(book.changed(policy=policy.model_dump(mode="json")))
    said = call("cards", admin.folder.path, "--language", "de")
    assert "written into the folders of room-1, room-3: `sotto-clinic fleet config push`" in said.out
    kept = newest_text(admin.folder.path)
    assert kept is not None
    assert kept.version == "2"
    for box, was in zip((one, other), before, strict=True):
        consent = box.config().consent
        assert consent is not None
        assert (consent.text_version, consent.text_sha256) == (kept.version, kept.sha256)
        old, new = (set(lines.splitlines()) for lines in (was, box.settings.read_text()))
        assert {line.partition(" = ")[0] for line in old ^ new} == {"text_version", "text_sha256"}
        assert box.settings.read_text().splitlines()[-1] == "# the end"
    assert "written into" not in call("cards", admin.folder.path, "--language", "de").out


NAMED = KeptText("7", "cd" * 32)


@pytest.mark.parametrize(
    "section",
    ["", "[consent]\ntext_version = '1' # hers\ntext_sha256 = '" + "0" * 64 + "'", "[consent] # ours\n"],
    ids=["none", "another", "broken"],
)
def test_a_box_names_the_text_wherever_its_section_stands(section: str) -> None:
    for written in (f"{BOX}\n{section}\n", f"{section}\n{BOX}"):
        if section.endswith("ours\n"):
            with pytest.raises(ConfigError):
                with_consent(written, NAMED)
            continue
        after = parse_config(with_consent(written, NAMED))
        assert after.consent is not None
        assert (after.consent.text_version, after.consent.text_sha256) == (NAMED.version, NAMED.sha256)
        assert after.model_copy(update={"consent": None}) == parse_config(BOX)


def test_a_section_that_only_a_person_can_change_is_left_alone() -> None:
    inline = f"consent = {{ text_version = '1', text_sha256 = '{'0' * 64}' }}\n{BOX}"
    with pytest.raises(UsageError, match="unusual way"):
        with_consent(inline, NAMED)


def test_a_language_without_a_card_gets_the_english_one_and_is_told_so(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    folder.write_clinic(book_of(folder, languages=["fr", "de-AT"]))
    said = call("cards", folder.path, "-o", tmp_path / "cards", "--language", "fr")
    line = "There is no card in the language “fr” yet. This is the English one."
    assert f"note: {line}" in said.complaints
    for name in ("therapist-fr.html", "client-fr.html"):
        page = (tmp_path / "cards" / name).read_text()
        assert line in page
        assert '<html lang="en">' in page
    assert not (tmp_path / "cards" / "client-de-AT.html").exists()
    assert all_spoken(("fr", "de-AT", "en")) == ("en", "de")
    assert spoken("de-AT") == "de"
    assert (folder.path / "consent" / "1.txt").read_text().startswith("[en]\n")


def test_a_language_that_the_clinic_did_not_decide_for_is_refused(folder: Folder) -> None:
    said = call("cards", folder.path, "--language", "fr")
    assert said.code == 2
    assert "'fr' is none of the clinic's languages: de, en" in said.complaints
    assert not (folder.path / "consent").exists()


def test_a_place_that_cannot_be_written_to_is_told(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in call("cards", folder.path, "-o", tmp_path / "file").complaints
    shutil.rmtree(folder.path / "consent")
    (folder.path / "consent").touch()
    assert "cannot be kept" in call("cards", folder.path, "-o", tmp_path / "cards").complaints


# -- on paper -------------------------------------------------------------------------------------------------------


def pages(folder: Folder) -> Iterator[tuple[str, str]]:
    """Every card there is, the longest of its kind, and each in the widest letters."""
    book = book_of(folder, recipients="supervised", languages=["en", "de", "fr"], withdrawal_days=365)
    for language in ("en", "de", "fr"):
        for name, page in (("therapist", therapist_card(language)), ("client", client_card(book, language, KEPT))):
            yield f"{name}-{language}", page
            yield f"{name}-{language}-wide", page.replace(*WIDEST)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt install chromium")
def test_each_card_is_one_side_of_a5_with_nothing_cut_off_and_asks_nobody_for_anything(
    folder: Folder, tmp_path: Path
) -> None:
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": A5_PX[0], "height": A5_PX[1]})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: pytest.fail(message.text))
        for name, html in pages(folder):
            path = tmp_path / f"{name}.html"
            path.write_text(html, encoding="utf-8")
            assert "default-src 'none'; style-src 'unsafe-inline'" in html  # and a browser holds it to that
            page.goto(path.as_uri())
            assert asked == [path.as_uri()]
            asked.clear()
            size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            assert size[0] <= A5_PX[0], name
            assert size[1] <= A5_PX[1], name
            low = page.evaluate(LOWEST)
            assert low <= A5_PX[1] - 15, f"{name}: printers leave a margin"
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt install chromium")
def test_chromium_makes_a_pdf_of_one_page_of_a5(folder: Folder, tmp_path: Path) -> None:
    said = call("cards", folder.path, "-o", tmp_path, "--language", "de")
    assert said.code == 0
    for name in ("therapist-de.pdf", "client-de.pdf"):
        document = (tmp_path / name).read_bytes()
        assert len(re.findall(rb"/Type\s*/Page\b", document)) == 1
        (box,) = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", document)
        assert [float(side) for side in box] == pytest.approx([419.5, 595.3], abs=1)  # points


def test_a_printer_that_fails_is_told_and_leaves_the_page(folder: Folder, tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        said = call("cards", folder.path, "-o", tmp_path / "cards")
    assert said.code == 1
    assert "Chromium made none" in said.complaints
    assert (tmp_path / "cards" / "client-de.html").exists()
    assert not list((tmp_path / "cards").glob("*.pdf*"))


def test_colours_have_a_name_in_the_drawing() -> None:
    assert {lamp.colour for one in faces() for lamp in one.face.lamps} == set(Colour)
