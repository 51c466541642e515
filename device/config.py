"""The configuration: one TOML file into frozen, checked objects.

Nothing that names a place, a key or a secret has a default, and a key that is not known here is an error: a box never
guesses what its admin meant.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, TypeVar

from device.capture.sensor import Framing
from device.config_orders import OrdersSection
from device.config_parts import AbsolutePath, Section
from device.config_people import PeopleSection
from device.config_web import WebSection
from device.errors import ConfigError
from device.shapes import Fault, PlacedError, ShapeError, rule, then

_LEAST_KBIT_S: Final = 64
REMOTE_HINT: Final = "docs/clinic-server.md shows what such a file has to hold"
SECTIONS_HINT = "docs/configuration.md lists every key; `sotto check` shows the effective values"


class BoxSection(Section):
    """Which box this is, and where it keeps what it knows."""

    name: Annotated[str, rule(min_length=1, max_length=60)]
    device_key: AbsolutePath
    run: AbsolutePath  # sockets and the published status; lost at a reboot


class StoreSection(Section):
    """Where recordings live."""

    path: AbsolutePath


class RecipientsSection(Section):
    """Who can open what the box seals."""

    keys: Annotated[tuple[str, ...], rule(max_length=32)] | None = None  # the same for all; or instead
    roster: AbsolutePath | None = None  # for each therapist, as the clinic signed it (device/roster.py)
    clinic_key: Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")] | None = None  # by which that has to be signed

    def _check(self) -> None:
        if (self.roster is None) != (self.clinic_key is None):
            raise ValueError("roster and clinic_key belong together")
        if (self.keys is None) == (self.roster is None):
            raise ValueError("name keys, or roster and clinic_key")


class ConsentSection(Section):
    """Which text clients are given to read before they press (`sotto-clinic cards`): it stands in every manifest."""

    text_version: Annotated[str, rule(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$")]
    text_sha256: Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")]


class SessionSection(Section):
    """The length of a session, the level below which the sound counts as silence, and how long that may last."""

    max_length_min: Annotated[int, rule(ge=1, le=480)] = 90
    floor_dbfs: Annotated[float, rule(ge=-100, le=-20)] = -60.0
    silence_stop_min: Annotated[int, rule(ge=0, le=480)] = 20  # 0: never


Name = Annotated[str, rule(min_length=1)]


class SimulatedMicrophone(Section, tag_field="driver", tag="simulated"):
    """A WAV file that is played in real time."""

    driver: ClassVar[Literal["simulated"]] = "simulated"
    wav: AbsolutePath
    loop: bool = True


class AlsaMicrophone(Section, tag_field="driver", tag="alsa"):
    """A capture device of a sound card, found by what stays: the card's id, its USB socket or its serial number.

    ``device`` is any name that ALSA knows instead. Nothing here falls back to ALSA's "default".
    """

    driver: ClassVar[Literal["alsa"]] = "alsa"
    card: Name | None = None
    usb_path: Annotated[str, rule(pattern=r"^\d+-\d+(\.\d+)*$")] | None = None
    serial: Name | None = None
    device: Name | None = None
    pcm: Annotated[int, rule(ge=0, le=31)] = 0
    gain_control: Name | None = None
    gain_percent: Annotated[int, rule(ge=0, le=100)] | None = None
    appears_within_s: Annotated[float, rule(ge=0, le=10)] = 0.0

    def _check(self) -> None:
        named = [key for key in ("card", "usb_path", "serial", "device") if getattr(self, key) is not None]
        if len(named) != 1:
            raise ValueError("name the microphone by exactly one of card, usb_path, serial, device")
        if (self.gain_control is None) != (self.gain_percent is None):
            raise ValueError("gain_control and gain_percent belong together")
        if self.device is not None and (self.pcm or self.gain_control is not None):
            raise ValueError("pcm and gain_control need a card to belong to: name it by card, usb_path or serial")


class DisabledCamera(Section, tag_field="driver", tag="disabled"):
    """No camera: only sound can be consented to."""

    driver: ClassVar[Literal["disabled"]] = "disabled"


class _PictureSection(Section):
    """What every camera can be asked for."""

    width: Annotated[int, rule(ge=160, le=1920, multiple_of=16)] = 1280
    height: Annotated[int, rule(ge=90, le=1088, multiple_of=2)] = 720
    fps: Annotated[int, rule(ge=1, le=60)] = 25
    bitrate_kbit_s: Annotated[int, rule(ge=100, le=20_000)] = 2000


class SimulatedCamera(_PictureSection, tag_field="driver", tag="simulated"):
    """A moving clock and a frame number."""

    driver: ClassVar[Literal["simulated"]] = "simulated"


class PicameraCamera(_PictureSection, tag_field="driver", tag="picamera2"):
    """A camera of the Raspberry Pi."""

    driver: ClassVar[Literal["picamera2"]] = "picamera2"
    number: Annotated[int, rule(ge=0, le=7)] = 0
    frame_format: Literal["YUV420", "NV12"] = "YUV420"
    framing: Framing = Framing.WIDE
    mains_hz: Literal[50, 60] | None = None  # it names a place, in a way: nothing is guessed
    mirror: bool = False
    upside_down: bool = False


class SimulatedPanel(Section, tag_field="driver", tag="simulated"):
    """Buttons and lamps that are drawn on the page."""

    driver: ClassVar[Literal["simulated"]] = "simulated"


Line = Annotated[int, rule(ge=0, le=53)]
"""A GPIO line by its BCM number."""


class GpioPanel(Section, tag_field="driver", tag="gpio"):
    """Real buttons, lights and sounder; a lamp's lines are red, green and blue."""

    driver: ClassVar[Literal["gpio"]] = "gpio"
    chip: Annotated[int, rule(ge=0, le=15)] = 0
    consent: Line
    record: Line
    room_light: Line
    consent_lamp: tuple[Line, Line, Line]
    record_lamp: tuple[Line, Line, Line]
    sounder: Line
    pull_up: bool = True
    lamps_active_high: bool = True

    def _check(self) -> None:
        singles = (self.consent, self.record, self.room_light, self.sounder)
        lines = [*singles, *self.consent_lamp, *self.record_lamp]
        if twice := sorted({line for line in lines if lines.count(line) > 1}):
            raise ValueError(f"one line cannot serve two parts: {', '.join(map(str, twice))} is named twice")


