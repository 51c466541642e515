"""The units: what systemd makes of them, and the exact set of what each process may not do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parent.parent / "systemd"
SERVICES = sorted(SYSTEMD.glob("*.service"))
WORST_EXPOSURE = 1.5
# What root has to do itself: to read and to give back other users' files, and to be let through to capture's socket.
OF_ROOT = {
    "sotto-apply.service": "CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER",
    "sotto-settle.service": "CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER",
}


def settings(unit: Path) -> dict[str, list[str]]:
    """Every setting of a unit's [Service], in order; systemd allows a name to stand several times."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_exposed_that_need_not_be(unit: Path) -> None:
    run = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", run.stdout)
    assert level, run.stderr
    assert float(level[1]) <= WORST_EXPOSURE, run.stdout


def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    others = (one for kind in ("socket", "timer", "path") for one in SYSTEMD.glob(f"*.{kind}"))
    for unit in (*SERVICES, *others, SYSTEMD / "sotto.target"):
        # The programs are not installed here; everything else is as it is shipped.
        text = re.sub(r"(Exec(?:Start(?:Pre)?|Reload))=/\S+", r"\1=/bin/true", unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(text)
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in run.stderr.splitlines() if "sotto" in line]
    assert complaints == [], run.stderr


def test_the_process_that_opens_devices_has_no_network() -> None:
    capture = settings(SYSTEMD / "sotto-capture.service")
    assert capture["PrivateNetwork"] == ["yes"]
    assert capture["RestrictAddressFamilies"] == ["AF_UNIX"]


def test_the_process_with_a_network_has_no_devices() -> None:
    web = settings(SYSTEMD / "sotto-web.service")
    assert web["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in web
    assert web["ReadOnlyPaths"] == ["/var/lib/sotto"]


def test_the_page_and_nginx_each_have_no_device_and_neither_the_key_nor_the_secrets_of_others() -> None:
    nginx = settings(SYSTEMD / "sotto-nginx.service")
    assert nginx["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in nginx
    assert nginx["ReadOnlyPaths"] == ["/var/lib/sotto"]
    assert nginx["SupplementaryGroups"] == ["sotto-nginx"]  # for which alone the certificate's key is readable
    hidden = nginx["InaccessiblePaths"][0].split()
    assert hidden == ["-/run/sotto", "-/var/lib/sotto/device.key", "-/var/lib/sotto-web", "-/var/lib/sotto-sync"]
    assert nginx["SupplementaryGroups"] == ["sotto-nginx"]
    web = settings(SYSTEMD / "sotto-web.service")
    assert web["InaccessiblePaths"] == ["-/var/lib/sotto/device.key -/etc/sotto/tls/page.key"]
    assert "SupplementaryGroups" not in web


def test_the_page_sees_which_boot_this_is() -> None:
    """With the processes alone in /proc every therapist's first page was a mistake of its own, on real boxes only."""
    web = settings(SYSTEMD / "sotto-web.service")
    assert "ProcSubset" not in web
    assert (web["ProtectProc"], web["ProtectKernelTunables"]) == (["invisible"], ["yes"])


def test_what_looks_after_the_certificate_may_do_no_more_than_nginx_and_has_no_network() -> None:
    nginx, again = (settings(SYSTEMD / f"sotto-{name}.service") for name in ("nginx", "certificate"))
    wider = {"RestrictAddressFamilies", "ReadWritePaths", "PrivateNetwork"}
    own = {"Type", "ExecStart", "TimeoutStartSec"} | wider
    assert {name: value for name, value in again.items() if name not in own and nginx.get(name) != value} == {}
    assert (again["PrivateNetwork"], again["RestrictAddressFamilies"]) == (["yes"], ["none"])
    assert again["ReadWritePaths"] == [f"-/run/{nginx['RuntimeDirectory'][0]}"]
    assert again["ExecStart"] == [f"{nginx['ExecStartPre'][0]} --again"]
    assert nginx["ExecReload"][0] == nginx["ExecStartPre"][0]  # a reload shows what is the right one then
    text = (SYSTEMD / "sotto-certificate.timer").read_text(encoding="utf-8")
    assert "OnCalendar=hourly\n" in text
    assert "OnClockChange=yes\n" in text


def test_nothing_of_a_box_listens_but_nginx_and_that_on_443_alone() -> None:
    sockets = list(SYSTEMD.glob("*.socket"))
    assert [path.name for path in sockets] == ["sotto-nginx.socket"]
    listens = re.findall(r"^Listen\w+=(.*)$", sockets[0].read_text(encoding="utf-8"), re.MULTILINE)
    assert listens == ["443"]
    nginx = settings(SYSTEMD / "sotto-nginx.service")
    assert nginx["Environment"] == ["NGINX=3;"]  # the first that systemd hands over (sd_listen_fds(3))
    run = nginx["RuntimeDirectory"][0]
    assert nginx["ExecStartPre"][0].endswith(f" --output /run/{run}/nginx.conf")
    assert nginx["ExecStart"][0].endswith(f" -c /run/{run}/nginx.conf")
    web = settings(SYSTEMD / "sotto-web.service")
    assert web["IPAddressDeny"] == ["any"]
    assert web["IPAddressAllow"] == ["localhost"]


def test_sync_has_no_device_no_key_and_nothing_of_the_store_to_write_and_goes_behind_everything_else() -> None:
    sync = settings(SYSTEMD / "sotto-sync.service")
    assert sync["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in sync
    assert sync["ReadOnlyPaths"] == ["/var/lib/sotto"]
    assert sync["InaccessiblePaths"] == ["-/var/lib/sotto/device.key"]
    assert int(sync["Nice"][0]) > int(settings(SYSTEMD / "sotto-web.service")["Nice"][0])
    assert sync["IOSchedulingClass"] == ["idle"]
    assert sync["WatchdogSec"]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_no_unit_swaps_dumps_or_has_capabilities(unit: Path) -> None:
    said = settings(unit)
    for name, value in {
        "LimitCORE": "0",
        "MemorySwapMax": "0",
        "CapabilityBoundingSet": OF_ROOT.get(unit.name, ""),
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
    }.items():
        assert said[name] == [value], name


@pytest.mark.parametrize("unit", OF_ROOT)
def test_who_changes_the_box_as_root_has_no_network_no_device_and_no_key(unit: str) -> None:
    said = settings(SYSTEMD / unit)
    assert said["PrivateNetwork"] == said["PrivateDevices"] == ["yes"]
    assert said["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert said["ReadWritePaths"] == [
        "/etc/sotto /var/lib/sotto-apply -/var/lib/sotto-web/orders -/var/lib/sotto-versions -/run/sotto-versions"
    ]
    assert said["InaccessiblePaths"] == ["-/var/lib/sotto/device.key -/etc/sotto/tls/page.key"]


def test_each_process_has_a_user_of_its_own() -> None:
    helpers = {"sotto-certificate.service", *OF_ROOT}  # nginx's own: it tells the nginx of the same user
    users = [settings(unit)["User"][0] for unit in SERVICES if unit.name not in helpers]
    made = re.findall(r"^u (\S+) ", (SYSTEMD / "sysusers.d/sotto.conf").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(users) == sorted(set(users)) == sorted(made)
