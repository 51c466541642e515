"""The card of a box: what is planned, what is refused, and what is on the card afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.__main__ import run
from provisioning.card.boot import FolderBoot
from provisioning.card.box_files import read_box
from provisioning.card.cloud import kernel_line
from provisioning.card.drives import Drive, look_at
from provisioning.card.machine import read_machine
from provisioning.card.planning import Plan, plan_card
from provisioning.card.writing import write_card
from provisioning.errors import OutputError, UsageError
from tests.provisioning.cards import SECRETS, STOCK, box_folder, fat_file, some_packages, stock_folder, stock_image

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN0 admin@desk"
# Exactly this is on a card beyond what the stock image has, in this order.
ON_THE_CARD = [
    "sotto/first-boot",
    "sotto/make-room",
    "sotto/sotto-first-boot.service",
    "sotto/files/sotto.toml",
    "sotto/files/remote.key",
    "sotto/files/tls/page.pem",
    "sotto/files/tls/page.key",
    "sotto/files.list",
    "sotto/packages/nginx-common_1.26.3-3+deb13u7_all.deb",
    "sotto/packages/nginx_1.26.3-3+deb13u7_arm64.deb",
    "sotto/packages/sotto_0.1.0_arm64.deb",
    "sotto/SHA256SUMS",
    "user-data",
    "network-config",
    "meta-data",
    "cmdline.txt",
]
SECRET = {"sotto/files/remote.key", "sotto/files/tls/page.key", "network-config"}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return box_folder(tmp_path / "room-3")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return some_packages(tmp_path / "packages")


def planned(box: Path, packages: Path, *, instance: str = "sotto-1") -> Plan:
    return plan_card(
        read_machine(box / "machine.toml"),
        read_box(box),
        packages.iterdir(),
        instance=instance,
        found_kernel_line=STOCK["cmdline.txt"].decode(),
    )


def test_a_plan_names_exactly_what_will_be_there_and_what_of_it_is_secret(box: Path, packages: Path) -> None:
    plan = planned(box, packages)
    assert [file.name for file in plan.files] == ON_THE_CARD
    assert {file.name for file in plan.files if file.is_secret} == SECRET


def test_no_secret_is_in_a_file_that_cloud_init_keeps_a_copy_of(box: Path, packages: Path) -> None:
    files = {file.name: file.read() for file in planned(box, packages).files}
    kept = files["user-data"] + files["meta-data"] + files["cmdline.txt"]
    for secret in (*SECRETS.values(), b"correct horse: battery"):
        assert secret not in kept
        assert secret.strip() in b"".join(files.values())


def test_each_file_has_the_owner_who_reads_it(box: Path, packages: Path) -> None:
    rows = {file.name: file.read() for file in planned(box, packages).files}["sotto/files.list"].decode().splitlines()
    assert rows == [
        "root root 0644 sotto.toml",
        "sotto-sync sotto 0600 remote.key",
        "root root 0644 tls/page.pem",
        "root sotto-nginx 0640 tls/page.key",
    ]


def test_the_sums_are_of_all_that_is_installed(box: Path, packages: Path) -> None:
    files = {file.name: file.read() for file in planned(box, packages).files}
    rows = dict(reversed(row.split("  ")) for row in files["sotto/SHA256SUMS"].decode().splitlines())
    inside = {name.removeprefix("sotto/") for name in files if name.startswith("sotto/")} - {"SHA256SUMS"}
    assert rows == {name: hashlib.sha256(files[f"sotto/{name}"]).hexdigest() for name in inside}


def test_without_ssh_there_is_no_user_and_no_password_and_with_it_a_key_alone(box: Path, packages: Path) -> None:
    def user_data() -> dict[str, object]:
        text = {file.name: file.read() for file in planned(box, packages).files}["user-data"].decode()
        assert text.startswith("#cloud-config\n")
        said = json.loads(text.removeprefix("#cloud-config\n"))
        assert isinstance(said, dict)
        assert said["ssh_pwauth"] is False
        return said

    assert user_data()["users"] == []
    assert "user" not in user_data()
    (box / "ssh.pub").write_text(f"# whoever looks after it\n{KEY}\n")
    said = user_data()
    assert said["user"] == {
        "name": "admin",
        "shell": "/bin/bash",
        "lock_passwd": True,
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "ssh_authorized_keys": [KEY],
    }
    assert "sotto/files/ssh" in [file.name for file in planned(box, packages).files]


@pytest.mark.parametrize(
    ("security", "point"),
    [
        ("mixed", {"password": "correct horse: battery"}),
        ("wpa2", {"auth": {"key-management": "psk", "password": "correct horse: battery"}}),
        ("wpa3", {"auth": {"key-management": "sae", "password": "correct horse: battery"}}),
    ],
)
def test_the_wireless_network_is_described_as_netplan_wants_it(
    box: Path, packages: Path, security: str, point: dict[str, object]
) -> None:
    machine = box / "machine.toml"
    machine.write_text(machine.read_text().replace('"mixed"', f'"{security}"'))
    files = {file.name: file.read() for file in planned(box, packages).files}
    said = json.loads(files["network-config"])["network"]
    assert said["wifis"]["wlan0"]["access-points"] == {'Praxis Süd "2"': point}
    assert said["wifis"]["wlan0"]["regulatory-domain"] == "DE"
    assert said["ethernets"]["eth0"] == {"optional": True, "dhcp4": True, "dhcp6": True}
    assert files["cmdline.txt"].endswith(
        b" ds=nocloud;i=sotto-1 usbcore.authorized_default=0 cfg80211.ieee80211_regdom=DE\n"
    )


def test_a_fixed_address_needs_its_length_and_a_gateway_in_its_network(box: Path, packages: Path) -> None:
    machine = box / "machine.toml"
    head = 'host_name = "room-3"\ntimezone = "Europe/Berlin"\n[ethernet]\n'
    machine.write_text(head + 'address = "192.0.2.7/24"\ngateway = "192.0.2.1"\ndns = ["192.0.2.53"]\n')
    files = {file.name: file.read() for file in planned(box, packages).files}
    assert json.loads(files["network-config"])["network"]["ethernets"]["eth0"] == {
        "optional": True,
        "addresses": ["192.0.2.7/24"],
        "routes": [{"to": "default", "via": "192.0.2.1"}],
        "nameservers": {"addresses": ["192.0.2.53"]},
    }
    for wrong in (
        '"192.0.2.7"\ngateway = "192.0.2.1"',
        '"192.0.2.7/24"\ngateway = "198.51.100.1"',
        '"here"\ngateway = "there"',
    ):
        machine.write_text(f"{head}address = {wrong}\n")
        with pytest.raises(UsageError, match="does not hold"):
            read_machine(machine)


def test_a_card_that_is_prepared_again_has_one_instance_on_the_kernels_line() -> None:
    once = kernel_line("a=1 rootwait\n", instance="sotto-1", country="DE")
    ours = "usbcore.authorized_default=0"
    assert once == f"a=1 rootwait ds=nocloud;i=sotto-1 {ours} cfg80211.ieee80211_regdom=DE\n"
    assert kernel_line(once, instance="sotto-2", country=None) == f"a=1 rootwait ds=nocloud;i=sotto-2 {ours}\n"


def test_nothing_lets_the_root_grow_over_the_whole_card(box: Path, packages: Path) -> None:
    files = {file.name: file.read().decode() for file in planned(box, packages).files if file.name[:5] != "sotto"}
    assert "resize" in STOCK["cmdline.txt"].decode().split()  # so the stock card would
    assert "resize" not in files["cmdline.txt"].split()
    said = json.loads(files["user-data"].removeprefix("#cloud-config\n"))
    assert (said["growpart"], said["resize_rootfs"]) == ({"mode": "off"}, False)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda box, packages: (box / "etc/tls/page.key").unlink(), "page.key cannot be read"),
        (lambda box, packages: (box / "machine.toml").write_text('host_name = "Room 3"'), "does not hold"),
        (lambda box, packages: (box / "ssh.pub").write_text("-----BEGIN OPENSSH PRIVATE KEY-----"), "no public keys"),
        (lambda box, packages: (packages / "sotto_0.2.0_arm64.deb").touch(), "one package of Sotto"),
        (lambda box, packages: (packages / "libc6_2.41_amd64.deb").touch(), "not for a Raspberry Pi"),
        (lambda box, packages: (packages / "Nginx-common_1.26.3-3+deb13u7_all.deb").touch(), "boot partition"),
    ],
)
def test_what_would_make_no_box_is_refused_before_anything_is_written(
    box: Path, packages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: object, says: str
) -> None:
    boot = stock_folder(tmp_path / "boot")
    assert callable(spoil)
    spoil(box, packages)
    assert run(["device", "card", str(box), "--packages", str(packages), "--folder", str(boot), "--yes"]) == 2
    assert says in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in boot.iterdir()} == STOCK


def test_the_plan_is_shown_and_nothing_is_written_unless_somebody_says_yes(
    box: Path, packages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boot = stock_folder(tmp_path / "boot")
    words = ["device", "card", str(box), "--packages", str(packages), "--folder", str(boot)]
    assert run([*words, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[1] for line in shown.splitlines()[1:-1]] == ON_THE_CARD
    assert run(words) == 2  # nobody is there to be asked
    assert "nobody is there to say yes" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in boot.iterdir()} == STOCK
    assert run([*words, "--yes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [file["name"] for file in said["files"]] == ON_THE_CARD
    assert (boot / "sotto/files/remote.key").read_bytes() == SECRETS["remote.key"]


def test_an_image_gets_the_files_and_nothing_outside_its_boot_partition_changes(
    box: Path, packages: Path, tmp_path: Path
) -> None:
    image = stock_image(tmp_path / "stock.img")
    before = image.read_bytes()
    words = ["device", "card", str(box), "--packages", str(packages), "--image", str(image), "--yes"]
    (packages / "old_1_arm64.deb").write_bytes(b"old")
    assert run(words) == 0
    assert fat_file(image, "sotto/packages/old_1_arm64.deb") == b"old"
    (packages / "old_1_arm64.deb").unlink()
    assert run(words) == 0  # prepared again: what was there goes
    with pytest.raises(subprocess.CalledProcessError):
        fat_file(image, "sotto/packages/old_1_arm64.deb")
    after = image.read_bytes()
    end = (8 + 96) << 20
    assert (after[: 8 << 20], after[end:]) == (before[: 8 << 20], before[end:])
    for name, data in STOCK.items():
        if name not in ON_THE_CARD:
            assert fat_file(image, name) == data
    assert fat_file(image, "sotto/files/tls/page.key") == SECRETS["tls/page.key"]
    for file in planned(box, packages).files:
        found = fat_file(image, file.name)
        if file.name not in ("meta-data", "cmdline.txt"):  # they name the instance, which is new each time
            assert found == file.read()
    check = subprocess.run(
        ["fsck.vfat", "-n", f"{_boot_of(image, tmp_path)}"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout


def _boot_of(image: Path, folder: Path) -> Path:
    path = folder / "boot.fat"
    path.write_bytes(image.read_bytes()[8 << 20 : (8 + 96) << 20])
    return path


def test_what_does_not_fit_is_refused_before_anything_is_written(
    box: Path, packages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = stock_image(tmp_path / "stock.img")
    before = hashlib.sha256(image.read_bytes()).digest()
    with (packages / "large_1_arm64.deb").open("wb") as file:
        file.truncate(90 << 20)
    assert run(["device", "card", str(box), "--packages", str(packages), "--image", str(image), "--yes"]) == 2
    assert "MB are needed" in capsys.readouterr().err
    assert hashlib.sha256(image.read_bytes()).digest() == before


@pytest.mark.parametrize("kind", ["empty", "no table", "cut short", "no stock files"])
def test_what_is_no_stock_image_is_refused(
    kind: str, box: Path, packages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = stock_image(tmp_path / "stock.img")
    if kind == "empty":
        image.write_bytes(b"")
    elif kind == "no table":
        image.write_bytes(bytes(1 << 20))
    elif kind == "cut short":
        os.truncate(image, 50 << 20)
    else:
        subprocess.run(["mdel", "-i", f"{image}@@{8 << 20}", "::/user-data"], check=True)
    assert run(["device", "card", str(box), "--packages", str(packages), "--image", str(image), "--yes"]) == 2
    assert "hint: " in capsys.readouterr().err


class WornBoot(FolderBoot):
    """A card that takes everything and forgets some of it once it is asked without this machine's memory."""

    def settle(self) -> None:
        super().settle()
        key = self._folder / "sotto/files/remote.key"
        key.write_bytes(bytes(key.stat().st_size))


