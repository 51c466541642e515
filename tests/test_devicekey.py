"""The box's own key: made once, kept by nobody else, told when it cannot be used."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from device.devicekey import (
    PUBLIC_NAME,
    load_or_make_device_key,
    publish_public_key,
    published_fingerprint,
    throwaway_key,
)
from device.errors import AdminError
from device.recording.signing import fingerprint
from tests.support import cuts


def test_a_key_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    key = load_or_make_device_key(path)
    assert load_or_make_device_key(path).private_bytes_raw() == key.private_bytes_raw() == path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["device.key"]


def test_no_cut_while_it_is_made_leaves_half_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, cut in enumerate(cuts(monkeypatch)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with cut:
            load_or_make_device_key(folder / "device.key")
        found = (folder / "device.key").read_bytes() if (folder / "device.key").exists() else None
        assert found is None or len(found) == 32
        assert load_or_make_device_key(folder / "device.key").private_bytes_raw() == (
            found or (folder / "device.key").read_bytes()
        )


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33)], ids=["empty", "short", "long"])
def test_a_damaged_key_is_told_and_never_replaced(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "device.key"
    path.write_bytes(data)
    with pytest.raises(AdminError, match="damaged") as told:
        load_or_make_device_key(path)
    assert "provision the box again" in told.value.hint
    assert path.read_bytes() == data


def test_a_key_that_cannot_be_made_or_read_is_told_with_its_key(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere" / "device.key", tmp_path):
        with pytest.raises(AdminError, match="cannot be used") as told:
            load_or_make_device_key(path)
        assert "box.device_key" in told.value.hint


def test_a_rehearsals_key_is_another_one_every_time() -> None:
    assert throwaway_key().private_bytes_raw() != throwaway_key().private_bytes_raw()


def test_other_processes_know_the_key_by_its_fingerprint_once_capture_has_started(tmp_path: Path) -> None:
    key = throwaway_key()
    assert published_fingerprint(tmp_path) is None
    publish_public_key(key, tmp_path)
    assert published_fingerprint(tmp_path) == fingerprint(key.public_key().public_bytes_raw())
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [(PUBLIC_NAME, 32)]
    (tmp_path / PUBLIC_NAME).write_bytes(bytes(31))
    assert published_fingerprint(tmp_path) is None
    with pytest.raises(AdminError, match="cannot be published"):
        publish_public_key(key, tmp_path / "nowhere")
