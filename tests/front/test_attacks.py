"""A whole box under attack: capture, page and nginx as on a box, a recording, and a crowd that holds them up."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.people.database import Database
from device.people.people import People
from device.people.person import Role
from device.recording import SESSION_NAME
from device.recording.manifest import RecordingState
from device.status import read_status
from device.words import Button
from tests.front.conftest import NOTED
from tests.front.crowd import Asking, crowd
from tests.front.nginx_server import HOST, PATIENCE_S, Nginx, nginx
from tests.remote.certificates import Authority
from tests.support import write_wav
from tests.sync_faults.box import Box, Program
from tests.sync_faults.test_beside import RAMP, RATE_HZ, press, ramp, sound_of_session, until_capture
from tests.web.visitors import add_person, begin

WITHIN_S = 1.0
LONG_S = 15.0
MOST_IDLE = 500
_NGINX = """
[web.nginx]
names = ["{host}"]
certificate = "{pem}"
key = "{pem}"
socket = "{folder}/page.sock"
"""


@dataclass
class Defended:
    """A box with its page behind nginx; ``known``: the header of a therapist who is signed in."""

    box: Box
    nginx: Nginx
    page: Program
    known: dict[str, str]
    large: str


@pytest.fixture
def defended(tmp_path: Path, authority: Authority) -> Iterator[Defended]:
    with ExitStack() as ends:
        box = Box(tmp_path)
        ends.callback(box.close)
        write_wav(tmp_path / "room.wav", ramp(30), rate_hz=RATE_HZ, channels=1, bits=16)
        for name in ("web", "front"):
            (tmp_path / name).mkdir()
        large = box.record(30_000_000)
        box.configure(f'driver = "folder"\npath = "{tmp_path}/clinic"')
        given = socket.create_server((HOST, 0))
        text = box.config.read_text().replace("port = 0", f"port = {given.getsockname()[1]}")
        front = _NGINX.format(host=HOST, pem=tmp_path / "front" / "page.pem", folder=tmp_path)
        box.config.write_text(text + front)
        box.start_capture()
        page = Program(box._command("web"), box.said)
        ends.callback(page.end)
        with closing(Database(tmp_path / "web")) as database:
            people = People(database, fingerprint=lambda: None)
            therapist = add_person(people, Role.THERAPIST)
            token = begin(people, therapist).token
        manifest = box.manifest(large)
        box.store.write_manifest(manifest.model_copy(update={"therapist": therapist.mark}))
        made = ends.enter_context(
            nginx(tmp_path / "front", authority, store=box.store.path, page=tmp_path / "page.sock", listening=given)
        )
        known = {"Cookie": f"__Host-sotto={token}"}
        until_s = time.monotonic() + PATIENCE_S * 2
        while made.ask("/status.json", **known)[0] != 200:
            assert time.monotonic() < until_s, box.last_words()
            time.sleep(0.1)
        yield Defended(box, made, page, known, large)


def record(box: Box) -> None:
    """Consent and RECORD, as in the room."""
    until_capture(box, "idle")
    time.sleep(0.3)  # buttons that are down any earlier count as stuck
    press(box, Button.CONSENT)
    until_capture(box, "armed")
    press(box, Button.RECORD)
    until_capture(box, "recording")


def test_a_crowd_that_lets_the_box_wait_holds_up_neither_the_page_nor_a_recording(
    defended: Defended, tmp_path: Path
) -> None:
    box, asking = defended.box, Asking()
    path = f"/recordings/{defended.large}/{SESSION_NAME}"
    record(box)
    began_s = time.monotonic()
    with crowd(defended.nginx) as held:
        held.slow_readers(20, path, defended.known)
        held.slow_headers(60)
        held.slow_bodies(60, "/requests/stop")
        held.silent_behind_tls(100)
        held.idle(MOST_IDLE)
        there = held.still_there()
        asking.ask(defended.nginx, ("/status.json", "/"), defended.known, for_s=LONG_S, least=20)
    status = read_status(box.folder / "run")
    assert status is not None
    assert status.state == "recording"  # nobody has stopped it
    took_s = time.monotonic() - began_s
    press(box, Button.RECORD)
    until_capture(box, "sealed")
    NOTED.append(
        f"under attack: {there} connections held, {held.sent_away} sent away and there again; {len(asking.took_s)} "
        f"requests meanwhile took {statistics.median(asking.took_s) * 1000:.0f} ms (median), "
        f"{max(asking.took_s) * 1000:.0f} ms at most; {took_s:.1f} s were recorded"
    )
    assert there >= MOST_IDLE
    assert held.sent_away > 0  # who says nothing for ten seconds is not waited for
    assert asking.statuses == {200}
    assert statistics.median(asking.took_s) < WITHIN_S
    session = box.store.ids()[-1]
    manifest, samples = box.manifest(session), memoryview(sound_of_session(box, session, tmp_path)).cast("h")
    assert (manifest.state, manifest.gaps) == (RecordingState.COMPLETE, ())
    assert len(samples) >= took_s * RATE_HZ
    first = samples[0] - RAMP[0]
    assert all(samples[at] == RAMP[(first + at) % len(RAMP)] for at in range(len(samples)))
