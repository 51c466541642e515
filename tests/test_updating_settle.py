"""A version from its order to its being settled, and all the ways in which it is not: a real disk, real orders."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.clock import PacedClock
from device.errors import OrderError, SottoError, StoreError, StoreFullError, UpdateError
from device.updating import MOST_TRIES, State
from device.updating_order import read_update
from device.updating_settle import settle, stage
from device.updating_shelf import VersionShelf
from device.updating_trial import Patience
from tests.updates import (
    AT_ONCE,
    BOX,
    CLINIC_PUBLIC,
    OWN,
    SimulatedBox,
    image_of,
    offer_of,
    order_of,
    runs,
    shelf_in,
    started,
)


def clock() -> PacedClock:
    return PacedClock(speed=1000, start=datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def shelf(tmp_path: Path) -> VersionShelf:
    return shelf_in(tmp_path)


def bring(box: SimulatedBox, order: bytes) -> str:
    source = io.BytesIO(order)
    offer, pieces = read_update(source, clinic_key=CLINIC_PUBLIC, box=BOX, last=box.shelf.state().order)
    return stage(box.shelf, box, offer, pieces).version


def settled(box: SimulatedBox, patience: Patience = AT_ONCE) -> None:
    settle(box.shelf, box, clock(), patience=patience, say=lambda _line: None)


def restarted(box: SimulatedBox) -> SimulatedBox:
    """The machine, switched off and on."""
    started(box.shelf.folder, box.shelf.folder.parent / "run")
    return SimulatedBox(box.shelf, sick=box.sick, runs=runs(box.shelf))


def images(shelf: VersionShelf) -> list[str]:
    return sorted(path.name for path in shelf.folder.glob("*.squashfs*"))


def test_a_good_version_is_staged_used_and_settled_for_all_starts_to_come(shelf: VersionShelf) -> None:
    box = SimulatedBox(shelf)
    assert bring(box, order_of("0.2.0", number=7)) == "0.2.0"
    assert runs(shelf) == OWN
    settled(box)
    assert box.changed == ["0.2.0"]
    assert restarted(box).runs == "0.2.0"
    assert shelf.state() == State(order=7)
    assert not shelf.is_trial()


def test_the_package_s_own_joins_with_images_and_two_of_those_are_kept(shelf: VersionShelf) -> None:
    box = SimulatedBox(shelf)
    for number, version in enumerate(("0.2.0", "0.3.0", "0.4.0"), start=1):
        bring(box, order_of(version, number=number))
        settled(box)
        assert runs(shelf) == version
        assert len(images(shelf)) <= 2
    assert images(shelf) == ["sotto_0.3.0_arm64.squashfs", "sotto_0.4.0_arm64.squashfs"]
    assert shelf.state().previous == "sotto_0.3.0_arm64.squashfs"


@pytest.mark.parametrize("wrong", ["unit", "page"])
@pytest.mark.parametrize("before", [None, "0.2.0"])
def test_a_version_that_is_not_well_is_given_up_and_the_one_before_runs(
    shelf: VersionShelf, wrong: str, before: str | None
) -> None:
    box = SimulatedBox(shelf, sick={"0.3.0": wrong})
    if before is not None:
        bring(box, order_of(before, number=1))
        settled(box)
    bring(box, order_of("0.3.0", number=2))
    with pytest.raises(UpdateError, match=r"0\.3\.0 is given up"):
        settled(box)
    assert shelf.is_trial()  # whoever started this goes back now: the script that systemd starts
    box = restarted(box)
    assert box.runs == (before or OWN)
    settled(box)
    assert box.changed == []  # it is not tried again
    staged = shelf.state().staged
    assert staged is not None
    assert staged.failed in {"not active: sotto-web.service", "the page does not answer"}
    bring(box, order_of("0.3.1", number=3))
    settled(box)
    assert runs(shelf) == "0.3.1"


def test_a_version_is_given_up_that_a_package_has_overtaken_since_it_was_staged(shelf: VersionShelf) -> None:
    box = SimulatedBox(shelf)
    bring(box, order_of("0.2.0", number=1))
    for package in ("0.2.0", "0.3.0"):
        box.runs = package  # installed by apt meanwhile
        with pytest.raises(UpdateError, match=f"given up: this box has {package}"):
            settled(box)
        assert box.changed == []
        bring(box, order_of(f"{package[:-1]}1", number=int(package[2])))
    settled(box)
    assert box.changed == ["0.3.1"]


def test_a_trial_that_is_cut_off_goes_back_and_is_tried_once_more_and_then_no_more(shelf: VersionShelf) -> None:
    box = SimulatedBox(shelf)
    bring(box, order_of("0.2.0", number=1))
    for _ in range(MOST_TRIES):
        box.then = cut_in_the_trial(box)
        with pytest.raises(KeyboardInterrupt):
            settled(box)
        box = restarted(box)
        assert box.runs == OWN
    with pytest.raises(UpdateError, match="cut off"):
        settled(box)
    assert box.changed == []
    assert runs(shelf) == OWN


def cut_in_the_trial(box: SimulatedBox) -> Callable[[], None]:
    def cut() -> None:
        if box.runs == "0.2.0":
            raise KeyboardInterrupt

    return cut


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (order_of("0.0.9", number=7), "has 0.1.0"),
        (order_of("0.1.0", number=7), "has 0.1.0"),
        (order_of("0.2.0", number=7, box="Room 4"), "other boxes"),
        (order_of("0.2.0", number=7, key=Ed25519PrivateKey.from_private_bytes(bytes(32))), "another key"),
        (order_of("0.2.0", number=7)[:-1], "damaged"),
        (order_of("0.2.0", number=7) + b"\0", "damaged"),
    ],
)
def test_what_is_not_the_clinic_s_or_older_is_refused_and_leaves_nothing(
    shelf: VersionShelf, order: bytes, said: str
) -> None:
    box = SimulatedBox(shelf)
    with pytest.raises(SottoError, match=said):
        bring(box, order)
    assert list(shelf.folder.iterdir()) == []


def test_an_order_is_never_taken_twice_nor_an_older_one_nor_the_settled_version_again(shelf: VersionShelf) -> None:
    box = SimulatedBox(shelf)
    bring(box, order_of("0.2.0", number=7))
    settled(box)
    for order in (order_of("0.2.0", number=7), order_of("0.3.0", number=6)):
        with pytest.raises(OrderError, match="number 7"):
            bring(box, order)
    box.runs = OWN  # the image could not be mounted: the package's own runs, and yet there is no way back
    with pytest.raises(UpdateError, match=r"has 0\.2\.0"):
        bring(box, order_of("0.1.5", number=8))


def test_a_flipped_bit_anywhere_in_an_order_is_refused_and_nothing_of_it_is_staged(shelf: VersionShelf) -> None:
    """Here at each thirteenth byte; at every one of them in ``tests/test_orders.py``."""
    box = SimulatedBox(shelf)
    order = bytearray(order_of("0.2.0", number=7, image=image_of("0.2.0", 700)))
    for at in range(0, len(order), 13):
        order[at] ^= 1 << at % 8
        with pytest.raises(SottoError):
            bring(box, bytes(order))
        order[at] ^= 1 << at % 8
    assert list(shelf.folder.iterdir()) == []
    assert bring(box, bytes(order)) == "0.2.0"


def test_a_byte_that_a_card_flips_after_staging_is_found_before_anything_changes(shelf: VersionShelf) -> None:
    box = SimulatedBox(shelf)
    bring(box, order_of("0.2.0", number=7))
    image = shelf.folder / "sotto_0.2.0_arm64.squashfs"
    data = bytearray(image.read_bytes())
    data[1234] ^= 1
    image.write_bytes(data)
    with pytest.raises(UpdateError, match="not what the clinic signed"):
        settled(box)
    assert box.changed == []
    assert not shelf.is_trial()


def test_nothing_changes_while_a_session_runs_or_was_near(shelf: VersionShelf) -> None:
    time = clock()
    box = SimulatedBox(shelf, state="recording")
    bring(box, order_of("0.2.0", number=7))
    looked: list[tuple[str, str, int]] = []

    def then() -> None:
        looked.append((box.runs, box.state, time.now_us()))
        box.state = {20: "sealed", 40: "idle"}.get(len(looked), box.state)

    box.then = then
    patience = Patience(quiet_us=900_000_000, well_us=1_000_000, most_us=10_000_000)
    settle(shelf, box, time, patience=patience, say=lambda _line: None)
    last_busy_us = max(at_us for _, state, at_us in looked if state != "idle")
    first_new_us = min(at_us for version, _, at_us in looked if version == "0.2.0")
    assert first_new_us - last_busy_us >= patience.quiet_us
    assert {version for version, state, _ in looked if state != "idle"} == {OWN}


def test_a_newer_version_that_comes_while_one_waits_is_the_one_that_is_used(shelf: VersionShelf) -> None:
    box = SimulatedBox(shelf, state="recording")
    bring(box, order_of("0.2.0", number=7))

    def then() -> None:
        if box.state == "recording":
            bring(SimulatedBox(shelf), order_of("0.3.0", number=8))
            box.state = "idle"

    box.then = then
    settled(box)
    assert box.changed == ["0.3.0"]
    assert images(shelf) == ["sotto_0.3.0_arm64.squashfs"]


def test_nothing_is_staged_while_a_version_is_on_trial(shelf: VersionShelf) -> None:
    box = SimulatedBox(shelf)
    bring(box, order_of("0.2.0", number=7))
    refused: list[str] = []

    def then() -> None:
        if box.runs == "0.2.0" and not refused:
            with pytest.raises(StoreError, match="another update is under way") as problem:
                bring(SimulatedBox(shelf), order_of("0.3.0", number=8))
            refused.append(problem.value.hint)

    box.then = then
    settled(box)
    assert refused
    assert runs(shelf) == "0.2.0"


def test_an_update_that_there_is_no_room_for_is_not_begun(shelf: VersionShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    offer, image = offer_of("0.2.0", order=7)
    monkeypatch.setattr("device.updating_shelf._ROOM_BYTES", 1 << 60)
    with pytest.raises(StoreFullError, match="no room"):
        stage(shelf, SimulatedBox(shelf), offer, [image])
    assert list(shelf.folder.iterdir()) == []
