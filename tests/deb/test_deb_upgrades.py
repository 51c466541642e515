"""The updates that a box takes by itself, from archives made here: which, when, and what a cut leaves of one."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from tests.deb.trees import Machine

UNIT = Path(__file__).parents[2] / "deb/box/usr/lib/systemd/system/sotto-packages.service"
SECURITY = "Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: trixie-security\n"
DEBIAN = "Origin: Debian\nLabel: Debian\nSuite: stable\nCodename: trixie\n"
PI = "Origin: Raspberry Pi Foundation\nLabel: Raspberry Pi Foundation\nSuite: stable\nCodename: trixie\n"
SOMEBODY = "Origin: Somebody\nLabel: Debian-Security\nSuite: stable-security\nCodename: trixie-security\n"
# Each archive, and what it has a newer version of.
ARCHIVES = {
    "security": (SECURITY, ("a-library", "linux-image-probe", "firmware-probe")),
    "debian": (DEBIAN, ("a-tool",)),
    "pi": (PI, ("a-driver", "rpi-eeprom")),
    "somebody": (SOMEBODY, ("a-game",)),
}
NEWER = {"a-library", "a-driver"}
ALL = sorted(name for _, names in ARCHIVES.values() for name in names)
IDLE, RECORDING = '{"state":"idle"}', '{"state":"recording"}'


def package(folder: Path, name: str, version: str, *, postinst: str = "") -> Path:
    """A package with nothing in it."""
    control = folder / "tree" / "DEBIAN"
    control.mkdir(parents=True, exist_ok=True)
    fields = {"Package": name, "Version": version, "Architecture": "all", "Maintainer": "Sotto <sotto@localhost>"}
    text = "".join(f"{key}: {value}\n" for key, value in (fields | {"Description": "a probe"}).items())
    (control / "control").write_text(text)
    (control / "postinst").write_text(f"#!/bin/sh\n{postinst}\n")
    (control / "postinst").chmod(0o755)
    path = folder / f"{name}_{version}_all.deb"
    words = ["dpkg-deb", "--root-owner-group", "--build", control.parent, path]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return path


def archive(folder: Path, release: str, names: tuple[str, ...]) -> None:
    """A flat archive with version 2 of those."""
    folder.mkdir(parents=True)
    rows = []
    for name in names:
        path = package(folder, name, "2")
        said = subprocess.run(["dpkg-deb", "--field", path], check=True, capture_output=True, text=True).stdout
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append(f"{said}Filename: ./{path.name}\nSize: {path.stat().st_size}\nSHA256: {digest}\n")
    listing = "\n".join(rows).encode()
    (folder / "Packages").write_bytes(listing)
    # What a Release does not name is not looked for.
    (folder / "Release").write_text(
        f"{release}SHA256:\n {hashlib.sha256(listing).hexdigest()} {len(listing)} Packages\n"
    )


@pytest.fixture
def behind(own: Machine) -> Machine:
    """A box for which there are newer versions of much."""
    srv = own.tree / "srv"
    for old in (own.tree / "etc/apt").glob("sources.list*"):
        subprocess.run(["rm", "-r", old], check=True)
    lines = []
    for name, (release, names) in ARCHIVES.items():
        archive(srv / name, release, names)
        lines.append(f"deb [trusted=yes] file:/srv/{name} ./\n")
    (own.tree / "etc/apt/sources.list").write_text("".join(lines))
    first = [package(srv / "first", name, "1").name for name in ALL]
    own.does("sh", "-c", f"cd /srv/first && dpkg --install {' '.join(first)}")
    own.does("touch", "-d", "16 minutes ago", "/var/lib/sotto/store")  # it was installed a moment ago
    return own


def upgraded(machine: Machine, status: str) -> subprocess.CompletedProcess[str]:
    return machine.tries(
        "sh", "-c", "mkdir -p /run/sotto; cat >/run/sotto/status.json; sh /usr/lib/sotto/upgrades", stdin=status
    )


def newer(machine: Machine) -> set[str]:
    said = machine.does("dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *ALL)
    return {row.split()[0] for row in said.splitlines() if row.endswith(" 2")}


def test_it_takes_security_updates_of_debian_and_raspberry_pi_and_neither_kernel_nor_firmware(behind: Machine) -> None:
    done = upgraded(behind, IDLE)
    assert done.returncode == 0, done.stdout
    assert newer(behind) == NEWER, done.stdout


def test_it_takes_none_in_a_session_nor_shortly_after_one(behind: Machine) -> None:
    assert upgraded(behind, RECORDING).returncode == 1
    behind.does("install", "-d", "-o", "sotto-capture", "-g", "sotto", "/var/lib/sotto/store/000001-abc")
    refused = upgraded(behind, IDLE)
    assert refused.returncode == 1
    assert "hint: try again when the room is free" in refused.stdout
    assert newer(behind) == set()


def test_what_a_cut_left_half_installed_is_ended_at_the_next_start(own: Machine) -> None:
    found = dict(re.findall(r"^(ExecCondition|ExecStart)=(.*)$", UNIT.read_text(), re.MULTILINE))
    needed = found["ExecCondition"].split()
    assert own.tries(*needed).returncode == 1  # as a rule there is nothing to do
    package(own.tree / "srv", "a-library", "1", postinst="[ -e /srv/power ]")
    assert own.tries("dpkg", "--install", "/srv/a-library_1_all.deb").returncode != 0
    assert own.tries(*needed).returncode == 0
    (own.tree / "srv/power").touch()
    own.does(*found["ExecStart"].split())
    assert own.does("dpkg-query", "--show", "--showformat=${Status}", "a-library") == "install ok installed"
    assert own.tries(*needed).returncode == 1
