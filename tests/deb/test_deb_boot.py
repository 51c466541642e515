"""The package in a Debian that really boots: systemd, every unit, the firewall and the page, in a container."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from device.age.identities import generate_identity
from tests.deb.trees import Machine
from tests.provisioning.cards import box_toml
from tests.remote.certificates import Authority, apart

PATIENCE_S = 600
RESTARTS = 133  # what systemd-nspawn ends with when the machine wants to start anew
NAME = "room-3.practice.example"
FOUND = "var/found.json"
ROOM_WAV = "/opt/sotto/lib/python3.13/site-packages/device/capture/room.wav"
MICROPHONE = f'driver = "simulated"\nwav = "{ROOM_WAV}"'
# Looks around once everything that is to start has started, and switches the machine off.
LOOK = r"""
import http.client, json, pathlib, socket, ssl, subprocess, time

def said(*words):
    return subprocess.run(words, capture_output=True, text=True).stdout

class Here(http.client.HTTPSConnection):
    def connect(self):
        plain = socket.create_connection(("127.0.0.1", 443), 20)
        self.sock = ssl._create_unverified_context().wrap_socket(plain, server_hostname=self.host)

def page():
    try:
        here = Here("NAME", timeout=20)
        here.request("GET", "/")
        return here.getresponse().status
    except OSError:
        return None

def state():
    try:
        return json.loads(pathlib.Path("/run/sotto/status.json").read_text())["state"]
    except OSError:
        return None

end = time.monotonic() + PATIENCE
while (status := page()) != 401 and time.monotonic() < end:
    time.sleep(1)
units = ["sotto-capture.service", "sotto-web.service", "sotto-nginx.service", "sotto-nginx.socket",
         "sotto-firewall.service", "sotto-announce.service", "avahi-daemon.service", "sotto-upgrades.timer",
         "ssh.service", "nginx.service", "swap.target", "unattended-upgrades.service"]
found = {
    "page": status,
    "units": {unit: said("systemctl", "is-active", unit).strip() for unit in units},
    "failed": said("systemctl", "--failed", "--plain", "--no-legend").split(),
    "listening": said("ss", "-Hlntu"),
    "rules": said("nft", "list", "ruleset"),
    "kept": said("journalctl", "--namespace=sotto", "--no-pager", "--output=cat"),
    "journal": said("journalctl", "--header"),
    "state": state(),
    "also": {name: said("sh", "-c", words + " 2>&1") for name, words in ALSO.items()},
}
pathlib.Path("FOUND").write_text(json.dumps(found))
subprocess.run(["systemctl", "--no-block", "poweroff"])
"""
READS = "cd /etc/sotto/tls; for f in *; do runuser -u sotto-web -- test ! -r $f || echo $f; done"
UNIT = """
[Unit]
After=multi-user.target
CONDITION
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /srv/look.py
[Install]
WantedBy=multi-user.target
"""


def as_a_box(
    machine: Machine,
    *,
    issued: bytes | None = None,
    also: Mapping[str, str] = MappingProxyType({}),
    found: str = FOUND,
) -> None:
    """What an admin does after the installation (docs/machine.md, docs/nginx.md). ``also``: as in ``look_around``."""
    recipient = generate_identity(post_quantum=False).recipient()
    etc = machine.tree / "etc/sotto"
    (etc / "sotto.toml").write_text(box_toml(recipient, name=NAME, microphone=MICROPHONE))
    issued = issued or Authority().issue("127.0.0.1")  # key and certificate in one
    certificate, key = apart(issued)
    for name, content, owner, mode in (
        ("page.pem", certificate, "root:root", "644"),
        ("page.key", key, "root:sotto-nginx", "640"),
    ):
        (etc / "tls" / name).write_bytes(content)
        machine.does("chown", owner, f"/etc/sotto/tls/{name}")
        machine.does("chmod", mode, f"/etc/sotto/tls/{name}")
    machine.does("systemctl", "enable", "sotto-nginx.socket", "sotto-nginx.service")
    look_around(machine, also=also, found=found)


def look_around(
    machine: Machine, *, after: str = "", also: Mapping[str, str] = MappingProxyType({}), found: str = FOUND
) -> None:
    """Have it look around when it has booted, and end then; ``after``: on which condition, ``also``: shell lines."""
    patience_s = "30" if after else "300"
    words = {"NAME": NAME, "PATIENCE": patience_s, "ALSO": repr(dict(also)), "FOUND": f"/{found}"}
    script = re.sub("|".join(words), lambda word: words[word[0]], LOOK)
    (machine.tree / "srv/look.py").write_text(script)
    (machine.tree / "etc/systemd/system/look.service").write_text(UNIT.replace("CONDITION", after))
    machine.does("systemctl", "enable", "look.service")


def booted(machine: Machine, *, words: Sequence[str] = (), found: Path | None = None) -> dict[str, object]:
    """Boot it until it switches itself off; what it found. ``words``: more of them for systemd-nspawn."""
    if shutil.which("systemd-nspawn") is None:
        pytest.fail("there is no systemd-nspawn: apt-get install systemd-container")
    network = [] if any(word.startswith("--network") for word in words) else ["--private-network"]
    command = ["systemd-nspawn", "--register=no", "--keep-unit", *network, "--boot", "--console=pipe", *words]
    env = os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    code, said = RESTARTS, b""
    while code == RESTARTS:
        run = subprocess.run(
            [*command, "-D", machine.tree],
            env=env,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        code, said = run.returncode, run.stderr
    found = found or machine.tree / FOUND
    assert found.exists(), said.decode(errors="replace")[-2000:]
    return dict(json.loads(found.read_text()))


def ports(listening: object) -> set[str]:
    rows = re.findall(r"^(tcp|udp) .*?:(\d+) +\S+:\*", str(listening), re.MULTILINE)
    return {f"{port}/{kind}" for kind, port in rows}


def test_it_boots_into_a_box_that_answers_at_443_and_nowhere_else(own: Machine) -> None:
    as_a_box(own, also={"the page reads": READS})
    found = booted(own)
    assert found["also"] == {"the page reads": "page.pem\n"}  # the certificate, and not its key
    assert found["units"] == {
        "sotto-capture.service": "active",
        "sotto-web.service": "active",
        "sotto-nginx.service": "active",
        "sotto-nginx.socket": "active",
        "sotto-firewall.service": "active",
        "sotto-announce.service": "active",
        "avahi-daemon.service": "active",
        "sotto-upgrades.timer": "active",
        "ssh.service": "inactive",
        "nginx.service": "inactive",
        "swap.target": "inactive",
        "unattended-upgrades.service": "inactive",
    }
    assert found["failed"] == []
    assert found["page"] == 401  # whoever is not signed in
    assert found["state"] == "idle"
    assert ports(found["listening"]) == {"443/tcp", "5353/udp"}
    assert "policy drop" in str(found["rules"])
    # The machine's journal is in memory; what Sotto says is kept.
    assert "/var/log/journal" not in str(found["journal"])
    assert "ready" in str(found["kept"]).splitlines()
    assert [path.name.rpartition(".")[2] for path in (own.tree / "var/log/journal").iterdir()] == ["sotto"]


def test_ssh_that_was_asked_for_is_there_and_nothing_else(own: Machine) -> None:
    as_a_box(own)
    (own.tree / "etc/sotto/ssh").write_text("tcp dport 22 accept\n")
    own.does("ssh-keygen", "-A")
    own.does("systemctl", "enable", "ssh.service")
    found = booted(own)
    assert ports(found["listening"]) == {"22/tcp", "443/tcp", "5353/udp"}
    assert "tcp dport 22 accept" in str(found["rules"])
