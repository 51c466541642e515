"""A box as an admin leaves it: the units, the users and the configuration installed, real microphone and panel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from device.age.identities import KeyIdentity, generate_identity
from tests.appliance.hardware import Microphone, Panel
from tests.appliance.vm import Vm

UNITS: Final = Path(__file__).parents[2] / "systemd"
LINES: Final = {"consent": 17, "record": 27, "room_light": 22, "consent_blue": 13, "record_red": 19, "record_blue": 21}
STORE: Final = "/var/lib/sotto/store"
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
max_length_min = 3
[microphone]
driver = "alsa"
device = "{microphone}"
[camera]
driver = "disabled"
[panel]
driver = "gpio"
consent = 17
record = 27
room_light = 22
consent_lamp = [5, 6, 13]
record_lamp = [19, 26, 21]
sounder = 18
[web]
port = 8300
"""


class Box:
    """Sotto under systemd in a guest, with hands on its panel and eyes on its light."""

    def __init__(self, vm: Vm) -> None:
        self.agent = vm.agent
        self.identity: KeyIdentity = generate_identity(post_quantum=False)
        self.microphone = Microphone(vm.agent)
        self.panel = Panel(vm.agent, LINES)
        self._install()

    def _install(self) -> None:
        for file in sorted(path for path in UNITS.rglob("*") if path.is_file()):
            folder = _INSTALLED_AT[str(file.parent.relative_to(UNITS))]
            self.agent.sh(f"mkdir -p {folder}")
            self.agent.put(f"{folder}/{file.name}", file.read_bytes())
        config = _CONFIG.format(recipient=self.identity.recipient(), microphone=Microphone.DEVICE)
        self.agent.sh("mkdir -p /etc/sotto")
        self.agent.put("/etc/sotto/sotto.toml", config.encode())
        self.agent.sh(
            "systemd-sysusers && systemd-tmpfiles --create sotto.conf && udevadm control --reload && udevadm trigger "
            "&& udevadm settle && systemctl daemon-reload"
        )

    def start(self) -> None:
        """Start everything; returns when it says that it is ready."""
        self.agent.sh(
            "systemctl start sotto-capture.service sotto-web.service || (journalctl -b -u 'sotto*' >&2; false)"
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

    def devices_open(self) -> set[str]:
        """Every sound or video device that any process of the guest has open for capture, asked of the kernel."""
        out = self.agent.sh(
            "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -oE '/dev/(snd/pcm[A-Za-z0-9]*c|video[0-9]+)$' || true"
        )
        return set(out.split())

    def recordings(self) -> list[str]:
        """The ids in the store."""
        return self.agent.sh(f"ls {STORE}").split()

    def fetch(self, recording_id: str, folder: Path) -> dict[str, Any]:
        """Bring a recording here; its manifest."""
        for name in ("session.mp4.age", "manifest.json"):
            (folder / name).write_bytes(self.agent.get(f"{STORE}/{recording_id}/{name}"))
        return dict(json.loads((folder / "manifest.json").read_bytes())["payload"])

    def could(self, unit: str, probe: bytes) -> set[str]:
        """What a process in this unit's place can do, by asking it to try."""
        self.agent.put("/opt/sotto/probe.py", probe)
        drop_in = f"/run/systemd/system/{unit}.d/probe.conf"
        lines = ["[Service]", "Type=oneshot", "WatchdogSec=0", "Restart=no", "ExecStart="]
        lines += ["ExecStart=/opt/sotto/bin/python /opt/sotto/probe.py", "StandardOutput=file:/run/probe.out"]
        self.agent.sh(f"mkdir -p {Path(drop_in).parent}; rm -f /run/probe.out")
        self.agent.put(drop_in, "\n".join(lines).encode())
        out = self.agent.sh(
            f"systemctl stop {unit}; systemctl daemon-reload; systemctl start {unit} || journalctl -u {unit} >&2; "
            f"cat /run/probe.out; rm {drop_in}; systemctl daemon-reload"
        )
        assert "probed" in out
        return set(out.split()) - {"probed"}
