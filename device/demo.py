"""``sotto demo``: a whole box on this computer: capture, page and sync, a process each, and a simulated room between.

Everything it makes is in one folder that goes with it, the clinic's key included: it is for looking, not for keeping.
"""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from device.demo_people import PEOPLE_NAME, Shown, check_in, make_people, written
from device.errors import AdminError
from device.remote_folder import MARK_NAME

_START_S: Final = 30.0
_END_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class DemoChoices:
    """What the person asked for. ``microphone``: an ALSA name, or ``None`` for the bundled clip."""

    folder: Path
    port: int
    microphone: str | None
    picture: bool


def demo_config(choices: DemoChoices, recipient: str) -> str:
    """The configuration of the demo's box, as TOML."""
    clip = Path(__file__).with_name("capture") / "room.wav"
    microphone = (
        f'driver = "simulated"\nwav = "{clip}"'
        if choices.microphone is None
        else f'driver = "alsa"\ndevice = "{choices.microphone}"'
    )
    camera = 'driver = "simulated"' if choices.picture else 'driver = "disabled"'
    folder = choices.folder
    return f"""\
[box]
name = "Demo room"
device_key = "{folder}/device.key"
run = "{folder}/run"

[store]
path = "{folder}/store"

[recipients]
keys = ["{recipient}"]

[microphone]
{microphone}

[camera]
{camera}

[panel]
driver = "simulated"

[web]
state = "{folder}/web"
port = {choices.port}

[remote]
name = "clinic"
driver = "folder"
path = "{folder}/clinic"
clinic = "demo"
room = "room-1"

[sync]
state = "{folder}/sync"
start_jitter_s = 0
"""


def make_clinic_key(folder: Path) -> tuple[Path, str]:
    """A throw-away clinic key, made by the clinic's own program; its file and its recipient."""
    identity = folder / "clinic.key"
    if not identity.exists():
        _clinic("key", "new", "-o", str(identity))
    return identity, _clinic("key", "recipient", str(identity)).strip()


def _clinic(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  # our own program, our own arguments
        [sys.executable, "-m", "provisioning", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise AdminError(f"sotto-clinic {arguments[0]} failed: {done.stderr.strip()}", "read the message above")
    return done.stdout


class Child:
    """One of the demo's processes; it says ``ready`` on a line of its standard output when it is."""

    def __init__(self, verb: str, config: Path) -> None:
        self.verb = verb
        self._process = subprocess.Popen(  # noqa: S603  # our own program, our own arguments
            [sys.executable, "-m", "device", verb, "--config", str(config)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends them in order
        )

    @property
    def stdout(self) -> IO[str]:
        """What it prints."""
        if self._process.stdout is None:
            raise AdminError(f"sotto {self.verb} has no output", "start the demo again")
        return self._process.stdout

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_ready(self) -> str:
        """Wait for its first line, and return it.

        Raises:
            AdminError: it ended, or said nothing for half a minute.
        """
        ready, _, _ = select.select([self.stdout], [], [], _START_S)
        line = self.stdout.readline() if ready else ""
        if not line:
            raise AdminError(f"sotto {self.verb} did not start", "read what it said above")
        return line.strip()

    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._process.poll() is not None

    def end(self) -> None:
        """Ask it to end, and see that it does."""
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.stdout.close()


def _beside(program: str) -> Path:
    """Where a program of this installation is, as the person would type it here."""
    path = Path(sys.executable).with_name(program)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def welcome(address: str, folder: Path, identity: Path, people: list[Shown]) -> str:
    """What a newcomer reads."""
    logins = "\n".join(f"    {one.login:<12}{one.password}   {one.codes[0]}" for one in people)
    return f"""\

  Sotto is running on this computer, with a simulated room.

    The room:  {address}room
    In the room view: C is CONSENT, R is RECORD (or use the mouse).
    C once for sound, twice for sound and picture; then R starts, and R again stops.
    After C twice, R held for two seconds shows what the camera sees, and stores nothing.

  Sign in at {address} as one of these; the therapist is checked in to the room:
    {"login":<12}{"password":<22}second factor (a recovery code, which works once)
{logins}
    More codes, and the keys for an app: {folder / PEOPLE_NAME}

  The clinic's key was made for this demo only:
    {identity}

  Open a recording as a supervisor would (the id stands in the list):
    {_beside("sotto-clinic")} open {address}recordings/ID -i {identity} -o session.mp4 --last 10s

  The clinic's server is a folder here; what is recorded gets there by itself once its two minutes are over:
    {folder / "clinic"}

  Everything is in {folder} and goes when you press Ctrl-C here.
"""


def run_demo(choices: DemoChoices) -> int:
    """Make the folder, start the processes, say where to look, and wait until one ends or the person has enough.

    Raises:
        AdminError: something could not be started.
    """
    folder = choices.folder
    for name in ("run", "store", "clinic", "web"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "clinic" / MARK_NAME).touch()
    identity, recipient = make_clinic_key(folder)
    config = folder / "sotto.toml"
    config.write_text(demo_config(choices, recipient), encoding="utf-8")
    people, therapist = make_people(folder / "web", recipient=recipient, now_s=time.time())
    (folder / PEOPLE_NAME).write_text(written(people), encoding="utf-8")
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ending.set())
    children: list[Child] = []
    try:
        children.append(Child("capture", config))
        children[0].wait_ready()
        check_in(therapist, folder / "run", now_s=time.time())
        children.append(Child("web", config))
        address = children[1].wait_ready()
        children.append(Child("sync", config))
        children[2].wait_ready()
        sys.stdout.write(welcome(address, folder, identity, people))
        sys.stdout.flush()
        while not ending.wait(0.5):
            for child in children:
                if child.has_ended():
                    raise AdminError(f"sotto {child.verb} has ended by itself", "read what it said above")
    finally:
        for child in reversed(children):
            child.end()
    return 0
