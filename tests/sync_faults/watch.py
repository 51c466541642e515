"""A search for secrets in all that the programs of a box show: while they run and afterwards."""

from __future__ import annotations

import threading
from base64 import b64encode
from contextlib import suppress
from types import TracebackType
from typing import Final

from tests.sync_faults.box import Box, proc_text

_EVERY_S: Final = 0.2
_MOST_BYTES: Final = 8 << 20  # what is longer is a sealed recording


class Watch:
    """Looks at a box's processes again and again until the ``with`` ends, and at all its files then."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.found: set[str] = set()
        self.looked_at: set[str] = set()

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if problem is None:
            self._search_files()
            assert not self.found, self.found
            assert {"cmdline", "environ", "said"} <= self.looked_at, self.looked_at

    def _needles(self) -> list[str]:
        forms = (str, lambda secret: secret.encode().hex(), lambda secret: b64encode(secret.encode()).decode())
        return [form(secret) for secret in self._box.secrets for form in forms]

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            for pid in self._pids():
                for name in ("cmdline", "environ"):
                    text = proc_text(pid, name)
                    self._search(text, f"{name} of {proc_text(pid, 'comm').strip()}")
                    if text:
                        self.looked_at.add(name)
            status = self._box.status()
            self._search(str(status), "status")

    def _pids(self) -> list[int]:
        """The programs, and all that they started."""
        queue = [program.pid for program in (self._box.capture, self._box.sync) if program is not None]
        found = []
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += [int(child) for child in proc_text(pid, f"task/{pid}/children").split()]
        return found

    def _search(self, text: str, where: str) -> None:
        if any(needle in text for needle in self._needles()):
            self.found.add(where)

    def _search_files(self) -> None:
        """All but the keys themselves, which are kept elsewhere in these tests; a core would be one of them."""
        for path in self._box.folder.rglob("*"):
            with suppress(FileNotFoundError):  # what runs still replaces some of it
                if path.is_file() and path.stat().st_size <= _MOST_BYTES:
                    self._search(path.read_bytes().decode("latin-1"), path.name)
                    self.looked_at.add(path.name)
