"""What each role sees: every page with the state of the box that belongs to it, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, BrowserContext, Page

from device.applying_services import NGINX
from device.audit_requests import note_by_capture
from device.clinic_people import PEOPLE_LISTS, ListedPerson, PeopleList
from device.clock import wire_time
from device.fleet_status import UpdateTold
from device.naming_requests import Label, OnDuty
from device.order_results import Outcome, Result, Results, write_results
from device.orders import About
from device.people.from_clinic import FromClinic
from device.people.passwords import Passwords
from device.people.people import People
from device.people.person import Person
from device.recording.audited import Happened, What, Who
from device.recording.chain import AUDIT_NAME
from device.session_events import State
from device.status import MachineStatus, Status
from device.words import Consent
from tests.people.persons import FINGERPRINT
from tests.remote.certificates import DAY, Authority, apart
from tests.support import PATIENCE_S
from tests.test_clinic_people import KEY as CLINIC
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
    """A page, who looks at it, and how the box is meanwhile; ``order``, ``update``: what the clinic's desk told it."""

    who: Callable[[Scene], Person | None]
    path: Callable[[Scene], str]
    shown: Callable[[], Status]
    order: Result | None = None
    update: UpdateTold | None = None


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


def ordered(about: About, outcome: Outcome, what: str = "", hint: str = "") -> Result:
    at = wire_time(datetime.now(UTC))
    return Result(digest="ab" * 32, outcome=outcome, at=at, about=about, number=7, what=what, hint=hint)


WAITS: Final = ordered("config", "waiting", "a session ended a short while ago")
DONE: Final = ordered("certificates", "done")
REFUSED: Final = ordered("roster", "refused", "the roster is older than the one that was taken", "sign a new one")
UNDONE: Final = ordered("config", "undone", f"a service does not come up: {NGINX}", "look into its journal")
COMES: Final = UpdateTold(version="0.2.0", on_trial=False, failed=None)
ON_TRIAL: Final = COMES.model_copy(update={"on_trial": True})
GIVEN_UP: Final = COMES.model_copy(update={"failed": f"not active: {NGINX}"})


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
    "admin-told": View(admin, at("box/health"), idle, DONE, ON_TRIAL),
    "admin-waiting": View(admin, at("box/health"), idle, WAITS, COMES),
    "admin-refused": View(admin, at("box/health"), idle, REFUSED),
    "admin-undone": View(admin, at("box/health"), cannot, UNDONE, GIVEN_UP),
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

# Of a box whose people come from the clinic.
CLINIC_VIEWS: Final = {
    name: VIEWS[name]
    for name in (
        "admin-health",
        "admin-audit",
        "admin-persons",
        "admin-person",
        "admin-new-person",
        "therapist-account",
        "first-admin",
    )
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
        self.update: UpdateTold | None = None

    def show(self, name: str) -> None:
        """Let the box be as it is for that page."""
        on_duty = self._box.people.on_duty(time.time())
        self._tell(VIEWS[name])
        self._publisher.show(VIEWS[name].shown().model_copy(update={"on_duty": on_duty}))

    def _tell(self, view: View) -> None:
        orders = self._box.setup.orders
        assert orders is not None
        write_results(orders, Results() if view.order is None else Results().with_one(view.order))
        self.update = view.update

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
def looking(folder: Path, browser: Browser, *, from_clinic: bool = False) -> Iterator[Looker]:
    """The box with everything in it, its page served for real, and somebody on duty."""
    for name in ("run", "orders"):
        (folder / name).mkdir()
    lookers: list[Looker] = []
    with people_in(folder) as people:
        store, run = make_store(folder / "store"), folder / "run"
        pem = folder / "page.pem"
        pem.write_bytes(apart(Authority().issue("room-3.practice.example", "192.0.2.7", ends=20 * DAY))[0])
        setup = replace(SETUP, certificate=pem, orders=folder / "orders", update=lambda: lookers[0].update)
        box = Box(store, run, folder / "store" / AUDIT_NAME, people, setup=setup, name="Room 3")
        scene = make_scene(box)
        people.check_in(THERAPIST, time.time())
        with audited(box) as auditor:
            for happened in _TOLD:
                auditor.note_durably(happened, patience_s=PATIENCE_S)
            if from_clinic:
                box.people = _of_the_clinic(box, scene, folder / "given.json")
            with named(box, auditor) as desk, serving(box) as address:
                desk.desk.answer(OnDuty(by=THERAPIST, therapist=THERAPIST))
                desk.desk.answer(Label(by=THERAPIST, client="K-0"))  # it waits for the next recording
                publisher = Publisher(box, idle())
                try:
                    lookers.append(Looker(desk, scene, publisher, address, browser))
                    yield lookers[0]
                finally:
                    publisher.close()


_TOLD: Final = (
    Happened(
        What.ROSTER_TAKEN,
        by=Who.BOX,
        facts={"roster": 4, "added": ("a1" * 8,), "removed": ("b2" * 8,), "digest": "cd" * 32},
    ),
    Happened(What.ORDER_DONE, by=Who.BOX, facts={"about": "roster", "order": 6, "digest": "ab" * 32}),
    Happened(What.ORDER_UNDONE, by=Who.BOX, facts={"about": "config", "order": 7, "digest": "ef" * 32}),
)


def _of_the_clinic(box: Box, scene: Scene, given: Path) -> People:
    """The same people, as the clinic's list says."""
    listed = PeopleList(
        number=3,
        made=wire_time(datetime.now(UTC)),
        boxes=(box.name,),
        people=tuple(
            ListedPerson(
                mark=one.mark,
                login=one.login,
                name=one.name,
                roles=tuple(sorted(map(str, one.roles))),
                supervisees=tuple(sorted(one.supervisees)),
            )
            for one in (scene.therapist, scene.other, scene.supervisor, scene.admin)
        ),
    )
    given.write_bytes(PEOPLE_LISTS.sign(listed, CLINIC))
    database = box.people._database
    key = CLINIC.public_key().public_bytes_raw()
    clinic = FromClinic(
        database, given, clinic_key=key, box=box.name, note=lambda one: note_by_capture(one, box.run) is not None
    )
    until_s = time.monotonic() + PATIENCE_S
    while clinic.look() is not None:
        assert time.monotonic() < until_s, clinic.standing
    passwords = Passwords(memory_kib=8, passes=1)
    return People(database, fingerprint=lambda: FINGERPRINT, passwords=passwords, from_clinic=clinic)
