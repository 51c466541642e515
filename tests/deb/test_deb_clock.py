"""Where a box's time comes from: chrony as the package sets it up, asking a time server, and telling nobody."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.deb.trees import Machine, copied
from tests.support import PATIENCE_S

UNIT = Path(__file__).parents[2] / "deb/box/usr/lib/systemd/system/sotto-clock.service"
# -x: this machine's own clock is left alone.
CHRONYD = ("/usr/sbin/chronyd", "-x", "-d", "-f")
SERVER = "local stratum 1\nallow\ncmdport 0\nbindcmdaddress /run/chrony/chronyd.sock\n"
CLIENT = """
include /etc/chrony/conf.d/60-sotto.conf
server 192.0.2.2 iburst minpoll 0 maxpoll 1
bindcmdaddress /run/chrony/chronyd.sock
"""


@contextlib.contextmanager
def running(machine: Machine, netns: str, text: str) -> Iterator[subprocess.Popen[bytes]]:
    """chronyd in that network, with a folder of its own for its socket."""
    (machine.tree / "srv/chrony.conf").write_text(text + f"pidfile /run/chrony/{netns}.pid\n")
    enter = (
        "install -d -o _chrony -g _chrony -m 770 /run/chrony; mkdir -p /run/sotto-clock; chown _chrony /run/sotto-clock"
    )
    words = ["ip", "netns", "exec", netns, "chroot", str(machine.tree), "sh", "-c"]
    with subprocess.Popen([*words, f"{enter}; exec {' '.join(CHRONYD)} /srv/chrony.conf"]) as program:
        try:
            yield program
        finally:
            program.terminate()


def told_by_the_unit() -> str:
    """What sotto-clock.service runs."""
    found = re.search(r"^ExecStart=/bin/sh -c '(.*)'$", UNIT.read_text(), re.MULTILINE)
    assert found
    return found[1]


def test_the_clock_is_believed_once_a_time_server_was_heard_and_nobody_can_ask_the_box(
    own: Machine,
    network: tuple[str, str],
    tmp_path: Path,
) -> None:
    box, other = network
    heard = own.tree / "run/sotto-clock/heard"
    asks = ["ip", "netns", "exec", box, "chroot", "--userspec=_chrony:_chrony", str(own.tree), "sh", "-c"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(own, box, CLIENT))
        waiting = stack.enter_context(subprocess.Popen([*asks, told_by_the_unit()], stdout=subprocess.DEVNULL))
        stack.callback(waiting.kill)
        listening = subprocess.run(
            ["ip", "netns", "exec", box, "ss", "-Hlntu"], capture_output=True, text=True, check=True
        )
        assert listening.stdout == ""
        assert waiting.poll() is None  # nobody answers yet
        assert not heard.exists()
        server = copied(own.tree, tmp_path / "server")
        stack.callback(server.remove)
        stack.enter_context(running(server, other, SERVER))
        assert waiting.wait(PATIENCE_S) == 0
    assert heard.exists()
