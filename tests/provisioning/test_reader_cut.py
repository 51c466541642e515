"""What the reader cuts out of a recording, judged by ``sotto-clinic``, stock age and ffmpeg: clips, and sound alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from device.age.opening import decrypt
from device.age.passphrase import PassphraseIdentity
from device.recording import CHUNK_BYTES, CLOSING
from device.recording.index import parse_index
from provisioning.fragments import parse_fragment, parse_init
from tests.provisioning.conftest import RATE_HZ, SEALED_BYTES, Clinic, mux, noise, pictures
from tests.provisioning.test_slices import FRAGMENT_S, placed, take
from tests.support import said

pytestmark = pytest.mark.usefixtures("reader_packages")

CUT = Path(__file__).parents[1] / "reader" / "js" / "cut.mjs"
AGE_PQ = Path(__file__).parents[2] / ".cache" / "age" / "usr" / "bin" / "age"
WORDS = "correct horse battery"
FRAME_S = 4096 / RATE_HZ


def cut(clinic: Clinic, sealed: Any, out: Path, *, how: str = "clip", to: str = "stranger", **words: object) -> Any:
    """What the reader's own modules make of a recording, sealed to somebody; what they say of it."""
    if "passphrase" not in words:
        words["to"] = [str(clinic.identities[to].recipient())]
    asked = json.dumps({"how": how, **words})
    return json.loads(said(["node", "--no-warnings", CUT, sealed.file, clinic.key(), out, asked]))


def opened(clinic: Clinic, file: Path, *, key: str = "stranger") -> bytes:
    """The plaintext of a clip, as stock age finds it; and that no other of the clinic's keys opens it."""
    for other in clinic.identities.keys() - {key}:
        run = subprocess.run([AGE_PQ, "-d", "-i", clinic.key(other), file], capture_output=True, check=False)
        assert (run.returncode, run.stdout) == (1, b"")
    return said([AGE_PQ, "-d", "-i", clinic.key(key), file])


def is_a_recording(plaintext: bytes) -> None:
    """Whole chunks that each begin with a fragment or go on with one, an end mark whose places are right, a closing."""
    chunks = [plaintext[at : at + CHUNK_BYTES] for at in range(0, len(plaintext) - len(CLOSING), CHUNK_BYTES)]
    assert plaintext.endswith(CLOSING)
    assert len(plaintext) == len(chunks) * CHUNK_BYTES + len(CLOSING)
    tracks, index = parse_init(chunks[0]), parse_index(chunks[-1])
    assert tracks
    assert index
    found = [one for n, chunk in enumerate(chunks[1:-1], start=1) if (one := parse_fragment(chunk, n, tracks))]
    assert [one.chunk for one in found] == [entry.chunk for entry in index.entries]
    assert sum(one.chunks for one in found) == len(chunks) - 2
    assert [one.start_us for one in found] == [entry.start_us for entry in index.entries]
    ends = [one.sound.end_us for one in found if one.sound]
    assert index.duration_us == max(ends)


@pytest.mark.parametrize("to", ["stranger", "classic"])
@pytest.mark.parametrize(("from_s", "to_s"), [(8, 12), (0, 3), (17.5, 99), (10, 10.001)])
def test_a_clip_is_the_samples_asked_for_and_opens_with_the_other_key_alone(
    clinic: Any, sound_24: Any, from_s: float, to_s: float, to: str, tmp_path: Path
) -> None:
    sealed = clinic.seal(*sound_24)
    span = cut(clinic, sealed, tmp_path / "clip.age", fromUs=int(from_s * 1e6), toUs=int(to_s * 1e6), to=to)
    plaintext = opened(clinic, tmp_path / "clip.age", key=to)
    is_a_recording(plaintext)
    (tmp_path / "clip.mp4").write_bytes(plaintext)
    start_s, end_s = placed(clinic.player.samples(tmp_path / "clip.mp4"), sealed.sound)
    assert from_s - FRAGMENT_S < start_s <= from_s
    assert min(to_s, 20) <= end_s < to_s + FRAGMENT_S
    assert (span["startUs"] / 1e6, span["endUs"] / 1e6) == pytest.approx((start_s, end_s), abs=1e-5)
    assert clinic.player.starts_s(tmp_path / "clip.mp4") == {"audio": 0.0, "file": 0.0}


