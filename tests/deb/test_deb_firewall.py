"""The firewall's rules in a real kernel: a box with everything listening, and somebody on its network who tries."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deb.trees import Machine

PORTS = (22, 80, 443, 5353, 8300)
LISTEN = """
import socket, sys, time
held = []
for port in map(int, sys.argv[1:]):
    held.append(socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True))
print("listening", flush=True)
sys.stdin.read()
"""
TRY = """
import socket, sys
for port in map(int, sys.argv[2:]):
    try:
        socket.create_connection((sys.argv[1], port), timeout=1.0).close()
    except OSError:
        continue
    print(port)
"""


def load(machine: Machine, box: str) -> None:
    subprocess.run(
        ["ip", "netns", "exec", box, "chroot", machine.tree, "/usr/sbin/nft", "-f", "/usr/lib/sotto/firewall.nft"],
        check=True,
    )


@contextlib.contextmanager
def listening(box: str) -> Iterator[None]:
    words = ["ip", "netns", "exec", box, sys.executable, "-c", LISTEN, *map(str, PORTS)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout and program.stdin
        assert program.stdout.readline() == "listening\n"
        yield
        program.stdin.close()


def reached(other: str, address: str) -> list[int]:
    words = ["ip", "netns", "exec", other, sys.executable, "-c", TRY, address, *map(str, PORTS)]
    return [int(port) for port in subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()]


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_whatever_listens_on_a_box_443_alone_is_reached(own: Machine, network: tuple[str, str], address: str) -> None:
    box, other = network
    with listening(box):
        assert reached(other, address) == list(PORTS)  # so far there is nothing in the way
        load(own, box)
        assert reached(other, address) == [443]
        load(own, box)  # a second time changes nothing
        assert reached(other, address) == [443]


def test_ssh_is_reached_only_where_the_admin_says_from_where(own: Machine, network: tuple[str, str]) -> None:
    box, other = network
    asked = Path(own.tree) / "etc/sotto/ssh"
    with listening(box):
        asked.write_text("ip saddr 198.51.100.0/24 tcp dport 22 accept\n")
        load(own, box)
        assert reached(other, "192.0.2.1") == [443]
        asked.write_text("ip saddr 192.0.2.0/24 tcp dport 22 accept\n")
        load(own, box)
        assert reached(other, "192.0.2.1") == [22, 443]


def test_what_the_box_asks_for_comes_back_and_its_own_programs_reach_each_other(
    own: Machine, network: tuple[str, str]
) -> None:
    box, other = network
    load(own, box)
    with listening(other):
        assert reached(box, "192.0.2.2") == list(PORTS)
    with listening(box):
        assert reached(box, "127.0.0.1") == list(PORTS)


# Says that it heard a question to all on the wire, and one to the box alone.
HEAR = """
import socket, struct, sys
heard = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
heard.bind(("::", 5353))
index = struct.pack("@I", socket.if_nametoindex("wire"))
heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "ff02::fb") + index)
group = socket.inet_aton("224.0.0.251") + socket.inet_aton("192.0.2.1")
heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
print("listening", flush=True)
while (said := heard.recv(100)) != b"end":
    print(said.decode(), flush=True)
"""
ASK = """
import socket
plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
plain.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.0.2.2"))
plain.sendto(b"to the box alone", ("192.0.2.1", 5353))
plain.sendto(b"to all", ("224.0.0.251", 5353))
other = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
index = socket.if_nametoindex("wire")
other.sendto(b"to the box alone", ("2001:db8::1", 5353))
other.sendto(b"to all, by IPv6", ("ff02::fb", 5353, 0, index))
other.sendto(b"end", ("ff02::fb", 5353, 0, index))
"""


def test_who_is_here_is_asked_of_all_on_the_wire_and_never_of_the_box_from_afar(
    own: Machine, network: tuple[str, str]
) -> None:
    box, other = network
    load(own, box)
    words = ["ip", "netns", "exec", box, sys.executable, "-c", HEAR]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        try:
            assert program.stdout.readline() == "listening\n"
            subprocess.run(["ip", "netns", "exec", other, sys.executable, "-c", ASK], check=True)
            assert program.stdout.read().splitlines() == ["to all", "to all, by IPv6"]
        finally:
            program.kill()
