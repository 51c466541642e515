"""The recordings in folders on this computer, as ``pull`` makes them: what the clinic has in its own keeping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from device.recording import MANIFEST_NAME, SESSION_NAME
from provisioning.errors import UnreachableError, UsageError

_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def recordings_in(texts: Sequence[str]) -> list[Path]:
    """The folders of all recordings that were named: each one's own, or that of a store or of pulled ones; each once.

    Raises:
        UsageError: an address was given, and what a box or a server keeps is not changed there.
        UnreachableError: there is nothing, or no recording, at one of them.
    """
    found = {folder: None for text in texts for folder in _at(text)}
    return list(found)


def _at(text: str) -> list[Path]:
    if _ADDRESS.match(text):
        raise UsageError(
            "this works on folders, and what a box or a server keeps stays as it is there",
            "fetch it with `sotto-clinic pull`, and give the folder",
        )
    path = Path(text)
    try:
        if is_recording(path):
            return [path]
        found = [entry for entry in sorted(path.iterdir()) if entry.is_dir() and is_recording(entry)]
    except OSError as problem:
        raise UnreachableError(f"{path} cannot be read: {problem.strerror}", "check the name, and that you may") from (
            problem
        )
    if not found:
        raise UnreachableError(f"there is no recording in {path}", "give a recording's folder, or one of several")
    return found


def is_recording(folder: Path) -> bool:
    """Whether a folder is that of a recording, whole or not."""
    return (folder / SESSION_NAME).exists() or (folder / MANIFEST_NAME).exists()
