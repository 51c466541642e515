"""The verb ``sotto check``: builds what is to be checked, has it checked, and tells.

Findings go to the standard output; what the person in the room is to do goes to the other one.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

from device import compose, compose_audit
from device.capture.encoder import check_library as check_flac
from device.capture.meter import check_library as check_loudness
from device.capture.needs import SOUND_BYTES_PER_S, picture_bytes_per_s, session_bytes
from device.check.cards import MixerReader, check_card
from device.check.finding import (
    Finding,
    Findings,
    as_json,
    bad,
    from_error,
    good,
    is_well,
    lines_of,
    look,
)
from device.check.room import Look, Plan, RoomCheck, RoomParts
from device.check.standing import (
    check_clock,
    check_device_key,
    check_people,
    check_recipients,
    check_store,
    check_user,
)
from device.clock import Clock, SystemClock
from device.compose_camera import camera_of
from device.config import AlsaMicrophone, Config, DisabledCamera, load_config
from device.datagrams import somebody_listens
from device.errors import AdminError, SottoError
from device.recording.audited import to_no_log
from device.requests import REQUESTS_NAME

EXIT_WELL: Final = 0
EXIT_BAD: Final = 1
_CLAP_S: Final = 12.0
_MOST_LETTERS: Final = 16
_NO_KEY: Final = "the box has no key yet, so the room test is in no audit log"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person asked for."""

    config: Path
    config_only: bool = False
    room: bool = True
    clap: bool = False
    json: bool = False


def run_check(choices: Choices) -> int:
    """Check a box; the exit code.

    Raises:
        ConfigError: there is no configuration that holds.
        AdminError: claps are asked for, and the room is to be left out.
    """
    if choices.clap and not choices.room:
        raise AdminError("claps cannot be heard and seen without the room", "leave out --clap or --no-room")
    config = load_config(choices.config)
    values = config.model_dump(mode="json")
    if choices.config_only:
        _print(json.dumps(values, indent=2, ensure_ascii=False))
        return EXIT_WELL
    if not choices.json:
        _print("\n".join([*effective(config), ""]))
    found: Findings = []
    for finding in _findings(config, choices):
        found.append(finding)
        if not choices.json:
            _print("\n".join(lines_of(finding)))
    if choices.json:
        told = {"findings": [as_json(finding) for finding in found], "config": values}
        _print(json.dumps(told, indent=2, ensure_ascii=False))
    return EXIT_WELL if is_well(found) else EXIT_BAD


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stderr.write(f"\n  {text}\n\n")
    sys.stderr.flush()


def effective(config: Config) -> list[str]:
    """The effective configuration, a line per section; keys are long, and shown by their beginnings."""
    lines = []
    for section, values in config.model_dump(mode="json").items():
        if values is None:  # a section that may be left out, and is
            continue
        shown = {
            name: _short(value) if (section, name) == ("recipients", "keys") else value
            for name, value in values.items()
        }
        lines.append(
            f"[{section}] " + ", ".join(f"{name} = {json.dumps(v, ensure_ascii=False)}" for name, v in shown.items())
        )
    return lines


def _short(keys: list[str] | None) -> list[str] | None:
    return keys and [f"{key[:_MOST_LETTERS]}…" if len(key) > _MOST_LETTERS else key for key in keys]


def _findings(config: Config, choices: Choices) -> Iterator[Finding]:
    """Everything, in the order in which it is looked at."""
    clock = SystemClock()
    camera = config.camera
    picture = 0 if isinstance(camera, DisabledCamera) else picture_bytes_per_s(camera.bitrate_kbit_s * 1000)
    yield from _software()
    yield from check_user(config.store.path)
    yield from check_recipients(config.recipients, box=config.box.name)
    yield from check_people(config)
    yield from check_device_key(config.box.device_key)
    yield from check_store(
        config.store.path,
        session_bytes=session_bytes(config.session.max_length_min * 60, bitrate=None),
        needed_bytes_per_s=SOUND_BYTES_PER_S + picture,
    )
    yield from check_clock(clock)
    yield from _cards(config)
    if choices.room:
        yield from _room(config, clock, clap=choices.clap)


def _cards(config: Config) -> Findings:
    """Which sound cards are meant, for microphones that are real."""
    sections = {"sound card": config.microphone, "second sound card": config.second_microphone}
    real = {name: section for name, section in sections.items() if isinstance(section, AlsaMicrophone)}
    if not real:
        return []
    try:
        # Only a box with a real one has the library.
        from device.capture.alsa import capture_controls, read_gain  # noqa: PLC0415
    except SottoError as problem:
        return [from_error("sound card", problem)]
    mixer = MixerReader(capture_controls, read_gain)
    return [finding for name, section in real.items() for finding in check_card(name, section, mixer)]


def _software() -> Findings:
    found: Findings = []
    for check in (check_flac, check_loudness):
        try:
            check()
        except SottoError as problem:
            found.append(from_error("software", problem))
    return found or [good("software", "the libraries for sound are there")]


def _room(config: Config, clock: Clock, *, clap: bool) -> Findings:
    has_key = config.box.device_key.exists()  # the key is made by the service alone
    try:
        if somebody_listens(config.box.run / REQUESTS_NAME):
            hint = "stop it (systemctl stop sotto-capture) and check again, or leave the room out: --no-room"
            return [bad("room test", "the capture service runs, and has the devices", hint)]
        check = RoomCheck(
            RoomParts(
                clock=clock,
                panel=compose.panel_of(config, clock=clock),
                microphone=compose.microphone_of(config, clock=clock),
                camera=camera_of(config, clock=clock),
                fps=0 if isinstance(config.camera, DisabledCamera) else config.camera.fps,
            ),
            Plan(clap_s=_CLAP_S if clap else 0.0),
            say=_say,
            glance=_glance(config) if clap else None,
            note=compose_audit.room_test_noter(config, clock=clock) if has_key else to_no_log,
        )
    except SottoError as problem:
        return [from_error("room test", problem)]
    with ended_in_order():
        found = check.run()
    return (
        found if has_key else [*found, look("audit log", _NO_KEY, "start the capture service once, then check again")]
    )


def _glance(config: Config) -> Look:
    """What looks at pictures, where there are any."""
    if isinstance(config.camera, DisabledCamera):
        raise AdminError("there is no camera that could see a clap", "leave --clap out, or configure a camera")
    # Only a check that is asked for claps decodes a picture.
    from device.capture.picture import Glance  # noqa: PLC0415

    return Glance().look


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Whoever ends this program, or loses the line to it, leaves no device open behind a light that is out."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(EXIT_BAD)

    before: dict[signal.Signals, Callable[..., Any] | int | None] = {}
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            before[number] = signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
