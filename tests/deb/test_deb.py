"""The package, in a real Debian trixie: what it lays down, what it leaves alone, and what a purge leaves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.deb.conftest import built
from tests.deb.trees import Machine

# All that the package has outside /opt/sotto: a new file is a line here.
LAID_DOWN = {
    "etc/apt/apt.conf.d/60sotto",
    "etc/chrony/conf.d/60-sotto.conf",
    "etc/rpi/swap.conf.d/60-sotto.conf",
    "etc/ssh/sshd_config.d/60-sotto.conf",
    "etc/systemd/system-generators/systemd-ssh-generator -> /dev/null",
    "etc/systemd/system/bluetooth.service -> /dev/null",
    "etc/systemd/system/ctrl-alt-del.target -> /dev/null",
    "etc/systemd/system/rpi-eeprom-update.service -> /dev/null",
    "etc/systemd/system/swap.target -> /dev/null",
    "etc/systemd/system/unattended-upgrades.service -> /dev/null",
    "usr/bin/sotto -> ../../opt/sotto/bin/sotto",
    "usr/lib/modules-load.d/sotto.conf",
    "usr/lib/sotto/avahi-daemon.conf",
    "usr/lib/sotto/back",
    "usr/lib/sotto/data-partition",
    "usr/lib/sotto/firewall.nft",
    "usr/lib/sotto/frame",
    "usr/lib/sotto/half-installed",
    "usr/lib/sotto/kept",
    "usr/lib/sotto/own-version",
    "usr/lib/sotto/read-only-root",
    "usr/lib/sotto/restart-at-night",
    "usr/lib/sotto/room-is-free",
    "usr/lib/sotto/upgrades",
    "usr/lib/sotto/usb-device",
    "usr/lib/sotto/writable-root",
    "usr/lib/sysctl.d/60-sotto.conf",
    "usr/lib/systemd/coredump.conf.d/60-sotto.conf",
    "usr/lib/systemd/journald.conf.d/zz-sotto.conf",
    "usr/lib/systemd/journald@sotto.conf.d/60-sotto.conf",
    "usr/lib/systemd/system.conf.d/60-sotto.conf",
    "usr/lib/systemd/system/avahi-daemon.service.d/60-sotto.conf",
    "usr/lib/systemd/system/dpkg-db-backup.service.d/60-sotto.conf",
    "usr/lib/systemd/system/e2scrub_all.service.d/60-sotto.conf",
    "usr/lib/systemd/system/logrotate.service.d/60-sotto.conf",
    "usr/lib/systemd/system/man-db.service.d/60-sotto.conf",
    "usr/lib/systemd/system/nginx.service.d/60-sotto.conf",
    "usr/lib/systemd/system/opt-sotto.mount",
    "usr/lib/systemd/system/sotto-.service.d/60-journal.conf",
    "usr/lib/systemd/system/sotto-announce.service",
    "usr/lib/systemd/system/sotto-apply.path",
    "usr/lib/systemd/system/sotto-apply.service",
    "usr/lib/systemd/system/sotto-capture.service",
    "usr/lib/systemd/system/sotto-certificate.service",
    "usr/lib/systemd/system/sotto-certificate.timer",
    "usr/lib/systemd/system/sotto-clock.service",
    "usr/lib/systemd/system/sotto-firewall.service",
    "usr/lib/systemd/system/sotto-firewall.service.d/60-journal.conf",
    "usr/lib/systemd/system/sotto-nginx.service",
    "usr/lib/systemd/system/sotto-nginx.socket",
    "usr/lib/systemd/system/sotto-own-version.service",
    "usr/lib/systemd/system/sotto-packages.service",
    "usr/lib/systemd/system/sotto-settle.service",
    "usr/lib/systemd/system/sotto-sync.service",
    "usr/lib/systemd/system/sotto-update.service",
    "usr/lib/systemd/system/sotto-update.timer",
    "usr/lib/systemd/system/sotto-upgrades.service",
    "usr/lib/systemd/system/sotto-upgrades.timer",
    "usr/lib/systemd/system/sotto-web.service",
    "usr/lib/systemd/system/sotto.target",
    "usr/lib/systemd/system/ssh.service.d/60-sotto.conf",
    "usr/lib/systemd/system/ssh.socket.d/60-sotto.conf",
    "usr/lib/sysusers.d/sotto.conf",
    "usr/lib/tmpfiles.d/sotto-box.conf",
    "usr/lib/tmpfiles.d/sotto-versions.conf",
    "usr/lib/tmpfiles.d/sotto.conf",
    "usr/lib/udev/rules.d/60-sotto.rules",
    "usr/lib/udev/rules.d/70-sotto-usb.rules",
    "usr/share/doc/sotto/copyright",
    "usr/share/doc/sotto/third-party.md",
}
RUNS = {"opt/sotto/bin/sotto", "opt/sotto/bin/sotto-clinic"}
# What is made when it is installed: owner, group and mode.
MADE = {
    "/etc/sotto": "root:root 755",
    "/etc/sotto/tls": "root:root 755",
    "/var/lib/sotto": "sotto-capture:sotto 750",
    "/var/lib/sotto/store": "sotto-capture:sotto 750",
    "/var/lib/sotto-apply": "root:root 755",
    "/var/lib/sotto-versions": "root:root 755",
}


def test_the_same_checkout_gives_the_same_package(package: Path, tmp_path: Path) -> None:
    assert built(tmp_path).read_bytes() == package.read_bytes()


def test_it_lays_down_exactly_what_is_listed_all_of_it_roots_and_nobody_elses_to_write(package: Path) -> None:
    said = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
    rows = [re.fullmatch(r"(\S+) (\S+) +\d+ \S+ \S+ \./(.*)", line) for line in said.splitlines()]
    files = {row[3]: row for row in rows if row and not row[1].startswith("d")}
    assert {row[2] for row in rows if row} == {"root/root"}
    assert {name for name in files if not name.startswith("opt/sotto/")} == LAID_DOWN
    modes = {row[1] for name, row in files.items() if name not in RUNS}
    assert modes == {"-rw-r--r--", "lrwxrwxrwx"}
    assert {files[name][1] for name in RUNS} == {"-rwxr-xr-x"}


def test_it_is_installed_without_a_network_and_leaves_what_it_made_to_the_right_users(installed: Machine) -> None:
    assert {path: installed.mode(path) for path in MADE} == MADE
    users = re.findall(r"^(sotto-\S+?):", installed.does("getent", "passwd"), re.MULTILINE)
    assert sorted(users) == ["sotto-capture", "sotto-nginx", "sotto-sync", "sotto-web"]
    assert installed.does("dpkg", "--verify", "sotto") == ""


def test_systemd_understands_all_of_it_and_starts_what_it_should(installed: Machine) -> None:
    units = installed.does(
        "sh", "-c", "ls -d /usr/lib/systemd/system/sotto*.service /usr/lib/systemd/system/sotto*.socket"
    )
    # All that starts with the machine, too: what waits for itself shows only in company.
    whole = [*units.split(), "/usr/lib/systemd/system/sotto.target", "default.target"]
    # Where sotto-update.service itself binds the version that it runs from.
    bound = "mkdir -p /run/sotto-versions && ln -s /opt/sotto /run/sotto-versions/from"
    done = installed.tries("sh", "-c", f"{bound} && systemd-analyze verify --man=no {' '.join(whole)}")
    assert [line for line in done.stdout.splitlines() if "sotto" in line or "cycle" in line] == []
    states = {
        unit: installed.tries("systemctl", "is-enabled", unit).stdout.strip()
        for unit in (
            "sotto.target",
            "sotto-firewall.service",
            "sotto-announce.service",
            "sotto-clock.service",
            "sotto-packages.service",
            "sotto-upgrades.timer",
            "sotto-nginx.socket",
            "swap.target",
            "bluetooth.service",
            "unattended-upgrades.service",
        )
    }
    assert states == {
        "sotto.target": "enabled",
        "sotto-firewall.service": "enabled",
        "sotto-announce.service": "enabled",
        "sotto-clock.service": "enabled",
        "sotto-packages.service": "enabled",
        "sotto-upgrades.timer": "enabled",
        "sotto-nginx.socket": "disabled",  # the admin's, once there is a certificate
        "swap.target": "masked",
        "bluetooth.service": "masked",
        "unattended-upgrades.service": "masked",  # which waits for the machine to be switched off
    }


def test_everything_it_stands_on_is_there_and_is_its_own(installed: Machine) -> None:
    wanted = (
        "alsaaudio av argon2 cryptography flask gpiod gpiozero lgpio msgspec segno systemd.journal waitress webauthn"
    )
    said = installed.does(
        "/opt/sotto/bin/python",  # without -W error: a warning of Python's makes lgpio crash
        "-c",
        f"import importlib, sys\nfor name in {wanted.split()!r}: print(name, importlib.import_module(name).__file__)",
    )
    elsewhere = {row.split()[0] for row in said.splitlines() if "/opt/sotto/" not in row}
    assert elsewhere == {"systemd.journal"}  # Debian's
    assert "usage: sotto" in installed.does("sotto", "--help")
    assert "usage: sotto-clinic" in installed.does("/opt/sotto/bin/sotto-clinic", "--help")


def test_the_sound_goes_the_compiled_way(installed: Machine) -> None:
    """It would go by Python as well, at several times the cost, and nobody would notice."""
    asked = "from device.capture import native; print(native.way(), native.LIBRARY)"
    library = "/opt/sotto/lib/python3.13/site-packages/device/capture/libnative.so"
    assert installed.does("/opt/sotto/bin/python", "-c", asked).split() == ["compiled", library]


def test_the_kernel_is_told_what_it_should_be_told(installed: Machine) -> None:
    said = installed.does("/usr/lib/systemd/systemd-sysctl", "--cat-config")
    for wanted in (
        "net.ipv4.tcp_congestion_control = bbr",
        "net.core.default_qdisc = fq",
        "kernel.core_pattern = |/bin/false",
    ):
        assert wanted in said
    # What comes last counts.
    assert re.findall(r"^kernel\.core_pattern *= *(.*)$", said, re.MULTILINE)[-1] == "|/bin/false"
    assert "Storage=volatile" in installed.does("systemd-analyze", "cat-config", "systemd/journald.conf")


def test_udev_understands_all_of_it(installed: Machine) -> None:
    rules = "/usr/lib/udev/rules.d/60-sotto.rules", "/usr/lib/udev/rules.d/70-sotto-usb.rules"
    assert "Success: 2" in installed.does("udevadm", "verify", *rules)


def test_the_updates_it_takes_are_those_for_security_and_never_the_kernel(installed: Machine) -> None:
    said = installed.does("apt-config", "dump", "--format", "%f=%v%n")
    rows = [row.partition("=") for row in said.splitlines()]

    def all_of(name: str) -> set[str]:
        return {value for key, _, value in rows if key in {name, f"{name}::"} and value}

    assert all_of("Unattended-Upgrade::Origins-Pattern") == {
        "origin=Debian,codename=${distro_codename}-security,label=Debian-Security",
        "origin=Raspberry Pi Foundation,codename=${distro_codename},label=Raspberry Pi Foundation",
    }
    assert all_of("Unattended-Upgrade::Allowed-Origins") == set()
    assert {"^linux-", "^firmware-", "^raspi-firmware"} <= all_of("Unattended-Upgrade::Package-Blacklist")
    assert all_of("APT::Periodic::Enable") == {"0"}  # Debian's own timers come at any hour
    assert all_of("Unattended-Upgrade::Automatic-Reboot") == {"false"}


def test_ssh_that_was_asked_for_takes_keys_and_nothing_else(own: Machine) -> None:
    own.does("ssh-keygen", "-A")
    own.does("mkdir", "-p", "/run/sshd")
    said = own.does("sh", "-c", "mkdir -p /run/sshd && sshd -T").splitlines()
    for wanted in ("passwordauthentication no", "kbdinteractiveauthentication no", "permitrootlogin no"):
        assert wanted in said


def test_it_is_not_replaced_while_a_session_is_under_way(own: Machine, package: Path) -> None:
    def upgrade(state: str) -> subprocess.CompletedProcess[str]:
        status = f'{{"state":"{state}","since_us":1}}'
        script = f"mkdir -p /run/sotto; cat >/run/sotto/status.json; dpkg --install /srv/{package.name}"
        return own.tries("sh", "-c", script, stdin=status)

    for state in ("armed", "choosing", "framing", "recording", "troubled", "sealing", "withdrawn"):
        refused = upgrade(state)
        assert refused.returncode != 0
        assert "error: a session is under way here" in refused.stdout
    assert own.does("dpkg-query", "--show", "--showformat=${Status}", "sotto") == "install ok installed"
    assert own.does("dpkg", "--verify", "sotto") == ""
    assert upgrade("idle").returncode == 0


def test_a_room_counts_as_free_again_when_it_has_been_quiet_for_a_while(own: Machine) -> None:
    own.does("install", "-d", "-o", "sotto-capture", "-g", "sotto", "/var/lib/sotto/store/000001-abc")
    free = 'mkdir -p /run/sotto; echo \'{"state":"idle"}\' >/run/sotto/status.json; sh /usr/lib/sotto/room-is-free'
    assert own.tries("sh", "-c", free).returncode == 0
    refused = own.tries("sh", "-c", f"{free} --quiet")
    assert refused.returncode == 1
    assert "hint: try again when the room is free" in refused.stdout
    own.does("sh", "-c", "find /var/lib/sotto/store -exec touch -d '16 minutes ago' {} +")
    assert own.tries("sh", "-c", f"{free} --quiet").returncode == 0


def test_a_purge_leaves_the_recordings_and_nothing_else(own: Machine) -> None:
    own.does("install", "-d", "-o", "sotto-capture", "-g", "sotto", "/var/lib/sotto/store/000001-abc")
    own.does(
        "sh", "-c", "echo sealed >/var/lib/sotto/store/000001-abc/session.mp4.age; echo key >/var/lib/sotto/device.key"
    )
    own.does("sh", "-c", "mkdir -p /var/lib/sotto-web /var/lib/sotto-sync; echo secret >/etc/sotto/remote.key")
    own.does("apt-get", "purge", "--yes", "sotto")
    left = own.does(
        "sh", "-c", "find / -xdev -iname '*sotto*' -not -path '/srv/*' -not -path '/var/cache/*' | sort"
    ).split()
    assert [path for path in left if not path.startswith("/var/lib/dpkg")] == ["/var/lib/sotto"]
    files = own.does("find", "/var/lib/sotto", "-type", "f").split()
    assert sorted(files) == ["/var/lib/sotto/device.key", "/var/lib/sotto/store/000001-abc/session.mp4.age"]
    assert own.mode("/var/lib/sotto/store/000001-abc") == "sotto-capture:sotto 755"
