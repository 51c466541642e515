"""A service takes its memory by the small page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ASKED = """
import subprocess
from device.thrift import without_huge_pages
print(without_huge_pages())
print(open("/proc/self/status").read())
print(subprocess.run(["cat", "/proc/self/status"], check=True, capture_output=True, text=True).stdout)
"""


@pytest.mark.skipif("THP_enabled:" not in Path("/proc/self/status").read_text(), reason="this kernel does not tell")
def test_neither_the_program_nor_its_children_get_huge_pages() -> None:
    told = subprocess.run([sys.executable, "-c", ASKED], check=True, capture_output=True, text=True).stdout.split("\n")
    assert told[0] == "True"
    assert [line.split()[1] for line in told if line.startswith("THP_enabled:")] == ["0", "0"]
