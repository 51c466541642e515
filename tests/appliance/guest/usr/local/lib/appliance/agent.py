"""Does what the tests ask: JSON lines over a virtio serial port, each answered by one with the same ``id``.

What can be asked: ``clock``, ``run`` (a command, waited for), ``start`` (one that goes on), ``poll`` and ``signal``
(for those), ``put`` and ``get`` (files). Bytes travel as base64.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

PORT = Path("/dev/virtio-ports/appliance")
started: dict[int, subprocess.Popen[bytes]] = {}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _run(asked: dict[str, Any]) -> dict[str, Any]:
    process = subprocess.Popen(
        asked["command"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(base64.b64decode(asked["given"]), timeout=asked["timeout_s"])
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        return {"rc": None, "out": _text(out), "err": _text(err)}
    return {"rc": process.returncode, "out": _text(out), "err": _text(err)}


def _start(asked: dict[str, Any]) -> dict[str, Any]:
    with Path(asked["out"]).open("wb") as out, Path(asked["err"]).open("wb") as err:
        process = subprocess.Popen(
            asked["command"], stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
    started[process.pid] = process
    return {"pid": process.pid}


def _poll(asked: dict[str, Any]) -> dict[str, Any]:
    return {"rc": started[asked["pid"]].poll()}


def _signal(asked: dict[str, Any]) -> dict[str, Any]:
    if started[asked["pid"]].poll() is None:
        os.killpg(asked["pid"], asked["signal"])
    return {}


def _put(asked: dict[str, Any]) -> dict[str, Any]:
    path = Path(asked["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab" if asked["more"] else "wb") as file:
        file.write(base64.b64decode(asked["data"]))
    return {}


def _get(asked: dict[str, Any]) -> dict[str, Any]:
    with Path(asked["path"]).open("rb") as file:
        file.seek(asked["at"])
        return {"data": _text(file.read(asked["most"]))}


def _clock(_asked: dict[str, Any]) -> dict[str, Any]:
    return {}  # every answer says the time


_ASKS = {"clock": _clock, "run": _run, "start": _start, "poll": _poll, "signal": _signal, "put": _put, "get": _get}


def _answer(line: bytes) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    try:
        asked = json.loads(line)
        told = _ASKS[asked["ask"]](asked)
    except Exception as problem:  # noqa: BLE001  # whatever it is, the test that asked is told
        told = {"error": repr(problem)}
    return {"id": asked.get("id"), "monotonic_s": time.monotonic(), **told}


def _write_all(port: int, data: bytes) -> None:
    while data:
        data = data[os.write(port, data) :]


def _serve(port: int) -> None:
    waiting = b""
    while True:
        data = os.read(port, 1 << 16)
        if not data:  # nobody is at the other end
            time.sleep(0.02)
            continue
        *lines, waiting = (waiting + data).split(b"\n")
        for line in filter(None, lines):
            _write_all(port, json.dumps(_answer(line)).encode() + b"\n")


if __name__ == "__main__":
    while not PORT.exists():
        time.sleep(0.05)
    _serve(os.open(PORT, os.O_RDWR))
