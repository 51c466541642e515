"""The service as it runs on a box: a process of its own, killed at any moment, told to wait and to go on."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from device.clock import SystemClock
from device.recording import MANIFEST_NAME, SESSION_NAME
from device.sync_status import SyncState, SyncStatus, read_sync_status
from tests.remote.sftp_server import SftpServer
from tests.sync.conftest import MakeWorld, Recorded
from tests.sync.test_sync import is_proven
from tests.sync.world import CONFIG, World

PATIENCE_S = 180.0  # a process takes its time to start on a busy machine
SFTP = """
[remote]
name = "clinic"
driver = "sftp"
host = "127.0.0.1"
port = {port}
user = "{user}"
key = "{key}"
host_key = "{host_key}"
folder = "{folder}"
clinic = "practice"
room = "room-3"
"""


@contextmanager
def capture_alive(here: World) -> Iterator[None]:
    """Capture publishes, by the clock of this machine."""
    ending = threading.Event()
    here.clock = SystemClock()  # type: ignore[assignment]

    def publish() -> None:
        while not ending.is_set():
            here.publish()
            ending.wait(0.2)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def config_of(here: World, *, more: str = "", remote: str | None = None) -> Path:
    path = here.folder / "sotto.toml"
    text = CONFIG.format(folder=here.folder, remote=here.server.maker.path, more=more)
    if remote is not None:
        before, _, rest = text.partition("[remote]")
        text = before + remote + "[sync]" + rest.partition("[sync]")[2]
    path.write_text(text)
    return path


def service(config: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "device", "sync", *arguments, "--config", str(config)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s, f"never: {what}"
        time.sleep(0.05)


def told(here: World) -> SyncStatus | None:
    return read_sync_status(here.config.box.run)


def end(process: subprocess.Popen[str]) -> str:
    process.terminate()
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    return said


def test_killed_at_any_moment_again_and_again_everything_arrives_whole(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    config = config_of(here, more="limit_kbit_s = 4000")  # some seconds for all of it
    chance = random.Random(5)
    with capture_alive(here):
        for _ in range(5):
            process = service(config)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0.0, 0.8))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        process = service(config_of(here))
        wait_until(lambda: all(is_proven(here, one) for one in here.store.ids()), "synced")
        end(process)
    for one in here.store.ids():
        there = here.server.maker.path / here.place(one)
        for name in (SESSION_NAME, MANIFEST_NAME):
            assert (there / name).read_bytes() == (here.store.folder(one) / name).read_bytes()
    assert here.server.unfinished() == 0


def test_over_a_real_sshd_it_is_sent_read_again_signed_and_erased(
    make_world: MakeWorld, recorded: Recorded, tmp_path: Path
) -> None:
    here = make_world()
    server = SftpServer(tmp_path / "sshd")
    try:
        account = server.account
        remote = SFTP.format(
            port=account.port, user=account.user, key=account.key, host_key=account.host_key, folder=server.data
        )
        config = config_of(here, remote=remote)
        with capture_alive(here):
            process = service(config)
            wait_until(lambda: all(is_proven(here, one) for one in here.store.ids()), "synced")
            here.withdraw(recorded.sound)
            wait_until(lambda: here.orders() == [], "obeyed")
            said = end(process)
        assert not (server.data / here.place(recorded.sound)).exists()
        there = server.data / here.place(recorded.picture) / SESSION_NAME
        assert there.read_bytes() == (here.store.folder(recorded.picture) / SESSION_NAME).read_bytes()
        shown = subprocess.run(
            [sys.executable, "-m", "device", "sync", "now", "--config", config],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not [secret for secret in server.secrets[:1] if secret in said + shown.stdout + shown.stderr]
    finally:
        server.close()


def test_it_is_paused_over_a_restart_and_goes_on_when_it_is_told_to(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    here.server.kill()  # so that nothing is sent before it is paused
    config = config_of(here)

    def tell(what: str) -> str:
        asking = service(config, what)
        answer, problem = asking.communicate(timeout=PATIENCE_S)
        assert asking.returncode == 0, problem
        return answer

    def is_paused() -> bool:
        status = told(here)
        return status is not None and status.state is SyncState.PAUSED

    with capture_alive(here):
        first = service(config)
        assert first.stdout is not None
        first.stdout.readline()
        assert "until `sotto sync resume`" in tell("pause")
        wait_until(is_paused, "paused")
        end(first)
        here.server.start()
        (here.config.box.run / "sync" / "sync.json").unlink()
        second = service(config)
        wait_until(is_paused, "paused after the restart")
        assert here.held() == {}
        tell("resume")
        wait_until(lambda: is_proven(here, recorded.sound), "synced")
        end(second)
    asking = service(config, "pause")
    _, problem = asking.communicate(timeout=PATIENCE_S)
    assert (asking.returncode, problem.splitlines()[0]) == (1, "error: the sync service does not answer")


def test_a_box_without_a_remote_is_no_fault(make_world: MakeWorld) -> None:
    here = make_world()
    config = config_of(here)
    config.write_text(config.read_text().partition("[remote]")[0])
    process = service(config)
    said, problem = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, said, problem) == (
        0,
        "the configuration names no remote: nothing is synced\n",
        "",
    )


def test_the_status_of_the_box_tells_of_it(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    config = config_of(here)
    with capture_alive(here):
        process = service(config)
        wait_until(lambda: is_proven(here, recorded.sound), "synced")
        end(process)
        run = subprocess.run(
            [sys.executable, "-m", "device", "status", "--config", config], capture_output=True, text=True, check=True
        )
    shown = json.loads(run.stdout)
    assert (shown["box"], shown["sync"]["remote"]) == ("Room 1", "clinic")
    assert shown["sync"]["last_success"]
