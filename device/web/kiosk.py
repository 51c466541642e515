"""The tablet in the client's hands: one question at a time, and no way to anything else.

Everything stands at one address, which shows where the tablet is; what is sent comes back to it. So neither the buttons
of the browser nor a second press of ours leads anywhere else. Nothing here needs JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from device.clock import wire_time
from device.errors import SottoError
from device.measures.document import Measured, measured, to_bytes
from device.measures.measure import LINE_MOST
from device.measures.scoring import told_of
from device.measures.sitting import Sitting
from device.naming_requests import Measure, ask_naming
from device.web.house import House
from device.web.kiosk_door import hand_over_here, let_go, session_here
from device.web.kiosks import Kiosk, Plan
from device.web.questions import question
from device.web.wording import sentence

_SEE_OTHER: Final = 303
_NUMBER: Final = re.compile(r"-?[0-9]{1,4}")
_MOST_LETTERS: Final = 20
_MIDDLE: Final = LINE_MOST // 2


def kiosk(house: House) -> Blueprint:
    """The routes under ``/kiosk/``."""
    blueprint = Blueprint("kiosk", __name__, url_prefix="/kiosk")
    _add_ways(blueprint, house)
    _add_changes(blueprint, house)
    return blueprint


def _add_ways(blueprint: Blueprint, house: House) -> None:
    """The way in, where the tablet is, and the way out."""

    @blueprint.get("/")
    def view() -> Response | str:
        session = session_here()
        if session is None:
            given = request.args.get("code", "")[:_MOST_LETTERS]  # from the picture: nothing begins before it is sent
            return let_go(house, render_template("kiosk_code.html", wrong="wrong" in request.args, given=given))
        with house.kiosks.held(session, house.unix_s()) as held:
            return render_template("kiosk_lost.html") if held is None else _page(held, house.setup.client_help)

    @blueprint.post("/code")
    def code() -> Response:
        plan = house.kiosks.redeem(request.form.get("code", ""), house.unix_s())
        if plan is None:
            return redirect(url_for("kiosk.view", wrong=1), _SEE_OTHER)
        return hand_over_here(house, plan)

    @blueprint.get("/stop")
    def stopping() -> str:
        return render_template("kiosk_stop.html")

    @blueprint.post("/close")
    def close() -> Response:
        if (session := session_here()) is not None:
            house.kiosks.end(session)
        return let_go(house, _back())


def _add_changes(blueprint: Blueprint, house: House) -> None:
    """What somebody does who answers."""

    @blueprint.post("/begin")
    def begin() -> Response:
        return change(lambda held: None if held.begun else held.begin(house.unix_s()))

    @blueprint.post("/answer")
    def answer() -> Response:
        return change(_answer)

    @blueprint.post("/hand-in")
    def hand_in() -> Response:
        return change(lambda held: _hand_in(held, house))

    @blueprint.post("/stop")
    def stop() -> Response:
        return change(Kiosk.stop)

    def change(how: Callable[[Kiosk], None]) -> Response:
        """Change how far this tablet is, if that is known; then show it."""
        if (session := session_here()) is not None:
            with house.kiosks.held(session, house.unix_s()) as held:
                if held is not None:
                    how(held)
        return _back()


def _back() -> Response:
    return redirect(url_for("kiosk.view"), _SEE_OTHER)


def _page(held: Kiosk, words: str | None) -> str:
    """Where a tablet is. ``words``: the clinic's own on where there is help; they stand there whatever was answered."""
    if held.over:
        return render_template("kiosk_thanks.html", tells=held.tells, stopped=held.stopped, help=words)
    sitting, plan = held.sitting, held.plan
    if not held.begun or sitting is None:
        return render_template("kiosk_start.html", titles=[measure.title for measure in plan.measures], help=words)
    item = sitting.item
    if item is None:
        left_out = sum(value is None for value in sitting.given.values())
        return render_template(
            "kiosk_end.html", measure=sitting.measure, index=held.index, left_out=left_out, failed=held.failed
        )
    complaint, held.complaint = held.complaint, None
    return render_template(
        "kiosk_question.html",
        measure=sitting.measure,
        index=held.index,
        question=question(sitting, item, start=_MIDDLE),
        complaint=complaint,
    )


def _answer(held: Kiosk) -> None:
    """Take what was sent, if it is about what is asked now: a second press is about the question before it."""
    sitting, form = held.sitting, request.form
    if sitting is None or form.get("of") != f"{held.index}/{sitting.current or ''}":
        return
    go = form.get("go")
    if go == "back":
        held.sitting = sitting.back()
    elif sitting.current is not None and go == "skip":
        held.sitting = sitting.answer(None)
    elif sitting.current is not None:
        _take(held, sitting, form.get("value", ""), confirmed=go == "stay" or form.get("moved") == "1")


def _take(held: Kiosk, sitting: Sitting, text: str, *, confirmed: bool) -> None:
    item = sitting.item
    value = int(text) if _NUMBER.fullmatch(text) else None
    if item is None or value is None or not sitting.measure.scale_of(item).allows(value):
        held.complaint = "kiosk.choose"
    elif _never_moved(sitting, value) and not confirmed:
        held.complaint = "kiosk.middle"
    else:
        held.sitting = sitting.answer(value)


def _never_moved(sitting: Sitting, value: int) -> bool:
    """Whether a mark stands where the page put it, and may be no answer: nobody but a script can tell them apart."""
    item = sitting.item
    is_line = item is not None and sitting.measure.scale_of(item).kind == "line"
    return is_line and value == _MIDDLE and sitting.answers.get(sitting.current or "") is None


def _hand_in(held: Kiosk, house: House) -> None:
    sitting = held.sitting
    if sitting is None or sitting.current is not None or request.form.get("of") != str(held.index):
        return
    status, now_s = house.now().believed, house.unix_s()
    document = measured(
        sitting.measure,
        sitting.given,
        by=held.plan.mark,
        person=held.plan.person,
        started=_wire(held.started_s),
        finished=_wire(now_s),
        clock_trusted=status is not None and status.clock_trusted,
    )
    try:
        ask_naming(_asked(document, held.plan), house.run)
    except SottoError as problem:
        held.failed = f"{sentence(problem.what)} {sentence(problem.hint)}"
        return
    held.tells += [tell.text for tell in told_of(sitting.measure, sitting.given)]
    held.go_on(now_s)


def _asked(document: Measured, plan: Plan) -> Measure:
    return Measure(by=plan.mark, recording=plan.recording, after=plan.after, document=to_bytes(document).decode())


def _wire(unix_s: float) -> str:
    return wire_time(datetime.fromtimestamp(unix_s, UTC))
