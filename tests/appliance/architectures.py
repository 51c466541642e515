"""The machines that a guest can be, and all that differs between them. ``ARCH`` in the environment says which it is.

Everything is built on amd64. What another machine runs is never run while it is built: its Debian is unpacked and then
settled from outside (``recipes/settle.sh``), its modules and wheels are compiled across by tools that ``tools`` steers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

BUILDER: Final = "amd64"


@dataclass(frozen=True)
class Architecture:
    """A machine as Debian, QEMU and the compilers name it."""

    name: str
    qemu: str
    qemu_package: str
    machine: str
    cpu: str
    kernel_line: str
    builder_packages: tuple[str, ...]
    tools: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """For the builder's tools: what they compile for, when it is not what they run on."""

    @property
    def is_foreign(self) -> bool:
        """Whether the builder can run nothing of the guest's."""
        return self.name != BUILDER


_ALL: Final = (
    Architecture(
        name="amd64",
        qemu="qemu-system-x86_64",
        qemu_package="qemu-system-x86",
        machine="q35",
        cpu="max",
        kernel_line="console=ttyS0",
        builder_packages=("builder-packages.txt",),
    ),
    Architecture(
        name="arm64",
        qemu="qemu-system-aarch64",
        qemu_package="qemu-system-arm",
        machine="virt",
        cpu="cortex-a72",  # a Pi 4's
        # Without QEMU's own GPIO chip, as the panel's is a Pi's only one.
        kernel_line="console=ttyAMA0 initcall_blacklist=pl061_gpio_driver_init",
        builder_packages=("builder-packages.txt", "builder-packages-arm64.txt"),
        tools=MappingProxyType(
            {
                "ARCH": "arm64",
                "CROSS_COMPILE": "aarch64-linux-gnu-",
                # With these two Debian's Python takes itself for the guest's: pip picks its wheels and compiles for it.
                "_PYTHON_HOST_PLATFORM": "linux-aarch64",
                "_PYTHON_SYSCONFIGDATA_NAME": "_sysconfigdata__aarch64-linux-gnu",
            }
        ),
    ),
)


def chosen() -> Architecture:
    """The one that ``ARCH`` names; amd64 when it names none."""
    name = os.environ.get("ARCH") or BUILDER
    for architecture in _ALL:
        if architecture.name == name:
            return architecture
    names = " or ARCH=".join(architecture.name for architecture in _ALL)
    raise SystemExit(f"error: there is no appliance for ARCH={name}\nhint: use ARCH={names}")
