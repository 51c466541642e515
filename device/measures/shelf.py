"""The measures of a box: those that are shipped, and those that the clinic put into its folder.

A clinic's measure of the same id takes the place of a shipped one. A file that does not hold is never passed over in
silence: it is told beside the others, which can be used all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import ConfigError
from device.measures.measure import Measure
from device.measures.parsing import MOST_FILE_BYTES, parse_measure

SHIPPED: Final = Path(__file__).parent / "shipped"
_MOST_FILES: Final = 100


@dataclass(frozen=True, slots=True)
class Shelf:
    """What there is, by id and in the order of the titles, and what is wrong with the files that do not hold."""

    measures: Mapping[str, Measure]
    wrong: tuple[ConfigError, ...] = ()


def read_shelf(clinic: Path | None = None) -> Shelf:
    """Read all of it anew, so that a file that was just put there counts.

    ``clinic``: the clinic's own folder, where it has one.
    """
    found: dict[str, Measure] = {}
    wrong: list[ConfigError] = []
    for folder in (SHIPPED, clinic):
        if folder is not None:
            found |= _read(folder, wrong)
    ordered = sorted(found.values(), key=lambda one: (one.title.casefold(), one.id))
    return Shelf({measure.id: measure for measure in ordered}, tuple(wrong))


def read_measure(path: Path) -> Measure:
    """The measure of one file.

    Raises:
        ConfigError: it cannot be read, or is no measure.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_FILE_BYTES + 1)
    except OSError as problem:
        raise ConfigError(f"{path.name} cannot be read: {problem.strerror}", "see who may read it") from problem
    return parse_measure(content, called=path.name)


def _read(folder: Path, wrong: list[ConfigError]) -> dict[str, Measure]:
    found: dict[str, Measure] = {}
    names: dict[str, str] = {}
    for path in _files(folder, wrong):
        try:
            measure = read_measure(path)
        except ConfigError as problem:
            wrong.append(problem)
            continue
        if measure.id in found:
            twice = f"{path.name} and {names[measure.id]} both define the measure {measure.id}"
            wrong.append(ConfigError(twice, "give one of them another id, or take it away"))
        else:
            found[measure.id], names[measure.id] = measure, path.name
    return found


def _files(folder: Path, wrong: list[ConfigError]) -> Iterator[Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as problem:
        hint = "see that web.measures names a folder that the page's service may read"
        wrong.append(ConfigError(f"the folder of the clinic's measures cannot be read: {problem.strerror}", hint))
        return
    if len(paths) > _MOST_FILES:
        wrong.append(ConfigError("there are too many measures in the clinic's folder", f"keep it to {_MOST_FILES}"))
    yield from paths[:_MOST_FILES]
