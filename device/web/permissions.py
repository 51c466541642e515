"""Who may do what on the page: one table, and nobody may do what is not in it.

A rule says which roles, how they came in, and on which object. It is asked before any view runs
(``device/web/doors.py``) and by the templates, so that nobody is shown a way that is closed to them.
``tests/web/test_permissions.py`` walks all routes there are, and fails on one that has no rule here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from device.people.person import Role
from device.web.visitor import By, Visitor


class On(StrEnum):
    """On which object; the one that the address names."""

    NOTHING = "nothing of anybody's"
    OWN = "the visitor's own"  # the view looks among these only: nothing of another person can be named
    FACTS = "the facts of a recording"
    RECORDING = "a recording"
    ROOM = "the session in the room"  # that of the therapist who is checked in, if somebody is
    CAMERA = "what the camera of the room sees"  # for nobody but the therapist who is checked in


class Strangers(Enum):
    """Whether somebody who has not signed in may, too."""

    NEVER = auto()
    IN_A_DEMO = auto()  # where the panel is simulated, who has the page has the room
    ALWAYS = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may: people with one of ``roles`` who came in by one of ``by``. Where strangers may, roles do not matter."""

    roles: frozenset[Role] = frozenset(Role)
    by: frozenset[By] = frozenset({By.PAGE})
    on: On = On.NOTHING
    strangers: Strangers = Strangers.NEVER

    def open_to_all(self, *, demo: bool) -> bool:
        """Whether who it is does not matter. ``demo``: the panel is simulated."""
        return self.strangers is Strangers.ALWAYS or (demo and self.strangers is Strangers.IN_A_DEMO)


class Verdict(Enum):
    """What the table says of a visitor, whatever the object is."""

    COME_IN = auto()
    SIGN_IN = auto()  # a stranger stands where only people may be who are known
    KEEP_OUT = auto()


_THERAPIST: Final = frozenset({Role.THERAPIST})
_PROGRAMS: Final = frozenset({By.PROGRAM})
_TABLET: Final = frozenset({By.KIOSK})
_BROWSERS: Final = frozenset({By.PAGE, By.KIOSK})
_CARING: Final = frozenset({Role.THERAPIST, Role.SUPERVISOR})
_ADMIN: Final = frozenset({Role.ADMIN})
_PAGE_AND_PROGRAMS: Final = frozenset({By.PAGE, By.PROGRAM})

