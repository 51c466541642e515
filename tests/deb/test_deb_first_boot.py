"""The first start of a card, in a real Debian trixie: cloud-init reads what was written, and first-boot does it."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.card.boot import FolderBoot
from provisioning.card.box_files import read_box
from provisioning.card.machine import read_machine
from provisioning.card.planning import Plan, plan_card
from provisioning.card.writing import write_card
from tests.deb.test_deb_boot import booted, look_around, ports
from tests.deb.trees import Machine, copied, trixie
from tests.provisioning.cards import SECRETS, STOCK, box_folder

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN0 admin@desk"
PASSWORD = b"correct horse: battery"
# All of it but the restart, which a folder cannot do.
FIRST_BOOT = "/boot/firmware/sotto/first-boot"
WITHOUT_RESTART = ("sh", "-c", f"sed '/--no-block reboot/d' {FIRST_BOOT} >/srv/first-boot && sh /srv/first-boot")


def planned(folder: Path, package: Path) -> Plan:
    box = box_folder(folder / "room-3", ssh=KEY)
    line = STOCK["cmdline.txt"].decode()
    machine, files = read_machine(box / "machine.toml"), read_box(box)
    return plan_card(machine, files, [package], instance="sotto-1", found_kernel_line=line, arch="amd64")


@pytest.fixture
def boot_of(tmp_path: Path, package: Path) -> Path:
    """A boot partition as `device card` leaves it, with what a stock one has besides."""
    boot = tmp_path / "firmware"
    boot.mkdir()
    for name, data in STOCK.items():
        (boot / name).write_bytes(data)
    write_card(planned(tmp_path, package), FolderBoot(boot), seen=lambda _: None)
    return boot


@pytest.fixture
def fresh(boot_of: Path, tmp_path: Path) -> Iterator[Machine]:
    """A machine on its first start: Debian, what the package needs, and that boot partition."""
    machine = copied(trixie(), tmp_path / "tree")
    shutil.copytree(boot_of, machine.tree / "boot/firmware")
    without_disk(machine.tree / "boot/firmware/sotto")
    yield machine
    machine.remove()


def without_disk(here: Path) -> None:
    """Leave out what a folder has no partitions for; test_deb_card.py is about that."""
    assert leave_out(here, "first-boot", r" +sh (?:make-room|/usr/lib/sotto/data-partition) \|\|\n.*\n") == 2


def leave_out(here: Path, name: str, pattern: str) -> int:
    """Leave something out of a script on a card, which still fits its sum; how often it was there."""
    text = (here / name).read_text()
    shorter, count = re.subn(pattern, "", text)
    (here / name).write_text(shorter)
    sums = (here / "SHA256SUMS").read_text()
    digests = [hashlib.sha256(one.encode()).hexdigest() for one in (text, shorter)]
    (here / "SHA256SUMS").write_text(sums.replace(*digests))
    return count


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_cloud_init_finds_nothing_wrong_with_what_it_is_to_read(fresh: Machine) -> None:
    """Its own schema; the network's by netplan itself, which cloud-init hands it to."""
    said = fresh.does("cloud-init", "schema", "--config-file", "/boot/firmware/user-data")
    assert "Valid schema" in said
    assert "deprecat" not in said.lower()
    netplan = (
        "mkdir -p /etc/netplan && install -m 600 /boot/firmware/network-config /etc/netplan/50-cloud-init.yaml"
        " && netplan generate && cat /run/netplan/wpa-wlan0.conf"
    )
    found = fresh.does("sh", "-c", netplan)
    assert "Praxis S\u00fcd" in found or "Praxis S\\xc3\\xbcd" in found
    assert "SAE" in found  # WPA3, where there is one
    assert "WPA-PSK" in found  # and WPA2
    # What is wrong is told: otherwise the above would say nothing.
    fresh.does("sh", "-c", "echo 'users: 5' >>/boot/firmware/user-data")
    assert fresh.tries("cloud-init", "schema", "--config-file", "/boot/firmware/user-data").returncode != 0


