"""The same search finds what is wrong with writers that leave one thing out: else it would prove nothing of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.age.identities import KeyIdentity
from tests.crash.judge import Opener
from tests.crash.naive import VARIANTS
from tests.crash.search import Search, play


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_naive_writer_is_found_out(library: Path, identity: KeyIdentity, place: Path, variant: str) -> None:
    _, breaks = VARIANTS[variant]
    run = play(library, place / "run", identity, {"do": "play", "scenario": "withdrawn", "variant": variant})
    search = Search(Opener(identity), place / "scratch")
    search.look(run, lots=2, until=breaks)
    assert breaks in str(search.wrong), search.tell()
