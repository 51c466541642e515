"""Nothing of what was said or written in a room is anywhere in plain (promise P4): not in the store, also where files
were deleted; not in temporary folders, the run folder, what programs print, or a core dump, whatever happens to them.

Real programs record a marker, and are killed, aborted, starved of room, robbed of their camera, and broken in every
thread by an error that holds what the thread had in its hands. Then every byte is searched; and the search itself has
to find the marker where it is.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.age.identities import KeyIdentity, generate_identity
from device.compose_people import people_of
from device.config import load_config
from device.errors import AdminError
from device.naming_requests import Label, Measure, Note, NotNamedError, ask_naming
from device.people.person import Role
from device.recording import ATTACHMENTS_NAME, SESSION_NAME
from device.room import Finger, send_finger
from device.status import Status, read_status
from device.waiting import WAITING_NAME
from device.words import Button, Consent
from tests.marker import Hit, Marker
from tests.support import own_open, write_wav
from tests.web.visitors import add_person, begin, cookie, form_token_of

ROOT = Path(__file__).parent.parent
RATE_HZ = 48_000
PATIENCE_S = 60.0
DISK_BYTES = 256 << 20
LABEL = "Zephyr-label-Quetzal-7341"
NOTE = "Zephyr-note-Ocelot-9152: she said so, über alles"
MEASURE = "Zephyr-measure-Narwhal-4410"
REFUSED = "Zephyr-refused-Axolotl-2288"
BY, OTHER = "0123456789ab", "ba9876543210"
JPEG = b"\xff\xd8\xff"
CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")

# A program of the box in which one function fails at its n-th call, with an error that holds all that it was given.
BROKEN = """
import importlib, sys
module, path, nth = sys.argv[1].partition(":")[0], sys.argv[1].partition(":")[2], int(sys.argv[2])
owner = importlib.import_module(module)
*outer, name = path.split(".")
for part in outer:
    owner = getattr(owner, part)
real, calls = getattr(owner, name), 0
def broken(*given, **named):
    global calls
    calls += 1
    if calls == nth:
        print("it broke", file=sys.stderr, flush=True)
        held = [bytes(one) if isinstance(one, (bytearray, memoryview)) else one for one in given[-2:]]
        raise ValueError(*held, [vars(one) if hasattr(one, "__dict__") else one for one in held])
    return real(*given, **named)
setattr(owner, name, broken)
sys.argv[:] = ["sotto", *sys.argv[3:]]
from device.__main__ import main
sys.exit(main())
"""
# One of every thread of capture, and of the page.
FAULTS = (
    ("device.capture.meter:Meter.write", 12),  # microphone
    ("device.capture.backlog:Backlog.put_picture", 4),  # camera
    ("device.capture.encoder:FlacEncoder.write", 12),  # writer
    ("device.capture.mux:Muxer.write_frames", 10),  # writer
    ("device.capture.sealer:Sealer.write", 4),  # writer
    ("device.naming_requests:NamingServer._answer", 2),  # naming
    ("device.capture.desk:_content", 1),  # desk
    ("device.capture.desk:seal", 2),  # desk
    ("device.capture.desk:attach", 3),  # desk
)


@dataclass
class Place:
    """Where the programs live: everything that they could write to is in ``folder``."""

    folder: Path
    image: Path | None
    identity: KeyIdentity = field(default_factory=lambda: generate_identity(post_quantum=False))
    still: bytes = b""
    signed_in: str = ""
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("store", "run", "tmp", "cwd", "said", "web"):
            (self.folder / name).mkdir(exist_ok=True)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def config(self) -> Path:
        return self.folder.parent / "sotto.toml"

    def configure(self, wav: Path) -> None:
        self.config.write_text(
            f"""
