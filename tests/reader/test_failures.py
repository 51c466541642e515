"""What is wrong with a recording is said exactly, and nothing that was not sealed there is ever played."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from device.age.sealing import encrypt
from device.recording import MANIFEST_NAME
from tests.provisioning.conftest import RATE_HZ, SEALED_BYTES, Chunks, Clinic
from tests.provisioning.damage import (
    Kept,
    copy_of,
    cut_and_close_again,
    cut_anywhere,
    cut_the_closing,
    edit_the_manifest,
    flip_in_closing,
    flip_in_header,
    put_something_behind,
    record,
)
from tests.reader.browsing import Reader

SEED = 11
BROKEN_CHUNK = 9


@pytest.fixture
def kept(clinic: Clinic, sound_24: tuple[Chunks, bytes]) -> Kept:
    return record(clinic, sound_24[0])


def beside(kept: Kept) -> tuple[Path, Path]:
    return kept.file, kept.folder / MANIFEST_NAME


def flip(at: int) -> Callable[[bytearray], None]:
    def change(content: bytearray) -> None:
        content[at] ^= 1

    return change


def test_a_damaged_chunk_is_named_and_what_is_before_it_is_played(
    reader: Reader, clinic: Clinic, kept: Kept, sound_24: tuple[Chunks, bytes]
) -> None:
    kept.change(flip(kept.chunk_at(BROKEN_CHUNK) + 40_000))
    reader.unlock(clinic.key()).choose(*beside(kept)).opened()
    said = reader.problem("damaged")
    assert f"chunk {BROKEN_CHUNK} is not what was sealed" in said
    assert "damaged at 0:0" in said
    digest, samples = reader.heard()
    assert 0 < samples < 20 * RATE_HZ
    assert digest == sha256(sound_24[1][: samples * 3]).hexdigest()
    reader.page.click("text=Go on behind it")
    reader.plays(from_s=samples / RATE_HZ + 1).brought(20)
    reader.page.wait_for_function("() => document.querySelector('.problem') === null")


@pytest.mark.parametrize("change", [cut_anywhere, cut_the_closing, flip_in_closing, put_something_behind])
def test_a_file_that_does_not_end_as_it_was_sealed_is_not_opened(
    reader: Reader, clinic: Clinic, kept: Kept, change: Callable[[Kept, random.Random], object]
) -> None:
    change(kept, random.Random(SEED))
    reader.unlock(clinic.key()).choose(*beside(kept))
    assert "does not end as a sealed file ends" in reader.problem("cut")
    assert reader.handed_bytes() == 0


def test_a_file_that_was_cut_and_closed_again_is_told_by_its_manifest(
    reader: Reader, clinic: Clinic, kept: Kept
) -> None:
    """With a closing that the box itself wrote once: the file alone cannot tell."""
    chunks = kept.manifest.chunks
    cut_and_close_again(kept, random.Random(SEED))
    reader.unlock(clinic.key()).choose(*beside(kept))
    assert f"the box signed {chunks} chunks" in reader.problem("other length")
    assert reader.handed_bytes() == 0


def test_a_changed_header_is_told(reader: Reader, clinic: Clinic, kept: Kept) -> None:
    """In its last line, where the authentication code stands."""
    nonce_and_newline = 17
    kept.change(lambda content: content.__setitem__(kept.payload - nonce_and_newline - 20, ord("A")))
    reader.unlock(clinic.key()).choose(*beside(kept))
    assert "head of this file was changed" in reader.problem("altered header")


def test_wherever_a_header_is_changed_nothing_is_played(
    reader: Reader, clinic: Clinic, kept: Kept, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    reader.unlock(clinic.key())
    for number in range(5):
        (place := tmp_path / str(number)).mkdir()
        copy = copy_of(kept, place)
        flip_in_header(copy, chance)
        reader.choose(*beside(copy))
        reader.page.locator(".problem").wait_for()
        assert reader.handed_bytes() == 0
        reader.page.click("header button")
        reader.page.locator("#file").wait_for(state="attached")


def test_a_manifest_that_was_edited_is_told_and_nothing_is_played(reader: Reader, clinic: Clinic, kept: Kept) -> None:
    edit_the_manifest(kept, random.Random(SEED))
    reader.unlock(clinic.key()).choose(*beside(kept))
    assert "changed after the box signed it" in reader.problem("altered manifest")
    assert reader.handed_bytes() == 0


def test_the_manifest_of_another_recording_is_told(
    reader: Reader, clinic: Clinic, kept: Kept, sound_24: tuple[Chunks, bytes]
) -> None:
    other = record(clinic, sound_24[0])
    reader.unlock(clinic.key()).choose(kept.file, other.folder / MANIFEST_NAME)
    assert "belongs to another recording" in reader.problem("other recording")
    assert reader.handed_bytes() == 0


@pytest.mark.parametrize("key", ["stranger", "classic"])
def test_a_key_that_does_not_fit_is_told(reader: Reader, clinic: Clinic, kept: Kept, key: str) -> None:
    reader.unlock(clinic.key(key)).choose(*beside(kept))
    assert "None of your keys opens this recording" in reader.problem("wrong key")
    assert reader.handed_bytes() == 0


def test_an_age_file_of_another_kind_is_told(reader: Reader, clinic: Clinic, tmp_path: Path) -> None:
    plain, sealed = tmp_path / "letter", tmp_path / "letter.age"
    plain.write_bytes(b"no recording at all " * 10_000)
    with plain.open("rb") as source, sealed.open("wb") as sink:
        encrypt(source, sink, [clinic.identities["clinic"].recipient()])
    reader.unlock(clinic.key()).choose(sealed)
    assert "no recording in it" in reader.problem("not a recording")


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100_000, b"ID3" + bytes(300_000), b"age-encryption.org/v1\n" * 20_000]
)
def test_what_is_no_sealed_file_is_told(reader: Reader, clinic: Clinic, tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "x.age").write_bytes(content)
    reader.unlock(clinic.key()).choose(file)
    reader.page.locator(".problem").wait_for()
    assert reader.page.get_attribute(".problem", "data-kind") in {"not age", "altered header"}


def test_two_chunks_that_changed_places_are_damage(reader: Reader, clinic: Clinic, kept: Kept) -> None:
    """Each was sealed by the box; but each opens at its own place alone."""

    def swap(content: bytearray) -> None:
        one, other = (slice(kept.chunk_at(n), kept.chunk_at(n) + SEALED_BYTES) for n in (5, 6))
        content[one], content[other] = content[other], content[one]

    kept.change(swap)
    reader.unlock(clinic.key()).choose(*beside(kept)).opened()
    assert "chunk 5 is not what was sealed" in reader.problem("damaged")


def test_a_file_that_goes_away_while_it_is_played_is_told(
    reader: Reader, clinic: Clinic, sound_quiet: tuple[Chunks, bytes]
) -> None:
    kept = record(clinic, sound_quiet[0])
    reader.unlock(clinic.key()).choose(*beside(kept)).opened()
    kept.file.unlink()
    reader.page.locator("#timeline").press("End")
    assert "cannot be read any more" in reader.problem("gone")
