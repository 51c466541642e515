"""Reviews: one shape for the reader and the command line, sealed to whoever is to read them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.age.errors import WrongKeyError
from device.errors import DamagedError
from provisioning.errors import UsageError
from provisioning.kit import read_kit
from provisioning.review import MOST_DOCUMENT_BYTES, open_review, parse_review, seal_review
from provisioning.review_text import lines_of, parse_text, shown
from tests.provisioning.clinics import ADA, kit_of
from tests.provisioning.conftest import RECORDING_ID, Clinic

AGE = Path(__file__).parents[2] / ".cache/age/usr/bin/age"
WHOLE: dict[str, Any] = {
    "sotto_review": 1,
    "recording": RECORDING_ID,
    "by": ADA,
    "at": "2026-11-22T20:48:23Z",
    "notes": [{"at_us": 61000000, "until_us": 75000000, "text": "here you waited 👩‍👧\nlong", "tags": ["repair"]}],
    "growth_edge": "staying with silence",
    "plan": {"text": "three breaths", "next_date": "2026-11-29"},
    "ratings": {"rubric": "basics", "items": {"empathy": 3, "focus": None}},
}


def document(**changes: Any) -> bytes:
    return json.dumps({key: value for key, value in {**WHOLE, **changes}.items() if value is not ...}).encode()


def test_a_review_is_sealed_to_its_readers_and_comes_back(clinic: Clinic) -> None:
    review = parse_review(document())
    ada, stranger = clinic.identities["clinic"], clinic.identities["stranger"]
    sealed = seal_review(review, [ada.recipient()])
    assert open_review(sealed, [ada]) == review
    assert json.loads(review.model_dump_json()) == WHOLE
    with pytest.raises(WrongKeyError):
        open_review(sealed, [stranger])


def test_stock_age_opens_a_review_to_its_json(clinic: Clinic) -> None:
    sealed = seal_review(parse_review(document()), [clinic.identities["clinic"].recipient()])
    opened = subprocess.run([AGE, "-d", "-i", clinic.key()], input=sealed, capture_output=True, check=True)
    assert json.loads(opened.stdout) == WHOLE


def test_the_size_of_a_sealed_review_hardly_tells_how_much_was_written(clinic: Clinic) -> None:
    def size(text: str) -> int:
        return len(seal_review(parse_review(document(growth_edge=text)), [clinic.identities["clinic"].recipient()]))

    assert size("x") == size("x" * 3000)
    assert size("x") < size("é" * 3000)  # two bytes each


@pytest.mark.parametrize(
    "changes",
    [
        {"sotto_review": 2},
        {"more": 1},
        {"recording": "../x"},
        {"by": "Ada"},
        {"at": "yesterday"},
        {"at": "2026-11-22T20:48:23+01:00"},
        {"notes": [{"at_us": -1, "text": "x"}]},
        {"notes": [{"at_us": 1.5, "text": "x"}]},
        {"notes": [{"at_us": "1", "text": "x"}]},
        {"notes": [{"at_us": 2, "until_us": 1, "text": "x"}]},
        {"notes": [{"at_us": None, "until_us": 1, "text": "x"}]},
        {"notes": [{"at_us": 1, "text": " "}]},
        {"notes": [{"at_us": 1, "text": "a\x1b[2J"}]},
        {"notes": [{"at_us": 1, "text": "a" * 4001}]},
        {"notes": [{"at_us": 1, "text": "x", "tags": ["two\nlines"]}]},
        {"notes": [{"text": "x"}]},
        {"notes": [{"at_us": 0, "text": "x"}] * 501},
        {"growth_edge": ""},
        {"plan": {"text": "x", "next_date": "2026-02-30"}},
        {"plan": {"text": "x", "next_date": "20260228"}},
        {"ratings": {"rubric": "basics", "items": {"empathy": "3"}}},
        {"ratings": {"rubric": "basics", "items": {"empathy": 3.5}}},
        {"notes": ..., "growth_edge": ..., "plan": ..., "ratings": ...},
        {"notes": [], "growth_edge": None, "plan": None, "ratings": None},
    ],
)
def test_what_is_no_review_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DamagedError, match="not a review"):
        parse_review(document(**changes))


def test_what_may_be_left_out_may_be_left_out() -> None:
    parse_review(document(growth_edge=..., plan=..., ratings=..., notes=[{"at_us": None, "text": "x"}]))
    parse_review(document(notes=..., plan={"text": "x"}, ratings=None, at="2026-11-22T20:48:23.123456Z"))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", document() + b"{}", document() + b" " * MOST_DOCUMENT_BYTES]
)
def test_what_is_no_document_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedError):
        parse_review(data)


def test_a_review_that_is_too_long_for_a_box_is_not_sealed(clinic: Clinic) -> None:
    review = parse_review(document(notes=[{"at_us": 1, "text": "x" * 4000}] * 15))
    recipient = clinic.identities["clinic"].recipient()
    assert len(seal_review(review, [recipient])) < 96 * 1024
    with pytest.raises(UsageError, match="too long"):
        seal_review(review.model_copy(update={"notes": review.notes * 2}), [recipient])
    with pytest.raises(UsageError, match="too long"):
        seal_review(review, [recipient] * 30)


# -- as it is typed ---------------------------------------------------------------------------------------------------

TYPED = """10:00 here you waited #repair
1:10:30-1:11:15   and here not #[made up] #repair