[box]
name = "Room 1"
device_key = "{self.folder}/device.key"
run = "{self.run}"
[store]
path = "{self.store}"
[recipients]
keys = ["{self.identity.recipient()}"]
[session]
max_length_min = 1
[microphone]
driver = "simulated"
wav = "{wav}"
loop = true
[camera]
driver = "simulated"
width = 320
height = 180
fps = 10
[panel]
driver = "simulated"
[web]
state = "{self.folder}/web"
port = 0
"""
        )

    def sign_in(self) -> None:
        """Have the therapist BY signed in on the page, and checked in to the room until it is remembered anew."""
        people = people_of(load_config(self.config))
        begun = begin(people, add_person(people, Role.THERAPIST, mark=BY))
        people.check_in(BY, time.time())
        self.signed_in = cookie(begun)["Cookie"]

    def fetch(self, address: str) -> bytes:
        """What the page shows that therapist."""
        request = urllib.request.Request(address, headers={"Cookie": self.signed_in})  # noqa: S310  # our own page
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # our own page
            content: bytes = answer.read()
        return content

    def fill_in(self, address: str, form: str, **fields: str) -> None:
        """Send a form of that page, as a browser does."""
        request = urllib.request.Request(address, headers={"Cookie": self.signed_in})  # noqa: S310  # our own page
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # our own page
            token, cookies = form_token_of(answer.read().decode()), answer.headers.get_all("Set-Cookie") or []
        sent = "; ".join([self.signed_in, *(one.partition(";")[0] for one in cookies)])
        data = urllib.parse.urlencode({**fields, "token": token}).encode()
        posted = urllib.request.Request(address + form, data, headers={"Cookie": sent})  # noqa: S310  # our own page
        urllib.request.urlopen(posted, timeout=30).close()  # noqa: S310  # our own page

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A program whose temporary folder, working folder and output are here, and that could dump its core here."""
        with (self.folder / "said" / f"{len(self.programs):02}").open("wb") as said:
            program = subprocess.Popen(
                [sys.executable, *command],
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                cwd=self.folder / "cwd",
                env=os.environ | {"TMPDIR": str(self.folder / "tmp"), "PYTHONPATH": str(ROOT)},
                preexec_fn=allow_cores,  # noqa: PLW1509  # no other thread runs in this test
            )
        self.programs.append(program)
        return program

    def end_all(self) -> None:
        """No program that was started here runs on: the disk is to be searched."""
        for program in self.programs:
            program.kill()
            program.wait(30)

    def said(self) -> str:
        """What the program that was started last has printed."""
        return (self.folder / "said" / f"{len(self.programs) - 1:02}").read_text(errors="replace")


def allow_cores() -> None:
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextmanager
def mounted(place: Path, image: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        yield
    finally:
        # The camera's program of one that was killed ends when it notices.
        wait_for(lambda: subprocess.run(["umount", place], capture_output=True, check=False).returncode == 0)


def new_disk(folder: Path) -> Path | None:
    """A disk of its own, whose every block can be read afterwards; ``None`` where only files can be."""
    image = folder / "disk.img"
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    (folder / "disk").mkdir()
    commands = (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, folder / "disk"])
    if os.geteuid() != 0 or any(subprocess.run(each, capture_output=True, check=False).returncode for each in commands):
        return None
    subprocess.run(["umount", folder / "disk"], check=True)
    return image


# -- hands ------------------------------------------------------------------------------------------------------------


