"""What the manifest says of a recording's sealed chunks: one digest over all of them, and one over each 64.

The one says whether anything was altered; those of the groups say where, to 4 MiB, long after the ledger has gone and
without any key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from device.digests import sha256

GROUP_CHUNKS: Final = 64


class Digests:
    """Takes the SHA-256 of every sealed chunk, in order; nothing is kept per chunk, however long the session."""

    def __init__(self, digests: Iterable[bytes] = ()) -> None:
        self.chunks = 0
        self._all = sha256()
        self._group = sha256()
        self._groups: list[str] = []
        for digest in digests:
            self.add(digest)

    def add(self, digest: bytes) -> None:
        """Take the digest of the next chunk (32 bytes)."""
        self.chunks += 1
        self._all.update(digest)
        self._group.update(digest)
        if self.chunks % GROUP_CHUNKS == 0:
            self._groups.append(self._group.hexdigest())
            self._group = sha256()

    @property
    def whole(self) -> str:
        """The SHA-256 of every chunk's digest (hex)."""
        return self._all.hexdigest()

    @property
    def groups(self) -> tuple[str, ...]:
        """The SHA-256 of each 64 consecutive digests (hex); the last group may have fewer."""
        rest = (self._group.hexdigest(),) if self.chunks % GROUP_CHUNKS else ()
        return (*self._groups, *rest)
