"""The service manager is told the truth: on its own socket, through the package that a box has for it."""

from __future__ import annotations

import socket
import sys
import types
from pathlib import Path

import pytest

from device.errors import MissingPackageError
from device.notify import ALIVE, READY, notifier


def test_without_a_service_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier()(READY)


def test_a_service_manager_without_the_package_that_speaks_to_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/nowhere")
    monkeypatch.setitem(sys.modules, "systemd", types.ModuleType("systemd"))
    with pytest.raises(MissingPackageError) as refused:
        notifier()
    assert "python3-systemd" in refused.value.hint


def test_what_is_told_reaches_the_socket_of_the_service_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(
        "systemd.daemon", reason="systemd-python is installed on a box; the emulated appliance tells this too"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notifier()(ALIVE)
        assert manager.recv(100).decode() == ALIVE
