"""A framing check under systemd, from the held button to the page and no further.

The camera is the simulated one: in its unit the emulated box has no media device, and there libcamera starts no camera,
not even its virtual one. What the real one's program sends is shown in ``test_appliance_camera.py``.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.appliance.box import STORE, Box
from tests.appliance.vm import Vm

CAMERA: Final = 'driver = "simulated"\\nwidth = 320\\nheight = 240\\nfps = 5'
STILL: Final = (
    "/opt/sotto/bin/python -c 'import sys, urllib.request as r; "
    'answer = r.urlopen("http://127.0.0.1:8300/framing.jpg"); '
    "sys.stdout.buffer.write(answer.read())' >/run/still.jpg"
)


@pytest.fixture
def box(vm: Vm) -> Box:
    """A box with a camera, that runs."""
    box = Box(vm)
    box.agent.sh(f"sed -i 's/^driver = \"disabled\"/{CAMERA}/' /etc/sotto/sotto.toml")
    box.start()
    box.until_state("idle")
    return box


def camera_runs(box: Box) -> bool:
    return box.agent.sh("ps -eo args | grep -c '[s]imulated-camera' || true").strip() != "0"


def test_a_held_record_shows_the_room_on_the_page_and_consent_closes_the_camera(box: Box) -> None:
    for _ in range(2):
        box.panel.press("consent", bounces=2)
        box.agent.sh("sleep 0.4")
    box.until_state("armed")
    assert box.lit("record_blue")
    assert not camera_runs(box)
    box.panel.press("record", held_s=1.8, bounces=2)
    box.until_state("framing")
    assert box.lit("room_light")
    box.until(f"{STILL}; [ -s /run/still.jpg ]", every_s=1)
    jpeg = box.agent.get("/run/still.jpg")
    assert (jpeg[:2], jpeg[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    assert camera_runs(box)
    assert box.devices_open() == set()  # no microphone
    assert box.agent.sh(f"find {STORE} -type f") == ""

    box.panel.press("consent")
    box.until_state("idle")
    box.until("! ps -eo args | grep -q '[s]imulated-camera'", seconds=2)
    assert not box.lit("room_light")
    assert box.agent.sh(f"{STILL}; stat -c %s /run/still.jpg").strip() == "0"
    assert box.agent.sh(f"find {STORE} -type f") == ""
