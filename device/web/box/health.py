"""The health of the box, one thing after the other: how it is, and what to do where it is not well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from flask import Blueprint, render_template

from device.errors import SottoError, StoreError
from device.fleet_status import UpdateTold
from device.order_results import read_results
from device.people.from_clinic import FromClinic
from device.recording.audited import What
from device.recording.manifest import Manifest
from device.status import Status
from device.store import Listed
from device.web.box.entries import newest_entry, newest_of
from device.web.box.tls import Tls, tls_of
from device.web.house import House, Now
from device.web.setup import Setup
from device.web.texts import text
from device.web.wording import When, day_text, length_text, sentence, size_text, when

_LOW_MINUTES: Final = 120
# Where a Raspberry Pi slows itself down (its documentation, "Frequency management and thermal control").
_HOT_C: Final = 80.0
_LOOKED_THROUGH: Final = 5000

Kind = Literal["good", "look", "unknown", "told", "clinic"]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that can be well or not; ``hint`` says what to do where it is not.

    ``told``: the configuration says so, which is no sign that it works. ``clinic``: its desk told the box so.
    """

    name: str
    kind: Kind
    value: str
    hint: str = ""


def health(house: House) -> Blueprint:
    """The route ``/box/health``."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/box/health")
    def view() -> str:
        house.noting.must_view("health")
        now = house.now()
        tested = newest_of(house.store, What.ROOM_TEST_ENDED, most=_LOOKED_THROUGH)
        known = health_of(now, house.setup, newest=_newest(house), tested=when(tested) if tested else None)
        roster = newest_entry(house.store, What.ROSTER_TAKEN, most=_LOOKED_THROUGH)
        openers = () if roster is None else (_openers(roster),)
        parts = (
            *known,
            *_certificate(tls_of(house)),
            *openers,
            *_people(house.people.from_clinic),
            *_order(house.setup.orders),
            *_update(house.setup.update),
        )
        return render_template("health.html", now=now, parts=parts)

    return blueprint


def _newest(house: House) -> Manifest | None:
    """The last recording that was sealed, of which only the microphone's name and the sound are told."""
    found: Iterator[Listed | None] = (house.store.find(one) for one in reversed(house.store.ids()))
    return next((listed.manifest for listed in found if listed is not None and listed.manifest.ended), None)


def health_of(now: Now, setup: Setup, *, newest: Manifest | None, tested: When | None) -> Iterator[Part]:
    """How each thing is. Of a capture service that does not answer nothing is known."""
    status = now.believed
    yield _capture(status)
    yield _store(status)
    yield _clock(status)
    yield _temperature(status)
    yield _voltage(status)
    yield from _microphones(setup, newest)
    yield _told("camera", setup.camera)
    yield _part("tested", "good", tested.local) if tested else _part("tested", "unknown", text("health.tested.never"))


def _openers(taken: Mapping[str, Any]) -> Part:
    """Since when which roster holds, and whose keys came and went with it: so that nobody is added in silence."""
    facts = taken.get("facts", {})
    came, went = (
        ", ".join(map(str, facts.get(name, ()))) or text("health.roster.nobody") for name in ("added", "removed")
    )
    said = text(
        "health.roster.value", number=facts.get("roster"), when=when(str(taken["at"])).local, came=came, went=went
    )
    return _part("roster", "clinic", said)


def _people(clinic: FromClinic | None) -> Iterator[Part]:
    """Where people come from the clinic: which list holds, or what is wrong with the one that is there."""
    if clinic is None:
        return
    listed, fault = clinic.standing
    if fault is not None:
        hint = text("health.people.do", hint=sentence(fault.hint))
        yield Part(text("health.people"), "look", sentence(fault.what), hint)
    elif listed is not None:
        value = text(
            "health.people.value", number=listed.number, when=when(listed.made).local, count=len(listed.people)
        )
        yield _part("people", "good", value)


