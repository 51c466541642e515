"""An update that the clinic's desk sent to a box that boots: by `sotto apply`, systemd and a mount to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.deb.test_deb_boot import booted
from tests.deb.trees import Machine
from tests.deb.versions import as_a_box_of_the_clinic, is_of_the_page, loops

TRY = r"""
def announced():
    path = pathlib.Path("/run/sotto-announce/sotto.service")
    return path.read_text() if path.exists() else ""

until("a box", well)
until("its announcement", lambda: "version=0.1.0" in announced())
hurry(4)
order("0.2.0")
until("its being settled", lambda: status().get("settled") == "0.2.0" and outcome("update 1") not in (None, "waiting"))
until("a settled box", well)
until("the announcement of its version", lambda: "version=0.2.0" in announced())
note("settled", {"ended": ended(), "results": results()})
# What a cut leaves that comes after a version was staged and before that was told.
os.unlink("/var/lib/sotto-apply/results.json")
order("0.2.0")
until("the order's end", lambda: outcome("update 1") not in (None, "waiting"))
note("cut", {"ended": ended(), "results": results()})
order("0.3.0")
until("a version that is given up", lambda: (status().get("staged") or {}).get("failed"))
note("given up", {"ended": ended(), "results": results()})
until("a box that went back", well)
failed = said("systemctl", "--failed", "--plain", "--no-legend")[1]
note("back", {"spool": os.listdir("/var/lib/sotto-web/orders"), "failed": failed})
stage("0.3.0-again")
until("another trial", lambda: status().get("on_trial"))
note("switched off", {})
end_here()
"""


def test_an_update_that_the_desk_sends_is_tried_and_settled_and_one_that_is_not_well_goes_back(
    own: Machine, orders: dict[str, bytes], tmp_path: Path
) -> None:
    as_a_box_of_the_clinic(own, {name: orders[name] for name in ("0.2.0", "0.3.0", "0.3.0-again")}, TRY)
    found: dict[str, Any] = dict(booted(own, words=loops(tmp_path / "loops")))
    assert "never" not in found, found
    for name in ("settled", "cut", "back"):
        one = found[name]
        assert (one["status"]["settled"], one["status"]["mounted"], one["mounted"]) == ("0.2.0", "0.2.0", "squashfs")
        assert (one["well"], one["status"]["on_trial"]) == (True, False)
    assert found["settled"]["ended"] == "inactive"
    assert found["settled"]["status"]["staged"] is None
    # What the box says of an order is that it was taken; how the version fared is in its own state.
    for name, number in (("settled", 1), ("cut", 1), ("given up", 2)):
        told = found[name]["results"][f"update {number}"]
        assert (told["outcome"], told["tries"], told["noted"]) == ("done", 1, True)
    assert found["given up"]["ended"] == "failed"
    assert is_of_the_page(found["back"]["status"]["staged"]["failed"])
    assert found["back"]["spool"] == []
    assert found["back"]["failed"].split()[:1] == ["sotto-update.service"]  # and nothing else of it
    assert len(found["back"]["failed"].splitlines()) == 1
    # In the midst of a trial it lets itself be switched off, else it had not ended; the next start has the settled one.
    assert found["switched off"]["status"]["on_trial"]
    assert str((own.tree / "var/lib/sotto-versions/current").readlink()) == "sotto_0.2.0_amd64.squashfs"
