"""A framing check under systemd, from the held button through the real camera's program to the page and no further."""

from __future__ import annotations

from typing import Final

from tests.appliance.box import STORE, Box
from tests.appliance.visitors import a_therapist

STILL: Final = "/run/still.jpg"


def test_a_held_record_shows_the_room_on_the_page_and_consent_closes_the_camera(running: Box) -> None:
    therapist = a_therapist(running)
    running.consent(picture=True)
    assert running.lit("record_blue")
    assert running.camera_program() is None
    running.panel.press("record", held_s=1.8, bounces=2)
    running.until_state("framing")
    assert running.lit("room_light")
    for _ in range(10):
        if therapist.open("/framing.jpg", save=STILL).status == 200:
            break
    jpeg = running.agent.get(STILL)
    assert (jpeg[:2], jpeg[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    assert running.camera_program() is not None
    assert not any("pcm" in device for device in running.devices_open())  # no microphone
    assert running.agent.sh(f"find {STORE} -type f") == ""

    running.panel.press("consent")
    running.until_state("idle")
    running.until("! pgrep -f '[p]icamera2-camera'", seconds=2)
    assert running.devices_open() == set()
    assert not running.lit("room_light")
    assert therapist.open("/framing.jpg", save=STILL).status != 200
    assert running.agent.get(STILL)[:2] != jpeg[:2]
    assert running.agent.sh(f"find {STORE} -type f") == ""