all in all a good hour
  which goes on here
10 minutes too long
growth edge: staying with silence
  and with tears
Plan until 2026-11-29: three breaths
rate empathy: 3
"""


def test_what_is_typed_becomes_a_review(clinic: Clinic) -> None:
    kit = read_kit(kit_of(clinic)).model_copy(update={"tags": ("repair", "made up")})
    review = parse_text(TYPED, recording=RECORDING_ID, by=ADA, at="2026-11-22T20:48:23Z", kit=kit)
    assert [(note.at_us, note.until_us, note.text, note.tags) for note in review.notes] == [
        (600_000_000, None, "here you waited", ("repair",)),
        (4_230_000_000, 4_275_000_000, "and here not", ("made up", "repair")),
        (None, None, "all in all a good hour\nwhich goes on here", ()),
        (None, None, "10 minutes too long", ()),
    ]
    assert review.growth_edge == "staying with silence\nand with tears"
    assert review.plan is not None
    assert (review.plan.text, review.plan.next_date) == ("three breaths", "2026-11-29")
    assert review.ratings is not None
    assert (review.ratings.rubric, review.ratings.items) == ("basics", {"empathy": 3})
    again = "\n".join(line[2:] for line in lines_of(review, who="Ada"))
    assert "1:10:30-1:11:15 and here not #[made up] #repair" in again
    assert "plan until 2026-11-29: three breaths" in again


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "nothing in it"),
        ("10:00 x #other", "no tag of the clinic's"),
        ("rate focus: 3", "has no 'focus'"),
        ("rate empathy: 5", "from 0 to 4"),
        ("plan until 2026-02-30: x", "plan.next_date"),
        ("10:00-9:00 x", "until_us"),
        ("1:75:00 x", "is not a time"),
        ("x" * 5000, "4000"),
    ],
)
def test_what_cannot_be_a_review_is_told(clinic: Clinic, typed: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_text(typed, recording=RECORDING_ID, by=ADA, at="2026-11-22T20:48:23Z", kit=read_kit(kit_of(clinic)))
    assert said in refused.value.what


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_a_review_or_told_and_never_written_to_a_terminal_raw(typed: str) -> None:
    try:
        review = parse_text(typed, recording=RECORDING_ID, by=ADA, at="2026-11-22T20:48:23Z", kit=None)
    except UsageError:
        return
    assert parse_review(review.model_dump_json().encode()) == review
    assert all(line.isprintable() for text in lines_of(review, who="Ada") for line in text.split("\n"))
    assert shown("a\x1b[2J\u202eb\nc") == "a\ufffd[2J\ufffdb\n    c"
