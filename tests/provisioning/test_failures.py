"""Every way in which opening can fail has its own exit code and its own words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from device.age.sealing import new_header
from device.recording import CHUNK_BYTES
from device.recording.manifest import Manifest, RecordingState
from device.words import Consent
from provisioning.__main__ import parser
from provisioning.beside import Beside
from provisioning.errors import AlteredError


@pytest.fixture
def clinic(clinic: Any) -> Any:
    """The clinic, whose command line is a process of its own: what a script gets."""
    clinic.own_process = True
    return clinic


def test_wrong_key(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    for words in ((), ("--last", "2")):
        code, said = clinic.fail(sealed.folder, *words, key="stranger")
        assert code == 3
        assert said.startswith("none of the keys given opens this file\nhint: use a key that the file was sealed to")


@pytest.mark.parametrize("words", [(), ("--last", "2")], ids=["whole", "slice"])
@pytest.mark.parametrize("cut", [-1, -10, -24, -24 - (CHUNK_BYTES + 16), -300_000])
def test_truncated_file(clinic: Any, sound_24: Any, cut: int, words: Any) -> None:
    sealed = clinic.seal(*sound_24)
    alone = clinic.home / "cut.age"
    alone.write_bytes(sealed.file.read_bytes()[:cut])
    code, said = clinic.fail(alone, *words)
    assert code == 4
    assert said.startswith("the recording is damaged: it does not end as a sealed file ends")


@pytest.mark.parametrize("words", [(), ("--last", "2")], ids=["whole", "slice"])
def test_a_file_that_goes_on_behind_its_end(clinic: Any, sound_24: Any, words: Any) -> None:
    sealed = clinic.seal(*sound_24)
    alone = clinic.home / "long.age"
    alone.write_bytes(sealed.file.read_bytes() + b"more")
    assert clinic.fail(alone, *words)[0] == 4


def test_altered_header(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    content = sealed.file.read_bytes()
    for changed in (content[:300], content.replace(b"\n--- ", b"\n-> extra\n\n--- ", 1)):
        alone = clinic.home / "header.age"
        alone.write_bytes(changed)
        code, said = clinic.fail(alone)
        assert (code, "header" in said) == (4, True)


@pytest.mark.parametrize("words", [(), ("--last", "2")], ids=["whole", "slice"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 200_000, b"<html>\n<p>sign in</p>\n"])
def test_not_an_age_file(clinic: Any, content: bytes, words: Any) -> None:
    alone = clinic.home / "odd.age"
    alone.write_bytes(content)
    code, said = clinic.fail(alone, *words)
    assert (code, said.startswith("this is not an age file\n")) == (5, True)


@pytest.mark.parametrize("words", [(), ("--last", "2")], ids=["whole", "slice"])
@pytest.mark.parametrize("plaintext", [b"", b"hello\n", bytes(CHUNK_BYTES), bytes(100_000)])
def test_an_age_file_that_is_no_recording(clinic: Any, plaintext: bytes, words: Any) -> None:
    header, cipher = new_header([clinic.identities["clinic"].recipient()])
    parts = [plaintext[at : at + CHUNK_BYTES] for at in range(0, len(plaintext), CHUNK_BYTES)] or [b""]
    sealed = [cipher.seal(number, part, last=part is parts[-1]) for number, part in enumerate(parts)]
    alone = clinic.home / "any.age"
    alone.write_bytes(header + b"".join(sealed))
    code, said = clinic.fail(alone, *words)
    assert (code, said) == (5, "this is an age file, but not a recording\nhint: open it with `age -d`\n")


@pytest.mark.skipif(shutil.which("age") is None, reason="no age here")
def test_an_age_file_of_stock_age_that_is_no_recording(clinic: Any) -> None:
    recipient = str(clinic.identities["classic"].recipient())
    alone = clinic.home / "stock.age"
    subprocess.run(["age", "-r", recipient, "-o", alone], input=b"any text", check=True)
    assert clinic.fail(alone, key="classic")[0] == 5


def test_what_is_not_there(clinic: Any) -> None:
    code, said = clinic.fail(clinic.home / "none")
    assert (code, "there is no " in said) == (6, True)
    (clinic.home / "empty").mkdir()
    code, said = clinic.fail(clinic.home / "empty")
    assert (code, "there is no session.mp4.age in " in said) == (6, True)
    os.mkfifo(clinic.home / "pipe.age")
    code, said = clinic.fail(clinic.home / "pipe.age")
    assert (code, "is not a file" in said) == (6, True)


def test_an_identity_that_is_none(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    code, said = clinic.fail(sealed.folder, "-i", clinic.home / "none.key")
    assert (code, "the identity file" in said) == (2, True)
    code, said = clinic.fail(sealed.folder, "-i", sealed.file)
    assert (code, "is not an identity file" in said) == (2, True)


def test_wrong_usage_has_an_error_and_a_hint(clinic: Any) -> None:
    for words in (
        (),
        ("open",),
        ("open", "x", "-i"),
        ("key",),
        ("close",),
        ("open", "x", "--lsat", "3"),
    ):
        done = clinic.run(*words)
        assert done.returncode == 2
        assert done.stderr.startswith(b"error: ")
        assert b"\nhint: sotto-clinic" in done.stderr
    done = clinic.run("open", "x")
    assert (done.returncode, done.stderr) == (2, b"error: no identity was given\nhint: give one with -i, or a --kit\n")


def test_a_script_gets_failures_as_json_too(clinic: Any) -> None:
    done = clinic.run("open", clinic.home / "none", "-i", clinic.key(), "--json")
    assert done.returncode == 6
    told = json.loads(done.stdout)
    assert (told["opened"], told["exit_code"], bool(told["hint"])) == (False, 6, True)


def test_the_exit_codes_are_in_the_help(clinic: Any) -> None:
    for words in (("--help",), ("open", "--help")):
        done = clinic.run(*words)
        assert done.returncode == 0
        for code in range(7):
            assert f"\n{code}     ".encode() in done.stdout
        assert b"age" in done.stdout
    assert parser().prog == "sotto-clinic"


def test_a_slice_of_another_recording_put_in_its_place_is_noticed_by_its_header() -> None:
    manifest = Manifest(
        id="000001-aaaaaaaaaa",
        box="Room",
        state=RecordingState.COMPLETE,
        started="2026-01-01T00:00:00.000Z",
        clock_trusted=True,
        boot="b",
        started_monotonic_us=0,
        consent=Consent.SOUND,
        consent_events=(),
        recipients=(),
        header_digest="ab" * 32,
    )
    beside = Beside(manifest, "key")
    beside.check_header("ab" * 32)
    with pytest.raises(AlteredError, match="not the one"):
        beside.check_header("cd" * 32)
