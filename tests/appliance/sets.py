"""What a box from a card is inside, as exact sets (docs/machine.md); ``look_around.py`` gives them in the same words.

Whatever is new in one of them is taken away from the box, or written down here with why it is there. Of the emulator's
making are the tests' hands (``appliance-``), a console, a processor's name, and units masked to save its time.
"""

from __future__ import annotations

from typing import Final

from tests.appliance.build import RECIPES, ROOT, words_of
from tests.appliance.stock import BOOT_FILES
from tests.appliance.vm import KERNEL_LINE

_DATA: Final = "/var/lib/sotto-data"
_KEPT: Final = [f"/{kept}" for kept in words_of(ROOT / "deb/box/usr/lib/sotto/kept")]
_FAT: Final = "codepage=437,dmask=0022,errors=remount-ro,fmask=0022,iocharset=ascii,relatime,ro,shortname=mixed,utf8"
_CREDENTIALS: Final = "inode64,mode=700,nodev,noexec,nosuid,noswap,nosymfollow,relatime,ro"

SETS: Final[dict[str, set[str]]] = {
    "listening": {
        "tcp * 443 nginx+systemd",
        "udp * 5353 avahi-daemon",
        "udp 0.0.0.0 5353 avahi-daemon",
        "p_dgr [2054] eth0 NetworkManager",  # ARP: whether somebody else has the box's address
    },
    "enabled": {
        "appliance-agent.service",
        "appliance-hardware.service",
        "avahi-daemon.service",
        "avahi-daemon.socket",
        "chrony.service",
        # Switched off for good by a file, which no list shows: none of it runs, below.
        *("cloud-config.service", "cloud-final.service", "cloud-init-hotplugd.socket"),
        *("cloud-init-local.service", "cloud-init-main.service", "cloud-init-network.service"),
        "getty@.service",  # wanted by getty.target, which is masked
        "netplan-ovs-cleanup.service",  # only where there is Open vSwitch
        "NetworkManager-dispatcher.service",
        "NetworkManager-wait-online.service",
        "NetworkManager.service",
        "nginx.service",  # Debian's own; only with /etc/sotto/nginx
        "remote-fs.target",  # of nothing
        "sotto-announce.service",
        "sotto-clock.service",
        "sotto-firewall.service",
        "sotto-nginx.service",
        "sotto-nginx.socket",
        "sotto-packages.service",
        "sotto-update.timer",
        "sotto-upgrades.timer",
        "sotto.target",
        "sshd-keygen.service",  # wanted by SSH alone, which is not enabled
        "systemd-fsck-root.service",
        "systemd-remount-fs.service",
        "udisks2.service",  # of a desktop's target, which is not reached
        "wpa_supplicant.service",
    },
    "masked": {
        *(line.split()[0] for line in words_of(RECIPES / "stock-masked-units.txt")),
        # Debian's own, which have nothing to do.
        *("alsa-utils.service", "cryptdisks-early.service", "cryptdisks.service", "hwclock.service"),
        *("sudo.service", "x11-common.service"),
        *("bluetooth.service", "dbus-org.bluez.service"),  # a way in for keyboards, with no firewall before it
        "ctrl-alt-del.target",
        "getty.target",  # nobody has a password that could be typed
        "rpi-eeprom-update.service",  # boot loaders go with a new card
        "swap.target",
        "unattended-upgrades.service",  # which waits for the machine to be switched off
        "userconfig.service",  # Raspberry Pi OS's question for a first user
    },
    "running": {
        "appliance-agent.service",
        "avahi-daemon.service",
        "chrony.service",
        "dbus.service",
        "NetworkManager.service",
        "sotto-capture.service",
        "sotto-clock.service",  # until a time server was heard, of which there is none here
        "sotto-nginx.service",
        "sotto-sync.service",
        "sotto-web.service",
        "systemd-journald.service",
        "systemd-journald@sotto.service",
        "systemd-logind.service",
        "systemd-udevd.service",
        "wpa_supplicant.service",  # for wireless networks, if one was named
    },
    "waiting": {
        "avahi-daemon.socket",
        "dbus.socket",
        "sotto-apply.path",
        "sotto-certificate.timer",
        "sotto-nginx.socket",  # of all of these the only one that a network reaches
        "sotto-update.timer",
        "sotto-upgrades.timer",
        "systemd-ask-password-console.path",
        "systemd-ask-password-wall.path",
        "systemd-creds.socket",
        "systemd-hostnamed.socket",
        "systemd-initctl.socket",
        "systemd-journald-dev-log.socket",
        "systemd-journald-varlink@sotto.socket",
        "systemd-journald.socket",
        "systemd-journald@sotto.socket",
        "systemd-sysext.socket",
        "systemd-tmpfiles-clean.timer",
        "systemd-udevd-control.socket",
        "systemd-udevd-kernel.socket",
    },
    "failed": set(),
    "mounts": {
        "/ ext4 noatime,ro",
        f"/boot/firmware vfat {_FAT}",
        *(f"{place} ext4 errors=remount-ro,noatime,nodev,noexec,nosuid,rw" for place in (_DATA, *_KEPT)),
        # In memory.
        *(f"/{place} tmpfs inode64,nodev,nosuid,relatime,rw" for place in ("tmp", "var/tmp")),
        *(f"/{place} tmpfs inode64,nodev,nosuid,rw" for place in ("dev/shm",)),
        "/proc/cpuinfo tmpfs inode64,mode=755,nodev,nosuid,rw",  # the processor's name
        "/run tmpfs inode64,mode=755,nodev,nosuid,rw",
        f"/run/credentials/systemd-journald.service tmpfs {_CREDENTIALS}",
        "/run/lock tmpfs inode64,nodev,noexec,nosuid,relatime,rw",
        "/var/log tmpfs inode64,mode=755,nodev,noexec,nosuid,relatime,rw",
    },
    "users": {
        "root: shell",  # without a password
        *(f"sotto-{name}: ours" for name in ("capture", "nginx", "sync", "web")),
    },
    "sudoers": set(),
    "settings that do not stand": set(),
    # As firewall.nft has them, and in the words of the program that lists them.
    "rules": {
        "01 table inet sotto {",
        "02 chain input {",
        "03 type filter hook input priority filter; policy drop;",
        '04 iif "lo" accept',
        "05 ct state established,related accept",
        "06 ct state invalid drop",
        "07 icmp type echo-request limit rate 10/second burst 5 packets accept",
        "08 icmpv6 type echo-request limit rate 10/second burst 5 packets accept",
        "09 icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept",
        "10 udp sport 67 udp dport 68 accept",
        "11 ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
        "12 tcp dport 443 accept",
        "13 ip daddr 224.0.0.251 udp dport 5353 accept",
        "14 ip6 daddr ff02::fb udp dport 5353 accept",
        "15 ip daddr 224.0.0.0/4 meta l4proto igmp accept",
        "16 icmpv6 type mld-listener-query ip6 saddr fe80::/10 accept",
        "17 }",
        "18 chain forward {",
        "19 type filter hook forward priority filter; policy drop;",
        "20 }",
        "21 }",
    },
    "swap": set(),
    "cores": {"of services: 0", "of capture: 0", "go to: |/bin/false"},
    "journal": {
        "journald Storage=volatile",
        "journald RuntimeMaxUse=32M",
        "journald ForwardToSyslog=no",
        "/run/log/journal/*",
        "/var/log/journal/*",  # of the first start, before any of this was set
        "journald@sotto Storage=persistent",
        "journald@sotto SystemMaxUse=16M",
        "journald@sotto SystemMaxFileSize=2M",
        "journald@sotto RuntimeMaxUse=2M",
        "journald@sotto ForwardToSyslog=no",
        "/var/log/journal/*.sotto",
        "coredump Storage=none",
        "coredump ProcessSizeMax=0",
    },
    # Of what card.py plugs in.
    "usb": {
        *("1d6b:0002: 1-0:1.0 09 hub", "1d6b:0003: 2-0:1.0 09 hub"),  # the port's own
        "0409:55aa: 1-1:1.0 09 hub",
        *("46f4:0002: 1-3:1.0 01 snd-usb-audio", "46f4:0002: 1-3:1.1 01 snd-usb-audio"),
        "0627:0001: not used",  # a keyboard
        "46f4:0001: not used",  # a disk
    },
    "line": {
        *BOOT_FILES["cmdline.txt"].split(),
        *KERNEL_LINE.split(),
        "usbcore.authorized_default=0",
        "ds=nocloud;i=sotto-*",
    }
    - {"resize"},
    # Debian's. No service of Sotto's gets anything by them (NoNewPrivileges), and nobody else is here.
    "raised": {
        *(f"/usr/bin/{name} 4755" for name in ("chfn", "chsh", "gpasswd", "mount", "newgrp", "passwd", "su", "sudo")),
        *(f"/usr/bin/{name} 2755" for name in ("chage", "expiry", "ssh-agent")),
        "/usr/bin/umount 4755",
        "/usr/lib/dbus-1.0/dbus-daemon-launch-helper 4754",
        "/usr/lib/openssh/ssh-keysign 4755",
        "/usr/sbin/unix_chkpwd 2755",
    },
    "open to all": set(),
}