def test_a_card_that_does_not_keep_what_was_written_is_found_out(box: Path, packages: Path, tmp_path: Path) -> None:
    boot = WornBoot(stock_folder(tmp_path / "boot"))
    with pytest.raises(OutputError, match=r"remote\.key is not on the card as it was written"):
        write_card(planned(box, packages), boot, seen=lambda _: None)


@pytest.mark.parametrize(
    ("drive", "says"),
    [
        (Drive(Path("/dev/sdx"), True, True, 32 * 10**9, ()), None),
        (Drive(Path("/dev/sdx1"), False, True, 32 * 10**9, ()), "is a part of a disk"),
        (Drive(Path("/dev/sda"), True, False, 32 * 10**9, ()), "no removable card"),
        (Drive(Path("/dev/sdx"), True, True, 8 * 10**9, ()), "has 8.0 GB"),
        (Drive(Path("/dev/sdx"), True, True, 4 * 10**12, ()), "has 4000.0 GB"),
        (Drive(Path("/dev/sdx"), True, True, 0, ()), "has 0.0 GB"),
        (Drive(Path("/dev/sdx"), True, True, 32 * 10**9, ("/media/boot",)), "in use: /media/boot"),
    ],
)
def test_only_a_whole_free_card_of_a_cards_size_is_written_to(drive: Drive, says: str | None) -> None:
    if says is None:
        drive.check()
        return
    with pytest.raises(UsageError, match=says):
        drive.check()


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Path]:
    """A block device of our own: an image, as the kernel shows it."""
    if os.geteuid() != 0:
        pytest.skip("only root can make one")
    image = stock_image(tmp_path / "loop.img")
    done = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this kernel makes none: {done.stderr}")
    device = Path(done.stdout.strip())
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def sysfs(folder: Path, name: str, *, removable: str, size_bytes: int) -> Path:
    about = folder / "block" / name
    about.mkdir(parents=True)
    (about / "removable").write_text(f"{removable}\n")
    (about / "size").write_text(f"{size_bytes // 512}\n")
    return folder


