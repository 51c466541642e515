"""What guards the ratios: it must see what became worse, and must not cry at what is restless."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.figures import Row
from tests.bench.guard import kind_of_machine, record, recorded, spread_table, too_high, write_record


def run(ratio: float, restless: float = 1.0, mb: float = 40.0) -> list[Row]:
    return [
        Row("batch/floor", "x", "s", (ratio,), (1.0,), "floor"),
        Row("live/floor", "x", "s", (restless,), (1.0,), "floor"),
        Row("memory/resident", "x", "MB", (mb,)),
        Row("disk/bytes", "x", "B", skipped="not here"),
    ]


RUNS = [run(1.5, 1.0), run(1.52, 1.3), run(1.49, 0.8)]


def test_the_median_of_several_runs_is_recorded_with_how_far_they_stray() -> None:
    told = record(RUNS)
    assert told["batch/floor"]["judged"] == 1.5
    assert told["batch/floor"]["strays"] == pytest.approx(0.02 / 1.5)
    assert told["batch/floor"]["guards"]
    assert told["memory/resident"]["judged"] == 40
    assert "disk/bytes" not in told


def test_a_restless_row_guards_nothing() -> None:
    told = record(RUNS)
    assert not told["live/floor"]["guards"]
    assert too_high(run(1.5, restless=9.0), told) == []
    assert "too restless" in spread_table(told)


@pytest.mark.parametrize(("rows", "bad"), [(run(1.72), []), (run(1.74), ["batch/floor"]), (run(1, mb=47), ["memory"])])
def test_what_is_more_than_15_percent_above_is_named(rows: list[Row], bad: list[str]) -> None:
    said = too_high(rows, record(RUNS))
    assert len(said) == len(bad)
    assert all(words in line for words, line in zip(bad, said, strict=True))


def test_each_kind_of_machine_has_a_record_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    assert recorded(path) is None
    path.write_text('{"another kind": {"batch/floor": 1}}')
    assert recorded(path) is None
    write_record(RUNS, path)
    assert recorded(path) == record(RUNS)
    assert "another kind" in path.read_text()
    assert kind_of_machine() in path.read_text()
