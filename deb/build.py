"""Builds the Debian package of a box: ``make deb`` (as root, to compile two parts; ARCH=arm64 for a Raspberry Pi).

    dist/sotto_<version>_<arch>.deb

Everything in it comes from this checkout and from wheels whose hashes are locked; nothing is fetched when it is
installed. The same checkout gives the same package, byte for byte: times are those of its last commit, or of
``SOURCE_DATE_EPOCH``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
CACHE: Final = ROOT / ".cache" / "deb"
# Debian's name of a machine, and Python's.
MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
PYTHON: Final = "3.13"  # trixie's
LIBC_MINORS: Final = range(41, 16, -1)  # trixie's glibc is 2.41, and runs what was built for all before it
SITE: Final = f"opt/sotto/lib/python{PYTHON}/site-packages"
# Where what lies in systemd/ goes.
UNITS: Final = {
    ".": "usr/lib/systemd/system",
    "sysusers.d": "usr/lib/sysusers.d",
    "tmpfiles.d": "usr/lib/tmpfiles.d",
    "udev": "usr/lib/udev/rules.d",
}
SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm")
COMMANDS: Final = {"sotto": "device.__main__", "sotto-clinic": "provisioning.__main__"}
# What pip notes about where and how it installed: true on this machine only.
PIPS_OWN: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def main() -> None:
    """Build it, and say where it is."""
    words = argparse.ArgumentParser(description="Builds the Debian package of a box.")
    words.add_argument("--arch", choices=MACHINES, default=os.environ.get("ARCH") or "amd64")
    words.add_argument("--out", type=Path, default=ROOT / "dist")
    asked = words.parse_args()
    os.environ["SOURCE_DATE_EPOCH"] = epoch = os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct")
    wheels = [*locked_wheels(asked.arch), *compiled_wheels(asked.arch)]
    with tempfile.TemporaryDirectory(prefix="sotto-deb-") as folder:
        tree = Path(folder) / "tree"
        fill(tree, wheels=[*wheels, own_wheel(Path(folder))], arch=asked.arch)
        settle(tree, when_s=int(epoch))
        sys.stdout.write(f"{packed(tree, arch=asked.arch, out=asked.out, when_s=int(epoch))}\n")


def locked_wheels(arch: str) -> list[Path]:
    """What a box runs on, as requirements.lock has it, for a box of that architecture."""
    lock = ROOT / "requirements.lock"
    folder = CACHE / f"locked-{arch}-{digest_of(lock)}"
    if not folder.exists():
        fresh = folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        pip("download", "--require-hashes", "--no-deps", *for_a_box(arch), "-r", lock, "-d", fresh)
        fresh.rename(folder)
    return sorted(folder.glob("*.whl"))


def compiled_wheels(arch: str) -> list[Path]:
    """What speaks to a box's hardware; some of it has to be compiled (``wheels``)."""
    recipes = [HERE / name for name in ("hardware.lock", "wheels", "wheels-inside")]
    folder = CACHE / f"hardware-{arch}-{digest_of(*recipes)}"
    if not folder.exists():
        fresh = folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        subprocess.run([HERE / "wheels", arch, fresh], check=True)
        fresh.rename(folder)
    # setuptools built the others, and is in the other lock already.
    return sorted(path for path in folder.glob("*.whl") if not path.name.startswith("setuptools-"))


def own_wheel(folder: Path) -> Path:
    """Sotto itself, of the files that git knows."""
    source = folder / "source"
    for name in git("ls-files", "device", "provisioning", "pyproject.toml", "README.md", "LICENSE").splitlines():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    return next(folder.glob("sotto-*.whl"))


def fill(tree: Path, *, wheels: list[Path], arch: str) -> None:
    """Put together what lies on a box."""
    site = tree / SITE
    pip("install", "--no-index", "--no-deps", "--no-compile", *for_a_box(arch), "--target", site, *wheels)
    shutil.rmtree(site / "bin", ignore_errors=True)  # begins with this machine's Python
    for name in PIPS_OWN:
        for file in site.glob(f"*.dist-info/{name}"):
            file.unlink()
    add_venv(tree / "opt/sotto")
    for file in sorted(path for path in (ROOT / "systemd").rglob("*") if path.is_file()):
        copied(file, tree / UNITS[str(file.parent.relative_to(ROOT / "systemd"))] / file.name)
    shutil.copytree(HERE / "box", tree, dirs_exist_ok=True)
    mask(tree)
    (tree / "usr/bin").mkdir()
    (tree / "usr/bin/sotto").symlink_to("../../opt/sotto/bin/sotto")
    copied(ROOT / "LICENSE", tree / "usr/share/doc/sotto/copyright")
    copied(ROOT / "docs/third-party.md", tree / "usr/share/doc/sotto/third-party.md")


