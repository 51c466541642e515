"""Sync on the page: what moves just now, what is wrong and what to do, each recording's way; to pause and go on."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from device.audit_requests import NoteRequest
from device.glimpse import Glimpse
from device.sync_control import Tell, tell_sync
from device.sync_status import SyncState, SyncStatus, is_fresh, read_sync_status
from device.web.house import House
from device.web.paging import PageOf, number_of, page_of
from device.web.says import Wrong
from device.web.syncing import sync_line, sync_wrong
from device.web.texts import text
from device.web.visitor import visitor
from device.web.ways import STEPS, Moving, Stage, Way, moving_of
from device.web.wording import When, length_text, sentence, when

_AT_ONCE: Final = 25
_SEE_OTHER: Final = 303
# The order in which somebody wants to see them: what moves, what is wrong, what waits, what is done.
_ORDER: Final = (
    Stage.SENDING,
    Stage.VERIFYING,
    Stage.DIFFERS,
    Stage.QUEUED,
    Stage.KEPT_BACK,
    Stage.OPEN,
    Stage.ALONE,
    Stage.LACKING,
    Stage.GOING,
    Stage.VERIFIED,
)


@dataclass(frozen=True, slots=True)
class SyncNow:
    """What sync does at this moment. ``kind``: its state, ``gone``, or ``none`` where the box has no remote."""

    kind: str
    line: str
    moving: Moving | None
    recording: str | None
    next_try: str
    last_success: When | None
    wrong: tuple[Wrong, ...]


def sync(house: House) -> Blueprint:
    """The routes ``/box/sync``, ``/box/sync/now`` (what of it changes by itself), and what sync can be told."""
    blueprint = Blueprint("sync", __name__)

    @blueprint.get("/box/sync")
    def view() -> str:
        house.noting.must_view("list")
        shown = sync_now(read_sync_status(house.run), remote=house.setup.remote, unix_s=house.unix_s())
        page = _ways(house, number_of(request.args.get("page")))
        return render_template("sync.html", sync=shown, page=page, steps=STEPS)

    @blueprint.get("/box/sync/now")
    def now() -> Response:
        shown = sync_now(read_sync_status(house.run), remote=house.setup.remote, unix_s=house.unix_s())
        body = render_template("_sync_now.html", sync=shown).encode()
        response = Response(body, mimetype="text/html")
        response.set_etag(sha256(body).hexdigest()[:32])
        response.make_conditional(request)
        return response

    @blueprint.post("/box/sync/pause")
    def pause() -> AnyResponse:
        return _tell(house, Tell.PAUSE)

    @blueprint.post("/box/sync/resume")
    def resume() -> AnyResponse:
        return _tell(house, Tell.RESUME)

    @blueprint.post("/box/sync/again")
    def again() -> AnyResponse:
        return _tell(house, Tell.NOW)

    return blueprint


def _tell(house: House, what: Tell) -> AnyResponse:
    house.noting.must_note(NoteRequest(what="sync told", person=visitor().person.mark, told=what.value))
    tell_sync(what, house.run)
    return redirect(url_for("sync.view"), _SEE_OTHER)


def _ways(house: House, number: int) -> PageOf[tuple[Glimpse, When, Way]]:
    """Those of one page alone are put into words; what comes first is known of all."""
    ways, listing = house.ways(house.now()), house.listing()
    house.proofs.forget_all_but({seen.id for seen in listing})
    listing.sort(key=lambda seen: _ORDER.index(ways.stage_of(seen, ways.facts_of(seen))))
    page = page_of(listing, number, size=_AT_ONCE)
    items = tuple((seen, when(seen.started), ways.of(seen)) for seen in page.items)
    return PageOf(items, page.number, page.last, page.total)


def sync_now(status: SyncStatus | None, *, remote: str | None, unix_s: float) -> SyncNow:
    """What there is to say of sync. Pure."""
    if status is None:
        kind = "none" if remote is None else "gone"
        wrong = () if remote is None else (Wrong(text("sync.gone"), text("sync.gone.do")),)
        return SyncNow(kind, text(f"sync.view.{kind}"), None, None, "", None, wrong)
    fresh = is_fresh(status, unix_s=unix_s)
    moves = fresh and status.state in (SyncState.SENDING, SyncState.VERIFYING)
    return SyncNow(
        kind=status.state.replace(" ", "-") if fresh else "gone",
        line=sync_line(status, unix_s=unix_s),
        moving=moving_of(status) if moves else None,
        recording=status.recording if moves else None,
        next_try=_next_try(status) if fresh else "",
        last_success=when(status.last_success) if status.last_success else None,
        wrong=_wrong(status, unix_s=unix_s),
    )


def _next_try(status: SyncStatus) -> str:
    if status.next_try_s is None:
        return ""
    return text("sync.view.next", left=length_text(round(max(1.0, status.next_try_s)) * 1_000_000))


def _wrong(status: SyncStatus, *, unix_s: float) -> tuple[Wrong, ...]:
    """Here also what passes by itself is told: whoever opens this page asks why nothing moves."""
    pressing = tuple(sync_wrong(status, unix_s=unix_s))
    if pressing or status.trouble is None or not is_fresh(status, unix_s=unix_s):
        return pressing
    what, hint = status.trouble
    return (Wrong(sentence(what), sentence(hint)),)
