"""Retention on the page: what the clinic chose, and what becomes of each recording and why. Nothing is erased here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, render_template, request

from device.glimpse import Glimpse
from device.retention import Decision, Facts, Policy, days_to_stay, decide
from device.web.house import House
from device.web.paging import PageOf, number_of, page_of
from device.web.texts import text
from device.web.ways import goes_text
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
        ways, listing, policy = house.ways(house.now()), house.listing(), house.setup.policy
        moment = datetime.fromtimestamp(house.unix_s(), UTC)
        decided = [(seen, facts, decide(facts, policy)) for seen in listing for facts in [ways.facts_of(seen)]]
        decided.sort(key=lambda one: _kind(one[2]) != "look")
        page = page_of(decided, number_of(request.args.get("page")), size=_AT_ONCE)
        fates = tuple(_fate(*one, policy, now=moment) for one in page.items)
        return render_template(
            "retention.html",
            policy=policy_text(policy),
            page=PageOf(fates, page.number, page.last, page.total),
            size=size_text(sum(seen.size_bytes for seen in listing)),
        )

    return blueprint


def _kind(decision: Decision) -> str:
    return "erase" if decision.erase else "look" if decision.concern else "keep"


def _fate(seen: Glimpse, facts: Facts, decision: Decision, policy: Policy | None, *, now: datetime) -> Fate:
    return Fate(
        id=facts.recording,
        started=when(seen.started),
        size=size_text(seen.size_bytes),
        kind=_kind(decision),
        why=sentence(decision.warning or decision.why),
        goes="" if days_to_stay(facts, policy) is None else goes_text(facts, policy, now=now),
        held=seen.held,
    )


def policy_text(policy: Policy | None) -> tuple[str, ...]:
    """What the clinic chose, in sentences."""
    keep = policy.keep_days if policy else None
    warn = policy.warn_days if policy else None
    told = [text("retention.keep.never") if keep is None else text("retention.keep", days=keep)]
    if warn is not None:
        told.append(text("retention.warn", days=warn))
    return (*told, text("retention.rule"))
