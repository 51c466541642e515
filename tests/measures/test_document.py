"""What is sealed of an answered measure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from device.errors import DamagedError
from device.measures.document import (
    MOST_DOCUMENT_BYTES,
    digest_of,
    from_bytes,
    measured,
    most_bytes,
    to_bytes,
)
from device.measures.measure import Measure
from device.measures.scoring import scores_of
from device.measures.shelf import read_shelf
from device.naming_requests import MOST_MEASURE_BYTES
from tests.measures.made import answered

MOMENTS: dict[str, Any] = {
    "by": "0123456789ab",
    "person": 2,
    "started": "2026-03-03T13:00:00.000Z",
    "finished": "2026-03-03T13:02:10.000Z",
    "clock_trusted": True,
}


@given(answered())
def test_what_is_sealed_is_what_is_read_again(made: tuple[Measure, dict[str, int | None]]) -> None:
    measure, answers = made
    document = measured(measure, answers, **MOMENTS)
    assert from_bytes(to_bytes(document)) == document
    assert {one.item: one.value for one in document.answers} == answers
    assert [one.value for one in document.scores] == [one.value for one in scores_of(measure, answers)]


@given(answered())
def test_it_is_never_larger_than_was_reckoned(made: tuple[Measure, dict[str, int | None]]) -> None:
    measure, answers = made
    assert len(to_bytes(measured(measure, answers, **MOMENTS))) <= most_bytes(measure)


def test_what_may_be_asked_fits_into_what_capture_takes() -> None:
    assert MOST_DOCUMENT_BYTES <= MOST_MEASURE_BYTES


def test_it_says_by_itself_what_was_asked_and_answered() -> None:
    gad = read_shelf().measures["gad-7"]
    document = json.loads(to_bytes(measured(gad, {"1": 2, "2": None, "difficulty": 1}, **MOMENTS)))
    assert document["kind"] == "sotto-measure"
    assert document["measure"]["version"] == "GAD-7, English (USA)"
    assert document["measure"]["digest"] == digest_of(gad)
    assert document["answers"][0] == {
        "item": "1",
        "text": "Feeling nervous, anxious or on edge",
        "value": 2,
        "words": "More than half the days",
        "least": 0,
        "most": 3,
    }
    assert (document["answers"][1]["value"], document["answers"][1]["words"]) == (None, None)
    assert document["answers"][2]["words"] == "Somewhat difficult"
    assert document["scores"][0]["value"] is None
    assert (document["by"], document["person"], document["started"]) == (
        "0123456789ab",
        2,
        "2026-03-03T13:00:00.000Z",
    )


def test_two_definitions_of_one_version_are_told_apart() -> None:
    gad = read_shelf().measures["gad-7"]
    other = gad.model_copy(update={"instruction": "Over the last month, how often?"})
    assert digest_of(gad) != digest_of(other)
    assert digest_of(gad) == digest_of(Measure.model_validate(gad.model_dump()))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"null", b"\xff", b'{"kind":"sotto-note"}', b'{"kind":"sotto-measure","format":2}']
)
def test_anything_else_is_told_as_what_it_is(data: bytes) -> None:
    with pytest.raises(DamagedError, match="no answered measure"):
        from_bytes(data)


def test_what_is_wrong_with_a_document_does_not_say_what_is_in_it() -> None:
    whole = json.loads(to_bytes(measured(read_shelf().measures["gad-7"], {"1": 2}, **MOMENTS)))
    whole["answers"][0]["value"] = "a secret"
    with pytest.raises(DamagedError) as caught:
        from_bytes(json.dumps(whole).encode())
    assert "secret" not in f"{caught.value.what} {caught.value.hint} {caught.value.__cause__}"
