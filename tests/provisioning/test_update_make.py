"""The desk signs a version, and a box takes what it made; what is no image is not signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.updating_order import read_update
from provisioning.desk import public_key
from tests.provisioning.folders import Admin
from tests.updates import facts_of


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    return Admin(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """What ``make update`` leaves, as far as a desk looks at it."""
    facts = facts_of("0.2.0")
    path = tmp_path / facts.image
    path.write_bytes(b"hsqs" + bytes(5000))
    path.with_suffix(".json").write_text(facts.model_dump_json())
    return path


def test_a_box_takes_the_version_that_the_desk_signed(admin: Admin, image: Path, tmp_path: Path) -> None:
    order = tmp_path / "an.order"
    said = admin.does("update", "make", admin.folder.path, image, "-o", order)
    assert (said.code, said.out) == (0, f"order 1: version 0.2.0 for room-1, room-3, in {order}\n")
    with order.open("rb") as file:
        key = public_key(admin.folder.path)
        offer, pieces = read_update(file, clinic_key=key, box="room-3", last=0)
        assert b"".join(pieces) == image.read_bytes()
    assert (offer.order, offer.facts) == (1, facts_of("0.2.0"))


def test_it_can_be_for_one_box_and_shown_before_it_is_signed(admin: Admin, image: Path, tmp_path: Path) -> None:
    words = ["update", "make", admin.folder.path, image, "-o", tmp_path / "an.order", "--box", "room-3"]
    said = admin.does(*words, "--dry-run", "--json")
    assert said.told == {"version": "0.2.0", "machine": "arm64", "boxes": ["room-3"]}
    assert not (tmp_path / "an.order").exists()
    assert admin.does(*words, "--json").told["boxes"] == ["room-3"]


def test_what_is_no_image_or_for_no_box_is_not_signed(admin: Admin, image: Path, tmp_path: Path) -> None:
    def said(*more: object, path: Path = image) -> tuple[int, str]:
        done = admin.does("update", "make", admin.folder.path, path, "-o", tmp_path / "an.order", *more)
        return done.code, done.complaints

    code, told = said("--box", "room-9")
    assert (code, "there is no box 'room-9'" in told) == (2, True)
    other = image.with_name("sotto_0.3.0_arm64.squashfs")
    other.write_bytes(image.read_bytes())
    other.with_suffix(".json").write_bytes(image.with_suffix(".json").read_bytes())
    assert "is not the image" in said(path=other)[1]
    image.write_bytes(b"PK" + bytes(5000))
    assert "is not the image" in said()[1]
    image.with_suffix(".json").unlink()
    assert "cannot be read" in said()[1]
    assert not (tmp_path / "an.order").exists()
