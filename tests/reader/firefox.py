"""Firefox, driven by its own Marionette protocol: lengths and JSON on a local socket, so no driver is needed.

Source: firefox-source-docs.mozilla.org/testing/marionette/Protocol.html: ``<length>:[type, id, name or error, value]``.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.support import PATIENCE_S

FIREFOX: Final = shutil.which("firefox-esr") or shutil.which("firefox")
_PREFERENCES: Final = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.autoplay.default": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": True,
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """A session with a running Firefox."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._number = 0
        self._read()  # it greets
        self.call("WebDriver:NewSession", {"capabilities": {}})
        self.call("WebDriver:SetTimeouts", {"script": int(PATIENCE_S * 1000)})

    def call(self, name: str, words: dict[str, Any]) -> Any:
        """One command; what it gives. Raises RuntimeError with what Firefox says."""
        self._number += 1
        said = json.dumps([0, self._number, name, words]).encode()
        self._connection.sendall(str(len(said)).encode() + b":" + said)
        _, number, error, value = self._read()
        assert number == self._number
        if error:
            raise RuntimeError(f"{error['error']}: {error['message']}")
        return value.get("value", value) if isinstance(value, dict) else value

    def _read(self) -> Any:
        length = b""
        while (letter := self._stream.read(1)) != b":":
            assert letter, "Firefox hung up"
            length += letter
        return json.loads(self._stream.read(int(length)))

    def show(self, address: str) -> None:
        self.call("WebDriver:Navigate", {"url": address})

    def script(self, body: str, *words: Any) -> Any:
        """Run a function's body in the page; a promise is waited for."""
        told = {"script": f"return (async () => {{ {body} }})()", "args": list(words), "sandbox": None}
        return self.call("WebDriver:ExecuteScript", told)

    def _element(self, selector: str) -> str:
        found = self.call("WebDriver:FindElement", {"using": "css selector", "value": selector})
        return str(next(iter(found.values())))

    def type(self, selector: str, text: str) -> None:
        """Into a field; for a file's, its path."""
        self.call("WebDriver:ElementSendKeys", {"id": self._element(selector), "text": text})

    def click(self, selector: str) -> None:
        self.call("WebDriver:ElementClick", {"id": self._element(selector)})

    def until(self, condition: str) -> None:
        """Once that holds in the page."""
        until_s = time.monotonic() + PATIENCE_S
        while not self.script(f"return Boolean({condition})"):
            assert time.monotonic() < until_s, f"never: {condition}; there is: {self.script(TEXT)}"
            time.sleep(0.1)


TEXT: Final = "return document.querySelector('main').innerText"


@contextmanager
def firefox(folder: Path, hears: Mapping[str, str]) -> Iterator[Firefox]:
    """A Firefox that nobody used before; ``folder`` is all its own; ``hears``: where its sound goes.

    It gives up on what it plays where there is nothing to hear it with.
    """
    assert FIREFOX is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    preferences = {**_PREFERENCES, "marionette.port": port}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
    (profile := folder / "profile").mkdir()
    (profile / "user.js").write_text("\n".join(lines), encoding="ascii")
    environment = {**os.environ, "HOME": str(folder), "MOZ_HEADLESS": "1", **hears}
    with (folder / "firefox.log").open("wb") as log:
        process = subprocess.Popen(
            [FIREFOX, "--headless", "--no-remote", "--marionette", "--profile", str(profile)],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            with _connected(port, process) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _connected(port: int, process: subprocess.Popen[bytes]) -> Iterator[socket.socket]:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, "Firefox ended at once"
        assert time.monotonic() < until_s, "Firefox does not listen"
        with suppress(OSError):
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
            break
        time.sleep(0.1)
    with connection:
        yield connection
