"""Builds the emulated appliance: ``python -m tests.appliance.build`` (root; about five minutes, then seconds).

A Debian guest with a real kernel, systemd, ALSA and GPIO, and Sotto installed as a box has it. Everything is made from
Debian's and Python's own packages into ``.cache/appliance/<arch>/``; what is there already is kept (see stages.py).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from device.age.identities import KeyIdentity, generate_identity, identity_file, parse_identity_file
from tests.appliance.agent import SLOW_DISK_S
from tests.appliance.architectures import BUILDER, chosen
from tests.appliance.box import UNITS, Box
from tests.appliance.debian import bootstrap, run_in
from tests.appliance.stages import Stage, build_all, forget_all, note_time
from tests.appliance.vm import BOOTED, READY, RUNNING, Vm, machine_words

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
CACHE: Final = ROOT / ".cache" / "appliance"
RECIPES: Final = HERE / "recipes"
HARDWARE: Final = ROOT / "deb" / "hardware.lock"
TARGET: Final = chosen()
ARCH: Final = TARGET.name
_IDENTITY: Final = "identity"
_PACKAGE: Final = ("device", "provisioning", "pyproject.toml", "README.md", "LICENSE")
_TOOLS: Final = {
    "mmdebstrap": "mmdebstrap",
    TARGET.qemu: TARGET.qemu_package,
    "qemu-img": "qemu-utils",
    "e2fsck": "e2fsprogs",
    "debugfs": "e2fsprogs",
}


def words_of(listing: Path) -> list[str]:
    """The lines of a list, without its remarks."""
    return [line for line in listing.read_text().splitlines() if line and not line.startswith("#")]


def make_base(_stage: Stage, out: Path) -> None:
    """The guest's Debian, not yet an image."""
    bootstrap(out, words_of(RECIPES / "guest-packages.txt"), arch=ARCH)


def make_builder(_stage: Stage, out: Path) -> None:
    """The Debian in which the guest's parts are compiled."""
    bootstrap(out, words_of(RECIPES / "builder-packages.txt"), arch=ARCH)


def make_cross_builder(_stage: Stage, out: Path) -> None:
    """The same for a guest of another architecture than this machine's, with compilers that run here."""
    packages = [word for listing in TARGET.builder_packages for word in words_of(RECIPES / listing)]
    bootstrap(out, packages, arch=BUILDER, also=(ARCH,))


def make_kernel(stage: Stage, out: Path) -> None:
    """Kernel, modules (gpio-sim among them) and initrd."""
    run_in(stage.of("builder"), ["/recipes/kernel.sh"], binds={RECIPES: "/recipes", out: "/out"})


def make_python(stage: Stage, out: Path) -> None:
    """/opt/sotto with everything but Sotto itself."""
    locks = {ROOT / "requirements.lock": "/requirements.lock", HARDWARE: "/hardware.lock"}
    binds = {RECIPES: "/recipes", out: "/out", **locks}
    run_in(stage.of("builder"), ["/recipes/python.sh"], binds=binds)


def make_camera(stage: Stage, out: Path) -> None:
    """The same with picamera2."""
    binds = {RECIPES: "/recipes", HERE / "camera": "/shim", stage.of("python"): "/python", out: "/out"}
    run_in(stage.of("builder"), ["/recipes/camera.sh"], binds=binds)


def make_image(stage: Stage, out: Path) -> None:
    """The guest's disk."""
    parts: dict[Path, str] = {stage.of(name): f"/{name}" for name in ("base", "kernel", "camera")}
    binds = {RECIPES: "/recipes", HERE / "guest": "/guest", out: "/out", **parts}
    run_in(stage.of("builder"), ["/recipes/image.sh"], binds=binds)


def make_booted(stage: Stage, out: Path) -> None:
    """The guest after a first boot, as a snapshot."""
    base = Path("..") / "image" / "root.ext4"
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", "raw", str(out / "disk.qcow2")]
    subprocess.run(command, check=True)
    with Vm(out / "disk.qcow2", stage.of("kernel"), hurried=True) as vm:
        state = vm.wait_until_up()
        if state != "running":
            raise RuntimeError(f"the guest is {state}:\n{vm.agent.sh('systemctl --failed; journalctl -b -p warning')}")
        note_time(CACHE / ARCH, "boot", vm.since_start_s())
        vm.save(BOOTED)
        vm.quit()


def make_sotto(stage: Stage, out: Path) -> None:
    """Sotto as it is in this checkout."""
    binds = {RECIPES: "/recipes", ROOT: "/source", stage.of("camera") / "sotto": "/opt/sotto", out: "/out"}
    run_in(stage.of("builder"), ["/recipes/sotto.sh"], binds=binds)


