"""What Raspberry Pi OS reads on its first start: cloud-init's three files, and a word on the kernel's line.

Raspberry Pi OS trixie has cloud-init with its NoCloud source on the boot partition (pi-gen, stage2/04-cloud-init). As
its own Imager does, ``meta-data`` and the kernel's line name one instance, so that what is prepared anew counts as new
and nothing is looked for at a later start (rpi-imager, src/downloadthread.cpp). The files are YAML, of which JSON is a
part.

No secret is in ``user-data`` and ``meta-data``: cloud-init keeps copies of them. What has to be done is done by
``first-boot``, a unit that is started again after a power cut, which cloud-init's own ``runcmd`` is not. It is set off
by ``bootcmd``: that runs early, while ``runcmd`` waits for multi-user.target, and so for Raspberry Pi OS's dialogue for
a first user, which a box without a screen would wait for for ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from provisioning.card.machine import Machine, Wifi

BOOT: Final = "/boot/firmware"
FOLDER: Final = "sotto"
"""The folder on the boot partition that goes when the first start is done."""
ADMIN: Final = "admin"
_UNIT: Final = "sotto-first-boot.service"
_REGDOM: Final = "cfg80211.ieee80211_regdom"
# No USB device is used before udev has let it in (deb/box, 70-sotto-usb.rules).
_USB: Final = "usbcore.authorized_default=0"


def meta_data(instance: str) -> str:
    """Which instance this is, and that nothing is asked of a network."""
    return _yaml({"dsmode": "local", "instance-id": instance})


def user_data(machine: Machine, *, ssh_keys: Sequence[str]) -> str:
    """Name, time zone, and the first start; a user only where SSH was asked for, and that one has no password."""
    said: dict[str, Any] = {
        "hostname": machine.host_name,
        "manage_etc_hosts": True,
        "timezone": machine.timezone,
        "ssh_pwauth": False,
        # The rest of the card is for what a box keeps (``make-room``).
        "growpart": {"mode": "off"},
        "resize_rootfs": False,
        "bootcmd": [
            f"mountpoint -q {BOOT} || mount {BOOT}",
            f"test ! -e {BOOT}/{FOLDER}/{_UNIT} || cp {BOOT}/{FOLDER}/{_UNIT} /etc/systemd/system/",
            "systemctl mask userconfig.service",
            "systemctl daemon-reload",
            f"test ! -e {BOOT}/{FOLDER}/{_UNIT} || systemctl enable --now --no-block {_UNIT}",
        ],
    }
    if ssh_keys:
        # In the singular it is the system's own first user, with another name (raspberrypi/rpi-imager, issue 1601).
        said["user"] = {
            "name": ADMIN,
            "shell": "/bin/bash",
            "lock_passwd": True,
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "ssh_authorized_keys": list(ssh_keys),
        }
    else:
        said["users"] = []
    return "#cloud-config\n" + _yaml(said)


def network_config(machine: Machine) -> str:
    """Ethernet always, and the wireless network if there is one. Its password is a secret: it goes after the start."""
    wired: dict[str, Any] = {"optional": True}
    if machine.ethernet is None:
        wired |= {"dhcp4": True, "dhcp6": True}
    else:
        wired |= {
            "addresses": [machine.ethernet.address],
            "routes": [{"to": "default", "via": machine.ethernet.gateway}],
            "nameservers": {"addresses": list(machine.ethernet.dns)},
        }
    said: dict[str, Any] = {"version": 2, "ethernets": {"eth0": wired}}
    if machine.wifi is not None:
        said["wifis"] = {
            "wlan0": {
                "optional": True,
                "dhcp4": True,
                "dhcp6": True,
                "regulatory-domain": machine.wifi.country,
                "access-points": {machine.wifi.name: _access_point(machine.wifi)},
            }
        }
    return _yaml({"network": said})


def kernel_line(found: str, *, instance: str, country: str | None) -> str:
    """The stock line with our words at its end; those of an earlier card are taken away first.

    So is ``resize``, with which the root would grow over the whole card (raspberrypi-sys-mods, in the initramfs).
    """
    ours = rf"ds=nocloud;i=\S+|{re.escape(_REGDOM)}=\S+|{re.escape(_USB)}|resize"
    words = [word for word in found.split() if not re.fullmatch(ours, word)]
    words += [f"ds=nocloud;i={instance}", _USB]
    if country is not None:
        words.append(f"{_REGDOM}={country}")
    return " ".join(words) + "\n"


def _access_point(wifi: Wifi) -> dict[str, Any]:
    hidden = {"hidden": True} if wifi.hidden else {}
    if wifi.security == "mixed":  # netplan's short form: WPA2 and WPA3
        return {"password": wifi.password} | hidden
    management = {"wpa2": "psk", "wpa3": "sae"}[wifi.security]
    return {"auth": {"key-management": management, "password": wifi.password}} | hidden


def _yaml(said: dict[str, Any]) -> str:
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"
