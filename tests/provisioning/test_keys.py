from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NEW_AGE = Path(__file__).parents[2] / ".cache/age/usr/bin/age"
CLASSIC = re.compile(r"# created: \S+\n# public key: (age1[a-z0-9]{58})\nAGE-SECRET-KEY-1[A-Z0-9]{58}\n")
HYBRID = re.compile(r"# created: \S+\n# public key: (age1pq1[a-z0-9]+)\nAGE-SECRET-KEY-PQ-1[A-Z0-9]{58}\n")


@pytest.mark.parametrize(("words", "shape"), [((), HYBRID), (("--classic",), CLASSIC)])
def test_a_new_key_goes_to_standard_output_as_age_keygen_writes_it(clinic: Any, words: Any, shape: Any) -> None:
    done = clinic.run("key", "new", *words)
    match = shape.fullmatch(done.stdout.decode())
    assert match, done.stdout
    assert done.stderr.decode() == f"Public key: {match[1]}\n"
    assert done.returncode == 0


def test_a_new_key_in_a_file_is_its_owners_alone_and_never_overwritten(clinic: Any) -> None:
    file = clinic.home / "new.key"
    done = clinic.run("key", "new", "-o", file)
    text = file.read_text()
    match = HYBRID.fullmatch(text)
    assert match
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"Public key: {match[1]}\n"
    assert file.stat().st_mode & 0o777 == 0o600

    again = clinic.run("key", "new", "-o", file)
    assert again.returncode == 1
    assert b"never overwritten" in again.stderr
    assert b"\nhint: " in again.stderr
    assert file.read_text() == text


def test_the_recipient_of_a_key_can_be_shown_again(clinic: Any) -> None:
    for name in ("clinic", "classic"):
        shown = clinic.run("key", "recipient", clinic.key(name))
        assert shown.stdout.decode() == f"{clinic.identities[name].recipient()}\n"


@pytest.mark.parametrize("content", [b"", b"no key\n", b"\xff\xfe", b"# a comment\n"])
def test_a_file_without_an_identity_is_wrong_usage(clinic: Any, content: bytes) -> None:
    file = clinic.home / "odd.key"
    file.write_bytes(content)
    done = clinic.run("key", "recipient", file)
    assert done.returncode == 2
    assert b"is not an identity file" in done.stderr
    assert clinic.run("key", "recipient", clinic.home / "none.key").returncode == 2


@pytest.mark.parametrize(
    ("age", "words"),
    [
        pytest.param(shutil.which("age"), ("--classic",), id="classic"),
        pytest.param(str(NEW_AGE) if NEW_AGE.exists() else None, (), id="post-quantum"),
    ],
)
def test_stock_age_seals_to_it_and_opens_with_it(clinic: Any, age: str | None, words: Any) -> None:
    if age is None:
        pytest.skip("no such age here")
    file = clinic.home / "new.key"
    clinic.run("key", "new", *words, "-o", file)
    recipient = clinic.run("key", "recipient", file).stdout.decode().strip()
    sealed = subprocess.run([age, "-r", recipient], input=b"hello", capture_output=True, check=True).stdout
    opened = subprocess.run([age, "-d", "-i", file], input=sealed, capture_output=True, check=True).stdout
    assert opened == b"hello"