PERMISSIONS: Final[Mapping[str, Rule]] = {
    # What belongs to nobody: style, scripts and drawings.
    "static": Rule(by=frozenset(By), strangers=Strangers.ALWAYS),
    # The box as it is now.
    "live.status": Rule(by=_PAGE_AND_PROGRAMS, strangers=Strangers.IN_A_DEMO),
    "framing.still": Rule(_THERAPIST, on=On.CAMERA, strangers=Strangers.IN_A_DEMO),
    "asks.stop": Rule(_THERAPIST, on=On.ROOM),
    "asks.mark": Rule(_THERAPIST, on=On.ROOM),
    "asks.people": Rule(_THERAPIST, on=On.ROOM),
    # The simulated room.
    "room.view": Rule(strangers=Strangers.IN_A_DEMO),
    "room.finger": Rule(strangers=Strangers.IN_A_DEMO),
    # Measures: a therapist hands a tablet over; on it there is its own session, and nothing of anybody's.
    "handing.view": Rule(_THERAPIST, on=On.OWN),
    "handing.hand_over": Rule(_THERAPIST, on=On.OWN),
    "kiosk.view": Rule(by=_BROWSERS, on=On.OWN, strangers=Strangers.ALWAYS),
    "kiosk.code": Rule(by=_BROWSERS, strangers=Strangers.ALWAYS),
    "kiosk.begin": Rule(_THERAPIST, by=_TABLET, on=On.OWN),
    "kiosk.answer": Rule(_THERAPIST, by=_TABLET, on=On.OWN),
    "kiosk.hand_in": Rule(_THERAPIST, by=_TABLET, on=On.OWN),
    "kiosk.stopping": Rule(_THERAPIST, by=_TABLET, on=On.OWN),
    "kiosk.stop": Rule(_THERAPIST, by=_TABLET, on=On.OWN),
    "kiosk.close": Rule(_THERAPIST, by=_TABLET, on=On.OWN),
    # Who works in the room.
    "duty.check_in": Rule(_THERAPIST),
    "duty.check_out": Rule(_THERAPIST),
    # What is named; without an id: of the session in the room.
    "naming.label": Rule(_CARING, on=On.RECORDING),
    "naming.note": Rule(_CARING, on=On.RECORDING),
    "naming.wish": Rule(_CARING, on=On.RECORDING),
    "naming.assign": Rule(_ADMIN, on=On.FACTS),
    "naming.session_label": Rule(_THERAPIST, on=On.ROOM),
    "naming.session_note": Rule(_THERAPIST, on=On.ROOM),
    "naming.declined": Rule(_THERAPIST, on=On.ROOM),
    "waiting.leave": Rule(_THERAPIST, on=On.OWN),
    "waiting.place": Rule(_THERAPIST, on=On.OWN),
    # What an admin looks after.
    "health.view": Rule(_ADMIN),
    "sync.view": Rule(_ADMIN),
    "sync.now": Rule(_ADMIN),
    "sync.pause": Rule(_ADMIN),
    "sync.resume": Rule(_ADMIN),
    "sync.again": Rule(_ADMIN),
    "retention.view": Rule(_ADMIN),
    "audit.view": Rule(_ADMIN),
    "certificates.view": Rule(_ADMIN),
    # Signing in, and what everybody changes about themselves.
    **dict.fromkeys(
        (
            "signing.sign_in",
            "signing.code",
            "joining.app",
            "joining.welcome",
            "joining.first_admin",
            "passkeys.ask",
            "passkeys.prove",
        ),
        Rule(strangers=Strangers.ALWAYS),
    ),
    "signing.sign_out": Rule(on=On.OWN),
    **dict.fromkeys(
        (
            "account.view",
            "account.password",
            "account.codes",
            "account.begin_app",
            "account.app",
            "account.end",
            "account.remove_passkey",
            "passkeys.begin",
            "passkeys.add",
        ),
        Rule(on=On.OWN),
    ),
    # People.
    "persons.persons": Rule(_ADMIN),
    "persons.new": Rule(_ADMIN),
    "persons.person": Rule(_ADMIN),
    "persons.invite": Rule(_ADMIN),
    # Recordings.
    "lists.recordings": Rule(),
    "lists.recording": Rule(on=On.FACTS),
    "download.session": Rule(by=_PAGE_AND_PROGRAMS, on=On.RECORDING),
    "download.manifest": Rule(by=_PAGE_AND_PROGRAMS, on=On.RECORDING),
    # The interface for programs.
    "api.description": Rule(by=_PAGE_AND_PROGRAMS, strangers=Strangers.ALWAYS),
    "api.device_key": Rule(by=_PROGRAMS, strangers=Strangers.ALWAYS),
    "api.challenge": Rule(by=_PROGRAMS, strangers=Strangers.ALWAYS),
    "api.sign_in": Rule(by=_PROGRAMS, strangers=Strangers.ALWAYS),
    "api.tokens": Rule(by=_PROGRAMS, on=On.OWN),
    "api.revoke": Rule(by=_PROGRAMS, on=On.OWN),
    "api.me": Rule(by=_PROGRAMS, on=On.OWN),
    "api.listing": Rule(by=_PAGE_AND_PROGRAMS),  # the view tells of those alone that the visitor may know of
    "api.recording": Rule(by=_PAGE_AND_PROGRAMS, on=On.FACTS),
    "api.receipts": Rule(by=_PAGE_AND_PROGRAMS, on=On.FACTS),
    "api.attachment": Rule(by=_PAGE_AND_PROGRAMS, on=On.RECORDING),
    "api.attach": Rule(_CARING, by=_PROGRAMS, on=On.RECORDING),
}


def judge(rule: Rule | None, visitor: Visitor | None, *, demo: bool) -> Verdict:
    """Whether somebody may, as far as the object does not decide; ``rule`` is ``None`` where the table has none."""
    if rule is None:
        return Verdict.KEEP_OUT
    open_to_all = rule.open_to_all(demo=demo)
    if visitor is None:
        return Verdict.COME_IN if open_to_all else Verdict.SIGN_IN
    if visitor.by not in rule.by:
        return Verdict.KEEP_OUT
    if open_to_all or any(visitor.person.is_a(role) for role in rule.roles):
        return Verdict.COME_IN
    return Verdict.KEEP_OUT