def test_the_first_start_makes_a_box_and_leaves_no_secret_where_anybody_can_read_it(fresh: Machine) -> None:
    boot = fresh.tree / "boot/firmware"
    assert PASSWORD in everything_in(boot)
    fresh.does("cp", "/boot/firmware/sotto/sotto-first-boot.service", "/etc/systemd/system/")
    fresh.does("systemctl", "enable", "sotto-first-boot.service")
    assert fresh.does("systemd-analyze", "verify", "--man=no", "sotto-first-boot.service") == ""
    fresh.does(*WITHOUT_RESTART)
    assert fresh.does("dpkg-query", "--show", "--showformat=${Status}", "sotto") == "install ok installed"
    assert {
        name: fresh.mode(f"/etc/sotto/{name}")
        for name in ("sotto.toml", "remote.key", "tls/page.pem", "tls/page.key", "ssh")
    } == {
        "sotto.toml": "root:root 644",
        "remote.key": "sotto-sync:sotto 600",
        "tls/page.pem": "root:root 644",
        "tls/page.key": "root:sotto-nginx 640",
        "ssh": "root:root 644",
    }
    assert fresh.mode("/etc/sotto/tls") == "root:root 755"
    for name, secret in SECRETS.items():
        assert (fresh.tree / "etc/sotto" / name).read_bytes() == secret
    left = everything_in(boot)
    for secret in (*SECRETS.values(), PASSWORD):
        assert secret not in left
    assert {path.name for path in boot.iterdir()} == set(STOCK)
    enabled = ("sotto.target", "sotto-nginx.socket", "sotto-nginx.service", "ssh.service")
    assert {unit: fresh.does("systemctl", "is-enabled", unit).strip() for unit in enabled} == dict.fromkeys(
        enabled, "enabled"
    )
    assert not (fresh.tree / "etc/systemd/system/sotto-first-boot.service").exists()
    assert (fresh.tree / "etc/cloud/cloud-init.disabled").exists()
    told = fresh.does("sotto", "nginx", "--config", "/etc/sotto/sotto.toml")
    assert "ssl_certificate_key /etc/sotto/tls/page.key;" in told


def test_cloud_init_starts_it_and_the_machine_comes_back_as_a_box(fresh: Machine) -> None:
    """The whole way, by cloud-init itself: the first start, its restart, and the box that is there afterwards."""
    config = fresh.tree / "etc/cloud/cloud.cfg.d/99-raspberry-pi-os.cfg"  # where its files are looked for there
    config.write_text("datasource_list: [NoCloud]\ndatasource:\n  NoCloud:\n    seedfrom: file:///boot/firmware/\n")
    box_files = fresh.tree / "boot/firmware/sotto"
    look_around(fresh, after="ConditionPathExists=!/boot/firmware/sotto\nConditionPathExists=/opt/sotto/bin/sotto")
    found = booted(fresh)
    assert not box_files.exists()
    assert (fresh.tree / "etc/hostname").read_text().strip() == "room-3"
    assert (fresh.tree / "etc/timezone").read_text().strip() == "Europe/Berlin"
    assert "admin:" in (fresh.tree / "etc/passwd").read_text()
    shadow = fresh.does("getent", "shadow", "admin").split(":")[1]
    assert shadow.startswith("!")  # no password at all
    assert ports(found["listening"]) == {"22/tcp", "443/tcp", "5353/udp"}
    assert "policy drop" in str(found["rules"])
    left = everything_in(fresh.tree / "boot/firmware")
    for secret in (*SECRETS.values(), PASSWORD):
        assert secret not in left


def test_a_first_start_that_was_cut_while_it_tidied_up_is_ended_by_the_next(fresh: Machine) -> None:
    here = fresh.tree / "boot/firmware/sotto"
    fresh.does(
        "sh", "-c", f"sed 's/^    \\[ -e INSTALLED.*/    install_all; exit/' {FIRST_BOOT} >/srv/half && sh /srv/half"
    )
    (here / "files/remote.key").write_bytes(b"\0" * 8)  # what a cut leaves: some of it is gone already
    (here / "files/tls/page.pem").unlink()
    assert (here / "INSTALLED").exists()
    fresh.does(*WITHOUT_RESTART)
    assert not here.exists()
    assert (fresh.tree / "etc/sotto/remote.key").read_bytes() == SECRETS["remote.key"]


@pytest.mark.parametrize("name", ["files/sotto.toml", "files/tls/page.key", "packages", "first-boot"])
def test_a_flipped_byte_on_the_card_is_told_and_nothing_of_it_is_installed(fresh: Machine, name: str) -> None:
    path = fresh.tree / "boot/firmware/sotto" / name
    path = next(path.iterdir()) if path.is_dir() else path
    with path.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]) if name != "first-boot" else b" ")
    done = fresh.tries(*WITHOUT_RESTART)
    assert done.returncode != 0
    fault = (fresh.tree / "boot/firmware/sotto-fault.txt").read_text()
    assert "error: what is on this card is not what was written to it" in fault
    assert "hint: " in fault
    assert not (fresh.tree / "etc/sotto").exists()
    assert subprocess.run(["test", "-e", fresh.tree / "opt/sotto"], check=False).returncode == 1
