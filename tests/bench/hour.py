"""Rows: one hour that lies on a box: its last ten minutes opened, the whole of it verified, beside what one would do.

By the command line, from a box that is 30 ms away: ``sotto-clinic open --last 10m`` beside a download of it all,
``age -d`` and a cut by ffmpeg. In the reader (a real Chromium): what ``bench_reader`` measures.
"""

from __future__ import annotations

import http.client
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from device.people.visit import Kind
from device.recording import SESSION_NAME
from device.recording.signing import fingerprint
from tests.bench.cost import run_pipe
from tests.bench.figures import Row, in_turn
from tests.bench.material import ROOT
from tests.bench.setting import Setting
from tests.bench_reader import EACH_WAY_S, make_recording
from tests.bench_reader import measure as in_the_reader
from tests.provisioning.conftest import Clinic
from tests.reader.delay import Way, delayed
from tests.reader.rooms import LOGIN, MARK, Room, room_by_tls
from tests.remote.certificates import Authority
from tests.web.visitors import bearer, begin

_MINUTES, _SHORT_MINUTES, _LAST = 60, 20, 600
_PIECE_BYTES = 1 << 18
_FLAC = ("-strict", "-2")  # ffmpeg 5.1 calls FLAC in MP4 experimental
_TRUSTED = "authority.pem"


def rows(setting: Setting) -> Iterator[Row]:
    """All of them."""
    minutes, clinic = _SHORT_MINUTES if setting.short else _MINUTES, Clinic(setting.folder())
    setting.say(f"hour: a recording of {minutes} minutes")
    recording = make_recording(clinic, 60 * minutes)
    yield from _slice(setting, clinic, recording, minutes)
    yield from _verified(setting, clinic, recording)
    if not setting.short:
        yield from _reader(setting, clinic, recording)


@contextmanager
def _away(clinic: Clinic) -> Iterator[tuple[Room, Way]]:
    """The box behind its nginx, by TLS, and a way to it that takes time."""
    ways: list[Way] = []

    @contextmanager
    def between(port: int) -> Iterator[int]:
        with delayed(port, each_way_s=EACH_WAY_S) as way:
            ways.append(way)
            yield way.port

    identity, authority = clinic.identities["clinic"], Authority()
    (clinic.home / _TRUSTED).write_bytes(authority.pem)
    with room_by_tls(clinic.home / "store", clinic.device_key, identity, between=between, authority=authority) as there:
        yield there, ways[0]


def _slice(setting: Setting, clinic: Clinic, recording: str, minutes: int) -> Iterator[Row]:
    with _away(clinic) as (there, way):
        setting.say(f"hour: opened, {setting.pairs} pairs")
        parts = {
            "ours": lambda: _moved(way, lambda: _open(clinic, there, recording)),
            "theirs": lambda: _moved(way, lambda: _download(clinic, there, recording)),
        }
        taken = in_turn(setting.pairs, parts)
    says, beside = f"the last 10 of {minutes} minutes opened, box 30 ms away", "download, age -d, cut"
    note = "on loopback, where no link limits the download; at 100 Mbit/s it would take 26 s"
    seconds = {name: tuple(one[0] for one in values) for name, values in taken.items()}
    moved = {name: tuple(one[1] / 1e6 for one in values) for name, values in taken.items()}
    yield Row("slice/time", says, "s", seconds["ours"], seconds["theirs"], beside, at_most=1.0, note=note)
    yield Row("slice/bytes", "bytes that moved for it", "MB", moved["ours"], moved["theirs"], beside, at_most=1.0)


def _moved(way: Way, do: Callable[[], None]) -> tuple[float, int]:
    """Seconds, and bytes that came back."""
    before, began_s = way.back_bytes, time.perf_counter()
    do()
    return time.perf_counter() - began_s, way.back_bytes - before


def _program(clinic: Clinic, *words: str | Path) -> None:
    done = clinic.run(*words, SSL_CERT_FILE=str(clinic.home / _TRUSTED))
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]} did not do it: {done.stderr.decode()[-500:]}")


def _open(clinic: Clinic, there: Room, recording: str) -> None:
    """By the clinic's program, which signs in, looks and opens."""
    who = ("--box", there.address, "--device-key", there.key, "--login", LOGIN, "-i", clinic.key())
    _program(clinic, "open", recording, *who, "--last", "10m", "-o", "slice.mp4", "--force")


def _download(clinic: Clinic, there: Room, recording: str) -> None:
    """All of it, by somebody who is signed in already; then stock age, and a cut without coding anew."""
    person = there.box.people.person(MARK)
    assert person is not None
    headers = bearer(begin(there.box.people, person, Kind.PROGRAM))
    whole, opened = clinic.home / "whole.age", clinic.home / "whole.mp4"
    trust = ssl.create_default_context(cafile=clinic.home / _TRUSTED)
    connection = http.client.HTTPSConnection(urlsplit(there.address).netloc, timeout=120, context=trust)
    connection.request("GET", f"/api/v1/recordings/{recording}/{SESSION_NAME}", headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"the box answers {answer.status}")
    with whole.open("wb") as out:
        while piece := answer.read(_PIECE_BYTES):
            out.write(piece)
    connection.close()
    run_pipe([_age(), "-d", "-i", clinic.key(), whole], to=opened)
    cut = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-sseof",
        f"-{_LAST}",
        "-i",
        opened,
        "-c",
        "copy",
        *_FLAC,
        clinic.home / "cut.mp4",
    ]
    subprocess.run(cut, check=True)


def _age() -> str:
    """An age that knows post-quantum keys."""
    return subprocess.run(
        [ROOT / "tests/tools/fetch-age"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def _verified(setting: Setting, clinic: Clinic, recording: str) -> Iterator[Row]:
    setting.say(f"hour: verified, {setting.pairs} pairs")
    file = clinic.home / "store" / recording / SESSION_NAME
    gb, key = file.stat().st_size / 1e9, fingerprint(clinic.device_key.public_key().public_bytes_raw())
    verify = [sys.executable, "-m", "provisioning", "verify", file.parent, "--device-key", key]
    parts = {
        "ours": lambda: run_pipe(verify).seconds / gb,
        "theirs": lambda: run_pipe(["sha256sum", file]).seconds / gb,
    }
    taken = {name: tuple(values) for name, values in in_turn(setting.pairs, parts).items()}
    yield Row("verify/time", "verified, without a key", "s/GB", taken["ours"], taken["theirs"], "sha256sum")


def _reader(setting: Setting, clinic: Clinic, recording: str) -> Iterator[Row]:
    setting.say("hour: in the reader")
    told = in_the_reader(clinic, recording, setting.pairs)
    at_once = tuple(one["ms"] for one in told["at once"])
    whole = (told["download"]["ms"],) * len(at_once)
    yield Row(
        "reader/time",
        "the same in the reader, to the first sound",
        "ms",
        at_once,
        whole,
        "its download alone",
        at_most=1.0,
    )
    moved = tuple(one["kib"] * 1024 / 1e6 for one in told["at once"])
    all_of_it = (told["download"]["mib"] * 1024**2 / 1e6,) * len(moved)
    yield Row("reader/bytes", "bytes that moved until then", "MB", moved, all_of_it, "its download alone")
