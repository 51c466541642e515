"""On what it was measured: without that, nobody can compare the figures of one machine with those of another."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_ASKED: Final[Mapping[str, list[str]]] = {
    "flac": ["flac", "--version"],
    "age": ["age", "--version"],
    "ffmpeg": ["ffmpeg", "-version"],
    "gpg": ["gpg", "--version"],
    "cc": ["cc", "--version"],
    "ssh": ["ssh", "-V"],
}


def machine() -> dict[str, Any]:
    """Processor, memory, kernel, Python, file system of the temporary folder, and the programs beside us."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**6,
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "programs": {name: _version(command) for name, command in _ASKED.items()},
    }


def load() -> list[float]:
    """What else the machine does: its load averages (getloadavg(3))."""
    return [round(value, 2) for value in os.getloadavg()]


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.MULTILINE)  # the latter on a Raspberry Pi
    return found[1].strip() if found else platform.processor()


def _version(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return "not installed"
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (said.stdout or said.stderr).splitlines()
    return lines[0].strip() if lines else ""
