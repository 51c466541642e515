"""A folder claimed by one program at a time (flock(2)): the store, which one process writes; a recording in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device.errors import StoreError


@contextmanager
def claimed(folder: Path, *, otherwise: StoreError) -> Iterator[None]:
    """Have the folder to oneself as long as this lasts; the claim ends with the process, too, however that ends.

    A folder that is not there is claimed by nobody: whoever uses it tells of that.

    Raises:
        StoreError: ``otherwise``, where somebody else has it.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise otherwise from problem
        except OSError as problem:
            reason = problem.strerror or "unknown error"
            raise StoreError(f"a folder cannot be claimed: {reason}", "keep the store on a local disk") from problem
        yield
    finally:
        os.close(descriptor)


def other_writer() -> StoreError:
    """What to say where another program writes to a store."""
    return StoreError(
        "another program writes to this store, and only one may",
        "leave it to the capture service, or end that one first",
    )
