"""docs/threats.md: each row names the tests that would fail if it were not so, and those are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "threats.md"
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def rows() -> dict[str, str]:
    """Who could do what → which tests show what stands against them."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| **"):
            who, stands, remains, shown = (cell.strip() for cell in line.strip("| ").split(" | "))
            assert stands
            assert remains
            found[who.strip("*")] = shown
    return found


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_all_who_could_do_harm_are_there() -> None:
    assert len(rows()) >= 26


@pytest.mark.parametrize("who", rows())
def test_each_row_names_tests_that_are_there(who: str) -> None:
    named = NAMED.findall(rows()[who])
    assert named, f"{who}: no test is named"
    assert ", ".join(f"`{file}::{name}`" for file, name in named) == rows()[who], f"{who}: something else stands there"
    for file, name in named:
        assert name in names_in(TESTS / file), f"{file} has no {name}"
