"""``sotto measures``, as somebody runs it who writes a measure of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device.cli import main
from tests.measures.test_parsing import GOOD


def test_it_shows_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measures"]) == 0
    shown = capsys.readouterr()
    assert "phq-9                     10 items  total 0 to 27  Patient Health Questionnaire (PHQ-9)" in shown.out
    assert shown.err == ""


def test_a_file_that_holds_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sleep.toml"
    path.write_text(GOOD)
    assert main(["measures", str(path), "--json"]) == 0
    (measure,) = json.loads(capsys.readouterr().out)["measures"]
    assert (measure["id"], measure["items"][1]["only_if_any_at_least"]) == ("sleep", 1)
    assert len(measure["digest"]) == 64


@pytest.mark.parametrize("as_folder", [True, False])
def test_what_does_not_hold_is_an_error_with_its_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, as_folder: bool
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace('title = "Schlaf"', 'titel = "Schlaf"'))
    assert main(["measures", str(tmp_path if as_folder else path)]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("error: bad.toml does not hold: title is missing; titel is not a known key\nhint: ")
    assert ("phq-9" in shown.out) is as_folder
