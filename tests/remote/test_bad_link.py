"""The bad link itself: what it does to packets, seen by the kernel's own tools."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.remote.bad_link import FAR, BadLink, Weather, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=str(why_not()))

# One process at the near end asks a far one, byte by byte, and says how long the slowest answer took.
_SERVER = """
import socket
with socket.create_server(("10.99.0.2", 4000)) as server:
    print("listening", flush=True)
    client, _ = server.accept()
    while data := client.recv(65536):
        client.sendall(data)
"""
_CLIENT = """
import socket, time
client = socket.create_connection(("10.99.0.2", 4000), 60)
times = []
for number in range(20):
    began = time.monotonic()
    client.sendall(bytes([number]))
    assert client.recv(1) == bytes([number])
    times.append(time.monotonic() - began)
print(min(times))
"""


def ask(link: BadLink) -> float:
    with subprocess.Popen(link.far(["python3", "-c", _SERVER]), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "listening\n"
        asked = subprocess.run(link.near(["python3", "-c", _CLIENT]), capture_output=True, text=True, check=True)
    return float(asked.stdout)


def test_every_answer_is_late_by_twice_the_delay_and_nothing_is_lost() -> None:
    with BadLink(Weather(delay_s=0.05)) as link:
        assert ask(link) >= 0.1
        assert link.lost == 0


def test_tcp_lives_through_a_fifth_of_all_packets_lost() -> None:
    with BadLink(Weather(delay_s=0.005, loss=0.2)) as link:
        assert ask(link) >= 0.01
        assert link.lost > 5
        assert 0.05 < link.lost / (link.lost + link.carried) < 0.4


def test_a_cut_link_carries_nothing() -> None:
    with BadLink(Weather(cut=True)) as link:
        pinged = subprocess.run(
            link.near(["python3", "-c", f"import socket; socket.create_connection(('{FAR}', 4000), 0.5)"]),
            capture_output=True,
            text=True,
            check=False,
        )
        assert re.search("timed out", pinged.stderr)
        assert link.carried == 0
