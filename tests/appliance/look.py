"""What a box is from outside and from inside, asked so that the answers are exact sets."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Final

from tests.appliance.network import BOX
from tests.appliance.vm import Vm
from tests.appliance.way import Way

_LOOK: Final = Path(__file__).parent / "scripts" / "look_around.py"
# Of UDP, which answers nothing where nothing is: what boxes and their like are found by, and what has been misused.
_UDP: Final = "53,67,68,69,111,123,137,161,323,500,631,1900,5353,5355"


def looked_around(vm: Vm) -> dict[str, set[str]]:
    """What the box says about itself, to somebody who may see all of it."""
    vm.agent.put("/run/look_around.py", _LOOK.read_bytes())
    found = json.loads(vm.agent.sh("/usr/bin/python3 /run/look_around.py"))
    return {name: set(lines) for name, lines in found.items()}


def surprises(found: Mapping[str, Set[str]], wanted: Mapping[str, Set[str]]) -> list[str]:
    """What is there and was not decided on (``+``), and what was and is not there (``-``)."""
    assert found.keys() == wanted.keys()
    return [
        f"{name}: {mark} {line}"
        for name in found
        for mark, lines in (("+", found[name] - wanted[name]), ("-", wanted[name] - found[name]))
        for line in sorted(lines)
    ]


def reached(way: Way) -> set[str]:
    """What anybody in the box's network reaches there: every port of TCP, and those of UDP above; by nmap."""
    quick = ("-n", "-Pn", "-T5", "--max-retries", "2", "--min-rate", "1000", "-oG", "-")
    found = ""
    for kind in (("-sS", "-p-"), ("-sU", "-p", _UDP)):
        words = ["nmap", *kind, *quick, BOX]
        done = subprocess.run([*way.wire.at_desk, *words], capture_output=True, text=True, check=True)
        found += done.stdout
        way.journey.say(f"$ {' '.join(words)}", *(line for line in done.stdout.splitlines() if "Ports:" in line))
    return set(re.findall(r"(\d+/open/\w+)", found))
