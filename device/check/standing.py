"""What can be said without opening a device: who can open the recordings, the clock, the store, who is asking."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from device.age.recipients import Company, fingerprint
from device.check.disk import has_room_to_measure, judge_disk, judge_room, measure_disk
from device.check.finding import Findings, bad, from_error, good, look
from device.clinic_people import PEOPLE_LISTS, PeopleList
from device.clock import Clock
from device.config import Config, RecipientsSection
from device.config_recipients import recipients_of
from device.devicekey import load_or_make_device_key, throwaway_key
from device.errors import AdminError, RecipientError, StoreError
from device.roster import MOST_ROSTER_BYTES, check_roster, read_roster
from device.store import Store

_DISK_S = 1.0


def check_recipients(named: RecipientsSection, *, box: str) -> Findings:
    """Who can open what the box seals; the keys are named by their ids."""
    if named.roster is not None and named.clinic_key is not None:
        return _check_roster(named.roster, bytes.fromhex(named.clinic_key), box=box)
    return _check_keys(named.keys or ())


def _check_roster(path: Path, clinic_key: bytes, *, box: str) -> Findings:
    """Whether the roster can be taken; whether a newer one was, only the capture service knows."""
    try:
        with path.open("rb") as file:
            roster = read_roster(file.read(MOST_ROSTER_BYTES), clinic_key=clinic_key)
        check_roster(roster, box=box, taken=None)
    except OSError as problem:
        fault = RecipientError(f"the roster cannot be read: {problem.strerror}", "check recipients.roster")
        return [from_error("recipients", fault)]
    except RecipientError as problem:
        return [from_error("recipients", problem)]
    ids = sorted(roster.key_ids())
    what = f"roster {roster.number}, {roster.policy}, {len(roster.therapists)} therapists: {', '.join(ids)}"
    return [good("recipients", what, roster=roster.number, policy=roster.policy, key_ids=ids)]


def check_people(config: Config) -> Findings:
    """Whether the clinic's list of people can be taken, where there is one, and whether a newer one was."""
    if config.people is None or config.recipients.clinic_key is None:
        return []
    key, kept = bytes.fromhex(config.recipients.clinic_key), config.web.state / PEOPLE_LISTS.file_name
    try:
        with config.people.file.open("rb") as file:
            listed = PEOPLE_LISTS.read(file.read(PEOPLE_LISTS.most_bytes), clinic_key=key)
        PEOPLE_LISTS.check(listed, box=config.box.name, taken=_taken_people(kept, key))
    except PermissionError:
        return [look("people", "the clinic's list of people may not be read by this user", "run it as root to look")]
    except OSError as problem:
        fault = AdminError(f"the list of people cannot be read: {problem.strerror}", "check people.file")
        return [from_error("people", fault)]
    except AdminError as problem:
        return [from_error("people", problem)]
    what = f"list {listed.number} of the clinic: {len(listed.people)}"
    return [good("people", what, people_list=listed.number, count=len(listed.people))]


def _taken_people(kept: Path, key: bytes) -> PeopleList | None:
    """The one that the page took, as far as whoever asks may read it: it is the page's own."""
    try:
        return PEOPLE_LISTS.read(kept.read_bytes(), clinic_key=key)
    except (OSError, AdminError):
        return None


def _check_keys(keys: tuple[str, ...]) -> Findings:
    try:
        recipients = recipients_of(keys)
    except RecipientError as problem:
        return [from_error("recipients", problem)]
    ids = [fingerprint(recipient) for recipient in recipients]
    kind = "classic" if recipients[0].company is Company.CLASSIC else "post-quantum"
    what, figures = f"{len(ids)} {kind}: {', '.join(ids)}", {"kind": kind, "key_ids": ids}
    if len(ids) == 1:
        hint = "if that one identity is lost, nobody can open a recording: add a second, kept somewhere else"
        return [look("recipients", what, hint, **figures)]
    return [good("recipients", what, **figures)]


def check_clock(clock: Clock) -> Findings:
    """Whether the wall clock can be believed."""
    if clock.trusted():
        return [good("clock", "set by a time server", trusted=True)]
    hint = (
        "order and lengths of recordings hold all the same, but their dates say that they may be wrong: let the box "
        "reach a time server (`chronyc sources`)"
    )
    return [look("clock", "not known to be set", hint, trusted=False)]


def check_device_key(path: Path) -> Findings:
    """Whether the box can sign; the key is read, and made by the service alone."""
    try:
        if not path.exists():
            if not os.access(path.parent, os.W_OK | os.X_OK):
                hint = "check the folder that box.device_key names"
                return [bad("device key", "the device key cannot be used: its folder cannot be written", hint)]
            return [good("device key", "there is none yet: the capture service will make it", exists=False)]
        load_or_make_device_key(path)
    except (AdminError, OSError) as problem:
        error = problem if isinstance(problem, AdminError) else AdminError(str(problem), "check box.device_key")
        return [from_error("device key", error)]
    return [good("device key", "there, and can be read", exists=True)]


def check_store(path: Path, *, session_bytes: int, needed_bytes_per_s: int) -> Findings:
    """Whether the store can be written, is fast enough, and has room."""
    store = Store(path, device_key=throwaway_key())
    try:
        store.check()
        free_bytes = store.free_bytes()
        found = [good("store", "can be written"), *judge_room(free_bytes, session_bytes=session_bytes)]
        if has_room_to_measure(free_bytes):
            found += judge_disk(measure_disk(path, seconds=_DISK_S), needed_bytes_per_s=needed_bytes_per_s)
    except StoreError as problem:
        return [from_error("store", problem)]
    return found


def check_user(store: Path) -> Findings:
    """Whether this is who the service runs as; for anybody else other things may work, or not."""
    try:
        owner = store.stat()
    except OSError:
        return []  # the store itself tells
    if not stat.S_ISDIR(owner.st_mode) or owner.st_uid == os.geteuid():
        return []
    hint = "run it as the service's user (sotto-capture), which is who has to be allowed all this"
    return [look("user", "this is not the user to whom the store belongs", hint)]
