"""Giving a file its name only if nothing has that name yet, in one step, on whatever file system it is.

A hard link does it where there are hard links; FAT, exFAT and many shares have none, and there the kernel may be able
to rename without replacing (renameat2(2), since Linux 3.15; Python has no call for it). Where neither works (exFAT) it
is looked for first: between two boxes that send under one name this could replace, and no two boxes share a folder.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
from typing import Final

_AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1
_NOT_HERE: Final = {errno.EPERM, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV}


def rename_new(path: Path, target: Path) -> bool:
    """Rename ``path``, unless ``target`` is there: then nothing changes, and the answer is ``False``.

    Raises:
        OSError: it has the old name or the new one.
    """
    for way in (_by_link, _by_kernel, _by_looking):
        try:
            way(path, target)
        except FileExistsError:
            return False
        except OSError as problem:
            if problem.errno not in _NOT_HERE or way is _by_looking:
                raise
        else:
            return True
    return False


def _by_link(path: Path, target: Path) -> None:
    os.link(path, target, follow_symlinks=False)
    path.unlink()


def _by_kernel(path: Path, target: Path) -> None:
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if renameat2(_AT_FDCWD, os.fsencode(path), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE) != 0:
        failed = ctypes.get_errno()
        raise OSError(failed, os.strerror(failed))


def _by_looking(path: Path, target: Path) -> None:
    if target.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    path.rename(target)
