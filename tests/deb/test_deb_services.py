"""What starts and watches services keeps its contract with a systemd that really runs a machine: that of a box."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import distribution
from pathlib import Path

from tests.applying import test_services as contract
from tests.deb.test_deb_boot import as_a_box, booted
from tests.deb.trees import ROOT, Machine

# The tests' own tools, as they are here: nothing but Python.
TOOLS = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
RUN = (
    "cd /srv/contract && PYTHONPATH=/srv/contract /opt/sotto/bin/python -B -m pytest -p no:cacheprovider -rA"
    " --rootdir=/srv/contract tests/applying/test_services.py"
)


def test_real_services_keep_the_contract_that_those_of_the_tests_keep(own: Machine) -> None:
    here = own.tree / "srv/contract"
    for name in TOOLS:
        for file in distribution(name).files or ():
            if ".." not in file.parts:
                (here / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(file.locate()), here / file)
    for name in ("services.py", "test_services.py"):
        (here / "tests/applying").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests/applying" / name, here / "tests/applying")
    as_a_box(own, also={"contract": RUN})
    said = booted(own)["also"]
    assert isinstance(said, dict)
    names = [name for name in vars(contract) if name.startswith("test_")]
    told = dict(reversed(row) for row in re.findall(r"^([A-Z]+) \S+::(\S+)", said["contract"], re.MULTILINE))
    assert told == {f"{name}[{where}]": "PASSED" for name in names for where in ("simulated", "systemd")}, said
