"""Builds the concrete things and hands them to each other. Nothing below the roof does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.age.recipients import KeyRecipient
from device.capture.camera import ChildCamera
from device.capture.encoder import check_library as check_flac
from device.capture.health import Health
from device.capture.meter import check_library as check_loudness
from device.capture.packets import Camera, Microphone
from device.capture.recorder import Recorder
from device.capture.service import CaptureService
from device.capture.simulated import SimulatedCamera, SimulatedMicrophone
from device.capture.take import Devices
from device.clock import Clock
from device.config import AlsaMicrophone, Config, DisabledCamera, PicameraCamera, SessionSection, recipients_of
from device.config import SimulatedPanel as SimulatedPanelSection
from device.datagrams import DatagramServer
from device.devicekey import load_or_make_device_key
from device.errors import RecipientError, SottoError
from device.notify import Notify, tell_nobody
from device.panel import Panel
from device.panel_simulated import SimulatedPanel
from device.press import Levels
from device.requests import REQUESTS_NAME, parse_request
from device.session import Session
from device.session_context import Rules
from device.status import Status
from device.stills import STILL_NAME, StillServer
from device.store import Store
from device.words import Consent

_STILL_WIDTH: Final = 640
_STILLS_PER_S: Final = 2


@dataclass(frozen=True, slots=True)
class Parts:
    """The hardware of a box, real or not; nothing of it is open yet."""

    clock: Clock
    panel: Panel
    microphone: Microphone
    camera: Camera | None
    simulated: tuple[str, ...]
    stills: Camera | None = None  # the same camera, sending JPEG for a framing check


def service_of(
    parts: Parts,
    *,
    box: str,
    store: Store,
    recipients: list[KeyRecipient],
    session: SessionSection,
    standing: tuple[SottoError, ...],
    publish: Callable[[Status], None],
    notify: Notify = tell_nobody,
) -> CaptureService:
    """The capture service of a box. ``standing``: what already keeps it from recording; its lamp will say so.

    Raises:
        MissingPackageError: a library that the sound cannot do without is not installed.
    """
    check_flac()
    check_loudness()
    recorder = Recorder(
        Devices(parts.microphone, parts.camera, parts.stills),
        box=box,
        store=store,
        recipients=recipients,
        clock=parts.clock,
        floor_dbfs=session.floor_dbfs,
    )
    max_length_s = session.max_length_min * 60
    most = Consent.SOUND if parts.camera is None else Consent.SOUND_AND_PICTURE
    return CaptureService(
        clock=parts.clock,
        panel=parts.panel,
        session=Session(Rules(max_length_s=max_length_s, most=most)),
        levels=Levels(),
        recorder=recorder,
        health=Health(store, max_length_s=max_length_s, standing=standing),
        publish=publish,
        notify=notify,
        box=box,
        simulated=parts.simulated,
    )


def recipients_or_fault(config: Config) -> tuple[list[KeyRecipient], tuple[SottoError, ...]]:
    """The recipients; where they cannot be used, none, and the fault that the box then shows."""
    try:
        return recipients_of(config.recipients.keys), ()
    except RecipientError as problem:
        return [], (problem,)


def store_of(config: Config) -> Store:
    """The store, for the one process that writes to it.

    Raises:
        AdminError: the box has no key, or none that can be used.
    """
    return Store(config.store.path, device_key=load_or_make_device_key(config.box.device_key))


def microphone_of(config: Config, *, clock: Clock) -> Microphone:
    """The microphone that the configuration names.

    Raises:
        MissingPackageError: it needs a package that is not installed.
    """
    if isinstance(config.microphone, AlsaMicrophone):
        # Only a box with a real one has the library.
        from device.capture.microphone import AlsaSource  # noqa: PLC0415

        return AlsaSource(config.microphone.device, clock=clock)
    return SimulatedMicrophone(config.microphone.wav, clock=clock, loop=config.microphone.loop)


def panel_of(config: Config, *, clock: Clock) -> Panel:
    """The panel that the configuration names; there is no falling back to another.

    Raises:
        MissingPackageError: it needs a package that is not installed.
    """
    section = config.panel
    if isinstance(section, SimulatedPanelSection):
        return SimulatedPanel(clock=clock, run=config.box.run)
    # Only a box with a real one has the library.
    from device.panel_gpio import GpioPanel, Pins, lgpio_factory  # noqa: PLC0415

    pins = Pins(**section.model_dump(exclude={"driver", "chip"}))
    return GpioPanel(pins, clock=clock, factory=lambda: lgpio_factory(section.chip))


def camera_of(config: Config, *, clock: Clock) -> Camera | None:
    """The camera that the configuration names, if it names one."""
    if isinstance(config.camera, DisabledCamera):
        return None
    camera = config.camera
    if isinstance(camera, PicameraCamera):
        program = [sys.executable, "-m", "device", "picamera2-camera", str(camera.number)]
        settings = [f"{camera.width}x{camera.height}", str(camera.fps), camera.frame_format]
        name = f"picamera2: {camera.number}"
        return ChildCamera(name=name, size=(camera.width, camera.height), command=lambda: [*program, *settings])
    return clock_camera((camera.width, camera.height), camera.fps, clock=clock)


def stills_of(config: Config, *, clock: Clock) -> Camera | None:
    """The camera that the configuration names, as a framing check looks through it."""
    if isinstance(config.camera, DisabledCamera):
        return None
    camera = config.camera
    size = (camera.width, camera.height)
    if isinstance(camera, PicameraCamera):
        # It runs as it does while recording, so that what is seen is what will be recorded.
        program = [sys.executable, "-m", "device", "picamera2-camera", str(camera.number)]
        width, height = still_size(size)
        settings = [f"{camera.width}x{camera.height}", str(camera.fps), camera.frame_format]
        command = [*program, *settings, "--stills", f"{width}x{height}"]
        return ChildCamera(name=f"picamera2: {camera.number}", size=(width, height), command=lambda: command)
    return clock_stills(size, clock=clock)


def still_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a still of a picture of ``size``: the same shape, even, 640 pixels wide at most."""
    width, height = size
    small = min(width, _STILL_WIDTH)
    return small, max(2, round(height * small / width / 2) * 2)


