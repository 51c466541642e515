"""A framing check under systemd, from the held button through the real camera's program to the page and no further."""

from __future__ import annotations

from typing import Final

from tests.appliance.box import STORE, Box

STILL: Final = (
    "/opt/sotto/bin/python -c 'import sys, urllib.request as r; "
    'answer = r.urlopen("http://127.0.0.1:8300/framing.jpg"); '
    "sys.stdout.buffer.write(answer.read())' >/run/still.jpg"
)


def test_a_held_record_shows_the_room_on_the_page_and_consent_closes_the_camera(running: Box) -> None:
    running.consent(picture=True)
    assert running.lit("record_blue")
    assert running.camera_program() is None
    running.panel.press("record", held_s=1.8, bounces=2)
    running.until_state("framing")
    assert running.lit("room_light")
    running.until(f"{STILL}; [ -s /run/still.jpg ]", every_s=1)
    jpeg = running.agent.get("/run/still.jpg")
    assert (jpeg[:2], jpeg[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    assert running.camera_program() is not None
    assert not any("pcm" in device for device in running.devices_open())  # no microphone
    assert running.agent.sh(f"find {STORE} -type f") == ""

    running.panel.press("consent")
    running.until_state("idle")
    running.until("! pgrep -f '[p]icamera2-camera'", seconds=2)
    assert running.devices_open() == set()
    assert not running.lit("room_light")
    assert running.agent.sh(f"{STILL}; stat -c %s /run/still.jpg").strip() == "0"
    assert running.agent.sh(f"find {STORE} -type f") == ""
