"""The services of a box without systemd: they read their files when they begin, as the real ones do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from device.errors import AdminError


class SimulatedServices:
    """(``device.applying_services.Services``.) ``comes_up``: whether a service finds all well as it begins."""

    def __init__(self, *units: str, comes_up: Callable[[str], bool] = lambda _unit: True) -> None:
        self.up = dict.fromkeys(units, True)
        self.comes_up = comes_up
        self.begun: list[str] = []
        self.reloaded: list[str] = []

    def running(self, units: Sequence[str]) -> tuple[str, ...]:
        return tuple(unit for unit in units if self.up.get(unit))

    def restart(self, units: Sequence[str]) -> None:
        for unit in units:
            self.begun.append(unit)
            self.up[unit] = unit in self.up and self.comes_up(unit)
        if down := [unit for unit in units if not self.up[unit]]:
            raise AdminError(f"a service does not come up: {', '.join(down)}", "look into its journal")

    def reload(self, units: Sequence[str]) -> None:
        for unit in units:
            if not self.up.get(unit):
                raise AdminError(f"a service does not take its new files: {unit}", "look into its journal")
            self.reloaded.append(unit)
