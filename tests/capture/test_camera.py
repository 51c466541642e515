"""A camera in a process of its own: real small programs that behave, lie, hang, end early or will not end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture import camera as camera_module
from device.capture.camera import ChildCamera, Control, write_picture
from device.capture.packets import Picture
from device.capture.simulated import SimulatedCamera
from device.errors import CameraError
from device.words import Rung

# The child's own programs, each a line or two; "P" sends picture number n with 100·n bytes.
SEND = """
import signal, sys, time
from struct import pack
def P(n):
    sys.stdout.buffer.write(pack(">4sIqB", b"SPic", 100 * n, n * 40_000, n == 1) + bytes([n]) * (100 * n))
    sys.stdout.buffer.flush()
"""
HANG = "signal.pause()"


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ChildCamera]]:
    """Opens a camera whose program is given; closes it in the end."""
    made: list[ChildCamera] = []

    def open_camera(program: str, *, patience_s: float | None = None) -> ChildCamera:
        if patience_s is not None:
            monkeypatch.setattr(camera_module, "FIRST_PICTURE_S", patience_s)
            monkeypatch.setattr(camera_module, "NEXT_PICTURE_S", patience_s)
        command = [sys.executable, "-I", "-c", SEND + program]
        camera = ChildCamera(name="test", size=(320, 180), command=lambda: command)
        made.append(camera)
        camera.open()
        return camera

    yield open_camera
    for camera in made:
        camera.close()


def child(camera: ChildCamera) -> subprocess.Popen[bytes]:
    assert camera._child is not None
    return camera._child


def test_pictures_come_as_the_program_sends_them(start: Callable[..., ChildCamera]) -> None:
    camera = start(f"P(1); P(2); P(0); {HANG}")
    assert [camera.read() for _ in range(3)] == [
        Picture(b"\1" * 100, 40_000, key=True),
        Picture(b"\2" * 200, 80_000, key=False),
        Picture(b"", 0, key=False),
    ]


def test_a_picture_that_comes_in_pieces_is_put_together(start: Callable[..., ChildCamera]) -> None:
    """A pipe holds 64 KiB; a key picture can be larger."""
    camera = start(f"""
