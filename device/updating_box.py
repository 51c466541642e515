"""The machine whose version changes, as systemd has it; root's.

The code that does this never is that of the version on trial: ``sotto-update.service`` binds what is mounted when it
starts to a place of its own, and runs from there.
"""

from __future__ import annotations

import http.client
import json
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from device.errors import UpdateError
from device.status import STALE_AFTER_S, STATUS_NAME
from device.updating import Here
from device.updating_trial import Health, Seen

MOUNT: Final = "opt-sotto.mount"
TARGET: Final = "sotto.target"
SOCKET: Final = "sotto-nginx.socket"  # which would start nginx in the midst of it
NEEDED: Final = ("sotto-capture.service", "sotto-web.service")
FRAME: Final = Path("/usr/lib/sotto/frame")
_OS_RELEASE: Final = Path("/etc/os-release")
_MACHINES: Final[Mapping[str, str]] = {"x86_64": "amd64", "aarch64": "arm64"}
_PATIENCE_S: Final = 300.0
_PAGE_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look. ``page``: its socket, or its port on this computer."""

    root: Path  # what is mounted
    status: Path  # the folder in which capture publishes
    page: Path | int


class SystemdBox:
    """``device.updating_settle.Box`` by systemd."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._wanted: frozenset[str] = frozenset(NEEDED)

    def here(self) -> Here:
        try:
            frame = int(FRAME.read_text(encoding="ascii"))
        except (OSError, ValueError) as problem:
            raise UpdateError(
                "this is no box that takes updates", "install Sotto's package (docs/machine.md)"
            ) from problem
        return Here(
            machine=_MACHINES.get(platform.machine(), platform.machine()),
            python=f"{sys.version_info[0]}.{sys.version_info[1]}",
            debian=_debian(),
            frame=frame,
            newest=own_version(),
        )

    def seen(self) -> Seen:
        """By the few words that every version has: the one on trial may publish more than this one knows."""
        path = self._places.status / STATUS_NAME
        try:
            if time.time() - path.stat().st_mtime > STALE_AFTER_S:
                return Seen(None)
            told = json.loads(path.read_bytes())
            return Seen(str(told["state"]), is_busy=bool(told.get("sealing") or told.get("recovering")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Seen(None)

    def health(self) -> Health:
        told = [_facts(unit) for unit in sorted(self._wanted)]
        return Health(
            version=self._mounted(),
            units={one["Id"]: one["ActiveState"] for one in told},
            restarts=sum(int(one.get("NRestarts") or 0) for one in told),
            seen=self.seen(),
            page_answers=self._page_answers(),
        )

    def change_over(self, link: Callable[[], None]) -> None:
        users = _said("show", "--property=RequiredBy", "--value", MOUNT).split()
        units = sorted({*users, *NEEDED, SOCKET})
        self._wanted = frozenset(NEEDED) | {unit for unit in units if _facts(unit)["ActiveState"] == "active"}
        do("stop", *units, MOUNT)
        link()
        do("start", MOUNT)
        # Whether they come up is seen by their health; to wait for one that does not would say less.
        do("start", "--no-block", TARGET, *sorted(self._wanted))

    def _mounted(self) -> str | None:
        found = sorted(self._places.root.glob("lib/python3*/site-packages/sotto-*.dist-info"))
        return found[0].name.removeprefix("sotto-").removesuffix(".dist-info") if len(found) == 1 else None

    def _page_answers(self) -> bool:
        page = _Page(self._places.page)
        try:
            page.request("GET", "/")
            return page.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            page.close()


class _Page(http.client.HTTPConnection):
    """Speaks to the page past nginx."""

    def __init__(self, page: Path | int) -> None:
        super().__init__("localhost", timeout=_PAGE_PATIENCE_S)
        self._page = page

    def connect(self) -> None:
        if isinstance(self._page, int):
            self.sock = socket.create_connection(("127.0.0.1", self._page), self.timeout)
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._page))


def own_version() -> str:
    """The version of this very program."""
    try:
        return version("sotto")
    except PackageNotFoundError:
        return "0.0"


def _debian() -> str:
    try:
        lines = _OS_RELEASE.read_text(encoding="utf-8").splitlines()
    except OSError:
        return "0"
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    return told.get("VERSION_ID", "0").strip('"')


def _facts(unit: str) -> dict[str, Any]:
    said = _said("show", "--property=Id,ActiveState,NRestarts", unit)
    return {
        "Id": unit,
        "ActiveState": "unknown",
        **dict(line.split("=", 1) for line in said.splitlines() if "=" in line),
    }


def _said(*words: str) -> str:
    return _systemctl(*words).stdout


def do(*words: str) -> None:
    """Have systemd do something. Raises ``UpdateError``: it could not."""
    done = _systemctl(*words)
    if done.returncode:
        raise UpdateError(f"systemd could not {words[0]} it: {done.stderr.strip()[-200:]}", "look into the journal")


def _systemctl(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603
            ["systemctl", *words],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise UpdateError("systemd does not answer", "look into the journal; restart the box") from problem