def _order(folder: Path | None) -> Iterator[Part]:
    """What became of the last thing that the clinic told this box; nothing where it told it nothing yet."""
    try:
        results = () if folder is None else read_results(folder).results
    except StoreError as problem:
        yield Part(text("health.order"), "look", sentence(problem.what), sentence(problem.hint))
        return
    for last in results[-1:]:
        about = text(f"health.order.about.{last.about or 'unknown'}")
        outcome = text(f"health.order.{last.outcome}")
        value = text("health.order.value", about=about, outcome=outcome, when=when(last.at).local)
        value += f" {sentence(last.what)}" if last.what else ""
        bad = last.outcome in ("refused", "undone")
        yield Part(text("health.order"), "look" if bad else "clinic", value, sentence(last.hint) if bad else "")


def _update(ask: Callable[[], UpdateTold | None]) -> Iterator[Part]:
    """A version that came and is not settled; nothing where none is under way."""
    try:
        update = ask()
    except SottoError as problem:
        yield Part(text("health.update"), "look", sentence(problem.what), sentence(problem.hint))
        return
    if update is None:
        return
    if update.failed is not None:
        yield _part("update", "look", text("health.update.failed", version=update.version, why=update.failed))
        return
    stage = "on_trial" if update.on_trial else "waits"
    yield _part("update", "clinic", text(f"health.update.{stage}", version=update.version))


def _part(name: str, kind: Kind, value: str) -> Part:
    hint = text(f"health.{name}.do") if kind == "look" else ""
    return Part(text(f"health.{name}"), kind, value, hint)


def _unknown(name: str) -> Part:
    return _part(name, "unknown", text("health.unknown"))


def _told(name: str, value: str) -> Part:
    return _part(name, "told", value) if value else _unknown(name)


def _capture(status: Status | None) -> Part:
    if status is None:
        return _part("capture", "look", text("state.gone"))
    return _part("capture", "look" if status.faults else "good", text(f"health.capture.{bool(status.faults)}"))


def _store(status: Status | None) -> Part:
    if status is None:
        return _unknown("store")
    minutes = status.store_minutes_left
    length = length_text(minutes * 60_000_000)
    value = text("health.store.value", free=size_text(status.store_free_bytes), length=length)
    return _part("store", "look" if minutes < _LOW_MINUTES else "good", value)


def _clock(status: Status | None) -> Part:
    if status is None:
        return _unknown("clock")
    return _part("clock", "good" if status.clock_trusted else "look", text(f"health.clock.{status.clock_trusted}"))


def _temperature(status: Status | None) -> Part:
    degrees = status.machine.temperature_c if status and status.machine else None
    if degrees is None:
        return _unknown("temperature")
    return _part("temperature", "look" if degrees >= _HOT_C else "good", f"{degrees:.0f} °C")


def _voltage(status: Status | None) -> Part:
    low = status.machine.under_voltage if status and status.machine else None
    if low is None:
        return _unknown("voltage")
    return _part("voltage", "look" if low else "good", text(f"health.voltage.{low}"))


def _microphones(setup: Setup, newest: Manifest | None) -> Iterator[Part]:
    yield _told("microphone", setup.microphone)
    if setup.second_microphone:
        yield _told("second", setup.second_microphone)
    if newest is None or newest.sound is None:
        yield _part("heard", "unknown", text("health.heard.none"))
        return
    names = ", ".join(dict.fromkeys(one.name for one in newest.sound.microphones))
    verdict = newest.report.verdict
    value = text("health.heard.value", names=names, sound=text(f"sound.{verdict}"), when=when(newest.started).local)
    yield _part("heard", "good" if verdict == "good" else "look", value)


def _certificate(tls: Tls | None) -> Iterator[Part]:
    """Where the page is behind nginx: whether browsers take its certificate, and for how long."""
    if tls is None:
        return
    if tls.certificate is None:
        yield _part("certificate", "look", text("health.unknown"))
        return
    value = text("health.certificate.value", day=day_text(tls.certificate.ends), left=tls.left)
    yield _part("certificate", "look" if tls.wrong else "good", value)
