"""Retention on the page: what the clinic chose, and what becomes of each recording and why. Nothing is erased here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, render_template, request

from device.retention import Policy, days_to_stay, decide
from device.store import Listed
from device.web.house import House
from device.web.paging import number_of, page_of
from device.web.texts import text
from device.web.ways import Ways, goes_text
from device.web.wording import When, sentence, size_text, when

_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one recording. ``kind``: erase, keep, or look where somebody should."""

    id: str
    started: When
    size: str
    kind: str
    why: str
    goes: str
    held: bool


def retention(house: House) -> Blueprint:
    """The route ``/box/retention``."""
    blueprint = Blueprint("retention", __name__)

    @blueprint.get("/box/retention")
    def view() -> str:
        house.noting.must_view("list")
        ways, listing = house.ways(house.now()), house.store.listing()
        moment = datetime.fromtimestamp(house.unix_s(), UTC)
        fates = [_fate(listed, ways, house.setup.policy, now=moment) for listed in listing]
        fates.sort(key=lambda fate: fate.kind != "look")
        page = page_of(fates, number_of(request.args.get("page")), size=_AT_ONCE)
        size = size_text(sum(listed.size_bytes for listed in listing))
        policy = policy_text(house.setup.policy)
        return render_template("retention.html", policy=policy, page=page, size=size)

    return blueprint


def _fate(listed: Listed, ways: Ways, policy: Policy | None, *, now: datetime) -> Fate:
    facts = ways.facts_of(listed)
    decision = decide(facts, policy)
    kind = "erase" if decision.erase else "look" if decision.concern else "keep"
    return Fate(
        id=facts.recording,
        started=when(listed.manifest.started),
        size=size_text(listed.size_bytes),
        kind=kind,
        why=sentence(decision.warning or decision.why),
        goes="" if days_to_stay(facts, policy) is None else goes_text(facts, policy, now=now),
        held=listed.held,
    )


def policy_text(policy: Policy | None) -> tuple[str, ...]:
    """What the clinic chose, in sentences."""
    keep = policy.keep_days if policy else None
    warn = policy.warn_days if policy else None
    told = [text("retention.keep.never") if keep is None else text("retention.keep", days=keep)]
    if warn is not None:
        told.append(text("retention.warn", days=warn))
    return (*told, text("retention.rule"))