class RetentionSection(Section):
    """How long the box keeps what the remote holds, too, and from which age on it tells what is not synced."""

    keep_days: Annotated[int, rule(ge=0, le=36_500)] | None = None
    warn_days: Annotated[int, rule(ge=1, le=36_500)] | None = None

    def _check(self) -> None:
        if self.keep_days is None and self.warn_days is None:
            raise ValueError("name keep_days, warn_days or both, or leave the section out")


Slug = Annotated[str, rule(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}$")]
"""One part of a name at the remote: what every server and file system can hold."""


class _RemoteSection(Section):
    """What every remote has: a name for receipts and page, and the place of this box there."""

    name: Slug
    clinic: Slug
    room: Slug


class S3Remote(_RemoteSection, tag_field="driver", tag="s3"):
    """An S3-compatible object store. ``credentials``: a TOML file with ``access_key`` and ``secret_key``, no others."""

    driver: ClassVar[Literal["s3"]] = "s3"
    endpoint: Annotated[str, rule(pattern=r"^https://[^/@?#]+$")]
    region: Name
    bucket: Annotated[str, rule(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    credentials: AbsolutePath
    ca: AbsolutePath | None = None  # certificates to trust instead of the system's


class SftpRemote(_RemoteSection, tag_field="driver", tag="sftp"):
    """Anything with SSH: ``host_key`` as in known_hosts, without the name; ``key``: the box's own private key."""

    driver: ClassVar[Literal["sftp"]] = "sftp"
    host: Annotated[str, rule(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$")]
    port: Annotated[int, rule(ge=1, le=65535)] = 22
    user: Annotated[str, rule(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
    key: AbsolutePath
    host_key: Annotated[str, rule(pattern=r"^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+$")]
    folder: Annotated[str, rule(pattern=r"^[^\x00-\x1f]*$")] = ""  # where all is kept; none: where the login starts


class FolderRemote(_RemoteSection, tag_field="driver", tag="folder"):
    """A mounted share or disk; it has to hold a file ``sotto-remote``, so that no empty mount point is taken for it."""

    driver: ClassVar[Literal["folder"]] = "folder"
    path: AbsolutePath


AnyRemote: TypeAlias = S3Remote | SftpRemote | FolderRemote


class RemoteFile(Section):
    """The clinic's own way to a remote: a file with ``[remote]`` alone, where its place may be left out."""

    remote: AnyRemote


def _rate_or_none(rate: int) -> int:
    if 0 < rate < _LEAST_KBIT_S:
        raise ValueError(f"must be 0, or {_LEAST_KBIT_S} at least")
    return rate


Rate = Annotated[int, rule(ge=_LEAST_KBIT_S, le=10_000_000)]
TimeOfDay = Annotated[str, rule(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class SyncSection(Section):
    """How recordings get to the remote. ``state``: a folder of sync's own; what is in it may be lost.

    Limits are kbit/s, there and back together; none: as fast as it goes. ``office_limit_kbit_s`` holds on the days
    ``office_days`` from ``office_from`` to ``office_to``, by the clock of the room; 0: nothing is sent then.
    """

    state: AbsolutePath
    limit_kbit_s: Rate | None = None
    office_from: TimeOfDay | None = None
    office_to: TimeOfDay | None = None
    office_days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
    office_limit_kbit_s: Annotated[int, rule(ge=0, le=10_000_000), then(_rate_or_none)] | None = None
    stuck_days: Annotated[int, rule(ge=1, le=365)] = 3
    start_jitter_s: Annotated[int, rule(ge=0, le=3600)] = 60

    def _check(self) -> None:
        told = [value is not None for value in (self.office_from, self.office_to, self.office_limit_kbit_s)]
        if any(told) and not all(told):
            raise ValueError("office_from, office_to and office_limit_kbit_s belong together")
        if all(told) and (self.office_from == self.office_to or not self.office_days):
            raise ValueError("office hours need a beginning, another end, and days")


class Config(Section):
    """The effective configuration of a box."""

    box: BoxSection
    store: StoreSection
    recipients: RecipientsSection
    people: PeopleSection | None = None  # without it an admin of the page makes them there
    consent: ConsentSection | None = None  # without it manifests name no text
    session: SessionSection = SessionSection()
    microphone: SimulatedMicrophone | AlsaMicrophone
    second_microphone: SimulatedMicrophone | AlsaMicrophone | None = None
    camera: SimulatedCamera | PicameraCamera | DisabledCamera
    panel: SimulatedPanel | GpioPanel
    web: WebSection
    retention: RetentionSection | None = None  # without it nothing is ever deleted
    remote: AnyRemote | None = None
    sync: SyncSection | None = None
    orders: OrdersSection | None = None  # without it the clinic cannot tell the box anything from its desk

    def _check(self) -> None:
        if self.people is not None and self.recipients.clinic_key is None:
            raise PlacedError("it has to be signed, and recipients.clinic_key says by whom", "people")


def load_config(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: it cannot be read, or a key is missing, unknown or out of range; all of them are named.
    """
    return parse_config(_read(path, hint="name another file with --config"))


def parse_config(text: str) -> Config:
    """Check a configuration given as TOML text.

    Raises:
        ConfigError: as ``load_config``.
    """
    return _checked(
        Config,
        _parsed(text, called="the configuration", hint=SECTIONS_HINT),
        called="the configuration",
        hint=SECTIONS_HINT,
    )


def load_remote(path: Path) -> AnyRemote:
    """Read and check the clinic's own file for a remote.

    Raises:
        ConfigError: as ``load_config``.
    """
    text = _read(path, hint=REMOTE_HINT)
    values = _parsed(text, called=path.name, hint=REMOTE_HINT)
    if isinstance(section := values.get("remote"), dict):
        values["remote"] = {"name": "remote", "clinic": "-", "room": "-"} | section
    return _checked(RemoteFile, values, called=path.name, hint=REMOTE_HINT).remote


_Model = TypeVar("_Model", bound=Section)


def _read(path: Path, *, hint: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise ConfigError(f"{path.name} cannot be read: {problem.strerror}", hint) from problem
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{path.name} is not UTF-8: {problem.reason}", "save it as UTF-8 text") from problem


def _parsed(text: str, *, called: str, hint: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as problem:  # more than its own error comes out of it: numbers of any length
        raise ConfigError(f"{called} is no valid TOML: {problem}", hint) from problem


def _checked(kind: type[_Model], values: dict[str, Any], *, called: str, hint: str) -> _Model:
    try:
        return kind.model_validate(values)
    except ShapeError as problem:
        lines = "; ".join(map(_line, problem.faults))
        raise ConfigError(f"{called} does not hold: {lines}", hint) from problem


def _line(fault: Fault) -> str:
    """One fault as: key, value, what is allowed."""
    key = ".".join(map(str, fault.place))
    if fault.kind == "extra_forbidden":
        return f"{key} is not a known key"
    if fault.kind == "missing":
        return f"{key} is missing"
    return f"{key} = {fault.value!r}: {fault.words.removeprefix('Value error, ')}"