def clock_stills(size: tuple[int, int], *, clock: Clock) -> SimulatedCamera:
    """The simulated camera as a framing check looks through it."""
    width, height = small = still_size(size)

    def command(start_us: int) -> list[str]:
        program = [sys.executable, "-m", "device", "simulated-camera", "--stills"]
        return [*program, f"{width}x{height}", str(_STILLS_PER_S), str(start_us)]

    return SimulatedCamera(size=small, fps=_STILLS_PER_S, clock=clock, command=command)


def clock_camera(size: tuple[int, int], fps: int, *, clock: Clock) -> SimulatedCamera:
    """The simulated camera, with the program that draws for it."""

    def command(start_us: int) -> list[str]:
        width, height = size
        return [sys.executable, "-m", "device", "simulated-camera", f"{width}x{height}", str(fps), str(start_us)]

    return SimulatedCamera(size=size, fps=fps, clock=clock, command=command)


def simulated_parts(config: Config) -> tuple[str, ...]:
    """Which parts of the box are programs."""
    parts = {"microphone": config.microphone.driver, "camera": config.camera.driver, "panel": config.panel.driver}
    return tuple(name for name, driver in parts.items() if driver == "simulated")


def requests_server(config: Config, service: CaptureService) -> DatagramServer:
    """The socket on which the page may ask the service to stop, mark or name."""

    def handle(data: bytes) -> None:
        if (request := parse_request(data)) is not None:
            service.request(request)

    return DatagramServer(config.box.run / REQUESTS_NAME, handle)


def stills_server(config: Config, service: CaptureService) -> StillServer:
    """The socket on which the page finds what a framing check sees."""
    return StillServer(config.box.run / STILL_NAME, service.still)