class Room:
    """A capture program that runs, and the hands in its room."""

    def __init__(self, place: Place, *broken: str) -> None:
        self.place = place
        (place.run / "status.json").unlink(missing_ok=True)
        program = ("-c", BROKEN, *broken) if broken else ("-m", "device")
        self.program = place.start(*program, "capture", "--config", str(place.config))
        assert self.until("idle", "fault"), place.said()
        time.sleep(0.3)  # buttons that are down any earlier count as stuck

    def status(self) -> Status | None:
        status = read_status(self.place.run)
        return status if status is not None and time.time() - status.published_unix_s < 30 else None

    def wait(self, holds: Callable[[Status], object]) -> bool:
        """Wait until the box has published what holds; whether it has, and not ended before."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            if (status := self.status()) is not None and holds(status):
                return True
            if self.program.poll() is not None:
                return False
            time.sleep(0.05)
        raise AssertionError(f"never came true; at last {self.status()}; it said {self.place.said()}")

    def until(self, *states: str) -> bool:
        return self.wait(lambda status: status.state in states)

    def press(self, button: Button, *, for_s: float = 0.15) -> None:
        for down in (True, False):
            send_finger(Finger(button=button, down=down), self.place.run)
            time.sleep(for_s if down else 0.2)

    def arm(self, consent: Consent) -> None:
        """Press CONSENT until this is what is allowed."""
        until_s = time.monotonic() + PATIENCE_S
        while (
            (status := self.status()) is None or status.state not in ("armed", "framing") or status.consent != consent
        ):
            assert time.monotonic() < until_s, f"never armed: {status}"
            self.press(Button.CONSENT)
            time.sleep(0.3)

    def begin(self, *, picture: bool = True, broken: bool = False) -> bool:
        """Start a recording, and wait until a second and more of it is durable, or ``broken`` if it broke before."""
        self.arm(Consent.SOUND_AND_PICTURE if picture else Consent.SOUND)
        self.press(Button.RECORD)
        return self.wait(
            lambda status: (
                (status.recording and status.recording.durable_us > 1_200_000) or (broken and self.has_broken)
            )
        )

    def until_broken(self) -> None:
        """Wait until the function that was made to fail has done so, or the program has ended."""
        self.wait(lambda _status: self.has_broken)

    @property
    def has_broken(self) -> bool:
        """Whether the function that was made to fail did so."""
        return "it broke" in self.place.said()

    def write(self, recording: str | None = None) -> None:
        for asked in (
            Label(by=BY, recording=recording, client=LABEL, study=LABEL, arm=LABEL),
            Note(by=BY, recording=recording, text=NOTE),
            Measure(by=BY, recording=recording, document=f'{{"answers": ["{MEASURE}"]}}'),
        ):
            with suppress(NotNamedError, AdminError):  # what is broken, full or gone says so
                ask_naming(asked, self.place.run)

    def stop(self) -> None:
        self.press(Button.RECORD)
        assert self.until("kept", "sealed")

    def end(self) -> None:
        """Ask the program to end, however it is."""
        self.program.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.program.wait(30)
        self.kill(signal.SIGKILL)

    def kill(self, number: int) -> int:
        self.program.send_signal(number)
        return self.program.wait(30)


def camera_of(pid: int) -> int:
    """The process id of the camera's program."""
    children: list[str] = []

    def is_there() -> bool:
        children.extend(
            c for task in Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()
        )
        return bool(children)

    wait_for(is_there)
    return int(children[-1])


# -- what happens -----------------------------------------------------------------------------------------------------


def sessions_and_a_withdrawal(place: Place, page: str) -> str:
    """One recording that is kept, looked at and fetched through the page; and one that is withdrawn. The first's id."""
    room = Room(place)
    ask_naming(Label(by=OTHER, client=REFUSED), place.run)  # which waits, sealed, and finds no recording of its own
    with suppress(NotNamedError):
        ask_naming(Note(by=OTHER, recording="000099-abcdefghij", text=REFUSED), place.run)
    locked = dict(line.split(":\t", 1) for line in Path(f"/proc/{room.program.pid}/status").read_text().splitlines())
    assert locked["VmSwap"].split()[0] == "0"
    assert os.geteuid() != 0 or int(locked["VmLck"].split()[0]) > 1000
    assert room.wait(lambda status: status.on_duty == BY), "the page did not remind capture"
    # A machine that is busy with other things may be too slow for a camera to show anything; the summary tells it.
    any(look_through_camera(room, page) for _ in range(3))
    room.arm(Consent.SOUND_AND_PICTURE)
    room.press(Button.RECORD)
    assert room.wait(lambda status: status.recording and status.recording.durable_us > 2_000_000)
    room.write()
    room.stop()
    (kept,) = [path.parent.name for path in place.store.glob(f"*/{SESSION_NAME}")]
    assert place.fetch(f"{page}recordings/{kept}/{SESSION_NAME}").startswith(b"age-encryption.org")
    place.fetch(page)
    place.fill_in(f"{page}recordings/{kept}/", "label", client=LABEL, study=LABEL)
    place.fill_in(f"{page}recordings/{kept}/", "note", text=NOTE)
    assert room.begin(picture=False)
    room.write()
    room.write(kept)  # while another runs
    room.press(Button.CONSENT)
    assert room.until("withdrawn")
    room.press(Button.CONSENT)
    assert room.until("armed")
    wait_for(lambda: list(place.store.glob("erased/*.json")))
    room.end()
    return kept


