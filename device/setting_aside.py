"""Room on the disk set aside for a file that grows, behind its end: its size stays what it is.

Without it a file system looks for room with every sync of a growing file, and writes down where it found it: on ext4
some 20 kB for 64 kB of sound. What was never written reads as nothing, and cutting a file to the size that it has gives
the rest back. Source: fallocate(2); Python's own ``os.posix_fallocate`` makes the file larger, which this must not.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

_KEEP_SIZE: Final = 1


def set_aside(descriptor: int, start: int, size_bytes: int) -> None:
    """Have room for so many bytes from ``start`` on.

    Raises:
        OSError: the file system cannot do that, or has no such room; perhaps it took some of it.
    """
    library = ctypes.CDLL(None, use_errno=True)
    # Where offsets have 32 bits by default, those of the other name have 64 all the same.
    fallocate = getattr(library, "fallocate64", None) or getattr(library, "fallocate", None)
    if fallocate is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if fallocate(descriptor, _KEEP_SIZE, ctypes.c_int64(start), ctypes.c_int64(size_bytes)) != 0:
        failed = ctypes.get_errno()
        raise OSError(failed, os.strerror(failed))


def give_back(descriptor: int) -> None:
    """Give back what was set aside behind the end of a file.

    Raises:
        OSError: it may still be set aside.
    """
    os.ftruncate(descriptor, os.fstat(descriptor).st_size)
