"""Clips: a slice sealed anew for somebody else, who can open that and nothing more; and copies for clients."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from device.age.errors import DamagedChunkError, WrongKeyError
from device.age.opening import open_at
from device.recording import CHUNK_BYTES, CLOSING, MANIFEST_NAME, WITHDRAWN_NAME
from device.recording.index import Index, parse_index
from provisioning import copying
from provisioning.clips import write_clip
from provisioning.fragments import parse_fragment, parse_init
from provisioning.keys import read_identities
from provisioning.recording import SealedRecording
from provisioning.samples import padded, samples_of
from provisioning.source import FileSource
from tests.provisioning.boxes import Said, call
from tests.provisioning.conftest import RATE_HZ, RECORDING_ID, Chunks, Clinic, Sealed
from tests.support import PATIENCE_S

AGE = Path(__file__).parents[2] / ".cache/age/usr/bin/age"
COPIED = ("--agreed", "client A-17, in writing", "--agreed-on", "2026-11-20", "--by", "Ada")


def clip(clinic: Clinic, recording: Path, *words: object, to: str = "stranger") -> Path:
    """A clip for somebody else."""
    made = clinic.home / "clip.mp4.age"
    recipient = clinic.identities[to].recipient()
    said = call(
        *("clip", recording, "-i", clinic.key(), "--recipient", recipient, "-o", made, "--force", "--json", *words)
    )
    assert said.code == 0, said.complaints
    return made


def plain(file: Path, key: Path) -> bytes:
    """What stock age gives."""
    return subprocess.run([AGE, "-d", "-i", key, file], capture_output=True, check=True).stdout


def played(clinic: Clinic, content: bytes) -> Path:
    file = clinic.home / "plain.mp4"
    file.write_bytes(content)
    return file


def index_of(content: bytes) -> Index:
    index = parse_index(content[-8 - CHUNK_BYTES : -8])
    assert index is not None
    return index


@pytest.fixture
def sealed(clinic: Clinic, sound_24: tuple[Chunks, bytes]) -> Sealed:
    return clinic.seal(*sound_24)


@pytest.fixture
def seen(clinic: Clinic, with_picture: tuple[Chunks, bytes]) -> Sealed:
    return clinic.seal(*with_picture)


def test_the_sound_of_a_clip_is_the_recordings_bit_for_bit(clinic: Clinic, sealed: Sealed) -> None:
    content = plain(clip(clinic, sealed.folder, "--from", "8", "--to", "12"), clinic.key("stranger"))
    sound = clinic.player.samples(played(clinic, content))
    at = sealed.sound.find(sound[:600])
    assert at >= 0
    assert sealed.sound[at : at + len(sound)] == sound
    assert at / 3 / RATE_HZ <= 8
    assert 12 <= (at + len(sound)) / 3 / RATE_HZ < 12.8
    assert clinic.player.starts_s(played(clinic, content)) == {"audio": 0.0, "file": 0.0}


def test_a_clip_is_shaped_as_a_recording_is(clinic: Clinic, sealed: Sealed) -> None:
    content = plain(clip(clinic, sealed.folder, "--from", "8", "--to", "12"), clinic.key("stranger"))
    assert content.endswith(CLOSING)
    chunks = [content[at : at + CHUNK_BYTES] for at in range(0, len(content) - 8, CHUNK_BYTES)]
    assert len(content) == len(chunks) * CHUNK_BYTES + 8
    tracks = parse_init(chunks[0])
    assert tracks is not None
    index = index_of(content)
    assert [entry.chunk for entry in index.entries] == list(range(1, len(chunks) - 1))
    for entry in index.entries:
        fragment = parse_fragment(chunks[entry.chunk], entry.chunk, tracks)
        assert fragment is not None
        assert (fragment.start_us, entry.key) == (entry.start_us, True)
    assert index.duration_us == pytest.approx(4_300_000, abs=700_000)
    assert index.samples == len(clinic.player.samples(played(clinic, content))) // 3


def test_a_clip_opens_as_a_recording_does_and_slices_of_it_too(clinic: Clinic, sealed: Sealed) -> None:
    made = clip(clinic, sealed.folder, "--last", "6")
    told = clinic.open(made, "-o", "clip.mp4", key="stranger")
    assert (told["state"], told["picture"], told["manifest"]) == ("complete", False, None)
    whole = clinic.player.samples(clinic.home / "clip.mp4")
    told = clinic.open(made, "--from", "2", "--to", "4", "-o", "part.mp4", key="stranger")
    part = clinic.player.samples(clinic.home / "part.mp4")
    assert part in whole
    assert sealed.sound.endswith(whole)


def test_whoever_gets_a_clip_opens_it_and_nothing_outside(clinic: Clinic, sealed: Sealed) -> None:
    made = clip(clinic, sealed.folder, "--from", "8", "--to", "12")
    theirs = read_identities([clinic.key("stranger")])
    assert clinic.fail(made)[0] == 3  # not even for whoever made it
    assert clinic.fail(sealed.folder, key="stranger")[0] == 3
    content, data = sealed.file.read_bytes(), made.read_bytes()
    with pytest.raises(WrongKeyError):
        open_at(lambda at, size: content[at : at + size], len(content), theirs)
    # The key that is in the clip opens no chunk of the recording, wherever it stands.
    reader = open_at(lambda at, size: data[at : at + size], len(data), theirs)
    inside = b"".join(reader.chunk(number) for number in range(reader.chunk_count))
    assert all(sealed.plaintext[at : at + 5000] not in inside for at in range(CHUNK_BYTES, 6 * CHUNK_BYTES, 5000))
    for start in range(len(content) - reader.chunk_count * (CHUNK_BYTES + 16), len(content) - 70_000, CHUNK_BYTES + 16):
        moved = data[: len(data) - reader.chunk_count * (CHUNK_BYTES + 16)] + content[start:]
        with pytest.raises(DamagedChunkError):
            open_at(lambda at, size, moved=moved: moved[at : at + size], len(moved), theirs).chunk(0)


def test_a_clip_for_two_has_two_recipients_and_keys_of_two_kinds_do_not_mix(clinic: Clinic, sealed: Sealed) -> None:
    other = clinic.home / "other.key"
    assert call("key", "new", "-o", other).code == 0
    (recipient,) = [identity.recipient() for identity in read_identities([other])]
    made = clip(clinic, sealed.folder, "--last", "4", "--recipient", recipient)
    assert plain(made, other) == plain(made, clinic.key("stranger"))
    said = call(
        *("clip", sealed.folder, "-i", clinic.key(), "--last", "4", "-o", clinic.home / "mixed.age"),
        *("--recipient", recipient, "--recipient", clinic.identities["classic"].recipient()),
    )
    assert said.code == 1
    assert not (clinic.home / "mixed.age").exists()


def test_a_clip_with_picture_begins_with_a_key_picture_and_plays(clinic: Clinic, seen: Sealed) -> None:
    content = plain(clip(clinic, seen.folder, "--from", "7", "--to", "11"), clinic.key("stranger"))
    file = played(clinic, content)
    assert clinic.player.kinds(file) == ["audio", "video"]
    assert clinic.player.pictures(file) > 90
    assert clinic.player.samples(file) in seen.sound
    index = index_of(content)
    assert index.entries[0].key
    assert not all(entry.key for entry in index.entries)


def test_a_clip_from_where_the_camera_was_given_up_has_no_picture_track(
    clinic: Clinic, camera_given_up: tuple[Chunks, bytes]
) -> None:
    recording = clinic.seal(*camera_given_up)
    content = plain(clip(clinic, recording.folder, "--last", "5"), clinic.key("stranger"))
    assert clinic.player.kinds(played(clinic, content)) == ["audio"]
    assert recording.sound.endswith(clinic.player.samples(played(clinic, content)))


def test_a_clip_of_an_interrupted_recording(clinic: Clinic, sound_24: tuple[Chunks, bytes]) -> None:
    recording = clinic.seal(*sound_24, most=12)
    content = plain(clip(clinic, recording.folder, "--last", "4"), clinic.key("stranger"))
    sound = clinic.player.samples(played(clinic, content))
    assert sound in recording.sound
    assert len(sound) / 3 / RATE_HZ >= 4


def test_gaps_are_told_from_the_clips_own_beginning(clinic: Clinic, sealed: Sealed) -> None:
    (gap,) = index_of(sealed.plaintext).gaps
    made = clip(clinic, sealed.folder, "--from", "4", "--to", "8")
    index = index_of(plain(made, clinic.key("stranger")))
    told = json.loads(call("clip", *_again(clinic, sealed, "--from", "4", "--to", "8")).out)
    start = round(told["slice"]["start_s"] * RATE_HZ)
    assert index.gaps == ((gap[0] - start, gap[1]),)
    assert index_of(plain(clip(clinic, sealed.folder, "--from", "10"), clinic.key("stranger"))).gaps == ()


def _again(clinic: Clinic, sealed: Sealed, *words: str) -> tuple[object, ...]:
    recipient = clinic.identities["stranger"].recipient()
    return (
        *(sealed.folder, "-i", clinic.key(), "--recipient", recipient, "--json"),
        *("-o", clinic.home / "again.age", "--force", *words),
    )


def test_what_does_not_say_what_or_for_whom_is_wrong_usage(clinic: Clinic, sealed: Sealed) -> None:
    recipient = clinic.identities["stranger"].recipient()
    for words in (
        ("--last", "4"),
        ("--recipient", recipient),
        ("--last", "4", "--for", "Ben"),
        ("--last", "4", "--from", "1", "--recipient", recipient),
        ("--from", "30", "--recipient", recipient),
    ):
        said = call("clip", sealed.folder, "-i", clinic.key(), "-o", clinic.home / "x.age", *words)
        assert said.code == 2, words
    assert not (clinic.home / "x.age").exists()


def test_a_clip_of_a_damaged_part_is_not_made(clinic: Clinic, sealed: Sealed) -> None:
    content = bytearray(sealed.file.read_bytes())
    content[sealed.payload_offset + 20 * (CHUNK_BYTES + 16) + 7] ^= 1
    sealed.file.write_bytes(content)
    recipient = clinic.identities["stranger"].recipient()
    words = ("clip", sealed.folder, "-i", clinic.key(), "--recipient", recipient, "-o", clinic.home / "x.age")
    assert call(*words, "--last", "16").code == 4
    assert not list(clinic.home.glob("x.age*"))


def test_what_was_withdrawn_is_not_shared(clinic: Clinic, sealed: Sealed) -> None:
    (sealed.folder / WITHDRAWN_NAME).touch()
    recipient = clinic.identities["stranger"].recipient()
    words = ("clip", sealed.folder, "-i", clinic.key(), "--recipient", recipient, "-o", clinic.home / "x.age")
    assert call(*words, "--last", "4").code == 1
    assert not (clinic.home / "x.age").exists()


def test_what_another_box_signed_is_not_shared(clinic: Clinic, sealed: Sealed) -> None:
    recipient = clinic.identities["stranger"].recipient()
    words = ("clip", sealed.folder, "-i", clinic.key(), "--recipient", recipient, "-o", clinic.home / "x.age")
    assert call(*words, "--last", "4", "--device-key", "0" * 16).code == 4


# -- sound only -------------------------------------------------------------------------------------------------------


def copy(clinic: Clinic, recording: Path, *words: object, folder: str = "stick") -> Said:
    return call("copy", recording, "-i", clinic.key(), "-o", clinic.home / folder, *COPIED, "--json", *words)


def opened(clinic: Clinic, passphrase: str, *, folder: str = "stick") -> bytes:
    """What stock age gives of a copy; it asks for the passphrase on a terminal."""
    leader, follower = pty.openpty()
    to = clinic.home / "copy.mp4"
    command = ["setsid", "-c", AGE, "-d", "-o", to, clinic.home / folder / "recording.mp4.age"]
    with subprocess.Popen(command, stdin=follower, stderr=subprocess.PIPE) as process:
        os.close(follower)
        said = b""
        while b"passphrase" not in said.lower():
            assert select.select([leader], [], [], PATIENCE_S)[0]
            said += os.read(leader, 1024)
        os.write(leader, f"{passphrase}\n".encode())
        _, complaints = process.communicate(timeout=PATIENCE_S)
    os.close(leader)
    assert process.returncode == 0, complaints.decode()
    return to.read_bytes()


def test_a_copy_is_the_whole_recording_and_opens_with_its_passphrase_alone(clinic: Clinic, seen: Sealed) -> None:
    said = copy(clinic, seen.folder)
    assert said.code == 0, said.complaints
    assert opened(clinic, said.told["passphrase"]) == seen.plaintext
    assert clinic.fail(clinic.home / "stick/recording.mp4.age")[0] == 3


def test_a_copy_without_the_picture_has_not_a_byte_of_it(clinic: Clinic, seen: Sealed) -> None:
    said = copy(clinic, seen.folder, "--sound-only")
    assert said.code == 0, said.complaints
    content = opened(clinic, said.told["passphrase"])
    file = played(clinic, content)
    assert clinic.player.kinds(file) == ["audio"]
    assert clinic.player.samples(file) == seen.sound
    of_pictures = [data for data in _picture_data(seen) if len(data) > 64]
    assert len(of_pictures) > 100
    assert not any(data[len(data) // 2 :][:32] in content for data in of_pictures)
    # In one chunk there is as much sound as goes in, so the copy is about as small as sound alone.
    assert len(content) < len(seen.sound) * 1.2
    index = index_of(content)
    assert index.samples * 3 == len(seen.sound)
    assert all(entry.key for entry in index.entries)


def _picture_data(recording: Sealed) -> list[bytes]:
    tracks = parse_init(recording.plaintext[:CHUNK_BYTES]) or {}
    found = []
    number = 1
    while (number + 1) * CHUNK_BYTES < len(recording.plaintext):
        at = number * CHUNK_BYTES
        parsed = parse_fragment(recording.plaintext[at : at + CHUNK_BYTES], number, tracks)
        if parsed is None:
            break
        runs = samples_of(recording.plaintext[at : at + parsed.chunks * CHUNK_BYTES])
        found += [b"".join(run.data) for run in runs if tracks[run.track_id].picture]
        number += parsed.chunks
    return found


def test_the_release_note_says_who_agreed_to_what_and_how_to_take_it_back(clinic: Clinic, seen: Sealed) -> None:
    said = copy(clinic, seen.folder, "--sound-only", "--from", "2", "--to", "10", "--revocable", "until the end of May")
    assert said.code == 0, said.complaints
    stick = clinic.home / "stick"
    facts = json.loads((stick / "release.json").read_text())
    data = (stick / "recording.mp4.age").read_bytes()
    assert facts["files"]["recording.mp4.age"] == {"size_bytes": len(data), "sha256": sha256(data).hexdigest()}
    assert (facts["recording"], facts["sound_only"]) == (RECORDING_ID, True)
    assert facts["part"]["start_us"] <= 2_000_000
    assert facts["part"]["end_us"] >= 10_000_000
    assert facts["agreed"] == {"who": "client A-17, in writing", "on": "2026-11-20"}
    assert (facts["released"]["by"], facts["revocable"]) == ("Ada", "until the end of May")
    note = (stick / "RELEASE.txt").read_text()
    for words in ("client A-17, in writing, on 2026-11-20", "sound only", "until the end of May", "age -d"):
        assert words in note
    for path in stick.iterdir():
        assert said.told["passphrase"].encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_the_reader_lies_beside_the_copy_where_there_is_one(
    clinic: Clinic, sealed: Sealed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reader = tmp_path / "reader.html"
    monkeypatch.setattr(copying, "READER", reader)
    assert copy(clinic, sealed.folder, folder="without").told["reader"] is False
    assert sorted(path.name for path in (clinic.home / "without").iterdir()) == [
        *("RELEASE.txt", "recording.mp4.age", "release.json")
    ]
    assert "reader.html" not in (clinic.home / "without" / "RELEASE.txt").read_text()
    reader.write_text("<!doctype html>")
    assert copy(clinic, sealed.folder).told["reader"] is True
    stick = clinic.home / "stick"
    assert (stick / "reader.html").read_bytes() == reader.read_bytes()
    facts = json.loads((stick / "release.json").read_text())
    assert facts["files"]["reader.html"]["sha256"] == sha256(reader.read_bytes()).hexdigest()
    assert "open reader.html in a browser" in (stick / "RELEASE.txt").read_text()


def test_a_copy_has_the_passphrase_that_was_given_and_shows_it_nowhere(clinic: Clinic, sealed: Sealed) -> None:
    file = clinic.home / "its"
    file.write_text("a few words that I like\n")
    said = copy(clinic, sealed.folder, "--copy-passphrase-file", file)
    assert (said.code, said.told["passphrase"]) == (0, None)
    assert opened(clinic, "a few words that I like") == sealed.plaintext
    assert "that I like" not in said.out + said.complaints
    file.write_text("short\n")
    assert copy(clinic, sealed.folder, "--copy-passphrase-file", file, folder="other").code == 2


def test_a_copy_that_is_there_is_not_overwritten(clinic: Clinic, sealed: Sealed) -> None:
    assert copy(clinic, sealed.folder).code == 0
    before = {path: path.read_bytes() for path in (clinic.home / "stick").iterdir()}
    assert copy(clinic, sealed.folder).code == 2
    assert {path: path.read_bytes() for path in (clinic.home / "stick").iterdir()} == before
    second = copy(clinic, sealed.folder, "--force").told["passphrase"]
    assert opened(clinic, second) == sealed.plaintext


def test_what_was_withdrawn_or_altered_is_not_copied(clinic: Clinic, sealed: Sealed) -> None:
    (sealed.folder / WITHDRAWN_NAME).touch()
    said = copy(clinic, sealed.folder)
    assert (said.code, "to be erased" in said.complaints) == (1, True)
    (sealed.folder / WITHDRAWN_NAME).unlink()
    assert copy(clinic, sealed.folder, "--device-key", "0" * 16).code == 4
    document = (sealed.folder / MANIFEST_NAME).read_text()
    (sealed.folder / MANIFEST_NAME).write_text(document.replace("room 3", "room 4"))
    assert copy(clinic, sealed.folder).code == 4
    assert not list((clinic.home / "stick").iterdir())


@pytest.mark.parametrize(
    "words", [("--agreed-on", "yesterday"), ("--agreed", " "), ("--agreed", "two\nlines"), ("--by", "\x1b[2J")]
)
def test_a_copy_needs_to_be_agreed_to(clinic: Clinic, sealed: Sealed, words: tuple[str, str]) -> None:
    assert copy(clinic, sealed.folder, *words).code == 2
    assert not (clinic.home / "stick").exists()


# -- fragments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, CHUNK_BYTES - 8, CHUNK_BYTES - 7, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_padding_reaches_whole_chunks_and_is_never_too_small_for_a_box(size: int) -> None:
    content = padded(bytes(size))
    assert len(content) % CHUNK_BYTES == 0
    assert len(content) - size == 0 or int.from_bytes(content[size : size + 4], "big") == len(content) - size >= 8


def test_every_sample_of_every_track_comes_through_and_nothing_twice(clinic: Clinic, seen: Sealed) -> None:
    identities = read_identities([clinic.key()])
    source = FileSource(seen.file)
    written: list[bytes] = []

    class Sink:
        write: Callable[[bytes], Any] = staticmethod(written.append)

    recording = SealedRecording(source, identities)
    write_clip(recording, Sink(), from_us=0, to_us=1 << 62, gaps=(), progress=lambda _done, _of: None)
    source.close()

    def samples(plaintext: bytes) -> dict[int, list[Any]]:
        tracks = parse_init(plaintext[:CHUNK_BYTES]) or {}
        found: dict[int, list[Any]] = {track: [] for track in tracks}
        number = 1
        while (parsed := parse_fragment(_chunk(plaintext, number), number, tracks)) is not None:
            for run in samples_of(plaintext[number * CHUNK_BYTES : (number + parsed.chunks) * CHUNK_BYTES]):
                found[run.track_id].append((run.start, run.lines, b"".join(run.data)))
            number += parsed.chunks
        return found

    assert samples(b"".join(written)) == samples(seen.plaintext)


def _chunk(plaintext: bytes, number: int) -> bytes:
    return plaintext[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
