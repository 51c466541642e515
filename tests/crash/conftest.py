"""One compiled disk, and one key to open what was recorded on it, for all tests of cuts and faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.age.identities import KeyIdentity, generate_identity
from tests.crash.search import memory
from tests.crash.shim import build_shim


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shim, compiled."""
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="session")
def identity() -> KeyIdentity:
    return generate_identity(post_quantum=False)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory."""
    with memory() as folder:
        yield folder
