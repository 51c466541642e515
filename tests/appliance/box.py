"""A box as an admin leaves it: units, users and configuration installed, with real microphone, camera and panel."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from device.age.identities import KeyIdentity
from device.recording.chain import AUDIT_NAME
from tests.appliance.agent import SLOW_DISK_S
from tests.appliance.hardware import Microphone, Panel
from tests.appliance.vm import Vm
from tests.remote.certificates import DAY, Authority, apart
from tests.support import sound_of, stock_open

UNITS: Final = Path(__file__).parents[2] / "systemd"
LINES: Final = {"consent": 17, "record": 27, "room_light": 22, "consent_blue": 13, "record_red": 19, "record_blue": 21}
STORE: Final = "/var/lib/sotto/store"
CONFIG: Final = "/etc/sotto/sotto.toml"
AUTHORITY: Final = "/etc/sotto/authority.pem"
_NAMES: Final = ("room-1.practice.example", "127.0.0.1")
_YEARS: Final = 3650 * DAY  # a kept snapshot can be old
_DOCUMENT: Final = (UNITS.parent / "docs" / "nginx.md").read_text(encoding="utf-8")
_INSTALLING: Final = re.compile(r"^ +install -[dm] .*$", re.MULTILINE)
_INSTALLED_AT: Final = {
    "sysusers.d": "/etc/sysusers.d",
    "tmpfiles.d": "/etc/tmpfiles.d",
    "udev": "/etc/udev/rules.d",
    ".": "/etc/systemd/system",
}
_CONFIG: Final = """
[box]
name = "Appliance"
device_key = "/var/lib/sotto/device.key"
run = "/run/sotto"
[store]
path = "/var/lib/sotto/store"
[recipients]
keys = ["{recipient}"]
[session]
max_length_min = {minutes}
[microphone]
driver = "alsa"
card = "{card}"
pcm = {pcm}
[camera]
driver = "picamera2"
width = 320
height = 240
fps = 5
frame_format = "NV12"
[panel]
driver = "gpio"
consent = 17
record = 27
room_light = 22
consent_lamp = [5, 6, 13]
record_lamp = [19, 26, 21]
sounder = 18
[web]
state = "/var/lib/sotto-web"
port = 443
[web.nginx]
names = ["room-1.practice.example", "127.0.0.1"]
certificate = "/etc/sotto/tls/page.pem"
key = "/etc/sotto/tls/page.key"
socket = "/run/sotto-web/page.sock"
"""


# The camera of the guest is no device file but a program: it is open while its program holds memory for pictures.
_OPEN_DEVICES: Final = """
ls -l /proc/[0-9]*/fd 2>/dev/null | grep -oE '/dev/(snd/pcm[A-Za-z0-9]*c|video[0-9]+|dma_heap/.*)$' || true
"""


@dataclass(frozen=True)
class Recorded:
    """A recording as those find it who may open it: what its manifest says, and what stock age makes of its file."""

    manifest: dict[str, Any]
    mp4: Path

    @cached_property
    def sound(self) -> bytes:
        """Its samples."""
        return sound_of(self.mp4, 24)

    @property
    def zero_us(self) -> int:
        """The guest's monotonic clock at the first sample."""
        return int(self.manifest["sound"]["first_sample_monotonic_us"])


