"""The same search finds what is wrong with writers that leave one thing out: else it would prove nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.age.identities import KeyIdentity
from tests.crash.judge import Opener
from tests.crash.naive import VARIANTS
from tests.crash.search import Run, Search, memory, play, rounds
from tests.crash.shim import Call


@pytest.fixture(scope="module")
def played(library: Path, identity: KeyIdentity) -> Iterator[dict[str, list[Call]]]:
    """What each of them asked the disk for when a recording was made, withdrawn and erased."""
    with memory() as folder:
        yield rounds(play(library, folder / "run", identity, {"do": "naive", "scenario": "withdrawn"}).calls)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_naive_writer_is_found_out(
    played: dict[str, list[Call]], identity: KeyIdentity, place: Path, variant: str
) -> None:
    _, breaks = VARIANTS[variant]
    search = Search(Opener(identity), place / "scratch")
    search.look(Run(played[variant]), lots=2, until=breaks)
    assert breaks in str(search.wrong), search.tell()
