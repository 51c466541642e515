"""People of a box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.people.people import People
from tests.people.persons import people_in


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    with people_in(tmp_path) as made:
        yield made
