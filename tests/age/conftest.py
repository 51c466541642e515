"""Keys, and the programs and vectors that say from outside whether the format is right."""

from __future__ import annotations

import base64
import re
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.age.identities import KeyIdentity, generate_identity

ROOT = Path(__file__).resolve().parents[2]
AGE_PQ = ROOT / ".cache/age/usr/bin/age"
CCTV = Path(__file__).parent / "vectors/cctv-age-0.2.0.js"  # as npm's package cctv-age has it (0BSD)


@dataclass(frozen=True)
class Vector:
    """One file of the C2SP age vectors: what must come of opening it."""

    name: str
    expect: str
    payload_sha256: str
    identities: list[str]
    passphrases: list[str]
    armored: bool
    data: bytes


def _vector(name: str, text: str) -> Vector:
    head, _, data = base64.b64decode(text).partition(b"\n\n")
    fields = [line.split(": ", 1) for line in head.decode().split("\n")]
    first = dict(reversed(fields))
    return Vector(
        name=name,
        expect=first["expect"],
        payload_sha256=first.get("payload", ""),
        identities=[value for key, value in fields if key == "identity"],
        passphrases=[value for key, value in fields if key == "passphrase"],
        armored="armored" in first,
        data=zlib.decompress(data) if "compressed" in first else data,
    )


# None of these fixtures skips: a test that quietly does not run is a promise that quietly is not kept.
@pytest.fixture(scope="session")
def age() -> Path:
    """Stock age of the system; any version since 1.0."""
    if (found := shutil.which("age")) is None:
        pytest.fail("there is no age in PATH; install the package age")
    return Path(found)


@pytest.fixture(scope="session")
def age_pq() -> Path:
    """Stock age that knows post-quantum keys."""
    if not AGE_PQ.exists():
        pytest.fail("there is no post-quantum age; run tests/tools/fetch-age first")
    return AGE_PQ


@pytest.fixture(scope="session")
def cctv() -> list[Vector]:
    """The C2SP vectors of the age format."""
    found = re.findall(r'^// \S*/testdata/(\S+)\nvar \w+ = __toBinary\("([^"]+)"\);$', CCTV.read_text(), re.MULTILINE)
    return [_vector(name, text) for name, text in found]


@pytest.fixture(scope="session")
def classic() -> KeyIdentity:
    return generate_identity(post_quantum=False)


@pytest.fixture(scope="session")
def hybrid() -> KeyIdentity:
    return generate_identity(post_quantum=True)
