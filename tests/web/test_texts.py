"""The catalogue: every sentence is used, every sentence that is used is there."""

from __future__ import annotations

import re
from pathlib import Path

import device.web
from device.web.texts import AREAS, TEXTS

WEB = Path(device.web.__file__).parent
# Keys that are put together from a state, a verdict, a code and the like; the other tests ask for each of them.
MADE = (
    "state.",
    "error.",
    "recording.",
    "sound.",
    "consent.",
    "lamp.",
    "trouble.",
    "end.",
    "simulated.",
    "legend.",
    "handing.",
    "sync.",
    "way.",
    "setup.",
    "health.",
    "nginx.",
    "audit.",
    "said.",
)
MADE_TOO = (
    "frame.",
    "box.",
    "filter.state.",
    "filter.sound.",
    "certificates.by.",
    "certificates.how.",
    "tls.",
    "naming.wish.",
    "waiting.kind.",
    "retention.kind.",
    "ask.asked.",
    "ask.stop",
    "ask.mark",
    "room.light.",
    "room.consent",
    "room.record",
    "shown.light.",
    "facts.",
    "fleet.",
    "role.",
    "refused.",
    "account.kind.",
    "account.done.",
    "persons.state.",
)


def sources() -> str:
    code = [path for path in WEB.rglob("*.py") if path.parent.name != "texts"]
    parts = [*code, *WEB.glob("templates/*.html")]
    return "\n".join(path.read_text(encoding="utf-8") for path in parts)


def test_no_sentence_stands_in_two_areas() -> None:
    assert len(TEXTS) == sum(len(area.TEXTS) for area in AREAS)


def test_every_area_of_the_catalogue_is_told() -> None:
    modules = {path.stem for path in (WEB / "texts").glob("*.py")} - {"__init__"}
    assert {area.__name__.rpartition(".")[2] for area in AREAS} == modules


def test_every_key_that_a_page_names_is_there() -> None:
    named = set(re.findall(r"""\b(?:t|text)\(["']([a-z_.]+)["'][,)]""", sources()))
    assert named
    assert named <= TEXTS.keys()


def test_no_sentence_is_left_over() -> None:
    code = sources()
    left = [
        key
        for key in TEXTS
        if not key.startswith((*MADE, *MADE_TOO)) and not re.search(rf"[\"']{re.escape(key)}[\"']", code)
    ]
    assert left == []


def test_every_failure_says_what_to_do() -> None:
    pairs = {key for key in TEXTS if key.startswith(("error.", "sound.", "recording.")) and not key.endswith(".do")}
    without = {key for key in pairs if f"{key}.do" not in TEXTS}
    assert without == {"error.home", "error.status"}
