"""The services of a box as whoever changes it sees them: which run, and how they begin anew; by ``systemctl``."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from device.errors import AdminError

CAPTURE: Final = "sotto-capture.service"
WEB: Final = "sotto-web.service"
SYNC: Final = "sotto-sync.service"
NGINX: Final = "sotto-nginx.service"
ALL: Final = (CAPTURE, WEB, SYNC, NGINX)
_PATIENCE_S: Final = 240.0
_STEADY_S: Final = 5.0
_HINT: Final = "`journalctl --namespace=sotto` on the box says why"


class Services(Protocol):
    """The services of this machine; one caller at a time. Every call may take minutes."""

    def running(self, units: Sequence[str]) -> tuple[str, ...]:
        """Those of ``units`` that run now. One that is not installed does not run."""

    def restart(self, units: Sequence[str]) -> None:
        """Have each of them begin anew; when this returns they run, and said themselves that they are ready.

        Raises:
            AdminError: one does not come up, or ends again within seconds.
        """

    def reload(self, units: Sequence[str]) -> None:
        """Have each of them read its files anew without an interruption. Raises ``AdminError``."""


class Systemd:
    """(``Services``.) What systemd starts and watches."""

    def __init__(self, *, rest: Callable[[float], None] = time.sleep) -> None:
        self._rest = rest

    def running(self, units: Sequence[str]) -> tuple[str, ...]:
        return tuple(unit for unit in units if self._call("is-active", "--quiet", unit).returncode == 0)

    def restart(self, units: Sequence[str]) -> None:
        if not units:
            return  # systemctl has to be told what
        for unit in units:
            self._call("reset-failed", unit)  # one that ended too often before may begin again
        done = self._call("restart", *units)
        if done.returncode:
            raise AdminError(f"a service does not come up: {', '.join(units)}", _HINT)
        self._rest(_STEADY_S)
        if ended := [unit for unit in units if unit not in self.running(units)]:
            raise AdminError(f"a service came up and ended again: {', '.join(ended)}", _HINT)

    def reload(self, units: Sequence[str]) -> None:
        if units and self._call("reload", *units).returncode:
            raise AdminError(f"a service does not take its new files: {', '.join(units)}", _HINT)

    def _call(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603  # our own words
                ["/usr/bin/systemctl", *words],
                capture_output=True,
                timeout=_PATIENCE_S,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise AdminError("systemd does not answer", _HINT) from problem
