"""QEMU's control socket (QMP), as far as the appliance needs it."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any


class QmpError(RuntimeError):
    """QEMU would not do it."""


def qmp(path: Path, command: str, **arguments: Any) -> Any:
    """Have QEMU do one thing; what it answered."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(path))
        with link.makefile("rwb", buffering=0) as file:
            file.readline()  # its greeting
            _say(file, "qmp_capabilities", {})
            return _say(file, command, arguments)


def monitor(path: Path, line: str) -> None:
    """Have the human monitor do what QMP has no word for; it prints only what went wrong."""
    printed = qmp(path, "human-monitor-command", **{"command-line": line}).strip()
    if printed:
        raise QmpError(f"{line}: {printed}")


def _say(file: Any, command: str, arguments: dict[str, Any]) -> Any:
    file.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
    while True:
        answer = json.loads(file.readline())
        if "error" in answer:
            raise QmpError(f"{command}: {answer['error']['desc']}")
        if "return" in answer:
            return answer["return"]
