"""Table, chart and document: nothing is lost on the way to whoever reads, and what stands around it stays."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest

from tests.bench.__main__ import DOCUMENT, main
from tests.bench.chart import chart
from tests.bench.document import ESTIMATE, MEASURED, SPREAD, between, with_measured, with_spread
from tests.bench.estimate import BOARDS, estimate
from tests.bench.figures import Row
from tests.bench.table import as_markdown, as_text, number

PEERS = ("flac-age", "ffmpeg-age", "ffmpeg-gpg", "floor")
ROWS = [
    *(Row(f"live/{name}", "an hour", "CPU s/h", (15.0,), (20.0,), name.replace("-", " | "), 0.75) for name in PEERS),
    Row("scale/session-480", "each of 480 minutes", "CPU ms", (1.0,), (1.1,), "up to 10", 1.0, note="in all <much>"),
    Row("disk/bytes", "bytes to the disk", "B/B", skipped="only root can make a loop device"),
]


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, ""), (1234.5, "1234"), (99.9, "100"), (12.34, "12.3"), (1.234, "1.23"), (0.0123, "0.012")],
)
def test_a_figure_has_the_digits_that_count(value: float | None, told: str) -> None:
    assert number(value) == told


@pytest.mark.parametrize("form", [as_text, as_markdown])
def test_the_table_has_every_row_with_its_verdict(form: object) -> None:
    told = form(ROWS)  # type: ignore[operator]
    for words in ("Sound, live", "0.75×", "met", "only root can make a loop device", "not measured"):
        assert words in told
    assert told.count("0.75× ") >= 1


def test_a_row_of_no_group_is_refused_and_not_left_out() -> None:
    with pytest.raises(ValueError, match="no group for strange/x"):
        as_text([Row("strange/x", "x", "s", (1.0,))])


def test_a_peer_that_is_a_pipe_does_not_break_the_table() -> None:
    lines = [line for line in as_markdown(ROWS).splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} == {8}


def test_the_chart_is_an_svg_that_shows_each_peer_and_each_goal() -> None:
    root = Xml.fromstring(chart(ROWS))  # noqa: S314  # made here
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"sotto", "flac | age", "ffmpeg | gpg"} <= set(words)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}line"))) == len(PEERS)


def test_the_longest_bar_is_the_dearest() -> None:
    bars = list(Xml.fromstring(chart(ROWS)).iter("{http://www.w3.org/2000/svg}rect"))  # noqa: S314
    ours, theirs = (float(bar.attrib["width"]) for bar in bars[:2])
    assert ours / theirs == pytest.approx(15 / 20, abs=0.01)


def test_a_chart_without_the_live_rows_is_refused() -> None:
    with pytest.raises(KeyError):
        chart(ROWS[4:])


def test_only_what_stands_between_the_marker_lines_changes() -> None:
    text = f"before\n{MEASURED[0]}\nold\n{MEASURED[1]}\nbetween\n{SPREAD[0]}\n{SPREAD[1]}\n{''.join(ESTIMATE)}\nafter\n"
    told = with_spread(with_measured(text, "new", estimated="guessed"), "spread")
    assert "guessed" in told
    assert "old" not in told
    assert told.startswith("before\n")
    assert told.endswith("\nafter\n")
    assert "\nbetween\n" in told
    assert with_measured(told, "new", estimated="guessed") == told


@pytest.mark.parametrize("text", ["", MEASURED[0], MEASURED[1] + MEASURED[0], "".join(MEASURED) * 2])
def test_a_document_without_both_marker_lines_once_and_in_order_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"the document|the marker lines"):
        between(text, MEASURED, "new")


def test_an_estimate_is_the_figure_times_the_board_s_factors() -> None:
    # 15 CPU seconds an hour are 0.417 % of a core here; the floor's 20 are 0.556 %.
    sound, floor = estimate(ROWS).splitlines()[2:]
    assert sound == "| sound, recorded live | 1.67 to 2.50 % of a core | 0.83 to 1.25 % of a core |"
    assert floor.startswith("| the same at the bare floor | 2.22 to 3.33 % of a core")
    assert [board.name for board in BOARDS] == ["Raspberry Pi 4", "Raspberry Pi 5"]


def test_the_document_has_a_place_for_both_tables() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert with_spread(with_measured(text, "x"), "y") != text


@pytest.mark.parametrize("words", ["lives", "live,bath"])
def test_a_row_that_is_not_there_is_told_before_anything_is_measured(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--rows", words])
    with pytest.raises(SystemExit):
        main()
    assert words.rpartition(",")[2] in capsys.readouterr().err
