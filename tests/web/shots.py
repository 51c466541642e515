"""Every page as each role sees it, on a phone and on a desk, light and dark: ``python -m tests.web.shots FOLDER``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from device.recording.chain import AUDIT_NAME
from device.session_events import State
from device.status import MachineStatus
from tests.web.conftest import Box, audited, people_in
from tests.web.published import last, make_store, recording_status, status
from tests.web.scene import OTHER, SETUP, make_scene, sync_now
from tests.web.test_browser import ARGUMENTS, CHROMIUM, Publisher
from tests.web.test_serve import serving
from tests.web.visitors import THERAPIST, begin

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


def main(folder: Path, only: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp())
    (work / "run").mkdir()
    machine = MachineStatus(temperature_c=61.4, under_voltage=False)
    idle = status(simulated=(), machine=machine, on_duty=THERAPIST)
    running = recording_status().model_copy(update={"simulated": (), "on_duty": THERAPIST, "machine": machine})
    hot = status(
        State.FAULT,
        simulated=(),
        machine=MachineStatus(temperature_c=83.0, under_voltage=True),
        clock_trusted=False,
        store_minutes_left=90,
        faults=(("the microphone cannot be opened", "look at its cable"),),
    )
    with people_in(work) as people:
        box = Box(
            make_store(work / "store"), work / "run", work / "store" / AUDIT_NAME, people, setup=SETUP, name="Room 3"
        )
        scene = make_scene(box)
        with audited(box), serving(box) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            publisher = Publisher(box, idle)
            people.check_in(THERAPIST, __import__("time").time())
            scenes = [
                ("therapist-idle", scene.therapist, idle, ""),
                ("therapist-recording", scene.therapist, running, ""),
                ("therapist-troubled", scene.therapist, recording_status(State.TROUBLED, troubles=("no sound",)), ""),
                ("therapist-one", scene.therapist, idle, f"recordings/{scene.kept}/"),
                ("therapist-labelled", scene.therapist, idle, f"recordings/{scene.moving}/?said=label"),
                ("other-idle", scene.other, idle, ""),
                ("supervisor", scene.supervisor, idle, ""),
                ("supervisor-filter", scene.supervisor, idle, f"?therapist={OTHER}&open=1"),
                ("admin", scene.admin, idle, ""),
                ("admin-health", scene.admin, idle, "box/health"),
                ("admin-hot", scene.admin, hot, "box/health"),
                ("admin-sync", scene.admin, idle, "box/sync"),
                ("admin-retention", scene.admin, idle, "box/retention"),
                ("admin-audit", scene.admin, idle, "box/audit"),
                ("admin-certificates", scene.admin, idle, "box/certificates"),
                ("admin-one", scene.admin, idle, f"recordings/{scene.nobodys}/"),
                ("therapist-sealed", scene.therapist, status(State.SEALED, last=last(), on_duty=THERAPIST), ""),
                ("therapist-refused", scene.therapist, idle, "box/health"),
                ("room", None, running, "room"),
            ]
            for name, person, shown, path in scenes:
                if only not in name:
                    continue
                publisher.show(shown)
                sync_now(box, scene.moving)
                for size, viewport in (("phone", PHONE), ("desk", DESK)):
                    for scheme in ("light", "dark"):
                        if scheme == "dark" and size == "phone" and "idle" not in name:
                            continue
                        context = browser.new_context(viewport=viewport, color_scheme=scheme, device_scale_factor=1)
                        if person is not None:
                            token = begin(people, person).token
                            context.add_cookies([{"name": "sotto", "value": token, "url": address}])
                        page = context.new_page()
                        page.on("console", lambda m: print("console", m.text))
                        page.goto(address + path)
                        page.wait_for_timeout(700)
                        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
                        print(name, size, scheme, "WIDE" if wide else "")
                        page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)
                        context.close()
            publisher.close()
            browser.close()


main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
