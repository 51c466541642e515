"""A card's first start on a real disk, and the box that comes of it: what it keeps, and a root that stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provisioning.card.boot import FolderBoot
from provisioning.card.writing import write_card
from tests.deb.disks import CARD_BYTES, DISK_ID, Card, card, mounted, run
from tests.deb.test_deb_boot import as_a_box, booted, ports
from tests.deb.test_deb_first_boot import PASSWORD, WITHOUT_RESTART, everything_in, leave_out, planned
from tests.deb.trees import trixie
from tests.provisioning.cards import SECRETS, STOCK

KEPT = {
    "/etc/sotto",
    "/var/lib/NetworkManager",
    "/var/lib/chrony",
    "/var/lib/sotto",
    "/var/lib/sotto-apply",
    "/var/lib/sotto-sync",
    "/var/lib/sotto-versions",
    "/var/lib/sotto-web",
    "/var/lib/systemd",
    "/var/log/journal",
}
FORGOTTEN = {"/tmp", "/var/tmp", "/var/log"}  # noqa: S108 - that is where they are mounted
DATA = "/var/lib/sotto-data"
DATA_FLAGS = {"rw", "noatime", "nodev", "nosuid", "noexec"}
FSTAB = [
    "proc /proc proc defaults 0 0",
    f"PARTUUID={DISK_ID}-01 /boot/firmware ext4 defaults,ro 0 2",
    f"PARTUUID={DISK_ID}-02 / ext4 defaults,noatime,ro 0 1",
    f"LABEL=sotto-data {DATA} ext4 noatime,nodev,nosuid,noexec,errors=remount-ro,x-systemd.device-timeout=30s 0 2",
    "tmpfs /var/log tmpfs nosuid,nodev,noexec,mode=755,size=32M 0 0",
    *(f"{DATA}/{place[1:].replace('/', '-')} {place} none bind 0 0" for place in sorted(KEPT)),
    "tmpfs /tmp tmpfs nosuid,nodev,mode=1777,size=25% 0 0",
    "tmpfs /var/tmp tmpfs nosuid,nodev,mode=1777,size=25% 0 0",
]
MIB = 1 << 20
CAP_SYS_RESOURCE = 24
_EFFECTIVE = re.search(r"^CapEff:\s*(\w+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
MAY_GROW = _EFFECTIVE is not None and bool(int(_EFFECTIVE[1], 16) >> CAP_SYS_RESOURCE & 1)
# What is asked of the box once it runs.
ASKED = {
    "mounts": "findmnt --json --output TARGET,FSTYPE,OPTIONS,FSROOT --list",
    "written": "for f in /usr /etc /opt /boot/firmware /var/lib/dpkg /var/cache /home /root /srv; do "
    "if touch $f/probe 2>/dev/null; then echo $f; fi; done",
    "by the way": "sh /usr/lib/sotto/writable-root sh -c 'echo new >/usr/probe; "
    "nsenter --target 1 --mount touch /usr/other 2>&1 | grep -o Read-only'; cat /usr/probe; touch /usr/probe",
    "closed": "grep ' / / ' /proc/self/mountinfo",
    # A package that has more to keep than the one that the card came with: what its installation ends with.
    "more": "sh /usr/lib/sotto/writable-root sh -c 'echo var/lib/more >>/usr/lib/sotto/kept; mkdir /var/lib/more; "
    "echo was >/var/lib/more/before; export DPKG_MAINTSCRIPT_PACKAGE=sotto; "
    "sh /var/lib/dpkg/info/sotto.postinst configure 0.1.0' >/run/more 2>&1 || cat /run/more; "
    f"touch /var/lib/more/after; ls /var/lib/more {DATA}/var-lib-more; cat /var/lib/more/before; "
    "systemctl is-active var-lib-more.mount sotto-capture.service; grep /more /etc/fstab; "
    "findmnt --noheadings --output OPTIONS /var/lib/more; touch /usr/probe",
    "in use": "sh /usr/lib/sotto/writable-root sh -c 'sleep 600 >/usr/held 2>&1 & rm /usr/held'; "
    "ls /run/sotto-restart-wanted; touch /usr/probe",
    "clock": "systemctl is-active sotto-clock.service",
}


@dataclass
class Started:
    """A card after its first start, and what was mounted at its end."""

    card: Card
    mounts: list[dict[str, str]]


@pytest.fixture(scope="module")
def started(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("card")
    boot = folder / "boot"
    boot.mkdir()
    for name, data in STOCK.items():
        (boot / name).write_bytes(data)
    write_card(planned(folder, package), FolderBoot(boot), seen=lambda _: None)
    if not MAY_GROW:
        assert leave_out(boot / "sotto", "make-room", "resize2fs .*\n") == 1
    with card(trixie(), boot, folder) as machine:
        kept = "cp /boot/firmware/sotto/make-room /srv"  # it is gone when it is done
        machine.does("sh", "-c", f"{kept} && {WITHOUT_RESTART[2]} && {ASKED['mounts']} >/srv/mounts.json")
        mounts = json.loads((machine.tree / "srv/mounts.json").read_text())["filesystems"]
        yield Started(machine, mounts)


def test_the_card_is_divided_between_the_root_and_what_a_box_keeps(started: Started) -> None:
    (_, _, boot_bytes), (_, root_at, root_bytes), (kind, data_at, data_bytes) = started.card.table()
    assert (boot_bytes, root_bytes, kind) == (512 * MIB, 6144 * MIB, 0x83)
    assert data_at == root_at + root_bytes
    assert data_at + data_bytes == CARD_BYTES  # to the very end
    assert run("blkid", "-o", "value", "-s", "LABEL", started.card.partition(3)) == "sotto-data\n"


@pytest.mark.skipif(not MAY_GROW, reason="root has no CAP_SYS_RESOURCE here, and so may not grow what is mounted")
def test_the_root_grows_into_its_part(started: Started) -> None:
    told = run("dumpe2fs", "-h", started.card.partition(2))
    blocks = {key: value.strip() for key, _, value in (line.partition(":") for line in told.splitlines())}
    assert int(blocks["Block count"]) * int(blocks["Block size"]) == 6144 * MIB


def test_fstab_says_exactly_what_is_kept_what_is_forgotten_and_what_is_read_only(started: Started) -> None:
    lines = (started.card.tree / "etc/fstab").read_text().splitlines()
    assert [" ".join(line.split()) for line in lines if not line.startswith("#")] == FSTAB


def test_what_a_box_keeps_may_hold_no_program_and_no_device(started: Started) -> None:
    flags = {one["target"]: set(one["options"].split(",")) for one in started.mounts}
    for place in KEPT | {DATA}:
        assert flags[place] >= DATA_FLAGS, place
    assert "errors=remount-ro" in flags[DATA]


def test_the_secrets_lie_with_what_a_box_keeps_and_not_on_the_root(started: Started, tmp_path: Path) -> None:
    root = started.card.tree
    assert list((root / "etc/sotto").rglob("*.key")) == []
    left = everything_in(root / "boot/firmware")
    for secret in (*SECRETS.values(), PASSWORD):
        assert secret not in left
    with mounted(started.card.partition(3), tmp_path / "data") as data:
        assert data.stat().st_mode & 0o777 == 0o700
        for name, secret in SECRETS.items():
            assert (data / "etc-sotto" / name).read_bytes() == secret
        assert {f"/{path.name}" for path in data.iterdir()} == {f"/{place[1:].replace('/', '-')}" for place in KEPT} | {
            "/lost+found"
        }


def test_a_first_start_that_was_cut_goes_on_with_the_partitions_it_finds(started: Started, tmp_path: Path) -> None:
    table = started.card.table()
    started.card.does("sh", "/srv/make-room")
    assert started.card.table() == table
    # What is kept is not made anew, once fstab names it.
    assert run("blkid", "-o", "value", "-s", "LABEL", started.card.partition(3)) == "sotto-data\n"
    with mounted(started.card.partition(3), tmp_path / "data") as data:
        assert (data / "etc-sotto/sotto.toml").exists()


def test_the_box_runs_with_a_root_that_nobody_writes_to(started: Started, tmp_path: Path) -> None:
    machine = started.card
    with mounted(machine.partition(3), tmp_path / "data") as data:
        found = box_of(machine, data)
    assert (found["page"], found["state"], found["failed"]) == (401, "idle", [])
    assert ports(found["listening"]) == {"22/tcp", "443/tcp", "5353/udp"}
    said = found["also"]
    assert isinstance(said, dict)
    mounts = {one["target"]: one for one in json.loads(said["mounts"])["filesystems"]}
    writable = {
        target
        for target, one in mounts.items()
        if one["fstype"] in {"ext4", "vfat", "tmpfs"} and "rw" in one["options"].split(",")
    }
    own = {target for target in writable if target.startswith(("/dev", "/proc", "/run", "/sys"))}  # the kernel's
    assert writable - own == KEPT | FORGOTTEN | {DATA}
    assert said["written"].strip() == ""
    assert said["by the way"].split("\n")[:2] == ["Read-only", "new"]
    assert "Read-only file system" in said["by the way"]
    # Closed again to the file system itself, and not only for those who look at it from here.
    assert said["closed"].split(" - ")[1].split()[2].split(",")[0] == "ro"
    *more, flags, closed = said["more"].splitlines()
    assert more == [
        *("/var/lib/more:", "after", "before", ""),
        *(f"{DATA}/var-lib-more:", "after", "before"),
        "was",
        *("active", "active"),  # and the services saw it come
        f"{DATA}/var-lib-more /var/lib/more none bind 0 0",
    ]
    assert (flags, "Read-only file system" in closed) == (mounts["/etc/sotto"]["options"], True)
    assert said["in use"].splitlines()[0] == "/run/sotto-restart-wanted"
    assert "Read-only file system" in said["in use"]


def box_of(machine: Card, data: Path) -> dict[str, Any]:
    """The box that the card has become, booted; a container is given its disks, for it has no udev."""
    run("mount", "--bind", data / "etc-sotto", machine.tree / "etc/sotto")
    try:
        as_a_box(machine, also=ASKED, found="var/lib/sotto-data/found.json")
    finally:
        run("umount", machine.tree / "etc/sotto")
    run("umount", machine.tree / "boot/firmware")
    words = [f"--bind={data}:{DATA}", f"--bind={machine.partition(2)}:/dev/disk/by-partuuid/{DISK_ID}-02"]
    found: dict[str, Any] = booted(machine, words=words, found=data / "found.json")
    return found
