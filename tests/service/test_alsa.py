"""The real service on real ALSA, in real time: what the card heard is what stock programs find in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.recording import SESSION_NAME
from device.recording.manifest import RecordingState
from device.words import Button
from tests.capture.alsa_rooms import STEREO, build_card, microphone, place_in, room_card, tell_alsa
from tests.live_box import live_box
from tests.support import noise, sound_of, stock_open


def test_what_alsa_delivers_from_press_to_press_is_in_the_file_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = noise(3, rate_hz=48_000, channels=2, bits=24)
    padded = b"".join(b"\0" + loop[at : at + 3] for at in range(0, len(loop), 3))
    card = room_card(tmp_path, build_card(tmp_path), padded, STEREO)
    tell_alsa(monkeypatch, card.config)
    with live_box(microphone(card.name), tmp_path) as box:
        box.press(Button.CONSENT)
        box.until_state("armed")
        box.press(Button.RECORD)
        box.until(lambda status: status.recording and status.recording.durable_us > 500_000)
        box.press(Button.RECORD)
        box.until(lambda status: status.last and status.last.sealed)
    (listed,) = box.store.listing()
    assert listed.manifest.state is RecordingState.COMPLETE
    assert listed.manifest.gaps == ()
    mp4 = tmp_path / "session.mp4"
    mp4.write_bytes(stock_open(box.store.folder(listed.manifest.id) / SESSION_NAME, box.identity))
    heard = sound_of(mp4, 24)
    assert len(heard) > 24_000 * 6
    place_in(loop, heard, 6)
