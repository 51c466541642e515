"""Rehearsals by the real program: what goes in comes out bit for bit, or is refused with what to do about it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.age.identities import generate_identity
from device.cli import main
from device.errors import AdminError
from device.panel_simulated import SimulatedPanel
from device.recording import ERASE_ORDERS_NAME, ERASED_NAME, MANIFEST_NAME, SESSION_NAME
from device.rehearse import Stage, parse_presses, rehearsal_of
from device.words import Button
from tests.support import (
    be_patient_with_cameras,
    fill,
    noise,
    own_open,
    said,
    small_disk,
    sound_of,
    stock_open,
    tracks_of,
    write_wav,
)

IDENTITY = generate_identity(post_quantum=False)
RECIPIENT = str(IDENTITY.recipient())
PRESSES = "0.2 consent, 0.6 record, 3.6 record"


@dataclass
class Told:
    """What the program said."""

    code: int
    lines: list[str]
    errors: list[str]


def rehearse(store: Path, wav: Path, *more: str, presses: str = PRESSES, recipient: str = RECIPIENT) -> Told:
    """Run the real program as a person would."""
    command = [sys.executable, "-m", "device", "rehearse", "--sound", wav, "--store", store, "--speed", "20"]
    run = subprocess.run(
        [*command, "--presses", presses, "--recipient", recipient, *more], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in run.stderr
    return Told(run.returncode, run.stdout.splitlines(), run.stderr.splitlines())


def opened(folder: Path, tmp_path: Path) -> Path:
    """The MP4 in a recording, opened by stock age; ffprobe and ffmpeg have nothing to say about it."""
    mp4 = tmp_path / "out.mp4"
    mp4.write_bytes(stock_open(folder / SESSION_NAME, IDENTITY))
    said(["ffmpeg", "-v", "warning", "-i", mp4, "-f", "null", "-"])
    return mp4


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    path.mkdir()
    return path


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """Four seconds of noise, 16-bit mono."""
    data = noise(4, rate_hz=16_000, channels=1, bits=16, quieter=4)
    return write_wav(tmp_path / "room.wav", data, rate_hz=16_000, channels=1, bits=16)


# -- what works -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate_hz", "channels", "bits", "silent"),
    [
        (48_000, 1, 16, False),
        (48_000, 2, 24, False),
        (48_000, 1, 24, True),
        (44_100, 2, 16, False),
        (44_100, 1, 24, False),
    ],
    ids=["mono 16", "stereo 24 full scale", "silence", "stereo 44.1 kHz", "mono 24 44.1 kHz"],
)
def test_a_source_is_recorded_as_it_is_bit_for_bit(
    store: Path,
    tmp_path: Path,
    rate_hz: int,
    channels: int,
    bits: int,
    silent: bool,  # noqa: FBT001
) -> None:
    data = noise(6, rate_hz=rate_hz, channels=channels, bits=bits)
    data = bytes(len(data)) if silent else data
    told = rehearse(store, write_wav(tmp_path / "room.wav", data, rate_hz=rate_hz, channels=channels, bits=bits))
    assert (told.code, told.errors) == (0, [])
    folder = Path(told.lines[-1])
    assert folder.parent == store
    mp4 = opened(folder, tmp_path)
    (track,) = tracks_of(mp4)
    assert (track["codec_name"], int(track["sample_rate"]), track["channels"]) == ("flac", rate_hz, channels)
    assert int(track["bits_per_raw_sample"]) == bits
    sound = sound_of(mp4, bits)
    assert sound == data[: len(sound)]
    assert 2.5 < len(sound) / (rate_hz * channels * bits // 8) < 4.5
    assert any(("sound silent" if silent else "sound") in line for line in told.lines)


def test_a_source_that_ends_early_leaves_a_gap_of_exact_length(store: Path, tmp_path: Path) -> None:
    data = noise(1.5, rate_hz=48_000, channels=2, bits=24)
    wav = write_wav(tmp_path / "room.wav", data, rate_hz=48_000, channels=2, bits=24)
    told = rehearse(store, wav, "--json")
    (recording,) = json.loads("\n".join(told.lines))["recordings"]
    (gap,) = recording["gaps"]
    assert (told.code, gap["start_sample"], gap["cause"]) == (0, 72_000, "the microphone was gone")
    sound = sound_of(opened(Path(recording["folder"]), tmp_path), 24)
    assert sound == data + bytes(gap["samples"] * 6)


def test_a_short_source_can_be_played_again_and_again(store: Path, wav: Path, tmp_path: Path) -> None:
    told = rehearse(store, wav, "--loop", presses="0.2 consent, 0.6 record, 7 record")
    sound = sound_of(opened(Path(told.lines[-1]), tmp_path), 16)
    source = wav.read_bytes()[44:]
    assert len(sound) > len(source)
    assert sound == (source * 3)[: len(sound)]


def test_sound_and_picture_give_one_track_each(
    store: Path, wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, so that a camera whose program takes long to begin on a busy machine is waited for."""
    be_patient_with_cameras(monkeypatch)
    picture = ["--picture", "clock", "--size", "320x180", "--fps", "10", "--speed", "5", "--loop"]
    place = ["--sound", str(wav), "--store", str(store), "--recipient", RECIPIENT]
    assert main(["rehearse", *place, *picture, "--presses", "0.2 consent, 0.6 consent, 1 record, 5 record"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    tracks = tracks_of(opened(Path(told.out.splitlines()[-1]), tmp_path))
    assert sorted(track["codec_type"] for track in tracks) == ["audio", "video"]
    picture_track = next(track for track in tracks if track["codec_type"] == "video")
    assert (picture_track["width"], picture_track["height"]) == (320, 180)
    assert int(picture_track["nb_read_packets"]) > 10


def test_consent_to_sound_gives_no_picture_though_there_is_a_camera(store: Path, wav: Path, tmp_path: Path) -> None:
    told = rehearse(store, wav, "--picture", "clock")
    assert [track["codec_type"] for track in tracks_of(opened(Path(told.lines[-1]), tmp_path))] == ["audio"]


def test_json_tells_everything(store: Path, wav: Path) -> None:
    told = rehearse(store, wav, "--json", "--loop", presses="0.2 consent, 0.6 record, 1 hold record, 3.6 record")
    outcome: dict[str, Any] = json.loads("\n".join(told.lines))
    (recording,) = outcome["recordings"]
    assert (recording["state"], recording["consent"], recording["end"]) == ("complete", "sound", "button")
    assert json.loads((Path(recording["folder"]) / MANIFEST_NAME).read_bytes())["payload"]["id"] == recording["id"]
    assert [state for _, state in outcome["states"]][:4] == ["idle", "armed", "recording", "sealing"]
    assert (outcome["erased"], outcome["faults"]) == ([], [])
    assert len(recording["bookmarks_us"]) == 1
    assert outcome["peak_memory_mib"] < 120


def test_a_withdrawal_leaves_nothing_but_the_certificate_and_the_order(store: Path, wav: Path) -> None:
    told = rehearse(store, wav, "--speed", "100", presses="0.2 consent, 0.6 record, 3 consent")
    assert told.code == 0
    order, certificate = sorted(path for path in store.rglob("*") if path.is_file())
    assert order.parent.name == ERASE_ORDERS_NAME
    assert order.name == certificate.name
    assert certificate.parent.name == ERASED_NAME
    assert told.lines[-1] == f"erased: {certificate.stem}"
    # The next rehearsal in the same store tells of its own doings only.
    again = rehearse(store, wav, presses="0.6 record")
    assert (again.code, "erased" in " ".join(again.lines)) == (3, False)


def test_two_sessions_ten_seconds_apart_are_two_recordings(store: Path, wav: Path, tmp_path: Path) -> None:
    presses = "0.2 consent, 0.6 record, 3 record, 12.4 consent, 13 record, 16 record"
    told = rehearse(store, wav, "--loop", presses=presses)
    folders = [Path(line) for line in told.lines[-2:]]
    assert [folder.name[:6] for folder in folders] == ["000001", "000002"]
    for folder in folders:
        assert len(sound_of(opened(folder, tmp_path), 16)) > 2 * 16_000 * 2


def test_nothing_is_recorded_without_consent(store: Path, wav: Path) -> None:
    told = rehearse(store, wav, presses="0.6 record, 2 record, 3 mark, 3.5 stop")
    assert told.code == 3
    assert told.lines[-1].startswith("nothing was recorded: give consent first")
    assert list(store.iterdir()) == []


def test_what_an_earlier_rehearsal_left_open_is_closed_first(store: Path, wav: Path) -> None:
    folder = store / "000007-abcdefghij"
    folder.mkdir()
    (folder / "session.mp4.age.new").write_bytes(b"torn")
    told = rehearse(store, wav)
    assert not folder.exists()
    assert told.code == 0


def test_a_machine_that_stalls_in_the_middle_of_a_press_squeezes_none_of_the_next(
    store: Path, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In real time a stall of a second put RECORD down and up again within a millisecond, and nobody heard it."""
    stage = Stage(wav, True, None, 25, store, (RECIPIENT,), 1.0, 90)
    rehearsal = rehearsal_of(stage)
    finger = SimulatedPanel.finger

    def slow(panel: SimulatedPanel, button: Button, *, down: bool) -> None:
        finger(panel, button, down=down)
        if button is Button.CONSENT and down:
            rehearsal.service.post(lambda _now_us: time.sleep(1.0))

    monkeypatch.setattr(SimulatedPanel, "finger", slow)
    outcome = rehearsal.run(parse_presses("0.1 consent, 0.4 record, 1.4 record"))
    (recording,) = outcome["recordings"]
    assert recording["duration_us"] > 500_000


def test_post_quantum_recipients_are_sealed_to(store: Path, wav: Path) -> None:
    # Stock age of this system may be too old for them; tests/age has a newer one.
    identity = generate_identity(post_quantum=True)
    told = rehearse(store, wav, recipient=str(identity.recipient()))
    assert own_open(Path(told.lines[-1]) / SESSION_NAME, identity)[4:8] == b"ftyp"


# -- what is refused --------------------------------------------------------------------------------------------------


@dataclass
class Given:
    """A command line that works, to be spoiled by the test."""

    store: Path
    sound: Path
    presses: str = PRESSES
    recipients: tuple[str, ...] = (RECIPIENT,)

    def refused(self, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[str, str]:
        """What is said when it is refused: the error and the hint."""
        recipients = [word for recipient in self.recipients for word in ("--recipient", recipient)]
        place = ["--sound", str(self.sound), "--store", str(self.store), "--presses", self.presses, "--speed", "50"]
        assert main(["rehearse", *place, *recipients, *more]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        error, hint = said.err.splitlines()
        assert error.startswith("error: ")
        assert hint.startswith("hint: ")
        return error, hint


@pytest.fixture
def given_(store: Path, wav: Path) -> Given:
    return Given(store, wav)


def test_an_empty_wav_is_refused(given_: Given, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(given_.sound, b"", rate_hz=48_000, channels=1, bits=16)
    assert given_.refused(capsys) == ("error: room.wav holds no sound", "hint: give a WAV with at least one sample")


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"ID3\3" + bytes(2000), bytes(5000)], ids=["empty", "cut off", "mp3", "zeros"]
)
def test_what_is_no_wav_is_refused(given_: Given, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    given_.sound.write_bytes(data)
    error, hint = given_.refused(capsys)
    assert "is not a WAV file" in error
    assert "16 or 24 bits" in hint


@pytest.mark.parametrize(("channels", "bits"), [(6, 16), (1, 8), (1, 32)])
def test_a_wav_that_no_microphone_delivers_is_refused(
    given_: Given, capsys: pytest.CaptureFixture[str], channels: int, bits: int
) -> None:
    write_wav(given_.sound, bytes(4800), rate_hz=48_000, channels=channels, bits=bits)
    assert f"{channels} channels of {bits} bits" in given_.refused(capsys)[0]


def test_a_missing_wav_is_refused(given_: Given, capsys: pytest.CaptureFixture[str]) -> None:
    given_.sound = given_.sound.with_name("other.wav")
    assert "other.wav cannot be read: No such file" in given_.refused(capsys)[0]
    given_.sound = given_.store
    assert "Is a directory" in given_.refused(capsys)[0]


def test_a_store_that_cannot_be_written_is_refused(given_: Given, capsys: pytest.CaptureFixture[str]) -> None:
    for place, reason in (("nowhere", "No such file"), ("room.wav", "Not a directory")):
        given_.store = given_.sound.with_name(place)
        error, hint = given_.refused(capsys)
        assert reason in error
        assert "who may write to its folder" in hint
    given_.store = Path("/proc/self")
    assert "the store failed" in given_.refused(capsys)[0]


@pytest.mark.parametrize(
    ("recipients", "error", "hint"),
    [
        ((), "there is no recipient", "sotto-clinic key new"),
        (("age1nonsense",), "recipient 1 cannot be used", ""),
        ((RECIPIENT, RECIPIENT[:-1]), "recipient 2 cannot be used", ""),
        ((IDENTITY.secret_text(),), "recipient 1 cannot be used", ""),
        (
            (RECIPIENT, str(generate_identity(post_quantum=True).recipient())),
            "these recipients cannot be used together",
            "",
        ),
    ],
    ids=["none", "malformed", "second malformed", "identity", "mixed"],
)
def test_recipients_that_cannot_be_sealed_to_are_refused(
    given_: Given, capsys: pytest.CaptureFixture[str], recipients: tuple[str, ...], error: str, hint: str
) -> None:
    given_.recipients = recipients
    told = given_.refused(capsys)
    assert error in told[0]
    assert hint in told[1]
    assert IDENTITY.secret_text().lower() not in " ".join(told).lower()
    assert list(given_.store.iterdir()) == []


@pytest.mark.parametrize(
    "presses",
    ["consent", "x consent", "-1 consent", "nan record", "inf record", "1e300 record", "1 dance", "1 people 13", "1"],
)
def test_a_script_that_is_not_understood_is_refused(
    given_: Given, capsys: pytest.CaptureFixture[str], presses: str
) -> None:
    given_.presses = presses
    assert "sotto rehearse --help" in given_.refused(capsys)[1]


@pytest.mark.parametrize(
    "more",
    [
        ("--speed", "0"),
        ("--speed", "nan"),
        ("--speed", "-1"),
        ("--fps", "0"),
        ("--size", "720"),
        ("--size", "1x1"),
        ("--max-length", "0"),
        ("--picture", "cat"),
    ],
    ids=" ".join,
)
def test_a_number_out_of_range_is_a_wrong_command_line(
    given_: Given, capsys: pytest.CaptureFixture[str], more: tuple[str, str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        given_.refused(capsys, *more)
    assert ended.value.code == 2
    assert f"argument {more[0]}" in capsys.readouterr().err


def test_a_disk_without_room_for_a_session_is_told_and_nothing_is_recorded(tmp_path: Path, wav: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        told = rehearse(disk, wav)
        assert told.code == 3
        assert any(
            line.startswith("fault: the store has no room for a whole session; free room") for line in told.lines
        )
        assert list(disk.iterdir()) == []
        fill(disk)
        told = rehearse(disk, wav)
        assert (told.code, told.errors[0]) == (1, "error: the store is full: nothing can be written to it")
        assert told.errors[1].startswith("hint: free room")


def test_a_disk_that_fills_up_ends_a_recording_that_can_still_be_opened(tmp_path: Path) -> None:
    # Room is kept for the most that 48 kHz can need; at 96 kHz full-scale noise is twice that.
    with small_disk(tmp_path / "disk", 42 * 1024) as disk:
        data = noise(4, rate_hz=96_000, channels=2, bits=24)
        wav = write_wav(tmp_path / "room.wav", data, rate_hz=96_000, channels=2, bits=24)
        more = ("--loop", "--max-length", "1", "--json", "--speed", "200")
        told = rehearse(disk, wav, *more, presses="0.2 consent, 0.6 record, 55 record")
        outcome = json.loads("\n".join(told.lines))
        (recording,) = outcome["recordings"]
        assert "two low tones" in outcome["tones"]
        assert any("room" in what or "full" in what for what, _ in outcome["faults"])
        # Complete, where the room was seen to go; at this speed it may be gone within one look, as when others fill it.
        assert (recording["state"], recording["end"]) in {
            ("complete", "the store is full"),
            ("interrupted", "the store is full: a chunk could not be made durable"),
            ("open", None),  # there was no room even for its manifest
        }
        sound = sound_of(opened(Path(recording["folder"]), tmp_path), 24)
        assert len(sound) > 20 * 96_000 * 6
        assert sound == (data * 15)[: len(sound)]


# -- the script -------------------------------------------------------------------------------------------------------


def test_a_script_is_played_in_the_order_of_its_times() -> None:
    moments = parse_presses("3 both, 0.2 consent, , 1 hold record, 2 people 3, 2 kill camera")
    assert [moment.at_us for moment in moments] == sorted(moment.at_us for moment in moments)
    assert [(moment.at_us // 1000, moment.what) for moment in moments[:3]] == [
        (200, "consent down"),
        (300, "consent up"),
        (1000, "record down"),
    ]
    assert parse_presses("") == []


@given(st.text(alphabet="0123456789.e-, consetrdhlbpifmaku", max_size=40) | st.text(max_size=20))
@example("1e999 record")
@example("1_0 record")
@example("٣ record")
def test_no_script_raises_anything_but_what_can_be_told(text: str) -> None:
    try:
        moments = parse_presses(text)
    except AdminError as problem:
        assert problem.hint
    else:
        assert all(0 <= one.at_us <= other.at_us for one, other in pairwise(moments))
