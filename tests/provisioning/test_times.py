from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.errors import UsageError
from provisioning.times import SECOND_US, format_time, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15m", 900),
        ("90s", 90),
        ("1h2m", 3720),
        ("1h2m3.5s", 3723.5),
        ("2h", 7200),
        ("10:00", 600),
        ("90:00", 5400),
        ("1:02:03", 3723),
        ("0:00.25", 0.25),
        ("75", 75),
        (" 15M ", 900),
        ("0", 0),
    ],
)
def test_people_write_times_in_many_ways(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds * SECOND_US


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "m",
        "15 m",
        "-5",
        "1:75",
        "1:60:00",
        "1:2:3:4",
        ":30",
        "10:",
        "5m2h",
        "1e3",
        "٣m",
        "nan",
        "9" * 30,
        "15x",
    ],
)
def test_what_is_no_time_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time") as refused:
        parse_time(text)
    assert "15m" in refused.value.hint


@given(st.integers(0, 900_000))
def test_what_is_written_reads_back(seconds: int) -> None:
    assert parse_time(format_time(seconds * SECOND_US)) == seconds * SECOND_US


@given(st.integers(0, 200), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999_999))
def test_both_ways_of_writing_agree(hours: int, minutes: int, seconds: int, fraction: int) -> None:
    expected = (hours * 3600 + minutes * 60 + seconds) * SECOND_US + fraction
    assert parse_time(f"{hours}:{minutes:02}:{seconds:02}.{fraction:06}") == expected
    assert parse_time(f"{hours}h{minutes}m{seconds}.{fraction:06}s") == expected


@given(st.text(max_size=12))
def test_anything_else_is_a_time_or_refused(text: str) -> None:
    try:
        assert parse_time(text) >= 0
    except UsageError as refused:
        assert refused.hint
