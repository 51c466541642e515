"""What a process tells the service manager: that it is ready, that it is alive, that it ends.

Where there is no service manager (no ``NOTIFY_SOCKET``, as in the demo) there is nobody to tell. Source: sd_notify(3).
"""

from __future__ import annotations

import os
from collections.abc import Callable

from device.errors import MissingPackageError

Notify = Callable[[str], None]
"""Tells one ``NAME=value`` of sd_notify(3). Cheap; from any thread."""

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


def notifier() -> Notify:
    """How this process tells its service manager.

    Raises:
        MissingPackageError: there is one, and the package that speaks to it is not installed.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return tell_nobody
    try:
        from systemd.daemon import notify  # noqa: PLC0415  # only where there is somebody to tell
    except ImportError as problem:
        raise missing_systemd() from problem

    def tell(what: str) -> None:
        notify(what)

    return tell


def missing_systemd() -> MissingPackageError:
    """What to say where the package that speaks to systemd is missing."""
    return MissingPackageError(
        "the systemd package is not installed", "install it: apt install python3-systemd, or pip install 'sotto[pi]'"
    )


def tell_nobody(_what: str) -> None:
    """Nobody listens."""