@pytest.mark.parametrize("recorded", ["sound_24", "with_picture", "camera_given_up"])
@pytest.mark.parametrize(("from_s", "to_s"), [(8, 12), (8.004, 8.1), (0, 3), (19.9, 99), (3, 7)])
def test_the_reader_cuts_the_very_slice_that_sotto_clinic_cuts(
    request: pytest.FixtureRequest, clinic: Any, recorded: str, from_s: float, to_s: float, tmp_path: Path
) -> None:
    sealed = clinic.seal(*request.getfixturevalue(recorded))
    theirs, span, _ = take(clinic, sealed, int(from_s * 1e6), int(to_s * 1e6))
    told = cut(clinic, sealed, tmp_path / "clip.age", fromUs=int(from_s * 1e6), toUs=int(to_s * 1e6))
    plaintext = opened(clinic, tmp_path / "clip.age")
    is_a_recording(plaintext)
    (tmp_path / "ours.mp4").write_bytes(plaintext)
    (tmp_path / "theirs.mp4").write_bytes(theirs)
    assert told["startUs"] == span.start_us
    player = clinic.player
    assert player.kinds(tmp_path / "ours.mp4") == player.kinds(tmp_path / "theirs.mp4")
    assert player.samples(tmp_path / "ours.mp4") == player.samples(tmp_path / "theirs.mp4")
    assert player.starts_s(tmp_path / "ours.mp4") == player.starts_s(tmp_path / "theirs.mp4")
    if "video" in player.kinds(tmp_path / "ours.mp4"):
        assert player.pictures(tmp_path / "ours.mp4") == player.pictures(tmp_path / "theirs.mp4")


def test_a_clip_is_opened_and_cut_again_like_any_recording(clinic: Any, with_picture: Any, tmp_path: Path) -> None:
    sealed = clinic.seal(*with_picture)
    begins_s = cut(clinic, sealed, tmp_path / "clip.age", fromUs=4_000_000, toUs=14_000_000)["startUs"] / 1e6
    told = clinic.open(tmp_path / "clip.age", "-o", "again.mp4", "--from", "2", "--to", "5", key="stranger")
    assert told["state"] == "complete"
    start_s, end_s = placed(clinic.player.samples(clinic.home / "again.mp4"), sealed.sound)
    assert begins_s - 1e-5 <= start_s <= begins_s + 2
    assert begins_s + 5 <= end_s < begins_s + 5 + FRAGMENT_S


def test_the_gaps_of_a_clip_are_counted_from_its_own_beginning(clinic: Any, sound_24: Any, tmp_path: Path) -> None:
    sealed = clinic.seal(*sound_24)
    for from_us, to_us in ((4_000_000, 6_000_000), (8_000_000, 12_000_000)):
        span = cut(clinic, sealed, tmp_path / "clip.age", fromUs=from_us, toUs=to_us)
        index = parse_index(opened(clinic, tmp_path / "clip.age")[-8 - CHUNK_BYTES : -8])
        moved = round(span["startUs"] * RATE_HZ / 1e6)
        assert index is not None
        assert index.gaps == (((240_000 - moved, 4_800),) if from_us < 5_000_000 < to_us else ())


def test_an_interrupted_recording_gives_clips_as_well(clinic: Any, with_picture: Any, tmp_path: Path) -> None:
    chunks, sound = with_picture
    whole = clinic.seal(chunks, sound, folder="000001-aaaaaaaaaa")
    torn = clinic.seal(chunks, sound, most=-1, folder="000002-aaaaaaaaaa")
    for sealed, name in ((whole, "whole"), (torn, "torn")):
        cut(clinic, sealed, tmp_path / f"{name}.age", fromUs=9_000_000, toUs=12_000_000)
    assert opened(clinic, tmp_path / "whole.age") == opened(clinic, tmp_path / "torn.age")


def test_a_clip_reads_little_more_than_it_gives(clinic: Any, sound_quiet: Any, tmp_path: Path) -> None:
    sealed = clinic.seal(*sound_quiet)
    told = cut(clinic, sealed, tmp_path / "clip.age", fromUs=300_000_000, toUs=330_000_000)
    assert told["readBytes"] <= (tmp_path / "clip.age").stat().st_size + 4 * SEALED_BYTES


