"""What a machine is called and how it gets onto the network: ``machine.toml`` in a box's folder (docs/card.md)."""

from __future__ import annotations

import ipaddress
import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from device.shapes import ShapeError, rule
from provisioning.errors import UsageError
from provisioning.kit import Part, first_fault

HINT = "docs/card.md shows what can stand there"
Address = Annotated[str, rule(max_length=60)]


class Ethernet(Part):
    """A fixed address; without this section it is asked for by DHCP."""

    address: Address  # with its length: 192.0.2.7/24
    gateway: Address
    dns: Annotated[tuple[Address, ...], rule(max_length=4)] = ()

    def _check(self) -> None:
        network = ipaddress.ip_interface(self.address).network
        if "/" not in self.address or ipaddress.ip_address(self.gateway) not in network:
            raise ValueError("address needs its length (192.0.2.7/24), and the gateway has to be in that network")
        for one in self.dns:
            ipaddress.ip_address(one)


class Wifi(Part):
    """A wireless network. ``security``: what it is told to take; ``mixed`` is WPA2 and WPA3, whichever is there."""

    country: Annotated[str, rule(pattern=r"^[A-Z]{2}$")]
    name: Annotated[str, rule(min_length=1, max_length=32)]
    password: Annotated[str, rule(pattern=r"^[\x20-\x7e]{8,63}$")]
    security: Literal["wpa2", "wpa3", "mixed"] = "mixed"
    hidden: bool = False


class Machine(Part):
    """One machine. It names a place, so that nothing but the way it gets its address has a default."""

    host_name: Annotated[str, rule(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    timezone: Annotated[str, rule(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$")]
    ethernet: Ethernet | None = None
    wifi: Wifi | None = None


def read_machine(path: Path) -> Machine:
    """The file, checked.

    Raises:
        UsageError: it cannot be read, or does not hold.
    """
    try:
        return Machine.model_validate_json(json.dumps(tomllib.loads(path.read_text(encoding="utf-8"))))
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {problem.strerror}", HINT) from problem
    except ShapeError as problem:
        raise UsageError(f"{path} does not hold: {first_fault(problem)}", HINT) from problem
    except (ValueError, TypeError) as problem:  # no UTF-8, no TOML, or a date where none can be
        raise UsageError(f"{path} is not TOML: {problem}", HINT) from problem
