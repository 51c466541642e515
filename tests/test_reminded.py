"""Whoever checked in on the page is on duty in the room, whatever is started again: with the real programs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from device.age.identities import generate_identity
from device.capture.duty import DUTY_NAME
from device.compose_people import people_of
from device.config import load_config
from device.demo import DemoChoices, demo_config
from device.people.person import Person, Role, new_mark
from device.status import STATUS_NAME, read_status

PATIENCE_S = 60.0


@contextmanager
def program(verb: str, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, "-m", "device", verb, "--config", str(config)], stdout=subprocess.PIPE)
    try:
        yield started
    finally:
        started.kill()
        started.communicate(timeout=30)


def until_on_duty(run: Path, mark: str | None) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while (status := read_status(run)) is None or status.on_duty != mark:
        assert time.monotonic() < until_s, f"never came true: {status and status.on_duty}"
        time.sleep(0.1)


def test_whoever_is_checked_in_is_on_duty_again_after_a_reboot_and_nobody_is_who_is_not(tmp_path: Path) -> None:
    config = tmp_path / "sotto.toml"
    recipient = str(generate_identity(post_quantum=False).recipient())
    config.write_text(demo_config(DemoChoices(tmp_path, 0, None, picture=False), recipient), encoding="utf-8")
    for name in ("run", "store", "web"):
        (tmp_path / name).mkdir(exist_ok=True)
    loaded = load_config(config)
    loaded.web.state.mkdir(parents=True, exist_ok=True)
    people, run, anna = people_of(loaded), loaded.box.run, new_mark()
    people.put(Person(anna, "anna", "A. Other", frozenset({Role.THERAPIST})))
    people.check_in(anna, time.time())
    with ExitStack() as running:
        running.enter_context(program("web", config))
        capture = running.enter_context(program("capture", config))
        until_on_duty(run, anna)
        capture.send_signal(signal.SIGKILL)
        capture.wait(30)
        for name in (STATUS_NAME, DUTY_NAME):  # a folder of memory is empty after a reboot
            (run / name).unlink()
        running.enter_context(program("capture", config))
        until_on_duty(run, anna)
        people.check_out(anna, time.time())
        until_on_duty(run, None)
