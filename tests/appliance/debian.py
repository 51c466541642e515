"""Debian trees: bootstrapped with mmdebstrap, entered with chroot in a mount namespace that leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.appliance.architectures import BUILDER, chosen

SUITE: Final = "trixie"
_DEFAULT_MIRROR: Final = "http://deb.debian.org/debian"
_LEAN: Final = ("man", "doc", "locale", "info", "icons", "fonts")
_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
# The guest has no screen: without these the tree is a third smaller.
_UNUSED: Final = ("libLLVM*", "libgallium*", "libz3.*")
_ENTER: Final = """
set -eu; tree=$1; shift
mount -t proc proc "$tree/proc"; mount --rbind /sys "$tree/sys"; mount --rbind /dev "$tree/dev"
cp /etc/resolv.conf "$tree/etc/resolv.conf"
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then mkdir -p "$tree$2"; else mkdir -p "$tree${2%/*}"; [ -e "$tree$2" ] || : >"$tree$2"; fi
    mount --bind "$1" "$tree$2"; shift 2
done
shift; exec chroot "$tree" "$@"
"""


def mirror() -> str:
    """Where this machine's own apt gets Debian from, else Debian's usual address."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return found[0].rstrip("/") if found else _DEFAULT_MIRROR


def bootstrap(tree: Path, packages: list[str], *, arch: str, also: tuple[str, ...] = ()) -> None:
    """Fill ``tree`` with a minimal Debian and ``packages`` (``name/trixie-backports`` takes one from there).

    Packages can be of the architectures in ``also`` too (``name:arm64``). A tree that is not for this machine is only
    unpacked, as its packages' scripts do not run here; ``recipes/settle.sh`` stands in for them.
    """
    variant = "minbase" if arch == BUILDER else "extract"
    essential = [] if arch == BUILDER else ["--include=?essential"]
    leaves_out = [f"/usr/share/{name}/*" for name in _LEAN] + [f"/usr/lib/*/{name}" for name in _UNUSED]
    command: list[str | Path] = ["mmdebstrap", "--quiet", f"--arch={','.join((arch, *also))}"]
    command += [f"--variant={variant}", "--format=directory"]
    command += ['--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"']
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in leaves_out]
    command += [*essential, f"--include={','.join(packages)}", SUITE, tree]
    command += [f"deb {mirror()} {suite} main" for suite in (SUITE, f"{SUITE}-backports")]
    politely(command)


def run_in(tree: Path, command: list[str], *, binds: Mapping[Path, str]) -> None:
    """Run ``command`` inside ``tree``, with ``binds`` (outside to inside) mounted. Nothing stays mounted afterwards.

    This machine's certificates come along, for those who reach the package index through a proxy of their own; so do
    the words that make its tools compile for another machine.
    """
    mounts = [str(word) for bind in binds.items() for word in bind]
    if _CERTIFICATES.exists():
        mounts += [str(_CERTIFICATES)] * 2
    keep = {name: os.environ[name] for name in ("PIP_INDEX_URL", "http_proxy", "https_proxy") if name in os.environ}
    enter: list[str | Path] = ["unshare", "--mount", "--propagation=private", "sh", "-c", _ENTER, "enter", tree]
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    politely([*enter, *mounts, "--", *command], env={**path, **keep, **chosen().tools})


def politely(command: list[str | Path], *, env: Mapping[str, str] | None = None) -> None:
    """Run a heavy command behind everybody else on this machine; what it says is shown only when it fails."""
    nice: list[str | Path] = ["nice", "-n", "15", "ionice", "-c3"]
    done = subprocess.run([*nice, *command], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        said = done.stdout.decode(errors="replace")[-4000:]
        raise RuntimeError(f"{said}\nthis did not work ({done.returncode}): {command[0]} … {command[-1]}")
