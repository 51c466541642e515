"""A recording opened whole: against its source, against stock age, and against whoever tampered with it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from device.recording import CHUNK_BYTES, MANIFEST_NAME, SESSION_NAME

NEW_AGE = Path(__file__).parents[2] / ".cache/age/usr/bin/age"


def test_sound_comes_out_bit_for_bit(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    told = clinic.open(sealed.folder, "-o", "out.mp4")
    out = clinic.home / "out.mp4"
    assert out.read_bytes() == sealed.plaintext
    assert clinic.player.samples(out) == sealed.sound
    assert clinic.player.kinds(out) == ["audio"]
    assert out.stat().st_mode & 0o777 == 0o600
    assert (told["state"], told["duration_s"], told["picture"], told["slice"]) == ("complete", 20.0, False, None)
    assert told["gaps"] == [{"start_s": 5.0, "length_s": 0.1}]
    assert told["manifest"]["digest_checked"] is True
    assert told["bytes_read"] == sealed.file.stat().st_size == told["size_bytes"]


def test_sound_and_picture_come_out_whole(clinic: Any, with_picture: Any) -> None:
    sealed = clinic.seal(*with_picture)
    assert clinic.open(sealed.file, "-o", "out.mp4")["picture"] is True
    assert clinic.player.kinds(clinic.home / "out.mp4") == ["audio", "video"]
    assert clinic.player.samples(clinic.home / "out.mp4") == sealed.sound
    assert clinic.player.pictures(clinic.home / "out.mp4") == 500


@pytest.mark.parametrize(("key", "age"), [("classic", shutil.which("age")), ("clinic", NEW_AGE)])
def test_it_is_what_stock_age_gives(clinic: Any, sound_24: Any, key: str, age: Any) -> None:
    if age is None or not Path(age).exists():
        pytest.skip("no such age here")
    sealed = clinic.seal(*sound_24, to=key)
    clinic.open(sealed.folder, "-o", "out.mp4", key=key)
    stock = subprocess.run([age, "-d", "-i", clinic.key(key), sealed.file], capture_output=True, check=True)
    assert stock.stdout == (clinic.home / "out.mp4").read_bytes()


def test_it_is_named_after_the_recording_and_nothing_is_overwritten(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    done = clinic.run("open", sealed.folder, "-i", clinic.key())
    assert done.returncode == 0
    assert done.stdout.decode().startswith(
        "000007-abcdefghij: complete, 0:20, sound\nsound gaps: 1, 0.100 s in all, at 0:05"
    )
    assert "signed by box 'room 3'" in done.stdout.decode()
    code, said = clinic.fail(sealed.folder)
    assert code == 2
    assert "000007-abcdefghij.mp4 is there already" in said
    assert clinic.run("open", sealed.folder, "-i", clinic.key(), "--force").returncode == 0


def test_it_can_go_to_another_program(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    done = clinic.run("open", sealed.folder, "-i", clinic.key(), "-o", "-")
    assert done.stdout == sealed.plaintext
    assert b"complete, 0:20" in done.stderr
    assert clinic.run("open", sealed.folder, "-i", clinic.key(), "-o", "-", "--json").returncode == 2


def test_any_of_several_keys_will_do(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    keys = ("-i", clinic.key("classic"), "-i", clinic.key("clinic"))
    assert clinic.run("open", sealed.folder, "-i", clinic.key("stranger"), *keys).returncode == 0


def test_an_interrupted_recording_says_so_and_plays(clinic: Any, sound_24: Any) -> None:
    chunks, sound = sound_24
    sealed = clinic.seal(chunks, sound, most=20)
    told = clinic.open(sealed.folder, "-o", "out.mp4")
    heard = clinic.player.samples(clinic.home / "out.mp4")
    assert sound.startswith(heard)
    assert (told["state"], told["duration_s"]) == ("interrupted", len(heard) / 3 / 48_000)
    assert told["gaps"] == []  # from the manifest: there is no end mark
    done = clinic.run("open", sealed.folder, "-i", clinic.key(), "-o", "again.mp4")
    assert b"interrupted, 0:" in done.stdout
    assert b"no end mark" in done.stdout


def test_a_recording_that_was_cut_before_its_first_fragment_is_interrupted_too(clinic: Any, sound_24: Any) -> None:
    chunks, sound = sound_24
    sealed = clinic.seal(chunks, sound, most=1)
    assert clinic.open(sealed.folder)["duration_s"] == 0
    code, said = clinic.fail(sealed.folder, "--from", "0", "-o", "x.mp4")
    assert (code, "is over at 0:00" in said) == (2, True)


def test_a_missing_manifest_is_said_and_no_error(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    (sealed.folder / MANIFEST_NAME).unlink()
    assert clinic.open(sealed.folder)["manifest"] is None
    done = clinic.run("open", sealed.folder, "-i", clinic.key(), "--force")
    assert b"manifest: none beside it" in done.stdout


@pytest.mark.parametrize("words", [(), ("--last", "3")], ids=["whole", "slice"])
@pytest.mark.parametrize("most", [-1, 20], ids=["end mark", "half"])
def test_a_recording_that_was_shortened_is_altered(clinic: Any, sound_24: Any, most: int, words: Any) -> None:
    """Whoever has the disk can end a recording at any chunk whose closing they kept; age alone cannot tell."""
    chunks, sound = sound_24
    whole = clinic.seal(chunks, sound)
    manifest = (whole.folder / MANIFEST_NAME).read_bytes()
    cut = clinic.seal(chunks, sound, most=most)
    (cut.folder / MANIFEST_NAME).write_bytes(manifest)
    code, said = clinic.fail(cut.folder, "-o", "x.mp4", *words)
    assert code == 4
    assert said.startswith("altered: the file is ")


def test_a_manifest_of_another_recording_is_found_out_by_its_digest(clinic: Any, sound_24: Any) -> None:
    other = clinic.seal(*sound_24, folder="000008-abcdefghij")
    sealed = clinic.seal(*sound_24)
    shutil.copy(other.folder / MANIFEST_NAME, sealed.folder / MANIFEST_NAME)
    code, said = clinic.fail(sealed.folder, "-o", "x.mp4")
    assert (code, "chunks are not those that the box sealed" in said) == (4, True)


def test_a_manifest_that_was_changed_is_altered(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    manifest = sealed.folder / MANIFEST_NAME
    manifest.write_bytes(manifest.read_bytes().replace(b'"room 3"', b'"room 4"'))
    code, said = clinic.fail(sealed.folder, "-o", "x.mp4")
    assert (code, "changed after the box signed it" in said) == (4, True)


def test_a_damaged_chunk_is_named_with_its_moment(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    content = bytearray(sealed.file.read_bytes())
    content[sealed.payload_offset + 25 * (CHUNK_BYTES + 16) + 100] ^= 1
    sealed.file.write_bytes(content)
    at = next(entry.start_us for entry in sealed.index.entries if entry.chunk == 25) // 1_000_000
    for words in ((), ("--from", "8", "--to", "12")):
        code, said = clinic.fail(sealed.folder, "-o", "x.mp4", *words)
        assert code == 4
        assert f"chunk 25 of the file is not what was sealed, at 0:{at:02} of the recording" in said
    # A slice that does not need it opens.
    assert clinic.open(sealed.folder, "-o", "x.mp4", "--last", "3")["state"] == "complete"


def test_an_output_that_is_left_half_done_is_not_kept_and_an_old_one_stays(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    content = bytearray(sealed.file.read_bytes())
    content[-200] ^= 1
    sealed.file.write_bytes(content)
    (clinic.home / "x.mp4").write_bytes(b"old")
    code, _ = clinic.fail(sealed.folder, "-o", "x.mp4", "--force")
    assert code == 4
    assert (clinic.home / "x.mp4").read_bytes() == b"old"


def test_a_place_that_cannot_be_written_is_another_failure(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    code, said = clinic.fail(sealed.folder, "-o", clinic.home / "none" / "x.mp4")
    assert (code, "the output cannot be written" in said) == (1, True)
    code, said = clinic.fail(sealed.folder, "-o", clinic.home)
    assert (code, "is a folder" in said) == (2, True)


def test_a_file_on_its_own_has_no_manifest(clinic: Any, sound_24: Any) -> None:
    sealed = clinic.seal(*sound_24)
    alone = sealed.folder / "copy of it.age"
    shutil.copy(sealed.folder / SESSION_NAME, alone)
    told = clinic.open(alone)
    assert (told["manifest"], told["output"]) == (None, "copy-of-it.mp4")
