"""The command line knows every verb, and loads what the one that is asked for needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LOADED = """
import sys
from provisioning.__main__ import parser
parser("open")
print(*sorted(name for name in sys.modules if name.startswith("provisioning.")))
"""


def test_opening_loads_nothing_of_the_fleet_the_papers_or_the_cards() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", LOADED], check=True, cwd=root, stdout=subprocess.PIPE, text=True)
    loaded = done.stdout.split()
    assert "provisioning.open_verb" in loaded
    others = ("fleet", "papers", "card", "clinic", "sampling", "reader", "review")
    assert [name for name in loaded if name.split(".")[1] in others] == []
