"""What each role sees: every page with the state of the box that belongs to it, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, BrowserContext, Page

from device.naming_requests import Label, OnDuty
from device.people.person import Person
from device.recording.chain import AUDIT_NAME
from device.session_events import State
from device.status import MachineStatus, Status
from device.words import Consent
from tests.remote.certificates import DAY, Authority, apart
from tests.web.conftest import Box, audited, people_in
from tests.web.desks import Named, named
from tests.web.published import last, make_store, recording_status, status
from tests.web.scene import OTHER, SETUP, Scene, make_scene, sync_now
from tests.web.test_browser import Publisher
from tests.web.test_serve import serving
from tests.web.visitors import THERAPIST, begin

Scheme = Literal["light", "dark"]
SIZES: Final = {"phone": (390, 844), "desk": (1280, 900)}
MACHINE: Final = MachineStatus(temperature_c=61.4, under_voltage=False)
HOT: Final = MachineStatus(temperature_c=83.0, under_voltage=True)


@dataclass(frozen=True)
class View:
    """A page, who looks at it, and how the box is meanwhile."""

    who: Callable[[Scene], Person | None]
    path: Callable[[Scene], str]
    shown: Callable[[], Status]


def at(path: str) -> Callable[[Scene], str]:
    return lambda _scene: path


def idle() -> Status:
    return status(simulated=(), machine=MACHINE)


def running() -> Status:
    return recording_status().model_copy(update={"simulated": ()})


def troubled() -> Status:
    return recording_status(State.TROUBLED, troubles=("no sound",))


def cannot() -> Status:
    return status(
        State.FAULT,
        simulated=(),
        machine=HOT,
        clock_trusted=False,
        store_minutes_left=90,
        faults=(("the microphone cannot be opened", "look at its cable"),),
    )


def armed() -> Status:
    return status(State.ARMED, Consent.SOUND_AND_PICTURE)


def sealed() -> Status:
    return status(State.SEALED, last=last())


def therapist(scene: Scene) -> Person:
    return scene.therapist


def other(scene: Scene) -> Person:
    return scene.other


def supervisor(scene: Scene) -> Person:
    return scene.supervisor


def admin(scene: Scene) -> Person:
    return scene.admin


VIEWS: Final = {
    "therapist-idle": View(therapist, at(""), idle),
    "therapist-armed": View(therapist, at(""), armed),
    "therapist-recording": View(therapist, at(""), running),
    "therapist-troubled": View(therapist, at(""), troubled),
    "therapist-sealed": View(therapist, at("?said=declined"), sealed),
    "therapist-recording-kept": View(therapist, lambda scene: f"recordings/{scene.kept}/?said=label", idle),
    "therapist-recording-moving": View(therapist, lambda scene: f"recordings/{scene.moving}/", idle),
    "therapist-refused": View(therapist, at("box/health"), idle),
    "other-idle": View(other, at(""), idle),
    "supervisor-library": View(supervisor, at(""), idle),
    "supervisor-filtered": View(supervisor, at(f"?therapist={OTHER}&open=1"), idle),
    "supervisor-nothing": View(supervisor, at("?since=2031-01-01"), idle),
    "supervisor-recording": View(supervisor, lambda scene: f"recordings/{scene.quiet}/", idle),
    "admin-list": View(admin, at(""), idle),
    "admin-health": View(admin, at("box/health"), idle),
    "admin-fault": View(admin, at("box/health"), cannot),
    "admin-sync": View(admin, at("box/sync"), idle),
    "admin-retention": View(admin, at("box/retention"), idle),
    "admin-audit": View(admin, at("box/audit"), idle),
    "admin-certificates": View(admin, at("box/certificates"), idle),
    "admin-recording": View(admin, lambda scene: f"recordings/{scene.nobodys}/", idle),
    "therapist-account": View(therapist, at("account/"), idle),
    "therapist-measures": View(therapist, at("measures/"), idle),
    "admin-persons": View(admin, at("persons/"), idle),
    "admin-person": View(admin, lambda scene: f"persons/{scene.other.mark}", idle),
    "admin-new-person": View(admin, at("persons/new"), idle),
    "kiosk-code": View(lambda _scene: None, at("kiosk/"), idle),
    "sign-in": View(lambda _scene: None, at("sign-in"), idle),
    "first-admin": View(lambda _scene: None, at("first-admin"), idle),
    "room": View(lambda _scene: None, at("room"), running),
}


class Looker:
    """Opens pages of one box, as whoever is to see them."""

    def __init__(self, desk: Named, scene: Scene, publisher: Publisher, address: str, browser: Browser) -> None:
        self.desk = desk
        self.scene = scene
        self._box = desk.box
        self._publisher = publisher
        self._address = address
        self._browser = browser
        self.complaints: list[str] = []

    def show(self, name: str) -> None:
        """Let the box be as it is for that page."""
        on_duty = self._box.people.on_duty(time.time())
        self._publisher.show(VIEWS[name].shown().model_copy(update={"on_duty": on_duty}))

    @contextmanager
    def look(self, name: str, *, size: str, scheme: Scheme = "light", javascript: bool = True) -> Iterator[Page]:
        """A page, open for as long as this lasts."""
        view = VIEWS[name]
        self.show(name)
        sync_now(self._box, self.scene.moving)
        width, height = SIZES[size]
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=javascript
        )
        try:
            self._sign_in(context, view.who(self.scene))
            page = context.new_page()
            page.on("console", lambda message: self.complaints.append(message.text))
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.goto(self._address + view.path(self.scene))
            if javascript and page.locator("[data-as-of]").count():
                page.locator("[data-as-of]").wait_for(state="hidden")
            yield page
        finally:
            context.close()

    def _sign_in(self, context: BrowserContext, person: Person | None) -> None:
        if person is not None:
            token = begin(self._box.people, person).token
            context.add_cookies([{"name": "sotto", "value": token, "url": self._address}])


@contextmanager
def looking(folder: Path, browser: Browser) -> Iterator[Looker]:
    """The box with everything in it, its page served for real, and somebody on duty."""
    (folder / "run").mkdir()
    with people_in(folder) as people:
        store, run = make_store(folder / "store"), folder / "run"
        pem = folder / "page.pem"
        pem.write_bytes(apart(Authority().issue("room-3.practice.example", "192.0.2.7", ends=20 * DAY))[0])
        setup = replace(SETUP, certificate=pem)
        box = Box(store, run, folder / "store" / AUDIT_NAME, people, setup=setup, name="Room 3")
        scene = make_scene(box)
        people.check_in(THERAPIST, time.time())
        with audited(box) as auditor, named(box, auditor) as desk, serving(box) as address:
            desk.desk.answer(OnDuty(by=THERAPIST, therapist=THERAPIST))
            desk.desk.answer(Label(by=THERAPIST, client="K-0"))  # it waits for the next recording
            publisher = Publisher(box, idle())
            try:
                yield Looker(desk, scene, publisher, address, browser)
            finally:
                publisher.close()