class Box:
    """Sotto under systemd in a guest, with hands on its panel and eyes on its light."""

    def __init__(self, vm: Vm, identity: KeyIdentity) -> None:
        """``identity`` opens what it records."""
        self.agent = vm.agent
        self.identity = identity
        self.microphone = Microphone(vm.agent)
        self.panel = Panel(vm.agent, LINES)

    def install(self) -> None:
        """Bring in all that is not in the Python package."""
        for file in sorted(path for path in UNITS.rglob("*") if path.is_file()):
            folder = _INSTALLED_AT[str(file.parent.relative_to(UNITS))]
            self.agent.sh(f"mkdir -p {folder}")
            self.agent.put(f"{folder}/{file.name}", file.read_bytes())
        self.configure()
        self.agent.sh(
            "systemd-sysusers && systemd-tmpfiles --create sotto.conf && udevadm control --reload && udevadm trigger "
            "&& udevadm settle && systemctl daemon-reload "
            "&& systemctl --quiet enable sotto.target sotto-nginx.socket sotto-nginx.service",
            timeout_s=SLOW_DISK_S,
        )
        self.certify()

    def certify(self) -> None:
        """Give the page a certificate of an authority of the clinic's, with the commands of docs/nginx.md."""
        authority = Authority(ends=_YEARS)
        for name, data in zip(("page.pem", "page.key"), apart(authority.issue(*_NAMES, ends=_YEARS)), strict=True):
            self.agent.put(f"/run/{name}", data)
        self.agent.put(AUTHORITY, authority.pem)
        self.agent.sh("cd /run; " + "; ".join(line.strip() for line in _INSTALLING.findall(_DOCUMENT)))
        self.agent.sh("rm /run/page.pem /run/page.key")

    def configure(self, *, minutes: int = 10, more: str = "") -> None:
        """Write the configuration, with ``more`` at its end; what runs does not see it. ``minutes``: of a session."""
        config = _CONFIG.format(
            recipient=self.identity.recipient(), card=Microphone.CARD, pcm=Microphone.PCM, minutes=minutes
        )
        self.agent.sh("mkdir -p /etc/sotto")
        self.agent.put(CONFIG, (config + more).encode())

    def switch_on(self) -> None:
        """Install it and have it run, in an empty room."""
        self.install()
        self.start()
        self.until_state("idle")

    def start(self) -> None:
        """Start everything; returns when it says that it is ready."""
        self.agent.sh(
            "systemctl start sotto-capture.service sotto-web.service sotto-nginx.socket sotto-nginx.service "
            "|| (journalctl -b -u 'sotto*' >&2; false)"
        )

    def until(self, condition: str, *, seconds: int = 30, every_s: float = 0.1) -> None:
        """Wait in the guest's time until a shell condition holds."""
        self.agent.sh(
            f"n=0; until {condition}; do sleep {every_s}; n=$((n+1)); [ $n -lt {round(seconds / every_s)} ] || "
            f"{{ cat /run/sotto/status.json; journalctl -b -u 'sotto*' | tail -50; exit 1; }} >&2; done"
        )

    def until_state(self, *states: str) -> None:
        """Wait until the published state is one of these."""
        self.until(f"""grep -qE '"state":"({"|".join(states)})"' /run/sotto/status.json""")

    def lit(self, name: str) -> bool:
        """Whether a lamp's line is high."""
        return self.panel.is_lit(name)

    def status(self) -> dict[str, Any]:
        """What is published."""
        return dict(json.loads(self.agent.get("/run/sotto/status.json")))

    def consent(self, *, picture: bool = False) -> None:
        """Press CONSENT: once for sound, twice for sound and picture."""
        for _ in range(2 if picture else 1):
            self.panel.press("consent")
            self.agent.sh("sleep 0.3")
        self.until_state("armed")

    def begin(self, *, picture: bool = False) -> str:
        """Have a session recorded; returns the recording's id once some of it is durable."""
        self.consent(picture=picture)
        self.panel.press("record")
        self.until("""grep -qE '"durable_us":[1-9]' /run/sotto/status.json""")
        return str(self.status()["recording"]["id"])

    def end(self) -> None:
        """Press RECORD; returns once the recording is sealed."""
        self.panel.press("record")
        self.until_state("sealed", "kept")

    def camera_program(self) -> int | None:
        """The process of the camera's program, if there is one."""
        pids = self.agent.sh("pgrep -f '[p]icamera2-camera' || true").split()
        return int(pids[0]) if pids else None

    def devices_open(self) -> set[str]:
        """Every device that any process of the guest has open for capture, asked of the kernel."""
        return set(self.agent.sh(_OPEN_DEVICES).split())

    def recordings(self) -> list[str]:
        """The ids in the store."""
        return [name for name in self.agent.sh(f"ls {STORE}").split() if name != AUDIT_NAME]

    def opened(self, recording_id: str, folder: Path) -> Recorded:
        """Bring a recording here and open it."""
        here = folder / recording_id
        here.mkdir()
        for name in ("session.mp4.age", "manifest.json"):
            (here / name).write_bytes(self.agent.get(f"{STORE}/{recording_id}/{name}"))
        mp4 = here / "session.mp4"
        mp4.write_bytes(stock_open(here / "session.mp4.age", self.identity))
        return Recorded(dict(json.loads((here / "manifest.json").read_bytes())["payload"]), mp4)

    def could(self, unit: str, probe: bytes) -> set[str]:
        """What a process in this unit's place can do, by asking it to try."""
        self.agent.put("/opt/sotto/probe.py", probe)
        drop_in = f"/run/systemd/system/{unit}.d/probe.conf"
        lines = ["[Service]", "Type=oneshot", "WatchdogSec=0", "Restart=no", "ExecStart=", "ExecStartPre="]
        lines += ["ExecStart=/opt/sotto/bin/python /opt/sotto/probe.py", "StandardOutput=file:/run/probe.out"]
        self.agent.sh(f"mkdir -p {Path(drop_in).parent}; rm -f /run/probe.out")
        self.agent.put(drop_in, "\n".join(lines).encode())
        out = self.agent.sh(
            f"systemctl stop {unit}; systemctl daemon-reload; systemctl start {unit} || journalctl -u {unit} >&2; "
            f"cat /run/probe.out; rm {drop_in}; systemctl daemon-reload"
        )
        assert "probed" in out
        return set(out.split()) - {"probed"}
