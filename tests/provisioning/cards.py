"""Cards for the tests: an image laid out as pi-gen lays out Raspberry Pi OS, a box's folder, and packages."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Final

from device.age.identities import generate_identity

BOOT_AT_BYTES: Final = 8 << 20
BOOT_BYTES: Final = 96 << 20
ROOT_BYTES: Final = 32 << 20
# What lies there is Raspberry Pi OS's (pi-gen, stage1/00-boot-files and stage2/04-cloud-init), as far as it matters.
STOCK: Final = {
    "cmdline.txt": b"console=serial0,115200 console=tty1 root=PARTUUID=1234 rootfstype=ext4 rootwait resize\n",
    "config.txt": b"arm_64bit=1\n",
    "meta-data": b"dsmode: local\ninstance_id: rpios-image\n",
    "network-config": b"#network:\n",
    "user-data": b"#cloud-config\n",
    "kernel8.img": b"\x7f" * 5000,
}
MACHINE: Final = """
host_name = "room-3"
timezone = "Europe/Berlin"
[wifi]
country = "DE"
name = "Praxis Süd \\"2\\""
password = "correct horse: battery"
security = "mixed"
"""
BOX: Final = """
[box]
name = "Room 3"
device_key = "/var/lib/sotto/device.key"
run = "/run/sotto"
[store]
path = "/var/lib/sotto/store"
[recipients]
keys = ["{recipient}"]
[microphone]
{microphone}
[camera]
driver = "disabled"
[panel]
driver = "simulated"
[web]
state = "/var/lib/sotto-web"
port = 443
[web.nginx]
names = ["{name}"]
certificate = "/etc/sotto/tls/page.pem"
key = "/etc/sotto/tls/page.key"
socket = "/run/sotto-web/page.sock"
"""
SYNC: Final = """\
[remote]
name = "clinic"
clinic = "practice"
room = "room-3"
driver = "sftp"
host = "nas.practice.example"
user = "room-3"
key = "/etc/sotto/remote.key"
host_key = "ssh-ed25519 AAAA"
[sync]
state = "/var/lib/sotto-sync"
"""
SECRETS: Final = {"tls/page.key": b"-- page's key --\n", "remote.key": b"-- remote's key --\n"}


def stock_folder(folder: Path) -> Path:
    """A stock boot partition, mounted."""
    folder.mkdir()
    for name, data in STOCK.items():
        (folder / name).write_bytes(data)
    return folder


def stock_image(path: Path) -> Path:
    """A stock image: MBR, FAT32 at 8 MiB, and what would be ext4 behind it."""
    first, second = BOOT_AT_BYTES, BOOT_AT_BYTES + BOOT_BYTES
    rows = [(0x0C, first, BOOT_BYTES), (0x83, second, ROOT_BYTES), (0, 0, 0), (0, 0, 0)]
    table = b"".join(struct.pack("<4xB3xII", kind, at // 512, size // 512) for kind, at, size in rows)
    with path.open("wb") as file:
        file.write(bytes(446) + table + b"\x55\xaa")
        file.truncate(second + ROOT_BYTES)
        file.seek(second)
        file.write(b"root" * 1000)
    words = [
        "mkfs.vfat",
        "-F",
        "32",
        "-s",
        "1",
        "-n",
        "bootfs",
        f"--offset={first // 512}",
        str(path),
        str(BOOT_BYTES // 1024),
    ]
    subprocess.run(words, check=True, capture_output=True)
    for name, data in STOCK.items():
        subprocess.run(["mcopy", "-i", f"{path}@@{first}", "-", f"::/{name}"], input=data, check=True)
    return path


def fat_file(image: Path, name: str) -> bytes:
    """A file of the boot partition, as mtools finds it."""
    words = ["mcopy", "-n", "-i", f"{image}@@{BOOT_AT_BYTES}", f"::/{name}", "-"]
    return subprocess.run(words, check=True, capture_output=True).stdout


def box_toml(recipient: str, *, name: str, microphone: str) -> str:
    """A box's configuration, as its package and its card expect it. ``microphone``: the lines of its section."""
    return BOX.format(recipient=recipient, name=name, microphone=microphone)


def card_toml(recipient: str) -> str:
    """The same with a sound card, and with a server to which it sends."""
    microphone = 'driver = "alsa"\ncard = "Mic"'
    return box_toml(recipient, name="room-3.practice.example", microphone=microphone) + SYNC


def box_folder(folder: Path, *, ssh: str | None = None) -> Path:
    """A box's folder."""
    (folder / "etc/tls").mkdir(parents=True)
    recipient = str(generate_identity(post_quantum=False).recipient())
    (folder / "sotto.toml").write_text(card_toml(recipient))
    (folder / "machine.toml").write_text(MACHINE)
    (folder / "etc/tls/page.pem").write_text("-- page --\n")
    for name, data in SECRETS.items():
        (folder / "etc" / name).write_bytes(data)
    if ssh is not None:
        (folder / "ssh.pub").write_text(ssh)
    return folder


def some_packages(folder: Path, *, arch: str = "arm64") -> Path:
    """Files that are named as packages are."""
    folder.mkdir()
    for name in (
        f"sotto_0.1.0_{arch}.deb",
        f"nginx_1.26.3-3+deb13u7_{arch}.deb",
        "nginx-common_1.26.3-3+deb13u7_all.deb",
    ):
        (folder / name).write_bytes(name.encode() * 1000)
    return folder
