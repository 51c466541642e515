"""The stock card's layout, and the transcript of the way; nothing is built and nothing emulated."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

from provisioning.card.partitions import boot_partition
from provisioning.card.planning import STOCK
from provisioning.errors import UsageError
from tests.appliance.journey import Journey, shortened
from tests.appliance.look import surprises
from tests.appliance.sets import SETS
from tests.appliance.stock import BOOT_AT_BYTES, BOOT_FILES, CARD_BYTES, table


def test_the_stock_cards_table_is_one_that_a_card_is_prepared_on() -> None:
    boot = boot_partition(table(), disk_bytes=CARD_BYTES)
    assert boot.offset_bytes == BOOT_AT_BYTES
    (root_begins,) = struct.unpack_from("<I", table(), 446 + 16 + 8)
    assert root_begins * 512 == boot.end_bytes
    with pytest.raises(UsageError, match="end beyond the disk"):
        boot_partition(table(), disk_bytes=boot.end_bytes)


def test_the_stock_boot_partition_has_all_that_tells_it_from_others() -> None:
    assert set(STOCK) <= set(BOOT_FILES)
    assert "root=PARTUUID=" in BOOT_FILES["cmdline.txt"]


def test_the_transcript_has_what_was_typed_and_said_and_how_long_it_took(tmp_path: Path) -> None:
    journey = Journey("amd64")
    with journey.step("something is said"):
        journey.run([sys.executable, "-c", f"print('{tmp_path}/here'); print('x' * 500)"], shown={f"{tmp_path}/": ""})
    with journey.step("nothing is said"):
        pass
    journey.write(tmp_path / "journey.md")
    page = (tmp_path / "journey.md").read_text()
    assert "## Something is said" in page
    assert "\n    here\n" in page
    assert str(tmp_path) not in page
    assert "x" * 100 not in page
    assert "## Nothing is said" not in page
    assert page.count("\n| ") == 3  # the head, and two steps


def test_a_command_that_failed_ends_the_journey_with_what_it_said() -> None:
    journey = Journey("amd64")
    with pytest.raises(AssertionError, match="no such thing"), journey.step("it fails"):
        journey.run([sys.executable, "-c", "import sys; sys.exit('no such thing')"])


def test_of_many_lines_the_first_and_the_last_are_kept_and_the_rest_counted() -> None:
    lines = [f"line {number}" for number in range(100)]
    kept = shortened(lines)
    assert (kept[0], kept[-1]) == ("line 0", "line 99")
    (counted,) = [line for line in kept if line.startswith("[")]
    assert counted == f"[{100 - (len(kept) - 1)} lines more]"
    assert shortened(lines[:5]) == lines[:5]


def test_whatever_nobody_decided_on_and_whatever_is_missing_is_a_surprise() -> None:
    assert surprises(SETS, SETS) == []
    found = SETS | {
        "listening": SETS["listening"] | {"tcp 0.0.0.0 22 sshd"},
        "usb": SETS["usb"] - {"0627:0001: not used"} | {"0627:0001: 1-2:1.0 03 usbhid"},
    }
    assert surprises(found, SETS) == [
        "listening: + tcp 0.0.0.0 22 sshd",
        "usb: + 0627:0001: 1-2:1.0 03 usbhid",
        "usb: - 0627:0001: not used",
    ]
