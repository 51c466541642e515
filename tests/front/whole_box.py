"""A whole box as it stands at a clinic: capture, page and nginx, a process each; and a therapist who is signed in."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from device.people.database import Database
from device.people.people import People
from device.people.person import Role
from tests.front.nginx_server import HOST, PATIENCE_S, Nginx, nginx
from tests.remote.certificates import Authority
from tests.support import write_wav
from tests.sync_faults.box import Box, Program
from tests.sync_faults.test_beside import RATE_HZ, ramp
from tests.web.visitors import add_person, begin

_NGINX = """
[web.nginx]
names = ["{host}"]
certificate = "{folder}/front/page.pem"
key = "{folder}/front/page.key"
socket = "{folder}/page.sock"
"""


@dataclass
class WholeBox:
    """``known``: the header of a therapist who is signed in; ``admin``: that of an admin."""

    box: Box
    nginx: Nginx
    page: Program
    known: dict[str, str]
    admin: dict[str, str]

    def restart_page(self) -> None:
        """As a box that is updated does; until it answers."""
        self.page.end()
        self.page = Program(self.box._command("web"), self.box.said)
        self.until_answering()

    def end_page(self) -> None:
        """The one that runs now."""
        self.page.end()

    def until_answering(self) -> None:
        until_s = time.monotonic() + 2 * PATIENCE_S
        while self.nginx.ask("/status.json", **self.known)[0] != 200:
            assert time.monotonic() < until_s, self.box.last_words()
            time.sleep(0.1)


def record_large(box: Box, mark: str, size_bytes: int) -> str:
    """A recording of that size and of that therapist; its id."""
    recording_id = box.record(size_bytes)
    box.store.write_manifest(box.manifest(recording_id).model_copy(update={"therapist": mark}))
    return recording_id


@contextmanager
def whole_box(folder: Path, authority: Authority, *, before: Callable[[Box, str], object]) -> Iterator[WholeBox]:
    """A box that answers; what it hears says of each sample where it belongs.

    ``before`` fills its store before anything runs, and is told the therapist's mark.
    """
    with ExitStack() as ends:
        box = Box(folder)
        ends.callback(box.close)
        write_wav(folder / "room.wav", ramp(30), rate_hz=RATE_HZ, channels=1, bits=16)
        for name in ("web", "front"):
            (folder / name).mkdir()
        box.configure(f'driver = "folder"\npath = "{folder}/clinic"')
        given = socket.create_server((HOST, 0))
        text = box.config.read_text().replace("port = 0", f"port = {given.getsockname()[1]}")
        box.config.write_text(text + _NGINX.format(host=HOST, folder=folder))
        with closing(Database(folder / "web")) as database:
            people = People(database, fingerprint=lambda: None)
            therapist = add_person(people, Role.THERAPIST)
            both = (therapist, add_person(people, Role.ADMIN))
            known, admin = ({"Cookie": f"__Host-sotto={begin(people, one).token}"} for one in both)
        before(box, therapist.mark)
        box.start_capture()
        page = Program(box._command("web"), box.said)
        ends.callback(page.end)
        front = nginx(folder / "front", authority, store=box.store.path, page=folder / "page.sock", listening=given)
        made = WholeBox(box, ends.enter_context(front), page, known, admin)
        ends.callback(made.end_page)
        made.until_answering()
        yield made
