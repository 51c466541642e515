"""Wherever an update is cut, whatever of it reached the disk, a whole version starts: the old one until all was well.

The whole way (stage, try, settle) is cut at each call that it makes, which is finer than at every twentieth of it.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.updating import Next, next_step, version_of
from device.updating_shelf import CURRENT_NAME, VersionShelf
from tests.crash.model import LINK, Disk, State
from tests.crash.shim import Call, Kind, read_log, run_on
from tests.crash.updates import update
from tests.updates import OWN, image_of, runs, shelf_in, started

TWENTIETHS = 20


@dataclass(frozen=True)
class Way:
    """One update that was played. ``old``: the version that ran; ``done``: the calls, and what had become true."""

    old: str
    new: str
    before: Path
    calls: list[Call]


@pytest.fixture(params=[[], ["0.2.0"], ["0.2.0", "0.3.0"]], ids=["first", "second", "third"])
def way(request: pytest.FixtureRequest, library: Path, place: Path) -> Way:
    """The next version comes to a box that had so many."""
    shelf = shelf_in(place / "box")
    for order, version in enumerate(request.param, start=1):
        update(shelf, version, order=order)
    before = Path(shutil.copytree(shelf.folder, place / "before", symlinks=True))
    words = ["-m", "tests.crash.updates", str(shelf.folder), str(place / "box/run"), "0.9.0", "9"]
    run_on(library, shelf.folder, place / "disk.log", [sys.executable, *words])
    assert runs(shelf) == "0.9.0"
    calls = read_log(place / "disk.log", shelf.folder)
    return Way(request.param[-1] if request.param else OWN, "0.9.0", before, calls)


def cuts(way: Way) -> Iterator[tuple[int, set[str], State]]:
    """Every state of the disk after a cut, where the cut was, and what had become true before it."""
    disk, true, chance = Disk(way.before), set[str](), random.Random(0)
    seen: set[tuple[bytes, int, int]] = set()
    for number, call in enumerate([None, *way.calls]):
        if call is not None and call.kind is Kind.MARK:
            true.add(call.mark["do"])
        elif call is not None:
            disk.obey(call)
        for choice in disk.choices(chance, lots=6):
            if (key := (disk.digest(choice), len(true), twentieth(number, way))) not in seen:
                seen.add(key)
                yield number, set(true), disk.state(choice)


def twentieth(number: int, way: Way) -> int:
    """How far on the way a call is."""
    return number * TWENTIETHS // (len(way.calls) + 1)


def laid_out(state: State, place: Path) -> VersionShelf:
    """The box after the cut: it has started again."""
    shutil.rmtree(place, ignore_errors=True)
    folder, memory = place / "versions", place / "run"
    folder.mkdir(parents=True)
    memory.mkdir()
    for name, content in state.tree.items():
        assert content is not None  # no folders in there
        if content.startswith(LINK):
            (folder / name).symlink_to(content.removeprefix(LINK).decode())
        else:
            (folder / name).write_bytes(content)
    started(folder, memory)
    return VersionShelf(folder, memory)


def test_wherever_it_is_cut_a_whole_version_starts_and_the_update_can_be_ended(way: Way, place: Path) -> None:
    counted = 0
    where: set[int] = set()
    for number, true, state in cuts(way):
        shelf = laid_out(state, place / "cut")
        counted += 1
        where.add(twentieth(number, way))
        said = f"after call {number} of {len(way.calls)}, {sorted(true)}"
        may_run = {way.old, way.new} if "well" in true else {way.old}
        assert runs(shelf) in may_run, said
        if "settled" in true:
            assert runs(shelf) == way.new, said
        for image in shelf.folder.glob("*.squashfs"):  # whoever has the name is whole
            assert image.read_bytes() == image_of(str(version_of(image.name))), said
        assert (shelf.folder / CURRENT_NAME).exists() or way.old == OWN, said
        end(shelf, way, said)
    assert where == set(range(TWENTIETHS))
    print(f"{counted} states of the disk after {len(way.calls)} calls")


def end(shelf: VersionShelf, way: Way, said: str) -> None:
    """What the box, or the clinic, does after the cut ends the update, and leaves nothing lying about."""
    step = next_step(shelf.state(), current=shelf.current())
    if step is Next.REST and runs(shelf) != way.new:
        assert shelf.state().order < 9, said  # nothing of it was taken: it can be sent again
    # What is staged already is an order that was taken: a newer one brings the rest of the way.
    update(shelf, "0.9.1", order=10)
    assert runs(shelf) == "0.9.1", said
    left = sorted(path.name for path in shelf.folder.iterdir())
    assert "state.json" in left, said
    assert not [name for name in left if name.endswith(".new")], said
    assert len([name for name in left if version_of(name)]) <= 2, said


@pytest.mark.parametrize("broken", ["name first", "link first"])
def test_the_same_search_finds_a_way_out_of_order(library: Path, place: Path, broken: str) -> None:
    """A writer that names an image before it is durable, and one that settles before the image is, are found out."""
    shelf = shelf_in(place / "box")
    before = Path(shutil.copytree(shelf.folder, place / "before", symlinks=True))
    words = ["-m", "tests.crash.updates_naive", str(shelf.folder), broken]
    run_on(library, shelf.folder, place / "disk.log", [sys.executable, *words])
    found = False
    for _, _, state in cuts(Way(OWN, "0.9.0", before, read_log(place / "disk.log", shelf.folder))):
        cut = laid_out(state, place / "cut")
        current = cut.current()
        found |= current is not None and (cut.folder / current).read_bytes() != image_of("0.9.0")
        found |= (cut.folder / CURRENT_NAME).is_symlink() and current is None
    assert found
