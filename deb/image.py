"""Makes an update's image of a package: ``make update`` (as root; ARCH=arm64 for a Raspberry Pi).

    dist/sotto_<version>_<arch>.squashfs     what the package has in /opt/sotto, compiled, read-only
         sotto_<version>_<arch>.json         what it says of itself: goes beside it into the order

The same package gives the same image, byte for byte: Python compiles and mksquashfs packs in a Debian made for that,
and times are those of the package. ``sotto-clinic update make`` signs it (docs/updates.md).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from deb.build import CACHE, PYTHON, ROOT, run

DEBIAN: Final = "13"
FRAME: Final = "usr/lib/sotto/frame"
_TOOLS: Final = "python3,squashfs-tools"
# What Python compiled has no time in it, and it never looks at the sources again.
_COMPILE: Final = ("python3", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash")
# gzip, by itself: every kernel with squashfs knows it. One processor: how many there are might show in the bytes.
_PACK: Final = ("-noappend", "-all-root", "-no-xattrs", "-quiet", "-no-progress", "-processors", "1")
_QUICK: Final = ("-noI", "-noD", "-noF")


def main() -> None:
    """Make it, and say where it is."""
    words = argparse.ArgumentParser(description="Makes an update's image of a package.")
    words.add_argument("package", type=Path, help="dist/sotto_<version>_<arch>.deb, from `make deb`")
    words.add_argument("--out", type=Path, default=ROOT / "dist")
    asked = words.parse_args()
    sys.stdout.write(f"{image_of(asked.package, out=asked.out)}\n")


def image_of(package: Path, *, out: Path) -> Path:
    """The image of a package, with its facts beside it."""
    with tempfile.TemporaryDirectory(prefix="sotto-image-") as folder:
        run("dpkg-deb", "-x", package, folder)
        return packed(Path(folder), *(field(package, name) for name in ("Version", "Architecture")), out=out)


def packed(tree: Path, version: str, machine: str, *, out: Path, is_quick: bool = False) -> Path:
    """The image of a package's tree, with its facts beside it. Quick: for tests, neither compiled nor compressed."""
    target = out / f"sotto_{version}_{machine}.squashfs"
    out.mkdir(parents=True, exist_ok=True)
    when_s = str(int((tree / "opt/sotto").stat().st_mtime))
    with tempfile.TemporaryDirectory(prefix="image-", dir=CACHE) as folder:
        debian = Path(folder) / "debian"
        run("cp", "-a", "--reflink=auto", tools(), debian)
        (debian / "opt").mkdir()
        run("cp", "-a", tree / "opt/sotto", debian / "opt")
        if not is_quick:
            inside(debian, *_COMPILE, "/opt/sotto/lib")
        pack = (*_PACK, *(_QUICK if is_quick else ()), "-mkfs-time", when_s, "-all-time", when_s)
        inside(debian, "mksquashfs", "/opt/sotto", "/image", *pack)
        shutil.copyfile(debian / "image", target)
    facts = {
        "sotto_update": 1,
        "version": version,
        "machine": machine,
        "python": PYTHON,
        "debian": DEBIAN,
        "frame": int((tree / FRAME).read_text()),
    }
    target.with_suffix(".json").write_text(json.dumps(facts) + "\n")
    return target


def field(package: Path, name: str) -> str:
    """What a package says of itself."""
    done = subprocess.run(["dpkg-deb", "--field", package, name], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def tools() -> Path:
    """A Debian with the box's Python, and with mksquashfs: unpacked once, and nothing of it set up."""
    tree = CACHE / f"image-tools-{_TOOLS.replace(',', '-')}"
    if not tree.exists():
        fresh = tree.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        words = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
        found = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
        words = ["nice", "-n", "15", "mmdebstrap", "--quiet", "--variant=extract", f"--include={_TOOLS}"]
        words += ['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"']
        run(*words, "trixie", fresh, f"deb {found[0] if found else 'http://deb.debian.org/debian'} trixie main")
        for name in ("lib", "lib64"):  # where programs look for their loader
            (fresh / name).symlink_to(f"usr/{name}")
        fresh.rename(tree)
    return tree


def inside(tree: Path, *words: str) -> None:
    """Run a program in a Debian, with nothing of this machine's but its kernel; sets have one order there."""
    clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "PYTHONHASHSEED=0"]
    run("nice", "-n", "15", "unshare", "--net", *clean, "chroot", tree, *words)


if __name__ == "__main__":
    os.umask(0o022)
    main()
