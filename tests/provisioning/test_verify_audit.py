"""``sotto-clinic verify`` of an audit log: what it prints, and what it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device.audit import head_of
from device.recording.signing import fingerprint
from provisioning.__main__ import run
from tests.audit.logs import KEY, files_of, lines_of, put_back, write

FINGERPRINT = fingerprint(KEY.public_key().public_bytes_raw())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a log of nine entries in three files."""
    (tmp_path / "store").mkdir()
    write(tmp_path / "store" / "audit", 9, rotate_bytes=1600)
    assert len(files_of(tmp_path / "store" / "audit")) == 3
    return tmp_path / "store"


def verify(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str], list[str]]:
    code = run(["verify", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err.splitlines()


def test_a_good_log_is_told_with_its_head_and_what_that_does_not_show(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = head_of(store / "audit")
    code, lines, errors = verify(capsys, store)
    assert (code, errors) == (0, [])
    assert lines == [
        f"audit: entries 1 to 9 good, signed by key {FINGERPRINT}",
        f"head: {head}; without a head that went out earlier nothing says whether later entries were cut off",
    ]
    code, lines, _ = verify(capsys, store / "audit", "--head", head, "--device-key", FINGERPRINT)
    assert (code, lines[-1]) == (0, f"head: {head}; the head that went out (9) is in it")


def test_the_first_bad_entry_is_named_with_its_file_and_line(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoiled = files_of(store / "audit")[1]
    spoiled.write_bytes(spoiled.read_bytes().replace(b'"start_sample":4', b'"start_sample":5'))
    code, lines, errors = verify(capsys, store)
    assert code == 4
    assert lines[1] == f"first bad entry: 5 ({spoiled.name}, line 2): it was changed after the box signed it"
    assert lines[2].endswith(" (of the last good entry)")
    assert errors == [
        "error: entry 5: it was changed after the box signed it",
        "hint: trust nothing from there on, and find out why",
    ]
    code, lines, _ = verify(capsys, store, "--json")
    assert code == 4
    assert json.loads(lines[0])["audit_logs"][0]["bad"] == {
        "number": 5,
        "file": spoiled.name,
        "line": 2,
        "wrong": "edited",
        "what": "it was changed after the box signed it",
    }


def test_a_torn_end_is_harmless_and_a_truncated_one_is_not(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, lines = head_of(store / "audit"), lines_of(store / "audit")
    with files_of(store / "audit")[-1].open("ab") as file:
        file.write(b'{"key":')
    code, told, _ = verify(capsys, store, "--head", head)
    assert code == 0
    assert told[1] == (
        f"{lines[-1][0]}: 7 bytes at its end never were an entry: a power cut tore them; nothing is lost"
    )
    put_back(store / "audit", [*lines[:-1], (lines[-1][0], lines[-1][1][:7])])
    code, told, errors = verify(capsys, store, "--head", head)
    assert code == 4
    assert errors[0] == "error: entry 9: it is missing, with everything after it: the end of the log was cut off"


def test_one_file_can_be_verified_alone(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = files_of(store / "audit")[1]
    code, lines, _ = verify(capsys, second)
    assert code == 0
    assert lines[0].startswith(f"{second.name}: entries 4 to 6 good")
    assert lines[1] == "what came before entry 4 was not looked at"
    second.write_bytes(second.read_bytes()[5:])
    code, lines, _ = verify(capsys, second)
    assert code == 4
    assert "first bad entry: 4" in "\n".join(lines)


def test_another_boxs_log_is_told_by_whoever_knows_the_key(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, errors = verify(capsys, store, "--device-key", "0" * 16)
    assert (code, errors[0]) == (4, "error: entry 1: it was signed by another key")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("--head", "9"), 2, "that is no head of an audit log"),
        (("--head", "x:" + "0" * 64), 2, "that is no head of an audit log"),
        (("--device-key", "0123"), 2, "the device keys in 0123 cannot be read: No such file or directory"),
    ],
)
def test_what_makes_no_sense_is_refused(
    store: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, error: str
) -> None:
    told = verify(capsys, store, *arguments)
    assert (told[0], told[2][0]) == (code, f"error: {error}")


def test_what_is_no_log_is_refused(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(capsys, tmp_path / "no")[0] == 6
    assert verify(capsys, tmp_path)[0] == 6
    head = head_of(store / "audit")
    for path in files_of(store / "audit"):
        path.unlink()
    assert verify(capsys, store / "audit")[0] == 0  # a box that has not begun
    assert verify(capsys, store / "audit", "--head", head)[0] == 4
