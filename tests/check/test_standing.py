"""What is said without opening a device: recipients, clock, key, store, user."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.age.identities import generate_identity
from device.age.recipients import fingerprint
from device.check.finding import Level
from device.check.standing import check_clock, check_device_key, check_recipients, check_store, check_user
from device.clock import PacedClock, SystemClock
from device.config import RecipientsSection
from device.devicekey import load_or_make_device_key

CLASSIC = [str(generate_identity(post_quantum=False).recipient()) for _ in range(2)]
HYBRID = [str(generate_identity(post_quantum=True).recipient()) for _ in range(2)]


@pytest.mark.parametrize(("keys", "kind"), [(CLASSIC, "classic"), (HYBRID, "post-quantum")])
def test_recipients_are_told_by_kind_and_key_ids_and_never_by_their_keys(keys: list[str], kind: str) -> None:
    (found,) = check_recipients(RecipientsSection(keys=tuple(keys)), box="Room 3")
    assert found.level is Level.GOOD
    assert found.what.startswith(f"2 {kind}: ")
    assert keys[0] not in found.what
    from device.age.recipients import parse_recipient

    assert found.figures["key_ids"] == [fingerprint(parse_recipient(key)) for key in keys]


def test_a_single_recipient_is_worth_a_look() -> None:
    (found,) = check_recipients(RecipientsSection(keys=(CLASSIC[0],)), box="Room 3")
    assert found.level is Level.LOOK
    assert "second" in found.hint


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ((), "there is no recipient"),
        (("age1nonsense",), "recipient 1 cannot be used"),
        ((CLASSIC[0], HYBRID[0]), "cannot be used together"),
    ],
    ids=["none", "nonsense", "mixed"],
)
def test_recipients_that_cannot_be_used_are_bad(keys: tuple[str, ...], what: str) -> None:
    (found,) = check_recipients(RecipientsSection(keys=keys), box="Room 3")
    assert found.level is Level.BAD
    assert what in found.what
    assert found.hint


def test_a_clock_that_nobody_set_is_worth_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = check_clock(PacedClock(speed=1, start=datetime(2026, 3, 2, tzinfo=UTC)))
    assert found.level is Level.GOOD

    class Unset(SystemClock):
        def trusted(self) -> bool:
            return False

    (found,) = check_clock(Unset())
    assert found.level is Level.LOOK
    assert found.figures == {"trusted": False}
    assert "time server" in found.hint


def test_a_device_key_is_looked_at_and_never_made(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    (found,) = check_device_key(path)
    assert (found.level, found.figures["exists"]) == (Level.GOOD, False)
    assert not path.exists()
    load_or_make_device_key(path)
    assert check_device_key(path)[0].level is Level.GOOD
    path.write_bytes(b"short")
    (found,) = check_device_key(path)
    assert (found.level, found.what) == (Level.BAD, "the device key is damaged")
    assert check_device_key(tmp_path / "nowhere" / "device.key")[0].level is Level.BAD


def test_a_store_is_told_with_its_room_and_its_speed(tmp_path: Path) -> None:
    found = check_store(tmp_path, session_bytes=1, needed_bytes_per_s=1)
    assert [finding.name for finding in found] == ["store", "free room", "disk"]
    assert found[0].level is Level.GOOD
    assert list(tmp_path.iterdir()) == []
    (missing,) = check_store(tmp_path / "nowhere", session_bytes=1, needed_bytes_per_s=1)
    assert (missing.name, missing.level) == ("store", Level.BAD)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_whoever_is_not_the_services_user_is_told(tmp_path: Path) -> None:
    assert check_user(tmp_path) == []
    os.chown(tmp_path, 12_345, 12_345)
    (found,) = check_user(tmp_path)
    assert found.level is Level.LOOK
    assert "sotto-capture" in found.hint
