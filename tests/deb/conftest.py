"""The package is built once for all of its tests (root; two minutes the first time): ``make deb-check``."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deb.trees import ROOT, Machine, copied, trixie
from tests.deb.versions import changed, order_of
from tests.support import PATIENCE_S

collect_ignore_glob = [] if os.environ.get("SOTTO_DEB") else ["test_deb*.py"]


def built(out: Path) -> Path:
    words = [sys.executable, str(ROOT / "deb" / "build.py"), "--arch", "amd64", "--out", str(out)]
    env = os.environ | {"SOURCE_DATE_EPOCH": "1800000000"}  # whatever is committed meanwhile
    return Path(subprocess.run(words, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of this checkout."""
    return built(tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="session")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine that it was brought into; what a test changes there it puts back."""
    machine = copied(trixie(), tmp_path_factory.mktemp("installed") / "tree")
    machine.install(package)
    yield machine
    machine.remove()


@pytest.fixture
def own(installed: Machine, tmp_path: Path) -> Iterator[Machine]:
    """Such a machine for one test alone."""
    machine = copied(installed.tree, tmp_path / "tree")
    yield machine
    machine.remove()


@pytest.fixture(scope="session")
def orders(installed: Machine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the clinic sends to that box, by name."""
    folder = tmp_path_factory.mktemp("images")
    good, broken = changed(installed, folder, "0.2.0"), changed(installed, folder, "0.3.0", is_broken=True)
    facts, images = [one.with_suffix(".json").read_bytes() for one in (good, broken)], [good, broken]
    contents = [image.read_bytes() for image in images]
    older = json.dumps({**json.loads(facts[0]), "version": "0.1.5"}).encode()
    flipped = bytearray(order_of(facts[0], contents[0], number=1))
    flipped[len(flipped) // 2] ^= 1
    return {
        "flipped": bytes(flipped),
        "0.2.0": order_of(facts[0], contents[0], number=1),
        "0.3.0": order_of(facts[1], contents[1], number=2),
        "older": order_of(older, b"older", number=3),
        "0.3.0-again": order_of(facts[1], contents[1], number=4),
    }


@pytest.fixture
def network() -> Iterator[tuple[str, str]]:
    """The names of two machines on one wire, as namespaces: the box, 192.0.2.1 and 2001:db8::1, and another."""
    box, other = f"sotto-box-{os.getpid()}", f"sotto-other-{os.getpid()}"
    with contextlib.ExitStack() as stack:
        for name in (box, other):
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
        ip("-n", box, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", other)
        for number, name in ((1, box), (2, other)):
            ip("-n", name, "addr", "add", f"192.0.2.{number}/24", "dev", "wire")
            ip("-n", name, "addr", "add", f"2001:db8::{number}/64", "dev", "wire", "nodad")
            for link in ("wire", "lo"):
                ip("-n", name, "link", "set", link, "up")
        for name in (box, other):
            wait_for_ipv6(name)
        yield box, other


def wait_for_ipv6(name: str) -> None:
    """Until that machine has an address of its link that nobody else has: before, what it says by IPv6 is lost."""
    end = time.monotonic() + PATIENCE_S
    while "inet6" not in ip("-n", name, "-6", "addr", "show", "dev", "wire", "scope", "link", "-tentative"):
        assert time.monotonic() < end
        time.sleep(0.1)


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, stdout=subprocess.PIPE, text=True).stdout