sys.stdout.buffer.write(pack(">4sIqB", b"SPic", 1_000_000, 5, 1)); sys.stdout.buffer.flush()
for _ in range(100): sys.stdout.buffer.write(b"x" * 10_000); sys.stdout.buffer.flush()
{HANG}""")
    assert camera.read() == Picture(b"x" * 1_000_000, 5, key=True)


@given(data=st.binary(max_size=200), at_us=st.integers(-(1 << 63), (1 << 63) - 1), key=st.booleans())
def test_what_the_childs_side_writes_the_parents_side_reads(*, data: bytes, at_us: int, key: bool) -> None:
    picture = Picture(data, at_us, key=key)
    with tempfile.NamedTemporaryFile() as stream:
        write_picture(stream, picture)
        camera = ChildCamera(name="", size=(1, 1), command=lambda: ["cat", stream.name])
        camera.open()
        assert camera.read() == picture
        camera.close()


@pytest.mark.parametrize(
    "program",
    ['sys.stdout.buffer.write(b"Traceback and then some more nonsense")', 'print("hello, what a nice day it is")'],
)
def test_a_program_that_sends_nonsense_is_found_out(start: Callable[..., ChildCamera], program: str) -> None:
    camera = start(f"{program}; sys.stdout.flush(); {HANG}")
    with pytest.raises(CameraError, match="nonsense") as caught:
        camera.read()
    assert caught.value.hint


def test_a_picture_that_claims_to_be_huge_is_not_waited_for(start: Callable[..., ChildCamera]) -> None:
    camera = start(f'sys.stdout.buffer.write(pack(">4sIqB", b"SPic", 1 << 31, 0, 1)); sys.stdout.flush(); {HANG}')
    with pytest.raises(CameraError, match="nonsense"):
        camera.read()


@pytest.mark.parametrize("program", ["", 'sys.stdout.buffer.write(b"SPic"); sys.stdout.flush();'])
def test_a_program_that_hangs_is_not_waited_for(start: Callable[..., ChildCamera], program: str) -> None:
    camera = start(f"{program}{HANG}", patience_s=0.05)
    with pytest.raises(CameraError, match="stopped sending"):
        camera.read()


def test_the_first_picture_may_take_longer_than_the_others(
    start: Callable[..., ChildCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = start(f"P(1); {HANG}")
    monkeypatch.setattr(camera_module, "NEXT_PICTURE_S", 0.05)
    camera.read()
    with pytest.raises(CameraError, match="stopped sending"):
        camera.read()


@pytest.mark.parametrize(
    "program", ["", "P(1)", 'sys.stdout.buffer.write(pack(">4sIqB", b"SPic", 500, 0, 1) + b"not all of it")', "1 / 0"]
)
def test_a_program_that_ends_early_is_a_camera_that_is_gone(
    start: Callable[..., ChildCamera], program: str, capfd: pytest.CaptureFixture[str]
) -> None:
    camera = start(program)
    with pytest.raises(CameraError, match="ended"):
        for _ in range(2):
            camera.read()


def test_a_program_that_refuses_to_end_is_made_to(start: Callable[..., ChildCamera]) -> None:
    camera = start(f"signal.signal(signal.SIGTERM, signal.SIG_IGN); P(1)\nwhile True: {HANG}")
    camera.read()
    process = child(camera)
    camera.close()
    assert process.wait() == -signal.SIGKILL


def test_a_program_that_can_end_is_asked_to(start: Callable[..., ChildCamera], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "_PATIENCE_S", 20.0)  # a busy machine may need more than a camera has
    camera = start(f"signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); P(1); {HANG}")
    camera.read()
    process = child(camera)
    camera.close()
    assert process.returncode == 7


def test_a_program_that_is_stuck_writing_can_be_let_go(start: Callable[..., ChildCamera]) -> None:
    camera = start("while True: P(1)")
    camera.read()
    process = child(camera)
    camera.close()
    assert process.wait() is not None
    assert process.stdout is not None
    assert process.stdout.closed


def test_a_kill_from_another_thread_releases_a_read_under_way(start: Callable[..., ChildCamera]) -> None:
    camera = start(f"P(1); {HANG}")
    camera.read()
    failed: list[CameraError] = []
    reading = threading.Event()

    def read() -> None:
        reading.set()
        try:
            camera.read()
        except CameraError as problem:
            failed.append(problem)

    reader = threading.Thread(target=read)
    reader.start()
    reading.wait()
    camera.kill()
    reader.join()
    assert [problem.what for problem in failed] == ["the camera was let go"]


def test_it_can_be_closed_twice_killed_when_closed_and_opened_again(start: Callable[..., ChildCamera]) -> None:
    camera = start(f"P(1); {HANG}")
    for _ in range(3):
        camera.read()
        camera.kill()
        camera.close()
        camera.close()
        camera.kill()
        with pytest.raises(CameraError, match="not open"):
            camera.read()
        camera.open()


def test_a_program_that_is_not_there_is_a_camera_error() -> None:
    camera = ChildCamera(name="none", size=(1, 1), command=lambda: ["/nowhere/camera"])
    with pytest.raises(CameraError, match="could not be started") as caught:
        camera.open()
    assert caught.value.hint
    camera.close()


# -- it hangs, and nobody waits ---------------------------------------------------------------------------------------

PROMISED_S = 0.15
# What a busy machine may add: the promise is about what the camera does, not about when this test gets its turn.
PATIENCE_S = 20.0


def test_a_program_that_trickles_is_a_camera_that_hangs(start: Callable[..., ChildCamera]) -> None:
    """Each byte used to buy it another two seconds: a picture could take for ever."""
    camera = start(
        'sys.stdout.buffer.write(pack(">4sIqB", b"SPic", 1 << 20, 0, 1))\n'
        "while True: sys.stdout.buffer.write(b'x'); sys.stdout.flush(); time.sleep(0.01)",
        patience_s=0.5,
    )
    began_s = time.monotonic()
    with pytest.raises(CameraError, match="stopped sending"):
        camera.read()
    assert time.monotonic() - began_s < PATIENCE_S


class Undead(subprocess.Popen[bytes]):
    """A process on which signals have no effect, as on one that waits for a dead camera inside the kernel."""

    raised: ClassVar[list[Undead]] = []

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.signals: list[int] = []
        Undead.raised.append(self)

    def send_signal(self, sig: int) -> None:
        self.signals.append(sig)

    def lay_to_rest(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def undead(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Undead]]:
    """The processes that were started and cannot be ended; they are in the end."""
    monkeypatch.setattr(camera_module.subprocess, "Popen", Undead)
    monkeypatch.setattr(Undead, "raised", [])
    yield Undead.raised
    for process in Undead.raised:
        if process.returncode is None:
            process.lay_to_rest()
    for thread in left_behind():
        thread.join(PATIENCE_S)


def left_behind() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "camera left behind"]


def test_one_that_cannot_be_ended_is_left_behind_in_time_and_taken_away_when_it_does_end(
    start: Callable[..., ChildCamera], undead: list[Undead]
) -> None:
    camera = start(f"P(1); {HANG}")
    camera.read()
    began_s = time.monotonic()
    camera.close()
    took_s = time.monotonic() - began_s
    print(f"\nleft behind after {took_s * 1000:.0f} ms (promised: {PROMISED_S * 1000:.0f})")
    assert took_s < PATIENCE_S
    (process,) = undead
    assert process.signals == [signal.SIGTERM, signal.SIGKILL]
    assert process.poll() is None
    (waiting,) = left_behind()
    process.lay_to_rest()
    waiting.join(PATIENCE_S)
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)  # no zombie


def test_the_patience_of_a_close_adds_up_to_what_is_promised() -> None:
    patience_s = camera_module._PATIENCE_S
    assert patience_s + patience_s / 2 <= PROMISED_S + 1e-9


def test_a_read_ends_when_the_camera_is_let_go_though_its_program_cannot_be_ended(
    start: Callable[..., ChildCamera], undead: list[Undead], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited for the two seconds of a hang, and so did the room light and the camera of the next session."""
    camera = start(f"P(1); {HANG}")
    monkeypatch.setattr(camera_module, "NEXT_PICTURE_S", 10 * PATIENCE_S)
    camera.read()
    assert ended(camera) == "the camera was let go"
    assert [process.poll() for process in undead] == [None]


