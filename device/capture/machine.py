"""How the machine is: load, heat and voltage, as the kernel tells them in small files. No device is opened for it.

Every file may be missing or unreadable, and is then unknown, never good. Sources: the kernel's accounting/psi.rst,
thermal/sysfs-api.rst and hwmon/raspberrypi-hwmon.rst; proc_loadavg(5). Raspberry Pi OS has PSI switched off unless
``psi=1`` is on the kernel's command line. The Pi's own ``soc:firmware/get_throttled`` is left alone: its first reader
makes the kernel log a warning with a trace ("deprecated, use hwmon sysfs instead"), and it tells little more than
voltage and temperature do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from device.capture.ladder import Readings

_SOME_AVG10: Final = re.compile(r"^some avg10=(\d+(?:\.\d+)?) ", re.MULTILINE)
_OF_A_PROCESSOR: Final = re.compile("cpu|pkg|soc")
_LEAST_C: Final = -40.0
_MOST_C: Final = 150.0


class Machine:
    """The machine below ``root`` (``/``), with so many processors. Cheap: to be read every few seconds."""

    def __init__(self, root: Path, *, processors: int) -> None:
        self._root = root
        self._processors = max(1, processors)

    def read(self) -> Readings:
        """What is known now. Never raises."""
        pressure_percent = self._pressure_percent()
        return Readings(
            pressure_percent=pressure_percent,
            load=self._load() if pressure_percent is None else None,
            temperature_c=self._temperature_c(),
            under_voltage=self._under_voltage(),
        )

    def _pressure_percent(self) -> float | None:
        found = _SOME_AVG10.search(_text(self._root / "proc/pressure/cpu") or "")
        return float(found[1]) if found else None

    def _load(self) -> float | None:
        words = (_text(self._root / "proc/loadavg") or "").split()
        load = _number(words[0]) if words else None
        return None if load is None or load < 0 else load / self._processors

    def _temperature_c(self) -> float | None:
        """The hottest of the processor's zones; of all zones, where none says that it is one."""
        zones = dict(self._zones())
        of_a_processor = [c for kind, c in zones.items() if _OF_A_PROCESSOR.search(kind)]
        return max(of_a_processor or zones.values(), default=None)

    def _zones(self) -> Iterator[tuple[str, float]]:
        for zone in sorted((self._root / "sys/class/thermal").glob("thermal_zone*")):
            thousandths = _number(_text(zone / "temp"))
            if thousandths is not None and _LEAST_C <= thousandths / 1000 <= _MOST_C:
                yield f"{_text(zone / 'type')} {zone.name}", thousandths / 1000

    def _under_voltage(self) -> bool | None:
        for sensor in sorted((self._root / "sys/class/hwmon").glob("hwmon*")):
            if _text(sensor / "name") == "rpi_volt":
                alarm = _text(sensor / "in0_lcrit_alarm")
                return None if alarm not in {"0", "1"} else alarm == "1"
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
