"""What recordings are read from, and never written to as sync writes to a remote: half of ``device.remote.Remote``."""

from __future__ import annotations

from typing import NoReturn

from device.errors import RemoteError


class ReadOnly:
    """The half that is refused, so that all that reads a remote reads a folder or a box as well."""

    def put(self, *_file: object, **_how: object) -> NoReturn:
        """Never done. Raises ``RemoteError``."""
        raise _refused()

    def erase(self, *_folder: object) -> NoReturn:
        """Never done. Raises ``RemoteError``."""
        raise _refused()


def _refused() -> RemoteError:
    return RemoteError("recordings are only read there", "name a remote: a folder that boxes send to, or a TOML file")