def ended(camera: ChildCamera) -> str:
    """Kill a camera under a read in another thread; what the read said."""
    failed: list[str] = []

    def read() -> None:
        try:
            camera.read()
        except CameraError as problem:
            failed.append(problem.what)

    reader = threading.Thread(target=read)
    reader.start()
    camera.kill()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    return failed[0]


def test_a_read_ends_though_a_child_of_the_program_keeps_its_pipe_open(
    start: Callable[..., ChildCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = start(
        f"""
import os
other = os.fork()
if other == 0: {HANG}
sys.stdout.buffer.write(pack(">4sIqB", b"SPic", 0, other, 1)); sys.stdout.flush(); {HANG}"""
    )
    monkeypatch.setattr(camera_module, "NEXT_PICTURE_S", 10 * PATIENCE_S)
    grandchild = camera.read().at_us
    try:
        process = child(camera)
        assert ended(camera) == "the camera was let go"
        began_s = time.monotonic()
        camera.close()
        assert time.monotonic() - began_s < PATIENCE_S
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_a_program_that_does_not_listen_never_holds_up_who_speaks(start: Callable[..., ChildCamera]) -> None:
    """Its standard input fills up: what cannot be said is let go, and so is what is said to one that has ended."""
    camera = start(f"P(1); {HANG}")
    camera.read()
    for _ in range(10_000):
        camera.step(Rung.HALF_RATE)
        camera.step(Rung.WHOLE)
    camera.kill()
    child(camera).wait(PATIENCE_S)
    camera.step(Rung.LOW_BITRATE)
    camera.close()
    camera.step(Rung.WHOLE)


def test_a_program_is_told_the_rung_when_it_starts_and_whenever_it_changes(start: Callable[..., ChildCamera]) -> None:
    camera = start("while True: P({'half_rate': 1, 'low_bitrate': 2, 'whole': 3}[sys.stdin.readline().strip()])")
    camera.step(Rung.HALF_RATE)
    assert len(camera.read().data) == 100
    camera.step(Rung.HALF_RATE)
    camera.step(Rung.LOW_BITRATE)
    assert len(camera.read().data) == 200
    camera.close()
    camera.open()
    assert len(camera.read().data) == 200
    camera.step(Rung.WHOLE)
    assert len(camera.read().data) == 300


def test_the_childs_side_hears_the_last_rung_and_says_what_it_does_not_understand(
    capfd: pytest.CaptureFixture[str],
) -> None:
    receiving, sending = os.pipe()
    control = Control(receiving)
    assert control.rung is Rung.WHOLE
    for said, heard in [(b"half_", Rung.WHOLE), (b"rate\nwhat?\nlow_bitrate\n", Rung.LOW_BITRATE)]:
        os.write(sending, said)
        until_s = time.monotonic() + PATIENCE_S
        while control.rung is not heard and time.monotonic() < until_s:
            os.sched_yield()
        assert control.rung is heard
    os.close(sending)
    for thread in threading.enumerate():
        if thread.name == "control":
            thread.join(PATIENCE_S)
    os.close(receiving)
    assert "what?" in capfd.readouterr().err


# -- the simulated one, through its real program ----------------------------------------------------------------------


@pytest.fixture
def command() -> Callable[[int], list[str]]:
    return lambda start_us: [sys.executable, "-m", "device", "simulated-camera", "320x180", "25", str(start_us)]


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Six seconds of the simulated camera's own program."""
    make = [sys.executable, "-m", "device", "simulated-camera", "320x180", "25", "1000"]
    camera = ChildCamera(name="simulated", size=(320, 180), command=lambda: make)
    camera.open()
    got = [camera.read() for _ in range(150)]
    camera.close()
    return got


def test_its_times_are_those_of_its_rate(pictures: list[Picture]) -> None:
    assert [picture.at_us for picture in pictures] == [1000 + 40_000 * number for number in range(150)]


def test_every_fiftieth_picture_is_a_key_picture(pictures: list[Picture]) -> None:
    assert [number for number, picture in enumerate(pictures) if picture.key] == [0, 50, 100]


@pytest.mark.parametrize("first", [0, 50, 100])
def test_a_stream_can_be_entered_at_any_key_picture(pictures: list[Picture], first: int, player: Any) -> None:
    """So its parameter sets (types 7 and 8) are in-band there: a slice has no other place to find them."""
    stream = b"".join(picture.data for picture in pictures[first:])
    units = [unit[0] & 31 for unit in pictures[first].data.split(b"\0\0\1")[1:]]
    assert units.index(7) < units.index(8) < units.index(5)
    read = ("ffmpeg", "-v", "warning", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    decoded = player.run(*read, stdin=stream)
    assert len(decoded) == (150 - first) * 320 * 180


def test_no_two_pictures_are_alike(pictures: list[Picture], player: Any) -> None:
    """They show a number and a hand that turns: whoever looks can tell that it is live."""
    read = ("ffmpeg", "-v", "warning", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    decoded = player.run(*read, stdin=b"".join(picture.data for picture in pictures))
    size = 320 * 180
    assert len({decoded[at : at + size] for at in range(0, len(decoded), size)}) == 150


def test_a_simulated_picture_comes_when_its_time_has_come(hurry: Any, command: Callable[[int], list[str]]) -> None:
    camera = SimulatedCamera(size=(320, 180), fps=25, clock=hurry.clock, command=command)
    assert camera.size == (320, 180)
    camera.open()
    first = camera.read()
    times = [first.at_us, *(camera.read().at_us for _ in range(20))]
    assert hurry.clock.now_us() >= times[-1]
    assert times == [times[0] + 40_000 * number for number in range(21)]
    camera.close()


def test_time_does_not_run_away_from_a_simulated_camera(hand: Any, command: Callable[[int], list[str]]) -> None:
    camera = SimulatedCamera(size=(320, 180), fps=25, clock=hand.clock, command=command)
    camera.open()
    hand.us = 60_000_000
    assert hand.clock.now_us() < 1_000_000
    camera.read()
    camera.close()
    stood = hand.clock.now_us()
    hand.us += 60_000_000
    assert hand.clock.now_us() == stood + 60_000_000


def test_a_kill_releases_a_simulated_camera_that_waits_for_its_time(
    hand: Any, command: Callable[[int], list[str]]
) -> None:
    camera = SimulatedCamera(size=(320, 180), fps=25, clock=hand.clock, command=command)
    camera.open()
    camera.read()
    failed = threading.Event()

    def read() -> None:
        try:
            camera.read()  # time stands still: its picture's time would never come
        except CameraError:
            failed.set()

    reader = threading.Thread(target=read)
    reader.start()
    camera.kill()
    reader.join()
    camera.close()
    assert failed.is_set()
