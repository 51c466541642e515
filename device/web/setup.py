"""What the configuration says of this box, as far as the page tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from device.config import AlsaMicrophone, Config, PicameraCamera, SimulatedCamera, SimulatedMicrophone
from device.fleet_status import UpdateTold
from device.retention import Policy, policy_of
from device.web.texts import text


@dataclass(frozen=True, slots=True)
class Setup:
    """How the box was set up; empty or ``None`` where nothing is said.

    ``remote``: the name that receipts have. ``measures``: the folder of the clinic's own. ``certificate``: the file of
    the one that nginx shows, or the folder of those that it chooses from; its key is nothing for the page.
    ``authority``: the file of who issues them. ``client_help`` and ``therapist_help``: the clinic's own
    words beside the measures. ``orders``: the folder where it stands what became of what the clinic told the box.
    ``update``: asks which version came and is not settled.
    """

    microphone: str = ""
    second_microphone: str = ""
    camera: str = ""
    policy: Policy | None = None
    remote: str | None = None
    measures: Path | None = None
    certificate: Path | None = None
    authority: Path | None = None
    client_help: str | None = None
    therapist_help: str | None = None
    orders: Path | None = None
    update: Callable[[], UpdateTold | None] = lambda: None


def setup_of(config: Config, *, update: Callable[[], UpdateTold | None] = lambda: None) -> Setup:
    """The same, out of the configuration."""
    second = config.second_microphone
    return Setup(
        microphone=_microphone(config.microphone),
        second_microphone="" if second is None else _microphone(second),
        camera=_camera(config),
        policy=policy_of(config),
        remote=config.remote.name if config.remote else None,
        measures=config.web.measures,
        certificate=config.web.nginx.certificate if config.web.nginx else None,
        authority=config.web.nginx.authority if config.web.nginx else None,
        client_help=config.web.help.client,
        therapist_help=config.web.help.therapist,
        orders=config.orders.state if config.orders else None,
        update=update,
    )


def _microphone(section: SimulatedMicrophone | AlsaMicrophone) -> str:
    if isinstance(section, SimulatedMicrophone):
        return text("setup.microphone.simulated")
    key = next(key for key in ("card", "usb_path", "serial", "device") if getattr(section, key) is not None)
    return text(f"setup.microphone.{key}", name=getattr(section, key))


def _camera(config: Config) -> str:
    camera = config.camera
    if isinstance(camera, PicameraCamera):
        return text("setup.camera.picamera2", number=camera.number, width=camera.width, height=camera.height)
    if isinstance(camera, SimulatedCamera):
        return text("setup.camera.simulated", width=camera.width, height=camera.height)
    return text("setup.camera.disabled")
