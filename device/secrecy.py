"""What is in this program's memory stays there (promise P4): no core dump, no swap, and no value in an error's lines.

The units say the same to systemd. The program says it itself, too, for whoever starts it without them. Sources:
prctl(2), getrlimit(2), mlockall(2), core(5): a pattern that pipes dumps to a program passes RLIMIT_CORE by.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import threading
import traceback
from types import TracebackType
from typing import Final

from device.errors import AdminError, what_of

_PR_SET_DUMPABLE: Final = 4
_MCL_CURRENT: Final = 1
_MCL_FUTURE: Final = 2
_MCL_ONFAULT: Final = 4  # only what was ever touched: the stacks of threads are mostly not


def keep_to_itself() -> None:
    """Forbid core dumps of this process and its children, and have errors told without what they hold.

    Raises:
        AdminError: the kernel does not let it.
    """
    if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise AdminError("core dumps cannot be forbidden", "use a kernel that knows PR_SET_DUMPABLE")
    sys.excepthook = _tell
    threading.excepthook = _tell_of_thread
    sys.unraisablehook = _tell_of_unraisable


def hold_in_memory() -> bool:
    """Keep all of this process's memory, now and later, out of swap; whether that is so now.

    Nothing is tried under a limit: memory that is asked for later would then be refused in the middle of a recording.
    """
    _, most = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if most != resource.RLIM_INFINITY and os.geteuid() != 0:
        return False
    return bool(ctypes.CDLL(None).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)


def lines_of(problem: BaseException, trace: TracebackType | None) -> str:
    """An error as a log may have it: where it happened and of what kind, never what was in its hands."""
    return "".join(traceback.format_tb(trace)) + what_of(problem) + "\n"


def _tell(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    sys.stderr.write(lines_of(problem, trace))


def _tell_of_thread(arguments: threading.ExceptHookArgs) -> None:
    name = "a thread" if arguments.thread is None else arguments.thread.name
    if arguments.exc_value is not None:
        sys.stderr.write(f"in {name}: {lines_of(arguments.exc_value, arguments.exc_traceback)}")


def _tell_of_unraisable(arguments: sys.UnraisableHookArgs) -> None:
    if arguments.exc_value is not None:
        sys.stderr.write(lines_of(arguments.exc_value, arguments.exc_traceback))
