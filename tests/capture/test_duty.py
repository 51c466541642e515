"""Who works in the room: until somebody else does, nobody does, or the time is over; whatever the wall clock says."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.capture.duty import DUTY_NAME, Duty
from device.errors import StoreError

ANNA, BEN = "a" * 12, "b" * 12
S = 1_000_000


def test_somebody_works_here_until_the_time_is_over_or_another_does() -> None:
    duty = Duty()
    assert duty.therapist(0) is None
    duty.begin(ANNA, now_us=10 * S, for_s=60)
    assert [duty.therapist(at_s * S) for at_s in (10, 69, 70, 1000)] == [ANNA, ANNA, None, None]
    duty.begin(BEN, now_us=20 * S, for_s=60)
    assert duty.therapist(30 * S) == BEN
    duty.end()
    assert duty.therapist(30 * S) is None


def test_it_outlives_a_restart_of_the_service_and_no_reboot(tmp_path: Path) -> None:
    Duty(tmp_path, boot="one").begin(ANNA, now_us=0, for_s=60)
    assert Duty(tmp_path, boot="one").therapist(59 * S) == ANNA
    assert Duty(tmp_path, boot="one").therapist(60 * S) is None
    assert Duty(tmp_path, boot="two").therapist(1 * S) is None
    Duty(tmp_path, boot="one").end()
    assert Duty(tmp_path, boot="one").therapist(1 * S) is None


@pytest.mark.parametrize("content", [b"", b"{}", b'{"therapist": "Anna", "boot": "one", "until_us": 1}', b"\xff"])
def test_what_cannot_be_read_is_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DUTY_NAME).write_bytes(content)
    assert Duty(tmp_path, boot="one").therapist(0) is None


def test_where_it_cannot_be_written_down_nobody_new_works_here_and_whoever_left_does_not(tmp_path: Path) -> None:
    duty = Duty(tmp_path / "gone", boot="one")
    with pytest.raises(StoreError, match="written down"):
        duty.begin(ANNA, now_us=0, for_s=60)
    assert duty.therapist(1) is None
    (tmp_path / "gone").mkdir()
    duty.begin(ANNA, now_us=0, for_s=60)
    (tmp_path / "gone" / DUTY_NAME).unlink()
    (tmp_path / "gone").rmdir()
    with pytest.raises(StoreError, match="written down"):
        duty.end()
    assert duty.therapist(1) is None
