"""A box for each test of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from device.store import Store
from tests.service.rooms import RATE_HZ, MakeBox, check_light, wav_of
from tests.support import (
    Box,
    be_patient_with_cameras,
    build_box,
    noise,
    store_at,
)


@pytest.fixture(autouse=True)
def _patient_with_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a camera is a program of its own, and on a busy machine it takes longer to start than a box would wait.

    (That a camera which hangs is given up is shown in tests/capture/test_camera.py.)
    """
    be_patient_with_cameras(monkeypatch)


@pytest.fixture(scope="module")
def room() -> bytes:
    """What is said in the room, again and again: 16-bit mono, 7 s."""
    return noise(7, rate_hz=RATE_HZ, channels=1, bits=16, quieter=4)


@pytest.fixture
def make_box(tmp_path: Path, room: bytes) -> Iterator[MakeBox]:
    """A box that is stopped, and whose light and devices were in order, when the test is over."""
    with ExitStack() as boxes:

        def make(*, sound: bytes = room, store: Store | None = None, **settings: object) -> Box:
            wav = wav_of(tmp_path, sound)
            box = build_box(store=store or store_at(tmp_path / "store"), wav=wav, **settings)  # type: ignore[arg-type]
            boxes.callback(check_light, box)
            boxes.callback(box.stop)
            return box

        yield make
