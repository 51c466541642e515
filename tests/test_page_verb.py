"""``sotto nginx`` and what the page keeps between two starts."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from device.age.identities import generate_identity
from device.cli import main
from device.compose_people import FORM_KEY_NAME, form_key_of
from device.config import load_config
from device.demo import DemoChoices, demo_config
from device.errors import AdminError
from device.page_verb import run_nginx
from device.tls_certificate import parse_certificate
from provisioning.clinic.series import STEP_DAYS, as_pem, new_page_key
from tests.front.nginx_server import nginx_program
from tests.remote.certificates import Authority, apart
from tests.support import PATIENCE_S
from tests.test_tls_series import MADE, Clinic

FRONT = """
[web.nginx]
names = ["127.0.0.1"]
certificate = "{folder}/page.pem"
key = "{folder}/page.key"
socket = "{folder}/page.sock"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sotto.toml"
    (tmp_path / "web").mkdir()
    recipient = str(generate_identity(post_quantum=False).recipient())
    path.write_text(demo_config(DemoChoices(tmp_path, 0, None, picture=False), recipient), encoding="utf-8")
    return path


def test_what_is_written_is_what_is_shown_and_nginx_takes_it(
    config: Path, tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in zip(("page.pem", "page.key"), apart(authority.issue("127.0.0.1")), strict=True):
        (tmp_path / name).write_bytes(data)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config.write_text(config.read_text().replace("port = 0", f"port = {port}") + FRONT.format(folder=tmp_path))
    written = tmp_path / "nginx.conf"
    asked = ["nginx", "--config", str(config), "--run", str(tmp_path)]
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert main([*asked, "--output", str(written)]) == 0
    assert capsys.readouterr().out == ""
    assert written.read_text() == shown
    assert f"listen [::]:{port} ssl default_server ipv6only=off;" in shown
    assert "@" not in shown.replace("@slower", "").replace("@away", "")
    judged = subprocess.run(
        [nginx_program(), "-t", "-e", "stderr", "-p", str(tmp_path), "-c", str(written)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stderr
    complaints = [line for line in judged.stderr.splitlines() if "[warn]" in line or "[alert]" in line]
    assert [line for line in complaints if "worker_connections exceed open file" not in line] == []


def test_without_nginx_in_the_configuration_it_says_what_is_missing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["nginx", "--config", str(config)]) == 1
    assert capsys.readouterr().err == (
        "error: the configuration has no [web.nginx]\nhint: docs/nginx.md shows what it has to hold\n"
    )


def test_the_key_of_forms_is_made_once_and_nobody_else_may_read_it(config: Path, tmp_path: Path) -> None:
    key = form_key_of(load_config(config))
    path = tmp_path / "web" / FORM_KEY_NAME
    assert form_key_of(load_config(config)) == key == path.read_bytes()
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"short")
    with pytest.raises(AdminError, match="damaged"):
        form_key_of(load_config(config))


def test_a_page_that_cannot_read_ahead_says_why_answers_all_the_same_and_ends_when_it_is_told_to(config: Path) -> None:
    store = load_config(config).store.path
    assert not store.exists()
    with subprocess.Popen(
        [sys.executable, "-m", "device", "web", "--config", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as page:
        try:
            assert page.stdout is not None
            assert page.stderr is not None
            assert page.stdout.readline().startswith("http://127.0.0.1:")
            assert page.stderr.readline() == "error: the store failed: it cannot be listed: No such file or directory\n"
            assert page.stderr.readline().startswith("hint: check the store's disk")
            page.terminate()
            assert page.wait(PATIENCE_S) == 0
            assert page.stderr.read() == ""
        finally:
            page.kill()


# Of certificates that were made ahead.


@pytest.fixture
def ahead(config: Path, tmp_path: Path) -> Clinic:
    """A box of a clinic's, with all its certificates, its key and the authority."""
    clinic = Clinic(tmp_path / "page")
    (tmp_path / "page.key").write_bytes(as_pem(clinic.page_key))
    (tmp_path / "ca.crt").write_bytes(clinic.authority)
    front = FRONT.replace("page.pem", "page") + 'authority = "{folder}/ca.crt"\n'
    config.write_text(config.read_text() + front.format(folder=tmp_path))
    return clinic


def shown_by(config: Path, folder: Path, now: datetime, *, again: bool = False) -> Path:
    """The certificate that nginx is told to show at that moment."""
    written = folder / "nginx.conf"
    assert run_nginx(load_config(config), output=written, run=folder, now=lambda: now, again=again) == 0
    (path,) = re.findall(r"ssl_certificate (\S+);", written.read_text())
    return Path(path)


def test_nginx_is_told_to_show_the_one_that_holds_then(config: Path, ahead: Clinic, tmp_path: Path) -> None:
    for days in range(0, 750, 10):
        now = MADE + timedelta(days=days)
        certificate = parse_certificate(shown_by(config, tmp_path, now).read_bytes())
        assert certificate.starts <= now < certificate.ends


def test_a_key_that_fits_none_of_them_is_refused_in_words(
    config: Path, ahead: Clinic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.key").write_bytes(as_pem(new_page_key()))
    assert main(["nginx", "--config", str(config), "--output", str(tmp_path / "nginx.conf")]) == 1
    said = capsys.readouterr().err
    assert "is not for the page's key on this box" in said
    assert "hint: " in said
    assert not (tmp_path / "nginx.conf").exists()


def test_one_that_does_not_fit_is_told_and_the_others_serve(
    config: Path, ahead: Clinic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ahead.adds("2026-12-01.pem", starts=MADE + timedelta(days=5), days=90, key=new_page_key())
    assert shown_by(config, tmp_path, MADE + timedelta(days=7)).name == "2026-11-23.pem"
    assert "2026-12-01.pem is not for the page's key" in capsys.readouterr().err


def test_a_running_nginx_takes_the_next_one_over_and_cuts_nobody(config: Path, ahead: Clinic, tmp_path: Path) -> None:
    """What the timer has done: once where the time has come, and nothing at all where it has not."""
    second = sorted(ahead.folder.iterdir())[1]
    first, change = sorted(ahead.folder.iterdir())[0], MADE + timedelta(days=STEP_DAYS + 1)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config.write_text(config.read_text().replace("port = 0", f"port = {port}"))
    assert shown_by(config, tmp_path, MADE) == first
    command = [nginx_program(), "-e", "stderr", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    command += ["-g", "user root;"] if os.geteuid() == 0 else []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: seen_at(port) == parse_certificate(first.read_bytes()).fingerprint)
            with talking(port) as open_one:
                before = (tmp_path / "nginx.conf").stat().st_mtime_ns
                shown_by(config, tmp_path, change - timedelta(hours=2), again=True)
                assert (tmp_path / "nginx.conf").stat().st_mtime_ns == before  # nothing to do yet
                assert shown_by(config, tmp_path, change, again=True) == second
                until(lambda: seen_at(port) == parse_certificate(second.read_bytes()).fingerprint)
                open_one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert open_one.recv(12).startswith(b"HTTP/1.1 ")
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


@contextmanager
def talking(port: int) -> Iterator[ssl.SSLSocket]:
    """A connection whose certificate is looked at, and not judged: here its time is another one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain) as made,
    ):
        yield made


def seen_at(port: int) -> str | None:
    try:
        with talking(port) as made:
            shown = made.getpeercert(binary_form=True)
    except OSError:
        return None
    return None if shown is None else hashlib.sha256(shown).digest().hex(":").upper()


def until(holds: Callable[[], bool]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.05)
