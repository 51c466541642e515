"""The package replaced by apt while an update's image is mounted over it: what holds from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.deb.test_deb_boot import booted
from tests.deb.trees import Machine
from tests.deb.versions import as_a_box_of_the_clinic, changed, loops, order_about, order_of, repackaged

TRY = r"""
recorded = pathlib.Path("/var/lib/sotto/store/000001-abc/manifest.json")

def install(version):
    words = ("apt-get", "install", "--yes", "--no-install-recommends", f"/srv/sotto_{version}_amd64.deb")
    code, told = said("sh", "/usr/lib/sotto/writable-root", *words)
    lines = [line for line in told.splitlines() if line.startswith("sotto:")]
    return {"code": code, "told": lines, "all": told[-2000:]}

def look(name, more):
    # What is under the image, what is still held open of any, and what the package says of itself.
    lies = "umount --lazy /opt/sotto 2>/dev/null; cd /opt/sotto/lib/python3.13/site-packages; ls -d sotto-*.dist-info"
    held = [path.read_text().strip() for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file")]
    note(name, {
        "lies": said("unshare", "--mount", "sh", "-c", lies)[1],
        "held": sorted(one.rpartition("/")[2] for one in held if "/sotto_" in one),
        "package": said("dpkg-query", "--show", "--showformat=${Status} ${Version}", "sotto")[1],
        "results": results(),
        "socket": active("sotto-nginx.socket"),
        **more,
    })

until("a box", well)
if "cut" in found:
    look("after the cut", {"recorded": recorded.exists()})
    end_here()
hurry(4)
stage("0.2.0")
until("its being settled", lambda: status().get("settled") == "0.2.0")
until("a settled box", well)
ended()
# A session was here a short while ago, so that an order waits: `sotto apply` runs, from the image.
recorded.parent.mkdir()
recorded.write_text("{}")
order("config")
until("an order that waits", lambda: outcome("config 1") == "waiting")
look("settled", {})
refused = install("0.3.9")
until("a box that goes on", well)
until("one that waits again", lambda: active("sotto-apply.service") == "active")
look("refused", {"apt": refused})
older = install("0.1.5")
until("a box after the older package", well)
until("one that waits once more", lambda: active("sotto-apply.service") == "active")
look("older", {"apt": older})
hurry(3000)
stage("0.3.5")
until("a trial", lambda: status().get("on_trial") and well())
look("trial", {})
newer = install("0.4.0")
until("a box after the newer package", well)
until("the end of what was staged", lambda: (status().get("staged") or {}).get("failed"))
until("one that waits in the end", lambda: active("sotto-apply.service") == "active")
look("newer", {"apt": newer})
said("touch", "-d", "20 minutes ago", str(recorded))
until("the order's being done", lambda: outcome("config 1") not in (None, "waiting"))
until("a box after the order", well)
look("done", {})
note("cut", {})
subprocess.run(["systemctl", "--force", "--force", "poweroff"])
"""


@pytest.fixture
def replaced(own: Machine, orders: dict[str, bytes], package: Path, tmp_path: Path) -> Machine:
    """A box of the clinic with packages to install, one of them broken, and a later image."""
    image = changed(own, tmp_path, "0.3.5")
    later = order_of(image.with_suffix(".json").read_bytes(), image.read_bytes(), number=2)
    as_a_box_of_the_clinic(own, {"0.2.0": orders["0.2.0"], "0.3.5": later}, TRY)
    toml = own.tree / "etc/sotto/sotto.toml"
    told = order_about("config", {"sotto.toml": toml.read_bytes() + b"# changed\n"}, number=1)
    (own.tree / "srv/config").write_bytes(told)
    for made in (
        repackaged(package, tmp_path, "0.1.5"),
        repackaged(package, tmp_path, "0.3.9", also=["usr/bin/env"]),  # which is another package's
        repackaged(package, tmp_path, "0.4.0"),
    ):
        made.rename(own.tree / "srv" / made.name)
    return own


def test_a_package_takes_the_place_of_an_update_that_is_not_newer_and_nobody_holds_the_former_one(
    replaced: Machine, tmp_path: Path
) -> None:
    nodes = loops(tmp_path / "loops")
    found: dict[str, Any] = dict(booted(replaced, words=nodes))
    assert "never" not in found, found
    new = "sotto_0.2.0_amd64.squashfs"

    def tell(name: str, told: dict[str, Any]) -> tuple[object, ...]:
        one = told[name]
        assert one["well"], one
        assert one["socket"] == "active"
        assert one["results"]["config 1"]["tries"] == (1 if name in ("done", "after the cut") else 0)
        status = one["status"]
        return status["settled"], status["mounted"], one["mounted"], one["held"], one["lies"], one["package"]

    def lies(version: str) -> tuple[str, str]:
        return f"sotto-{version}.dist-info", f"install ok installed {version}"

    assert tell("settled", found) == ("0.2.0", "0.2.0", "squashfs", [new], *lies("0.1.0"))
    # What dpkg could not unpack leaves the box as it was, and running.
    assert found["refused"]["apt"]["code"] != 0
    assert tell("refused", found) == ("0.2.0", "0.2.0", "squashfs", [new], *lies("0.1.0"))
    assert found["older"]["apt"]["code"] == 0, found["older"]["apt"]
    assert found["older"]["apt"]["told"] == [
        "sotto: the update 0.2.0 is used as before: it is newer than this package, 0.1.5"
    ]
    assert tell("older", found) == ("0.2.0", "0.2.0", "squashfs", [new], *lies("0.1.5"))
    trial = "sotto_0.3.5_amd64.squashfs"
    # The settled one is held by whoever judges the trial.
    assert tell("trial", found) == ("0.2.0", "0.3.5", "squashfs", [new, trial], *lies("0.1.5"))
    assert found["newer"]["apt"]["code"] == 0, found["newer"]["apt"]
    assert found["newer"]["apt"]["told"] == [
        "sotto: from here on the version of this package is used, 0.4.0, and the update 0.2.0 no more"
    ]
    assert tell("newer", found) == (None, None, "", [], *lies("0.4.0"))
    # What was on trial is older now than what the box has.
    assert found["newer"]["status"]["staged"]["failed"] == "this box has 0.4.0"
    waiting = {found[name]["results"]["config 1"]["outcome"] for name in ("settled", "refused", "older", "newer")}
    assert (waiting, found["done"]["results"]["config 1"]["outcome"]) == ({"waiting"}, "done")
    assert (replaced.tree / "etc/sotto/sotto.toml").read_text().endswith("# changed\n")
    after: dict[str, Any] = dict(booted(replaced, words=nodes))
    assert tell("after the cut", after) == (None, None, "", [], *lies("0.4.0"))
    assert after["after the cut"]["recorded"]
    assert after["after the cut"]["status"]["order"] == 2  # none is taken again
