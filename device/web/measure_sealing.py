"""How an answered measure is sealed: capture does it, and answers once it is durable."""

from __future__ import annotations

from pathlib import Path

from device.naming_requests import Measure, ask_naming
from device.web.kiosk import Seal
from device.web.kiosks import Plan


def sealed_by_capture(run: Path) -> Seal:
    """The way to the capture service that publishes in ``run``."""

    def seal(document: bytes, plan: Plan) -> None:
        asked = Measure(by=plan.mark, recording=plan.recording, after=plan.after, document=document.decode())
        ask_naming(asked, run)

    return seal
