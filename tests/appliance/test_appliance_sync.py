"""A box and its clinic's server in one guest: OpenSSH's own server, set up by the script that a clinic would run."""

from __future__ import annotations

from pathlib import Path

from tests.appliance.box import STORE, Box

SCRIPT = Path(__file__).parents[2] / "provisioning" / "scripts" / "sftp-account"
PROBE = (Path(__file__).parent / "scripts" / "probe.py").read_bytes()
KEY = "/etc/sotto/remote.key"
HELD = "/srv/sotto/room-1/recordings/practice/room-1"
REMOTE = """
[remote]
driver = "sftp"
name = "clinic"
clinic = "practice"
room = "room-1"
host = "127.0.0.1"
user = "room-1"
key = "{key}"
host_key = "{host_key}"
[sync]
state = "/var/lib/sotto-sync"
start_jitter_s = 0
"""


def set_up_a_clinic(box: Box) -> None:
    """A server with an account for this box, and a box that knows it."""
    box.agent.put("/usr/local/sbin/sftp-account", SCRIPT.read_bytes())
    host_key = box.agent.sh(
        f"ssh-keygen -q -t ed25519 -N '' -f {KEY} && chown sotto-sync:sotto {KEY} && chmod 600 {KEY} && "
        f"bash /usr/local/sbin/sftp-account setup >&2 && bash /usr/local/sbin/sftp-account add room-1 {KEY}.pub >&2 && "
        "ssh-keygen -A >&2 && systemctl --quiet unmask ssh.service && systemctl start ssh.service && "
        "cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub"
    ).strip()
    box.configure(more=REMOTE.format(key=KEY, host_key=host_key))
    box.agent.sh("systemctl restart sotto-capture.service sotto-sync.service")
    box.until_state("idle")


def close_the_window(box: Box) -> None:
    """The next client comes, and goes again: from then on nobody can withdraw what was recorded before."""
    for _ in range(3):
        box.panel.press("consent")
        box.agent.sh("sleep 0.5")
    box.until_state("idle")


def held(box: Box) -> list[str]:
    """The names of all that the clinic's server holds of this box."""
    return box.agent.sh(f"cd {HELD} 2>/dev/null && find . -type f | sort || true").split()


def test_a_recording_reaches_the_clinic_by_itself_and_not_before_its_window_is_closed(running: Box) -> None:
    set_up_a_clinic(running)
    recording = running.begin()
    running.microphone.noise(3).player.wait()
    running.end()
    running.agent.sh("sleep 20")
    assert held(running) == [], "the client can still withdraw it"

    close_the_window(running)
    running.until(f"[ -e {STORE}/{recording}/receipts/clinic.json ]", seconds=180, every_s=1)
    names = held(running)
    assert [name.rpartition("/")[2] for name in names if recording in name] == ["manifest.json", "session.mp4.age"]
    for name in ("manifest.json", "session.mp4.age"):
        there = next(one for one in names if one.endswith(f"{recording}/{name}"))
        assert running.agent.sh(f"cmp {HELD}/{there} {STORE}/{recording}/{name} && echo same") == "same\n"
    assert '"sync"' in running.agent.sh("/opt/sotto/bin/sotto audit --config /etc/sotto/sotto.toml --json")
    assert "verified" in running.agent.sh("/opt/sotto/bin/sotto retention --dry-run --config /etc/sotto/sotto.toml")


def test_what_syncs_has_the_network_and_neither_devices_nor_the_boxs_key_nor_the_store_to_write(running: Box) -> None:
    assert running.could("sotto-sync.service", PROBE) == {"inet-socket", "store-read", "page-certificate"}
