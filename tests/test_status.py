"""The published status: what is read is what was published, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.status import (
    STATUS_NAME,
    LampStatus,
    LastStatus,
    LevelStatus,
    PanelStatus,
    RecordingStatus,
    Status,
    read_status,
)
from device.status import publish as publish_status
from device.words import Consent, Fate

LAMP = LampStatus(colour="yellow", pattern="1 Hz", beats_ms=(500, 500))
STATUS = Status(
    box="Räum 1",
    simulated=("panel",),
    published="2026-03-02T09:00:00.000Z",
    published_unix_s=1772442000.0,
    state="troubled",
    consent=Consent.SOUND_AND_PICTURE,
    choices=(Consent.SOUND, Consent.SOUND_AND_PICTURE),
    people=2,
    armed_left_s=59.9,
    panel=PanelStatus(room_light=True, lamps=(LAMP, LAMP), tone="two low tones", tones=3, tone_notes=((330, 300),)),
    level=LevelStatus(peak_dbfs=-12.5, loudness_lufs=None, above_floor=True),
    recording=RecordingStatus(
        id="000001-abcdefghij",
        consent=Consent.SOUND,
        elapsed_us=3,
        durable_us=2,
        size_bytes=1,
        devices_open=("microphone",),
        troubles=("no sound",),
        pictures=0,
    ),
    framing=None,
    last=LastStatus(id=None, fate=Fate.WITHDRAWN, sealed=False, window_left_s=1.5),
    sealing=1,
    faults=(("what", "hint"),),
    store_free_bytes=1,
    store_minutes_left=2,
    clock_trusted=False,
)


def test_what_is_published_is_read_back_as_it_was(tmp_path: Path) -> None:
    publish_status(STATUS, tmp_path)
    assert read_status(tmp_path) == STATUS
    publish_status(STATUS.model_copy(update={"state": "idle"}), tmp_path)
    assert read_status(tmp_path) == STATUS.model_copy(update={"state": "idle"})
    assert [path.name for path in tmp_path.iterdir()] == [STATUS_NAME]


def test_where_nothing_was_published_there_is_nothing(tmp_path: Path) -> None:
    assert read_status(tmp_path) is None
    assert read_status(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"null", b"\xff\xfe", STATUS.model_dump_json().encode()[:-1]],
    ids=["empty", "open", "null", "not UTF-8", "torn"],
)
def test_a_broken_status_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / STATUS_NAME).write_bytes(data)
    assert read_status(tmp_path) is None


def test_a_status_of_another_version_is_none(tmp_path: Path) -> None:
    for change in ({"news": 1}, {"people": "two"}, {"consent": "picture"}):
        (tmp_path / STATUS_NAME).write_text(json.dumps(json.loads(STATUS.model_dump_json()) | change))
        assert read_status(tmp_path) is None


@given(st.binary(max_size=200))
def test_no_bytes_upset_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / STATUS_NAME).write_bytes(data)
    assert read_status(folder) is None
