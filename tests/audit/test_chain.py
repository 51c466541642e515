"""Whoever changes, takes away, swaps or cuts off anything in a log is found, and the right entry is named."""

from __future__ import annotations

import json
import shutil
import tempfile
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audit import head_of
from device.errors import DamagedError
from device.recording.chain import Bad, Head, Wrong, parse_head, read_line
from device.recording.signing import fingerprint, verify, verify_line
from provisioning.verify_audit import verify_audit
from tests.audit.logs import KEY, files_of, lines_of, put_back, write

COUNT = 12
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of twelve entries in several files."""
    folder = tmp_path_factory.mktemp("valid") / "audit"
    write(folder, COUNT, rotate_bytes=1600)
    assert len(files_of(folder)) > 3
    return folder


def first_bad(valid: Path, lines: list[tuple[str, bytes]]) -> Bad | None:
    """What is found in these lines by somebody who knows the head of the valid log."""
    with tempfile.TemporaryDirectory() as folder:
        put_back(Path(folder) / "audit", lines)
        return verify_audit(Path(folder) / "audit", head=head_of(valid)).bad


def test_a_log_that_nobody_touched_is_good(valid: Path) -> None:
    signed_by = frozenset({fingerprint(KEY.public_key().public_bytes_raw())})
    report = verify_audit(valid, head=head_of(valid), device_keys=signed_by)
    assert (report.bad, report.verdict.entries, report.verdict.head_seen) == (None, COUNT, True)
    assert verify_audit(valid, head=Head()).bad is None


@settings(max_examples=400)
@given(data=st.data())
def test_every_edit_of_a_byte_is_found_at_its_entry(valid: Path, data: st.DataObject) -> None:
    lines = lines_of(valid)
    at = data.draw(st.integers(0, COUNT - 1))
    name, line = lines[at]
    place, byte = data.draw(st.integers(0, len(line) - 1)), data.draw(st.integers(0, 255))
    if line[place] == byte:
        return
    lines[at] = (name, line[:place] + bytes([byte]) + line[place + 1 :])
    bad = first_bad(valid, lines)
    assert bad is not None
    assert bad.number == at + 1


@settings(max_examples=200)
@given(data=st.data())
def test_every_insertion_is_found_at_its_entry(valid: Path, data: st.DataObject) -> None:
    lines = lines_of(valid)
    at = data.draw(st.integers(0, COUNT - 1))
    name, line = lines[at]
    place, more = data.draw(st.integers(0, len(line) - 1)), data.draw(st.binary(min_size=1, max_size=8))
    lines[at] = (name, line[:place] + more + line[place:])
    bad = first_bad(valid, lines)
    assert bad is not None
    assert bad.number == at + 1


@pytest.mark.parametrize("at", range(COUNT))
def test_every_entry_that_was_taken_away_is_named(valid: Path, at: int) -> None:
    lines = lines_of(valid)
    del lines[at]
    bad = first_bad(valid, lines)
    assert bad is not None
    assert (bad.number, bad.wrong) == (at + 1, Wrong.MISSING if at < COUNT - 1 else Wrong.TRUNCATED)


@pytest.mark.parametrize("one", range(COUNT))
@pytest.mark.parametrize("other", range(COUNT))
def test_every_swap_is_found_at_the_first_of_both(valid: Path, one: int, other: int) -> None:
    if one >= other:
        return
    lines = lines_of(valid)
    (first, line), (second, late) = lines[one], lines[other]
    lines[one], lines[other] = (first, late), (second, line)
    bad = first_bad(valid, lines)
    assert bad is not None
    assert (bad.number, bad.wrong) == (one + 1, Wrong.OUT_OF_ORDER)


@pytest.mark.parametrize("at", range(COUNT))
def test_an_entry_that_stands_there_twice_is_found(valid: Path, at: int) -> None:
    lines = lines_of(valid)
    lines.insert(at, lines[at])
    bad = first_bad(valid, lines)
    assert bad is not None
    assert (bad.number, bad.wrong) == (at + 2, Wrong.OUT_OF_ORDER)


@pytest.mark.parametrize("left", range(COUNT))
def test_every_truncation_is_found_by_whoever_knows_the_head(valid: Path, left: int) -> None:
    bad = first_bad(valid, lines_of(valid)[:left])
    assert bad is not None
    assert (bad.number, bad.wrong) == (left + 1, Wrong.TRUNCATED)


@settings(max_examples=100)
@given(data=st.data())
def test_a_cut_in_the_middle_of_a_line_takes_that_entry_away(valid: Path, data: st.DataObject) -> None:
    left = data.draw(st.integers(0, COUNT - 1))
    lines = lines_of(valid)
    name, line = lines[left]
    lines = [*lines[:left], (name, line[: data.draw(st.integers(1, len(line) - 1))])]
    bad = first_bad(valid, lines)
    assert bad is not None
    assert (bad.number, bad.wrong) == (left + 1, Wrong.TRUNCATED)


@pytest.mark.parametrize("gone", range(4))
def test_a_file_that_is_gone_is_found_at_its_first_entry(valid: Path, tmp_path: Path, gone: int) -> None:
    shutil.copytree(valid, tmp_path / "audit")
    missing = files_of(tmp_path / "audit")[gone]
    missing.unlink()
    bad = verify_audit(tmp_path / "audit", head=head_of(valid)).bad
    assert bad is not None
    assert bad.number == int(missing.stem)


def test_a_file_with_another_name_is_found(valid: Path, tmp_path: Path) -> None:
    shutil.copytree(valid, tmp_path / "audit")
    last = files_of(tmp_path / "audit")[-1]
    last.rename(last.with_name("000000000900.jsonl"))
    bad = verify_audit(tmp_path / "audit").bad
    assert bad == Bad(int(last.stem), "000000000900.jsonl", 1, Wrong.MISNAMED)


def test_what_another_key_signed_is_found_though_it_is_chained(tmp_path: Path) -> None:
    write(tmp_path / "audit", 3)
    write(tmp_path / "audit", 3, key=OTHER_KEY)
    bad = verify_audit(tmp_path / "audit").bad
    assert bad is not None
    assert (bad.number, bad.wrong) == (4, Wrong.ANOTHER_KEY)


def test_a_log_of_another_box_is_found_by_whoever_knows_the_key(valid: Path) -> None:
    report = verify_audit(valid, device_keys=frozenset({fingerprint(OTHER_KEY.public_key().public_bytes_raw())}))
    assert report.bad is not None
    assert (report.bad.number, report.bad.wrong, report.verdict.entries) == (1, Wrong.ANOTHER_KEY, 0)


def test_a_log_that_was_cut_off_and_written_on_is_found_by_the_head_that_went_out(valid: Path, tmp_path: Path) -> None:
    put_back(tmp_path / "audit", lines_of(valid)[:5])
    write(tmp_path / "audit", 20)
    assert verify_audit(tmp_path / "audit").bad is None  # nothing else could tell
    bad = verify_audit(tmp_path / "audit", head=head_of(valid)).bad
    assert bad is not None
    assert (bad.number, bad.wrong) == (COUNT, Wrong.REWRITTEN)


def test_an_entry_that_the_box_signed_twice_differently_does_not_fit_the_chain(tmp_path: Path) -> None:
    write(tmp_path / "one", 4)
    write(tmp_path / "other", 1, rotate_bytes=1)
    write(tmp_path / "other", 3)
    lines = lines_of(tmp_path / "one")
    lines[2] = ("000000000001.jsonl", lines_of(tmp_path / "other")[2][1])
    put_back(tmp_path / "one", lines)
    bad = verify_audit(tmp_path / "one").bad
    assert bad is not None
    assert (bad.number, bad.wrong) == (3, Wrong.NOT_CHAINED)


# -- one line ---------------------------------------------------------------------------------------------------------


def respelled(line: bytes) -> list[bytes]:
    """The same document, written in other ways."""
    document = json.loads(line)
    signature = document["signature"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    sloppy = signature[:-3] + letters[letters.index(signature[-3]) | 1] + "=="
    return [
        json.dumps(document).encode() + b"\n",
        json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b" \n",
        line.replace(b'"key"', b'"key":"","key"', 1),
        line.replace(b'"payload"', b'"\\u0070ayload"', 1),
        line.replace(signature.encode(), sloppy.encode()),
        line.replace(b'"number":', b'"number":0,"number":', 1),
    ]


def test_a_line_can_be_written_in_one_way_only(valid: Path) -> None:
    line = lines_of(valid)[3][1]
    assert read_line(line).number == 4
    for other in respelled(line):
        assert other != line
        with pytest.raises(DamagedError):
            read_line(other)


def test_a_signature_for_another_kind_of_document_is_none_for_an_entry(valid: Path) -> None:
    line = lines_of(valid)[0][1]
    assert verify("audit", line).payload["number"] == 1
    with pytest.raises(DamagedError, match="the manifest was changed"):
        verify_line("manifest", line)


def test_the_signature_is_what_the_documents_say_it_is(valid: Path) -> None:
    document = json.loads(lines_of(valid)[0][1])
    canonical = json.dumps(document["payload"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    KEY.public_key().verify(b64decode(document["signature"]), f"sotto audit v1\n{canonical}".encode())
    assert document["key"] == b64encode(KEY.public_key().public_bytes_raw()).decode()


@given(st.text(max_size=80) | st.builds(lambda n: f"{n}:{'a' * 64}", st.integers(-5, 10**13)))
def test_no_text_breaks_the_reading_of_a_head(text: str) -> None:
    head = parse_head(text)
    assert head is None or str(head) == text


@given(st.binary(max_size=200))
def test_no_line_breaks_the_reading_of_one(data: bytes) -> None:
    with pytest.raises(DamagedError):
        read_line(data + b"\n")
    assert Head().after(data).number == 1
