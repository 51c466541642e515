"""The clinic's own way to a remote: a folder on this computer, or a TOML file that names a server and a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device.clock import SystemClock
from device.config import AnyRemote, FolderRemote, load_remote
from device.errors import ConfigError
from device.remote import Remote
from device.remotes import remote_of
from provisioning.errors import UsageError


@contextmanager
def remote_at(text: str) -> Iterator[Remote]:
    """The remote that a person named; its connection is let go in the end.

    Raises:
        UsageError: there is no such folder or file, or the file does not say how to reach a remote.
    """
    remote = remote_of(_section(Path(text)), notes=None, utc=SystemClock().utc)
    try:
        yield remote
    finally:
        remote.close()


def _section(path: Path) -> AnyRemote:
    if path.is_dir():
        return FolderRemote(name="remote", clinic="-", room="-", path=path.absolute())
    try:
        return load_remote(path)
    except ConfigError as problem:
        raise UsageError(problem.what, problem.hint) from problem
