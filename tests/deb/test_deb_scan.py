"""A box that runs, looked at over the network by those who look for holes: nmap and testssl.sh, as Debian has them."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provisioning.clinic.authority import authority_certificate, authority_key, new_authority_key
from provisioning.clinic.series import as_pem, issue_series, new_page_key
from tests.deb.test_deb_boot import NAME, as_a_box, booted
from tests.deb.trees import Machine, scanner

BOX = "192.0.2.1"
HOLES = {"MEDIUM", "HIGH", "CRITICAL", "FATAL"}
# What the clinic's own authority brings with it, and no hole: it is online nowhere, so it has no list of what was taken
# back. Its certificates hold a hundred days instead.
ITS_OWN_AUTHORITY = {"cert_revocation": "Neither CRL nor OCSP URI provided"}
# The box stays until it has been looked at.
STAYS = "for s in $(seq 1500); do [ ! -e /srv/seen ] || exit 0; sleep 1; done"
READY = "touch /srv/ready; "


class Visitor(Machine):
    """Another machine on the box's wire."""

    def __init__(self, netns: str) -> None:
        super().__init__(scanner())
        self.netns = netns


def of_the_clinic() -> tuple[bytes, bytes]:
    """The authority that a clinic's folder makes, and what it issues to a box: certificate and key of its page."""
    now = datetime.now(UTC)
    key, page = authority_key(new_authority_key()), new_page_key()
    network = ipaddress.ip_network("192.0.2.0/24")
    authority = authority_certificate(key, clinic="Practice", domains=["practice.example"], networks=[network], now=now)
    public, addresses = page.public_key(), [ipaddress.ip_address(BOX)]
    first, *_ = issue_series(authority, key, names=[NAME], addresses=addresses, public_key=public, now=now)
    return authority, as_pem(page) + first.pem


@pytest.fixture
def visitor(own: Machine, network: tuple[str, str]) -> Iterator[Visitor]:
    """Somebody beside a box that has started; it is switched off afterwards, and nothing in it had failed."""
    box, other = network
    authority, issued = of_the_clinic()
    as_a_box(own, issued=issued, also={"stays": READY + STAYS})
    visitor = Visitor(other)
    (visitor.tree / "srv/ca.pem").write_bytes(authority)
    with ThreadPoolExecutor(1) as pool:
        words = [f"--network-namespace-path=/run/netns/{box}", "--capability=CAP_NET_ADMIN"]  # as with one of its own
        ends = pool.submit(booted, own, words=words)
        try:
            wait_for(own.tree / "srv/ready", ends)
            yield visitor
        finally:
            (own.tree / "srv/seen").touch()
            found = ends.result()
    assert (found["page"], found["failed"]) == (401, [])


def wait_for(path: Path, ends: Future[Any]) -> None:
    """Until the box says so; it may have ended before."""
    while not path.exists():
        assert not ends.done(), ends.result()
        time.sleep(1)


def test_nmap_finds_the_page_alone_and_who_asks_all_is_told_which_box_this_is(visitor: Visitor) -> None:
    swift = ("nmap", "-n", "-Pn", "--min-rate", "3000", "--max-retries", "2", "-p-", "-oG", "-")
    for words in ((*swift, BOX), (*swift, "-6", "2001:db8::1")):
        said = visitor.does(*words)
        assert set(re.findall(r"(\d+)/(\w+)/(\w+)", said)) == {("443", "open", "tcp")}
    told = visitor.does("nmap", "-e", "wire", "--script", "broadcast-dns-service-discovery")
    assert "443/tcp sotto" in told
    for entry in ("name=Room 3", "version=", "key="):
        assert entry in told
    assert not re.search(r"\d+/(tcp|udp) (?!sotto)", told)  # and nothing else of it


def test_testssl_finds_nothing_above_low(visitor: Visitor) -> None:
    words = f"testssl --quiet --warnings off --color 0 --nodns none --add-ca /srv/ca.pem --ip {BOX}"
    script = f"{words} --jsonfile /run/said.json https://{NAME}:443 >/run/said.txt 2>&1; cat /run/said.json"
    findings = json.loads(visitor.does("sh", "-c", script))
    told = {one["id"]: one for one in findings}
    for name in ("cert_trust", "cert_chain_of_trust", "TLS1_3", "heartbleed", "HSTS_time"):  # it has looked, to the end
        assert told[name]["severity"] == "OK", told[name]
    holes = {one["id"]: one["finding"] for one in findings if one["severity"] in HOLES}
    assert (holes, told["overall_grade"]["finding"]) == (ITS_OWN_AUTHORITY, "A+")
