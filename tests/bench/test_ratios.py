"""No ratio becomes worse unnoticed: the short form, beside what was recorded (``guard.py``, docs/performance.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.guard import kind_of_machine, recorded, short_rows, too_high
from tests.bench.material import material_in
from tests.bench.setting import Setting


def test_no_steady_ratio_is_more_than_15_percent_above_the_recorded_one(tmp_path: Path) -> None:
    known = recorded()
    if known is None:
        pytest.skip(f"nothing is recorded for {kind_of_machine()}: make bench-record")
    setting = Setting(material_in(tmp_path), lambda _words: None, short=True, pairs=1)
    said = too_high(list(short_rows(setting)), known)
    if said:  # a machine that others use too disturbs once; what became slower stays so
        again = too_high(list(short_rows(setting)), known)
        still = {line.partition(":")[0] for line in again}
        assert [line for line in said if line.partition(":")[0] in still] == [], again
