"""A box that changes its version, with real systemd, squashfs and mounts: a good one, one that is not, kills and cuts.

It boots twice. The first time everything is tried that can happen, and the power is cut in the middle of a trial; the
second time it is looked at what started.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deb.image import image_of
from tests.deb.test_deb_boot import booted
from tests.deb.trees import Machine
from tests.deb.versions import as_a_box_of_the_clinic, is_of_the_page, loops

TRY = r"""
until("a box", well)
if "cut" in found:
    note("after the cut", {})
    end_here()
note("package", {})
note("flipped", {"said": stage("flipped")})
hurry(3000)
note("staged", {"said": stage("0.2.0")})
until("the trial", lambda: status().get("on_trial") and well())
note("trial", {})
said("systemctl", "kill", "--signal=KILL", "--kill-whom=main", "sotto-update.service")
until("the end of the service", lambda: active("sotto-update.service") in ("inactive", "failed"))
until("a box after the kill", well)
note("killed", {})
hurry(4)
said("sotto", "update", "apply", "--config", "/etc/sotto/sotto.toml")
until("its being settled", lambda: status().get("settled") == "0.2.0")
until("a settled box", well)
note("settled", {"said": ended()})
note("broken", {"said": stage("0.3.0"), "ended": ended()})
until("a box that went back", well)
note("back", {})
note("older", {"said": stage("older")})
note("again", {"said": stage("0.3.0")})
note("new order", {"said": stage("0.3.0-again")})
until("the second trial", lambda: status().get("on_trial"))
note("cut", {})
subprocess.run(["systemctl", "--force", "--force", "poweroff"])
"""


def test_the_same_package_gives_the_same_image(package: Path, tmp_path: Path) -> None:
    made = [image_of(package, out=tmp_path / name).read_bytes() for name in ("one", "other")]
    assert made[0] == made[1]


def test_a_box_changes_its_version_and_goes_back_from_one_that_is_not_well(
    own: Machine, orders: dict[str, bytes], tmp_path: Path
) -> None:
    as_a_box_of_the_clinic(own, orders, TRY)
    nodes = loops(tmp_path / "loops")
    found: dict[str, Any] = dict(booted(own, words=nodes))
    assert "never" not in found, found
    tell = {name: (one["status"]["mounted"], one["mounted"], one["well"]) for name, one in found.items()}
    own_version, new = (None, "", True), ("0.2.0", "squashfs", True)
    assert {name: tell[name] for name in ("package", "flipped", "trial", "killed", "settled", "back", "older")} == {
        "package": own_version,
        "flipped": own_version,
        "trial": new,
        "killed": own_version,  # the updater was killed, and the package's own is used again
        "settled": new,
        "back": new,
        "older": new,
    }
    for name, said in {
        "flipped": "the order is damaged",
        "older": "has 0.2.0",
        "again": "number 2",
    }.items():
        assert found[name]["said"][0] == 1
        assert said in found[name]["said"][1]
    why = found["back"]["status"]["staged"]["failed"]
    assert is_of_the_page(why)
    assert f"is given up: {why}" in found["back"]["kept"]
    assert found["settled"]["status"]["settled"] == "0.2.0"
    assert found["cut"]["status"]["on_trial"]
    after: Any = booted(own, words=nodes)["after the cut"]
    assert after["status"]["settled"] == after["status"]["mounted"] == "0.2.0"
    assert (after["mounted"], after["well"]) == ("squashfs", True)
    images = sorted(path.name for path in (own.tree / "var/lib/sotto-versions").glob("*.squashfs"))
    assert images == ["sotto_0.2.0_amd64.squashfs", "sotto_0.3.0_amd64.squashfs"]
