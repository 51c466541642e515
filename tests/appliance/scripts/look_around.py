"""In the guest, as root: what is open, runs, is enabled and mounted, and who can sign in: sets of lines, as JSON."""

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

KERNELS = {"autofs", "bpf", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "fusectl", "mqueue", "proc"}
KERNELS |= {"pstore", "ramfs", "securityfs", "sysfs", "tracefs", "hugetlbfs", "binfmt_misc"}
DATA = "/var/lib/sotto-data"


def said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def sockets() -> list[str]:
    """Who listens where; a port that is another one each time is "any"."""
    found = set()
    for line in said("ss", "-Hlnptuw0").splitlines():
        kind, _, _, _, here, _, *who = line.split(maxsplit=6)
        address, _, port = here.rpartition(":")
        port = "any" if port.isdecimal() and int(port) >= 32768 else port
        programs = sorted(set(re.findall(r'"([^"]+)"', " ".join(who))))
        found.add(f"{kind} {address} {port} {'+'.join(programs)}")
    return sorted(found)


def unit_files(state: str) -> list[str]:
    rows = said("systemctl", "list-unit-files", f"--state={state}", "--plain", "--no-legend").splitlines()
    return sorted(row.split()[0] for row in rows)


def units(*words: str) -> list[str]:
    rows = said("systemctl", "list-units", *words, "--plain", "--no-legend").splitlines()
    return sorted(row.split()[0] for row in rows)


def mounts() -> list[str]:
    """Without how large those in memory may be, which depends on how much there is."""
    found = []
    for line in Path("/proc/mounts").read_text().splitlines():
        _, target, kind, options, *_ = line.split()
        kept = sorted(option for option in options.split(",") if not option.startswith(("size=", "nr_inodes=")))
        if kind not in KERNELS:
            found.append(f"{target} {kind} {','.join(kept)}")
    return sorted(found)


def users() -> list[str]:
    """Who is not only of Debian's own making, who has a shell, and who has a password, or an empty one."""
    rows = [line.split(":") for line in Path("/etc/passwd").read_text().splitlines()]
    shadow = [line.split(":") for line in Path("/etc/shadow").read_text().splitlines()]
    found = {f"{row[0]}: ours" for row in rows if row[0].startswith("sotto") or int(row[2]) in range(1000, 60000)}
    found |= {f"{row[0]}: shell" for row in rows if not row[6].endswith(("nologin", "false", "sync"))}
    found |= {f"{row[0]}: password" for row in shadow if row[1] and not row[1].startswith(("!", "*"))}
    return sorted(found | {f"{row[0]}: empty password" for row in shadow if not row[1]})


def sudoers() -> list[str]:
    """Who may do more than they are, beside what Debian's own file says."""
    lines = (line for file in Path("/etc/sudoers.d").glob("*") for line in file.read_text().splitlines())
    return sorted(line for line in lines if line and not line.startswith("#"))


def settings() -> list[str]:
    """What the kernel was asked for, and is not so."""
    found = []
    for file in sorted(Path("/usr/lib/sysctl.d").glob("*sotto*.conf")):
        for name, value in re.findall(r"^([a-z0-9_.]+) *= *(.*)$", file.read_text(), re.MULTILINE):
            now = Path("/proc/sys") / name.replace(".", "/")
            stands = now.read_text().strip() if now.exists() else "nothing"
            if stands != value.strip():
                found.append(f"{name}: {stands} instead of {value}")
    return found


def rules() -> list[str]:
    """All of the firewall, in its order."""
    lines = (line.strip() for line in said("nft", "list", "ruleset").splitlines())
    return [f"{number:02} {line}" for number, line in enumerate(filter(None, lines), 1)]


def entries(top: str) -> Iterator[os.DirEntry[str]]:
    """Everything on the file system that ``top`` is on."""
    waiting, device = [top], Path(top).stat().st_dev
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in found:
                yield entry
                if entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_dev == device:
                    waiting.append(entry.path)


def files() -> dict[str, list[str]]:
    """What runs with more rights than whoever starts it has, and what anybody may change."""
    raised, open_to_all = [], []
    for entry in (*entries("/"), *entries(DATA)):
        with suppress(FileNotFoundError):  # gone meanwhile
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISREG(mode) and (mode & 0o6000 or "security.capability" in os.listxattr(entry.path)):
                raised.append(f"{entry.path} {mode & 0o7777:o}")
            if mode & 0o002 and not stat.S_ISLNK(mode) and not mode & stat.S_ISVTX:
                open_to_all.append(entry.path)
    return {"raised": sorted(raised), "open to all": sorted(open_to_all)}


def usb() -> list[str]:
    """What is plugged in, and which parts of it have which driver."""
    found = []
    for device in Path("/sys/bus/usb/devices").glob("*"):
        if (device / "bDeviceClass").exists():
            name = ":".join((device / half).read_text().strip() for half in ("idVendor", "idProduct"))
            parts = sorted(device.glob(f"{device.name.replace('usb', '')}*:*"))
            found += [f"{name}: {part.name} {driver_of(part)}" for part in parts] or [f"{name}: not used"]
    return sorted(found)


def driver_of(part: Path) -> str:
    kind, driver = (part / "bInterfaceClass").read_text().strip(), part / "driver"
    return f"{kind} {driver.resolve().name if driver.exists() else 'without'}"


def cores() -> list[str]:
    """Of a core dump, where it would go, for all and for the one whose memory has plaintext."""
    main = said("systemctl", "show", "--property=MainPID", "--value", "sotto-capture.service").strip()
    (limit,) = re.findall(r"^Max core file size +(\S+)", Path(f"/proc/{main}/limits").read_text(), re.MULTILINE)
    limits = said("systemctl", "show", "--property=DefaultLimitCORE", "--value").strip()
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    return [f"of services: {limits}", f"of capture: {limit}", f"go to: {pattern}"]


def journal() -> list[str]:
    """What was set of both journals and of core dumps, the last word of each name; and where they lie."""
    found = []
    for name in ("journald", "journald@sotto", "coredump"):
        text = said("systemd-analyze", "cat-config", f"systemd/{name}.conf")
        last = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
        found += [f"{name} {key}={value}" for key, value in last.items()]
    tops = (Path("/run/log/journal"), Path("/var/log/journal"))
    found += [f"{top}/*{folder.suffix}" for top in tops if top.exists() for folder in top.iterdir()]
    return sorted(found)


def found() -> dict[str, list[str]]:
    return {
        "listening": sockets(),
        "enabled": unit_files("enabled,enabled-runtime"),
        "masked": unit_files("masked,masked-runtime"),
        "running": units("--type=service", "--state=running"),
        "waiting": units("--type=socket,timer,path", "--state=active"),
        "failed": units("--failed"),
        "mounts": mounts(),
        "users": users(),
        "sudoers": sudoers(),
        "settings that do not stand": settings(),
        "rules": rules(),
        "swap": Path("/proc/swaps").read_text().splitlines()[1:],
        "cores": cores(),
        "journal": journal(),
        "usb": usb(),
        "line": re.sub("i=sotto-[0-9a-f]+", "i=sotto-*", Path("/proc/cmdline").read_text()).split(),
        **files(),
    }


print(json.dumps(found()))
