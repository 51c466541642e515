"""A Debian trixie to install the package into: made once by mmdebstrap, copied for a test, entered without network."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CACHE: Final = ROOT / ".cache" / "deb"
# What a Debian machine or a Raspberry Pi has that the package needs not name, and what the tests look through.
_ALSO: Final = ("systemd-sysv", "dbus", "openssh-server", "iproute2", "cloud-init", "netplan.io", "python3-yaml")
# Each is Debian's; what they say is judged, never what their exit codes say.
_SCANNERS: Final = ("nmap", "testssl.sh", "iproute2")
_LEAN: Final = ("man", "doc", "locale", "info", "fonts")
# Devices of its own: nothing that runs in there can change a name in this machine's /dev.
_OWN_DEVICES: Final = """
mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
for name in null zero full random urandom tty; do
    : >"$tree/dev/$name"; mount --bind "/dev/$name" "$tree/dev/$name"
done
ln -s /proc/self/fd "$tree/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "$tree/dev/${number#*:}"; done
"""
_ENTER: Final = """
set -eu; tree=$1; shift
mount --rbind "$tree" "$tree"  # its root is one that is mounted, as on every machine
mount -t proc proc "$tree/proc"; mount -t tmpfs tmpfs "$tree/run"
DEVICES
exec chroot "$tree" "$@"
"""


def needed() -> list[str]:
    """What the package depends on, by Debian's names."""
    said = re.search(r"^Depends: (.*)$", (ROOT / "deb" / "control").read_text(), re.MULTILINE)
    assert said
    return [re.sub(r" \(.*\)", "", name) for name in said[1].split(", ")]


def trixie() -> Path:
    """The Debian that all tests begin with."""
    return _debian("trixie", [*dict.fromkeys(needed()), *_ALSO])


def scanner() -> Path:
    """A Debian of somebody who looks at a box over the network."""
    return _debian("scanner", _SCANNERS)


def _debian(name: str, names: Sequence[str]) -> Path:
    packages = ",".join(names)
    tree = CACHE / f"{name}-{hashlib.sha256(packages.encode()).hexdigest()[:16]}"
    if not tree.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = tree.with_suffix(".new")
        subprocess.run(["rm", "-rf", fresh], check=True)
        # A view of the mounts of its own: what it leaves mounted in the tree is gone with it, and never copied.
        words = ["nice", "-n", "15", "unshare", "--mount", "--propagation=private"]
        words += ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}"]
        words += ['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"']
        words += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEAN]
        subprocess.run([*words, "trixie", fresh, f"deb {mirror()} trixie main"], check=True)
        # What kept the tree lean is no business of the package's.
        (fresh / "etc/dpkg/dpkg.cfg.d/99mmdebstrap").unlink()
        fresh.rename(tree)
    return tree


def mirror() -> str:
    """Where this machine's own apt gets Debian from, else Debian's usual address."""
    words = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    found = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
    return found[0].rstrip("/") if found else "http://deb.debian.org/debian"


class Machine:
    """A Debian machine, as far as a folder can be one: what is started in it has no network and no systemd."""

    devices = _OWN_DEVICES
    """How what is started in it gets its devices: lines for a shell."""
    netns: str | None = None
    """The network that it is in; it has none otherwise."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree

    def tries(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        enter = _ENTER.replace("DEVICES", self.devices)
        alone = (
            ["unshare", "--mount", "--net"]
            if self.netns is None
            else ["ip", "netns", "exec", self.netns, "unshare", "--mount"]
        )
        inside = [*alone, "--propagation=private", "sh", "-c", enter, "enter", str(self.tree)]
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(
            [*inside, *words],
            check=False,
            env=path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            input=stdin,
        )

    def does(self, *words: str, stdin: str | None = None) -> str:
        """Run a program in it that has to succeed; what it said."""
        done = self.tries(*words, stdin=stdin)
        assert done.returncode == 0, f"{words}: {done.stdout}"
        return done.stdout

    def install(self, package: Path) -> str:
        """Bring a package in, without any repository."""
        shutil.copy(package, self.tree / "srv")
        return self.does("apt-get", "install", "--yes", "--no-install-recommends", f"/srv/{package.name}")

    def remove(self) -> None:
        """It is half a gigabyte."""
        subprocess.run(["rm", "-rf", "--one-file-system", self.tree], check=True)

    def mode(self, path: str) -> str:
        """Owner, group and mode of what is there."""
        return self.does("stat", "--format=%U:%G %a", path).strip()


def copied(tree: Path, folder: Path) -> Machine:
    """A machine of its own, as that one is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--one-file-system", "--reflink=auto", tree, folder], check=True)
    return Machine(folder)
