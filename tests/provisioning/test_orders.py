"""The desk makes an order: noted before it is there, numbered upwards, and as a box takes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.clock import SystemClock
from device.orders import members_of, read_order
from provisioning.desk import Desk, make_desk, open_desk
from provisioning.errors import OutputError, UsageError
from provisioning.orders import last_number, make_order


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    make_desk(tmp_path / "desk", SystemClock())
    with open_desk(tmp_path / "desk", SystemClock()) as made:
        yield made


def test_a_box_takes_what_the_desk_made(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3 << 20))
    files = {"roster.json": b"{}", "more.bin": tmp_path / "large"}
    made = make_order(desk, "roster", files, boxes=["Room 1"], output=tmp_path / "an.order")
    key = desk.key.public_key().public_bytes_raw()
    with made.path.open("rb") as file:
        assert read_order(file, clinic_key=key) == made.order
        sizes = {member.name: sum(map(len, pieces)) for member, pieces in members_of(file, made.order)}
    assert sizes == {"roster.json": 2, "more.bin": 3 << 20}
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_each_order_has_a_higher_number_that_the_log_keeps(desk: Desk, tmp_path: Path) -> None:
    def number(about: str = "roster", above: int = 0) -> int:
        files = {"a": b""}
        order = make_order(desk, about, files, boxes=["Room 1"], output=tmp_path / "an.order", above=above)
        return order.order.number

    assert [number(), number("config"), number(), number(above=40), number()] == [1, 2, 3, 41, 42]
    assert last_number(desk.folder) == 42
    assert last_number(tmp_path / "nowhere") == 0


def test_a_number_is_not_used_again_where_the_order_could_not_be_written(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        make_order(desk, "roster", {"a": b""}, boxes=["Room 1"], output=tmp_path / "nowhere" / "an.order")
    assert last_number(desk.folder) == 1


def test_what_cannot_be_an_order_is_told_and_not_noted(desk: Desk, tmp_path: Path) -> None:
    for files, boxes in (
        ({"../a": b""}, ["Room 1"]),
        ({"a": b""}, []),
        ({"a": bytes(5 << 20)}, ["Room 1"]),
        ({"a": tmp_path / "nowhere"}, ["Room 1"]),
        ({}, ["Room 1"]),
    ):
        with pytest.raises(UsageError):
            make_order(desk, "roster", files, boxes=boxes, output=tmp_path / "an.order")
    assert last_number(desk.folder) == 0
    assert not (tmp_path / "an.order").exists()