def test_pictures_that_need_one_from_before_are_not_in_the_clip_at_all(clinic: Any, tmp_path: Path) -> None:
    """Where the camera was given up a clip begins with sound; a picture that comes back needs its key picture."""
    sound, shots = noise(40, seed=13), [one for one in pictures(40) if one.at_us < 3_000_000 or one.at_us > 25_100_000]
    sealed = clinic.seal(mux(sound, shots), sound)
    cut(clinic, sealed, tmp_path / "clip.age", fromUs=24_500_000, toUs=28_000_000)
    plaintext = opened(clinic, tmp_path / "clip.age")
    orphans = [one.data[8:] for one in shots if 25_100_000 < one.at_us < 26_000_000]
    assert orphans
    assert not any(data[:200] in plaintext for data in orphans)
    (tmp_path / "clip.mp4").write_bytes(plaintext)
    assert clinic.player.pictures(tmp_path / "clip.mp4") > 20


@pytest.mark.parametrize(("from_s", "to_s"), [(0, None), (3.3, 9.1), (19.99, None)])
def test_the_sound_alone_is_cut_at_the_frames_and_holds_no_byte_of_a_picture(
    clinic: Any, from_s: float, to_s: float | None, tmp_path: Path
) -> None:
    sound, shots = noise(20, seed=9), pictures(20)
    sealed = clinic.seal(mux(sound, shots), sound)
    words = {} if to_s is None else {"toUs": int(to_s * 1e6)}
    span = cut(clinic, sealed, tmp_path / "sound.age", how="sound", fromUs=int(from_s * 1e6), **words)
    plaintext = opened(clinic, tmp_path / "sound.age")
    is_a_recording(plaintext)
    (tmp_path / "sound.mp4").write_bytes(plaintext)
    assert clinic.player.kinds(tmp_path / "sound.mp4") == ["audio"]
    start_s, end_s = placed(clinic.player.samples(tmp_path / "sound.mp4"), sound)
    assert from_s - FRAME_S < start_s <= from_s
    assert (to_s or 20) <= end_s < (to_s or 20) + FRAME_S
    assert (span["startUs"] / 1e6, span["endUs"] / 1e6) == pytest.approx((start_s, end_s), abs=1e-4)
    assert not any(one.data[8:72] in plaintext for one in shots if len(one.data) > 100)


def test_a_copy_by_passphrase_opens_with_stock_age_and_with_nothing_else(
    clinic: Any, sound_24: Any, tmp_path: Path
) -> None:
    sealed = clinic.seal(*sound_24)
    cut(clinic, sealed, tmp_path / "copy.age", passphrase=WORDS)
    header = (tmp_path / "copy.age").read_bytes()[:200]
    assert header.startswith(b"age-encryption.org/v1\n-> scrypt ")
    with (tmp_path / "copy.age").open("rb") as source, (tmp_path / "copy.mp4").open("wb") as sink:
        decrypt(source, sink, [PassphraseIdentity(WORDS)])
    assert clinic.player.samples(tmp_path / "copy.mp4") == sealed.sound


def test_a_damaged_chunk_ends_a_clip_that_then_opens_for_nobody(clinic: Any, sound_24: Any, tmp_path: Path) -> None:
    sealed = clinic.seal(*sound_24)
    content = bytearray(sealed.file.read_bytes())
    content[sealed.payload_offset + 12 * SEALED_BYTES] ^= 1
    sealed.file.write_bytes(content)
    asked = json.dumps({"how": "clip", "to": [str(clinic.identities["stranger"].recipient())]})
    run = subprocess.run(
        ["node", "--no-warnings", CUT, sealed.file, clinic.key(), tmp_path / "x.age", asked],
        capture_output=True,
        check=False,
    )
    assert run.returncode != 0
    assert b"chunk 12 is not what was sealed" in run.stderr
    told = subprocess.run(
        [AGE_PQ, "-d", "-i", clinic.key("stranger"), tmp_path / "x.age"], capture_output=True, check=False
    )
    assert told.returncode == 1
