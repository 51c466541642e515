"""A clinic's own file: what holds, what does not, and how that is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import ConfigError
from device.measures.measure import Measure
from device.measures.parsing import MOST_FILE_BYTES, parse_measure
from device.measures.shelf import SHIPPED

GOOD = """
id = "sleep"
version = "2"
language = "de-AT"
title = "Schlaf"
instruction = "Wie war die letzte Nacht?"
notice = "Ours."

[scales.nights]
kind = "choices"
choices = [ { value = 0, text = "gut" }, { value = 1, text = "schlecht" } ]

[[items]]
id = "a"
scale = "nights"
text = "Einschlafen"

[[items]]
id = "b"
scale = "nights"
text = "Durchschlafen"
only_if_any_at_least = 1

[[scores]]
id = "total"
name = "Summe"
how = "sum"
bands = [ { at_least = 0, text = "gut" }, { at_least = 1, text = "schlecht" } ]

[[tells]]
item = "a"
at_least = 1
text = "Sagen Sie es."
"""


def parsed(text: str) -> Measure:
    return parse_measure(text.encode(), called="sleep.toml")


def test_a_file_that_holds_is_a_measure() -> None:
    measure = parsed(GOOD)
    assert (measure.id, measure.language, measure.moment) == ("sleep", "de-AT", "any")
    assert [item.id for item in measure.items_of(measure.scores[0])] == ["a"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "sleep"', 'id = "../sleep"', "id String should match"),
        ('version = "2"', "version = 2", "version Input should be a valid string"),
        ('language = "de-AT"', 'language = "German"', "language String should match"),
        ('title = "Schlaf"', 'title = "Schlaf "', "title must be one line"),
        ('title = "Schlaf"', 'title = "Sch\\u202elaf"', "title must be one line"),
        ('title = "Schlaf"', 'title = "Sch\\nlaf"', "title must be one line"),
        ('title = "Schlaf"', 'titel = "Schlaf"', "titel is not a known key"),
        ('title = "Schlaf"', "", "title is missing"),
        ('notice = "Ours."', "", "notice is missing"),
        ("value = 1,", "value = 0,", "scales.nights two choices have the same value"),
        ("value = 1,", 'value = "1",', "scales.nights.choices.2.value Input should be a valid integer"),
        ("value = 1,", "value = true,", "valid integer"),
        ("value = 1,", "value = 1.0,", "valid integer"),
        ('text = "schlecht" } ]\n\n[[items', 'text = "gut" } ]\n\n[[items', "two choices have the same text"),
        ('kind = "choices"', 'kind = "slider"', "'choices', 'line'"),
        ('scale = "nights"\ntext = "Ein', 'scale = "days"\ntext = "Ein', "item a: there is no scale days"),
        ('id = "b"', 'id = "a"', "two items have the id a"),
        ('text = "Einschlafen"', 'text = "Einschlafen"\nonly_if_any_at_least = 1', "no item before it"),
        ('how = "sum"', 'how = "product"', "scores.1.how"),
        ('how = "sum"', 'how = "sum"\nitems = ["z"]', "score total: there is no item z"),
        ('how = "sum"', 'how = "sum"\nitems = ["b"]', "item b is not always asked"),
        ('how = "sum"', 'how = "sum"\nitems = ["a", "a"]', "each named once"),
        ('how = "sum"', 'how = "sum"\nitems = []', "needs items"),
        ('how = "sum"', 'how = "sum"\nmost_missing = 1', "leaves no answer"),
        ("at_least = 0,", "at_least = 1,", "bands do not rise"),
        ("at_least = 0,", "at_least = -1,", "it is 0 to 1, and the bands are not"),
        ('{ at_least = 1, text = "schlecht" }', '{ at_least = 2, text = "x" }', "it is 0 to 1, and the bands are not"),
        ('item = "a"', 'item = "z"', "tells: there is no item z"),
        ("at_least = 1\ntext", "at_least = 2\ntext", "item a is never 2"),
        (
            "[[items]]",
            '[scales.spare]\nkind = "line"\nlow = "a"\nhigh = "b"\n\n[[items]]',
            "no item uses the scale spare",
        ),
        ('id = "sleep"', 'id = "sleep', "no valid TOML"),
    ],
)
def test_what_does_not_hold_is_said_with_its_place(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parsed(GOOD.replace(old, new, 1))
    assert caught.value.what.startswith("sleep.toml ")
    assert said in caught.value.what
    assert "docs/measures.md" in caught.value.hint


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(GOOD.replace('title = "Schlaf"', "").replace('version = "2"', 'edition = "2"'))
    assert all(
        said in caught.value.what for said in ("title is missing", "version is missing", "edition is not a known")
    )


def test_a_file_that_asks_more_than_one_document_holds_is_refused() -> None:
    long = "".join(f'[[items]]\nid = "i{n}"\nscale = "nights"\ntext = "{"wort " * 120}{n}"\n' for n in range(60))
    with pytest.raises(ConfigError, match="fits into one sealed document"):
        parsed(GOOD.replace("[[scores]]", f"{long}\n[[scores]]", 1))


def test_a_file_that_is_too_large_is_not_even_read_as_toml() -> None:
    with pytest.raises(ConfigError, match="too large"):
        parse_measure(b"#" * (MOST_FILE_BYTES + 1), called="sleep.toml")


@given(st.binary(max_size=400))
def test_whatever_is_in_a_file_is_a_measure_or_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(ConfigError):
        parse_measure(content, called="any.toml")


@given(st.data())
def test_a_shipped_file_with_anything_changed_is_a_measure_or_an_error_of_ours(data: st.DataObject) -> None:
    content = (SHIPPED / "gad-7.toml").read_bytes()
    at = data.draw(st.integers(0, len(content)))
    changed = content[:at] + data.draw(st.binary(max_size=6)) + content[at + data.draw(st.integers(0, 6)) :]
    try:
        assert parse_measure(changed, called="gad-7.toml").items
    except ConfigError as problem:
        assert problem.hint