def mask(tree: Path) -> None:
    """What Debian brings and a box must not run (``deb/masked``): a link to nowhere is stronger than Debian's file."""
    for line in (HERE / "masked").read_text().splitlines():
        if line and not line.startswith("#"):
            masked = tree / line.split()[0]
            masked.parent.mkdir(parents=True, exist_ok=True)
            masked.symlink_to("/dev/null")


def add_venv(venv: Path) -> None:
    """A venv beside Debian's own Python, as ``python3 -m venv --system-site-packages`` leaves it, but without pip."""
    (venv / "bin").mkdir()
    (venv / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = true\nversion = {PYTHON}\n")
    (venv / "bin/python").symlink_to(f"/usr/bin/python{PYTHON}")
    (venv / "bin/python3").symlink_to("python")
    for name, module in COMMANDS.items():
        command = venv / "bin" / name
        command.write_text(f"#!/opt/sotto/bin/python\nimport sys\n\nfrom {module} import main\n\nsys.exit(main())\n")
        command.chmod(0o755)


def settle(tree: Path, *, when_s: int) -> None:
    """Modes and times that do not depend on who built it, or when; the package's owner is root throughout."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or (os.access(path, os.X_OK) and path.parent == tree / "opt/sotto/bin")
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (when_s, when_s), follow_symlinks=False)


def packed(tree: Path, *, arch: str, out: Path, when_s: int) -> Path:
    """The package of a tree, by Debian's own tool."""
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    control = tree / "DEBIAN"
    control.mkdir(mode=0o755)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    size_kib = sum(-(-file.stat().st_size // 1024) for file in files)
    text = (HERE / "control").read_text()
    for word, value in {"VERSION": version, "ARCH": arch, "SIZE_KIB": str(size_kib)}.items():
        text = text.replace(f"@{word}@", value)
    (control / "control").write_text(text)
    names = [str(file.relative_to(tree)) for file in files]
    (control / "conffiles").write_text("".join(f"/{name}\n" for name in names if name.startswith("etc/")))
    (control / "md5sums").write_text("".join(md5sums(tree, names)))
    for name in SCRIPTS:
        copied(HERE / name, control / name).chmod(0o755)
    for path in (*control.iterdir(), control, tree):
        os.utime(path, (when_s, when_s))
    out.mkdir(parents=True, exist_ok=True)
    package = out / f"sotto_{version}_{arch}.deb"
    # Quicker to pack and unpack than xz. One thread: how many there are shows in the compressed bytes.
    packing = ["-Zzstd", "-z9", "--threads-max=1"]
    run("nice", "-n", "15", "dpkg-deb", "--root-owner-group", *packing, "--build", tree, package)
    return package


def md5sums(tree: Path, names: list[str]) -> Iterator[str]:
    """As dpkg --verify reads them."""
    for name in names:
        digest = hashlib.md5((tree / name).read_bytes(), usedforsecurity=False).hexdigest()
        yield f"{digest}  {name}\n"


def for_a_box(arch: str) -> list[str]:
    """How pip is told to take wheels for a box instead of for this machine."""
    platforms = [f"manylinux_2_{minor}_{MACHINES[arch]}" for minor in LIBC_MINORS]
    platforms += [f"manylinux2014_{MACHINES[arch]}", f"linux_{MACHINES[arch]}"]
    chosen = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON]
    chosen += ["--abi", f"cp{PYTHON.replace('.', '')}", "--abi", "abi3", "--abi", "none"]
    return chosen + [f"--platform={platform}" for platform in platforms]


def copied(source: Path, target: Path) -> Path:
    """A file's copy, with the folders above it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(source, target))


def digest_of(*files: Path) -> str:
    """What the contents of some files are known by."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def git(*words: str) -> str:
    """What git says."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def pip(*words: str | Path) -> None:
    """Have pip do something; what it says is shown only when it fails."""
    run(sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", *words)


def run(*words: str | Path) -> None:
    """Run a program; what it says is shown only when it fails."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace")[-4000:])
        sys.exit(f"error: this did not work: {' '.join(map(str, words))[:200]}\nhint: the lines above say why")


if __name__ == "__main__":
    main()
