"""``sotto nginx`` and what the page keeps between two starts."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from device.age.identities import generate_identity
from device.cli import main
from device.compose_people import FORM_KEY_NAME, form_key_of
from device.config import load_config
from device.demo import DemoChoices, demo_config
from device.errors import AdminError
from tests.front.nginx_server import nginx_program
from tests.remote.certificates import Authority, apart
from tests.support import PATIENCE_S

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