def look_through_camera(room: Room, page: str) -> bool:
    """What a framing check sees, remembered for the search; again, where a busy machine's camera took too long."""
    room.arm(Consent.SOUND_AND_PICTURE)
    room.press(Button.RECORD, for_s=1.8)
    room.wait(lambda status: status.state != "framing" or room.place.fetch(f"{page}framing.jpg"))
    still = room.place.fetch(f"{page}framing.jpg")
    if still.startswith(JPEG):
        room.place.still = still
    return bool(room.place.still)


def wait_for(holds: Callable[[], object]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s, "never came true"
        time.sleep(0.05)


def killed_and_aborted(place: Place) -> None:
    for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV):
        room = Room(place)
        assert room.begin(picture=number is not signal.SIGKILL)
        room.write()
        child = None if number is signal.SIGKILL else camera_of(room.program.pid)
        if child is not None and number is signal.SIGABRT:
            os.kill(child, signal.SIGABRT)  # the camera's program has the picture in its memory
        assert room.kill(number) == -number


def camera_killed_and_disk_full(place: Place) -> None:
    room = Room(place)
    assert room.begin()
    os.kill(camera_of(room.program.pid), signal.SIGKILL)
    assert room.until("troubled")
    if place.image is not None:
        full = place.store / "others"
        with full.open("wb") as file, suppress(OSError):
            file.write(bytes(shutil.disk_usage(place.store).free + 4096))
        room.write()
        room.until("kept", "sealed", "fault", "refused")
        full.unlink()
    room.end()


def broken_in_every_thread(place: Place) -> None:
    for function, nth in FAULTS:
        room = Room(place, function, str(nth))
        if room.begin(broken=True):
            room.write()
            room.until_broken()
        room.end()
        assert room.has_broken, f"{function} was never reached: {place.said()}"


# -- the search -------------------------------------------------------------------------------------------------------


def searched(marker: Marker, place: Place) -> list[Hit]:
    """What is found on the disk (every block of it that was ever written), or else in every file."""
    if place.image is not None:
        return list(marker.search(place.image))
    files = (path for path in sorted(place.folder.rglob("*")) if path.is_file())
    return [hit for path in files for hit in marker.search(path)]


def size_of(place: Place) -> int:
    if place.image is not None:
        return place.image.stat().st_blocks * 512
    return sum(path.stat().st_size for path in place.folder.rglob("*") if path.is_file())


def leaked(place: Place, contents: Iterable[bytes]) -> None:
    """What the search is tested by: written in plain, made durable, and deleted again where blocks are searched."""
    for number, content in enumerate(contents):
        path = place.folder / "tmp" / f"leak-{number}"
        with path.open("wb") as file:
            file.write(b"x" * 4093 + content)
            file.flush()
            os.fsync(file.fileno())
        if place.image is not None:
            path.unlink()


def opened(place: Place, kept: str, folder: Path) -> Path:
    """A recording, opened as a clinic would; and the texts beside it."""
    attachments = place.store / kept / ATTACHMENTS_NAME
    for name, text in (("label", LABEL), ("note-001", NOTE), ("measure-001", MEASURE)):
        assert text in own_open(attachments / f"{name}.age", place.identity).decode()
    (waiting,) = (place.store / WAITING_NAME).glob("label-*.age")
    assert REFUSED in own_open(waiting, place.identity).decode()
    path = folder / "opened.mp4"
    path.write_bytes(own_open(place.store / kept / SESSION_NAME, place.identity))
    return path


def core_of_a_program_that_hears(place: Place, wav: Path) -> list[Path]:
    """What a program leaves that does not forbid it, where the kernel writes cores beside programs at all."""
    text = f"import os; heard = open({str(wav)!r}, 'rb').read(); os.abort()"
    place.start("-c", text).wait(60)
    return [path for path in (place.folder / "cwd").iterdir() if path.name.startswith("core")]


