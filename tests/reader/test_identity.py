"""Somebody makes their identity in the reader: stock age opens what was saved, the clinic takes its recipient."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Download

from device.age.identities import generate_identity
from device.age.recipients import fingerprint, parse_recipient
from tests.age.conftest import AGE_PQ
from tests.provisioning.boxes import call
from tests.provisioning.folders import Admin
from tests.reader.browsing import Reader

QUIET = 4
PASSPHRASE = "three willows under the bridge"  # noqa: S105  # nobody's


def fill(reader: Reader, login: str, passphrase: str, again: str) -> None:
    if reader.page.locator("#identity[open]").count() == 0:
        reader.page.click("#identity summary")
    reader.page.fill("#identity-login", login)
    reader.page.fill("#identity-passphrase", passphrase)
    reader.page.fill("#identity-again", again)
    reader.page.click("#identity button[type=submit]")


def saved(reader: Reader, press: str, folder: Path) -> Path:
    with reader.page.expect_download() as waited:
        reader.page.click(press)
    download: Download = waited.value
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


def opened_by_stock_age(sealed: Path, passphrase: str) -> str:
    """Stock age asks at a terminal alone, so it gets one."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(AGE_PQ, [str(AGE_PQ), "-d", "-o", f"{sealed}.opened", str(sealed)])  # noqa: S606
    said = b""
    while b"passphrase" not in said:
        said += os.read(terminal, 1024)
    os.write(terminal, f"{passphrase}\n".encode())
    try:
        while os.read(terminal, 1024):
            pass
    except OSError:  # the terminal is gone with its program (pty(7))
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
    return Path(f"{sealed}.opened").read_text(encoding="ascii")


def test_an_identity_made_here_is_the_clinics_and_stock_ages(reader: Reader, tmp_path: Path) -> None:
    fill(reader, "anna", PASSPHRASE, PASSPHRASE)
    reader.page.locator("#identity-save").wait_for()
    identity, recipient = saved(reader, "#identity-save", tmp_path), saved(reader, "#recipient-save", tmp_path)
    assert (identity.name, recipient.name) == ("anna.identity.age", "anna.recipient")
    text = recipient.read_text(encoding="ascii").strip()
    assert text.startswith("age1pq1")
    assert reader.page.input_value("#recipient") == text
    assert reader.page.inner_text("#recipient-id") == fingerprint(parse_recipient(text))
    assert [one for one in reader.asked if not one.startswith("blob:")] == []
    assert reader.page.evaluate("() => [localStorage.length, document.cookie.length]") == [0, 0]
    assert reader.page.input_value("#identity-passphrase") == ""

    admin = Admin(tmp_path, policy="private-first")
    recovery = generate_identity(post_quantum=True).recipient()
    assert admin.does("recovery", "set", admin.folder.path, recovery).code == 0
    admin.has("anna", None)
    said = admin.does("person", "set", admin.folder.path, "anna", "--recipient", recipient)
    assert said.code == 0, said.complaints
    assert f"recordings of Anna open for: + Anna ({reader.page.inner_text('#recipient-id')})" in said.out

    secret = opened_by_stock_age(identity, PASSPHRASE)
    assert secret.startswith("AGE-SECRET-KEY-PQ-1")
    (key := tmp_path / "anna.key").write_text(secret, encoding="ascii")
    sealed = subprocess.run([AGE_PQ, "-R", recipient], input=b"for Anna", capture_output=True, check=True).stdout
    opened = subprocess.run([AGE_PQ, "-d", "-i", key], input=sealed, capture_output=True, check=True).stdout
    assert opened == b"for Anna"
    assert secret.strip() not in reader.page.content()

    reader.page.reload()
    reader.unlock(identity, PASSPHRASE)  # and it opens the reader


def test_the_picture_is_the_recipient_as_another_program_draws_it(reader: Reader) -> None:
    """Square by square what segno makes of it, with one of the eight masks; in capitals it is the same recipient."""
    fill(reader, "anna", PASSPHRASE, PASSPHRASE)
    drawn = reader.page.locator("svg.qr .qr-ink").get_attribute("d") or ""
    dark = {(int(x) - QUIET, int(y) - QUIET) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn)}
    text = reader.page.input_value("#recipient").upper()
    masked = [segno.make(text, error="l", boost_error=False, micro=False, mask=mask) for mask in range(8)]
    wanted = [{(x, y) for y, row in enumerate(one.matrix) for x, square in enumerate(row) if square} for one in masked]
    assert dark in wanted


@pytest.mark.parametrize(
    ("login", "passphrase", "again", "kind"),
    [
        ("Anna B", PASSPHRASE, PASSPHRASE, "no login"),
        ("anna", PASSPHRASE, PASSPHRASE + "x", "not the same"),
        ("anna", "short", "short", "short passphrase"),
    ],
)
def test_what_will_not_do_is_told_before_anything_is_made(
    reader: Reader, login: str, passphrase: str, again: str, kind: str
) -> None:
    fill(reader, login, passphrase, again)
    reader.problem(kind)
    assert reader.page.locator("#identity-save").count() == 0


def test_a_passphrase_can_be_made_up(reader: Reader) -> None:
    reader.page.click("#identity summary")
    reader.page.click("#identity-suggest")
    made_up = reader.page.inner_text("#identity-made-up")
    assert reader.page.input_value("#identity-passphrase") == reader.page.input_value("#identity-again") == made_up
    assert len(made_up) == 29


def test_a_recipient_in_capitals_as_a_picture_has_it_is_the_same_one(tmp_path: Path) -> None:
    admin = Admin(tmp_path)
    key = generate_identity(post_quantum=True).recipient()
    admin.has("anna", None)
    said = admin.does("person", "set", admin.folder.path, "anna", "--recipient", str(key).upper())
    assert said.code == 0, said.complaints
    assert call("person", "list", admin.folder.path, "--json").told["people"][0]["key"] == fingerprint(key)