def test_a_device_is_what_the_kernel_says_of_it(loop: Path, tmp_path: Path) -> None:
    sys = sysfs(tmp_path / "sys", loop.name, removable="1", size_bytes=32 * 10**9)
    mounts = [f"{loop}p1 /media/boot vfat rw 0 0", "/dev/other / ext4 rw 0 0"]
    drive = look_at(loop, sys=sys, mounts=mounts)
    assert drive == Drive(loop, True, True, 32 * 10**9, ("/media/boot",))
    # What is no disk of its own has no place among the disks.
    (tmp_path / "none/block").mkdir(parents=True)
    assert look_at(loop, sys=tmp_path / "none", mounts=[]).is_whole is False
    # A slot of the machine's own says so in another way, and eMMC that is soldered in says something else.
    for kind, is_removable in (("SD", True), ("MMC", False)):
        about = sysfs(tmp_path / kind, loop.name, removable="0", size_bytes=32 * 10**9) / "block" / loop.name
        (about / "device").mkdir()
        (about / "device/type").write_text(f"{kind}\n")
        assert look_at(loop, sys=tmp_path / kind, mounts=[]).is_removable is is_removable


def test_this_machines_own_devices_are_refused(
    loop: Path, box: Path, packages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A loop device is no card, whatever is on it; and a file is none."""
    before = loop.read_bytes()
    for target in (loop, box / "sotto.toml", Path("/dev/null"), box / "nowhere"):
        assert run(["device", "card", str(box), "--packages", str(packages), "--to", str(target), "--yes"]) == 2
    assert "no removable card" in capsys.readouterr().err
    assert loop.read_bytes() == before