@pytest.mark.parametrize("bits", [16, 24])
def test_the_marker_is_nowhere_in_plain(bits: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = random.Random(bits).randbytes(RATE_HZ * bits // 8)
    wav = write_wav(tmp_path / "room.wav", sound, rate_hz=RATE_HZ, channels=1, bits=bits)
    marker = Marker(sound, bits=bits, texts=(LABEL, NOTE, MEASURE, REFUSED))
    image = new_disk(tmp_path)
    folder = tmp_path / "disk"
    with mounted(folder, image) if image else nullcontext():
        place = Place(folder, image)
        mp4 = everything_happens(place, wav, tmp_path, bits=bits)
    if place.still:
        marker.add(place.still[:64], "still")  # its tables, which every still has
    began_s, size_bytes = time.monotonic(), size_of(place)
    found = searched(marker, place)
    took_s = time.monotonic() - began_s
    with capsys.disabled():
        what = "every block" if image else "files only: this user can mount no disk"
        print(f"\nmarker, {bits} bit: {size_bytes / (1 << 20):.0f} MiB searched in {took_s:.1f} s ({what}), ", end="")
        print(f"{len(found)} found{'' if place.still else ' (no framing check: the machine is too busy)'}")
    assert found == []
    in_opened = {hit.form for hit in marker.search(mp4)}
    assert {"big-endian", "structure"} <= in_opened, "the search does not find the sound in the opened recording"
    leaks = {form: content[1001:1600] for form, content in marker.forms.items()}
    leaks |= {"text": f'{{"label": "{LABEL}"}}'.encode()} | ({"still": place.still} if place.still else {})
    with mounted(folder, image) if image else nullcontext():
        leaked(place, leaks.values())
    assert {hit.form for hit in searched(marker, place)} == set(leaks), "the search does not find what is there"


def everything_happens(place: Place, wav: Path, folder: Path, *, bits: int) -> Path:
    """All of it; the opened recording, which is kept elsewhere."""
    place.configure(wav)
    place.sign_in()
    try:
        web = place.start("-m", "device", "web", "--config", str(place.config))
        wait_for(lambda: "http://" in place.said())
        page = next(word for word in place.said().split() if word.startswith("http://")).rstrip("/") + "/"
        kept = sessions_and_a_withdrawal(place, page)
        mp4 = opened(place, kept, folder)
        if bits == 16:
            killed_and_aborted(place)
            camera_killed_and_disk_full(place)
            broken_in_every_thread(place)
        web.send_signal(signal.SIGABRT)
        assert web.wait(30) == -signal.SIGABRT
    finally:
        place.end_all()
    assert [path.name for path in (place.folder / "cwd").iterdir()] == [], "a program left something where it ran"
    # Bytes that an error holds would be spelled so in its message, which no search for bytes finds.
    assert not any(b"\\x" in path.read_bytes() for path in (place.folder / "said").iterdir())
    return mp4


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may raise the limit of core dumps")
def test_the_search_finds_the_marker_in_a_core_dump(tmp_path: Path) -> None:
    if CORE_PATTERN.read_text().startswith(("|", "/")):
        pytest.skip("this kernel leaves no core beside a program")
    sound = random.Random(1).randbytes(RATE_HZ * 2)
    wav = write_wav(tmp_path / "room.wav", sound, rate_hz=RATE_HZ, channels=1, bits=16)
    (tmp_path / "place").mkdir()
    place = Place(tmp_path / "place", None)
    (core,) = core_of_a_program_that_hears(place, wav)
    assert {hit.form for hit in Marker(sound, bits=16).search(core)} == {"as delivered"}


@pytest.mark.parametrize("offset", [0, 1, 7, 4093, (1 << 20) - 16, (1 << 20) - 1])
@pytest.mark.parametrize("bits", [16, 24])
def test_any_scrap_of_31_bytes_is_found_wherever_it_lies(tmp_path: Path, bits: int, offset: int) -> None:
    chance = random.Random(offset)
    sound = chance.randbytes(RATE_HZ * bits // 8)
    marker = Marker(sound, bits=bits)
    for form, content in marker.forms.items():
        at = chance.randrange(len(content) - 31)
        path = tmp_path / "haystack"
        path.write_bytes(chance.randbytes(offset) + content[at : at + 31] + chance.randbytes(1000))
        assert [hit.form for hit in marker.search(path)] == [form]
    path.write_bytes(chance.randbytes(3 << 20))
    assert list(marker.search(path)) == []