def make_ready(stage: Stage, out: Path) -> None:
    """The booted guest with Sotto in it, as a snapshot."""
    disk = out / "disk.qcow2"
    shutil.copy(stage.of("booted") / "disk.qcow2", disk)
    with Vm(disk, stage.of("kernel"), snapshot=BOOTED, hurried=True) as vm:
        vm.agent.put("/run/sotto.tar.gz", (stage.of("sotto") / "sotto.tar.gz").read_bytes())
        script = "tar -C / -xzf /run/sotto.tar.gz; rm /run/sotto.tar.gz; sync"
        vm.agent.sh(script, timeout_s=SLOW_DISK_S)
        vm.save(READY)
        vm.quit()


def make_box(stage: Stage, out: Path) -> None:
    """A box as an admin leaves it, which runs: one more snapshot, and the key of its recordings."""
    identity = generate_identity(post_quantum=False)
    (out / _IDENTITY).write_text(identity_file(identity, datetime.now(UTC)))
    disk = Path(shutil.copy(stage.of("ready") / "disk.qcow2", out))
    with Vm(disk, stage.of("kernel"), snapshot=READY) as vm:
        Box(vm, identity).switch_on()
        vm.save(RUNNING)
        vm.quit()


def box_identity(folder: Path) -> KeyIdentity:
    """What opens the recordings of the box that was made there."""
    (identity,) = parse_identity_file((folder / _IDENTITY).read_text())
    return identity


def stages() -> Stage:
    """The whole build; what is returned is its last stage."""
    folder = CACHE / ARCH
    make_a_builder = make_cross_builder if TARGET.is_foreign else make_builder
    sotto_inputs = (RECIPES / "sotto.sh", *(ROOT / name for name in _PACKAGE))
    steered = tuple(f"{name}={word}" for name, word in TARGET.tools.items())
    modules = ("kernel.sh", "modules.txt", "Makefile.gpio", "Makefile.heap", "heap-init.c", "initrd-init")
    kernel_inputs = (*(RECIPES / name for name in modules), *steered)
    python_inputs = (RECIPES / "python.sh", HARDWARE, ROOT / "requirements.lock", *steered)
    camera_inputs = (RECIPES / "camera.sh", RECIPES / "camera.lock", HERE / "camera")
    settle = (RECIPES / "settle.sh",) if TARGET.is_foreign else ()
    image_inputs = (RECIPES / "image.sh", RECIPES / "masked-units.txt", HERE / "guest", *settle)

    def stage(name: str, *args: object) -> Stage:
        return replace(Stage(name, *args), folder=folder / name)  # type: ignore[arg-type]

    base = stage("base", make_base, (RECIPES / "guest-packages.txt",))
    builder = stage("builder", make_a_builder, tuple(RECIPES / listing for listing in TARGET.builder_packages))
    kernel = stage("kernel", make_kernel, kernel_inputs, (builder,))
    python = stage("python", make_python, python_inputs, (builder,))
    camera = stage("camera", make_camera, camera_inputs, (builder, python))
    image = stage("image", make_image, image_inputs, (builder, base, kernel, camera))
    booted = stage("booted", make_booted, (machine_words(),), (kernel, image))
    sotto = stage("sotto", make_sotto, sotto_inputs, (builder, camera))
    ready = stage("ready", make_ready, (), (kernel, booted, sotto))
    return stage("box", make_box, (UNITS, HERE / "box.py", ROOT / "docs" / "nginx.md"), (kernel, ready))


def build() -> Path:
    """Bring the appliance up to date; the folder whose ``kernel`` and ``box/disk.qcow2`` a ``Vm`` is made of."""
    missing = {package for tool, package in _TOOLS.items() if shutil.which(tool) is None}
    if missing:
        raise SystemExit(f"error: {', '.join(sorted(missing))} missing\nhint: apt-get install {' '.join(missing)}")
    return build_all(stages()).parent


def main() -> None:
    """Build, and say what it took."""
    words = argparse.ArgumentParser(description="Builds the emulated appliance.")
    words.add_argument("--fresh", action="store_true", help="forget what was built, for newer Debian packages")
    if words.parse_args().fresh:
        forget_all(CACHE / ARCH)
    started_s = time.monotonic()
    folder = build()
    took_s = time.monotonic() - started_s
    note_time(folder, "build in all", took_s)
    sys.stdout.write(f"{folder}: ready after {took_s:.1f} s\n")


if __name__ == "__main__":
    main()
