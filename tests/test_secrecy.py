"""What a program of the box does itself so that nothing in its memory reaches a disk: the kernel is asked."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from device.errors import StoreError, what_of

SECRET = "the client said so"  # noqa: S105  # what a room might hear
LEAVES = f"""
import sys, threading
from device.secrecy import keep_to_itself
keep_to_itself()
def fail(secret={SECRET!r}):
    raise ValueError(secret, [secret])
class Unraisable:
    def __del__(self):
        fail()
thread = threading.Thread(target=fail, name="writer")
thread.start()
thread.join()
del thread
Unraisable()
fail()
"""


def allow_cores() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def program(text: str, folder: Path) -> subprocess.Popen[str]:
    """A Python that may dump its core, as far as whoever starts it is asked."""
    return subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=allow_cores if os.geteuid() == 0 else None,  # noqa: PLW1509  # nothing else runs here
    )


WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"
KEEPS = f"from device.secrecy import keep_to_itself, hold_in_memory; keep_to_itself(); hold_in_memory(); {WAITS}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may raise the limit of core dumps")
def test_a_program_that_is_aborted_leaves_no_core_and_one_that_does_not_forbid_it_would(tmp_path: Path) -> None:
    left = {}
    for name, text in (("forbids", KEEPS), ("allows", WAITS)):
        folder = tmp_path / name
        folder.mkdir()
        with program(text, folder) as running:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            running.send_signal(signal.SIGABRT)
        assert running.returncode == -signal.SIGABRT
        left[name] = [path.name for path in folder.iterdir()]
    assert left["forbids"] == []
    if not Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/")):
        assert left["allows"] != [], "the test itself can see no core dump"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may lock memory without a limit")
def test_the_kernel_holds_all_of_its_memory_and_takes_no_core(tmp_path: Path) -> None:
    with program(KEEPS, tmp_path) as running:
        assert running.stdout is not None
        running.stdout.readline()
        proc = Path(f"/proc/{running.pid}")
        status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines())
        assert int(status["VmLck"].split()[0]) > 1000
        assert status["VmSwap"].split()[0] == "0"
        limits = (proc / "limits").read_text()
        assert limits.split("Max core file size")[1].split()[:2] == ["0", "0"]
        running.communicate()


def test_an_error_is_told_by_place_and_kind_and_never_with_what_it_holds(tmp_path: Path) -> None:
    with program(LEAVES, tmp_path) as running:
        said, complaints = running.communicate()
    assert running.returncode == 1
    assert complaints.count("a part of the program failed: ValueError") == 3
    assert "in writer: " in complaints
    assert 'File "<string>", line' in complaints
    assert SECRET not in said + complaints


def test_of_an_error_that_is_not_ours_only_the_kind_is_told() -> None:
    assert what_of(ValueError(SECRET)) == "a part of the program failed: ValueError"
    assert (
        what_of(OSError(5, "Input/output error", SECRET)) == "a part of the program failed: OSError: Input/output error"
    )
    assert what_of(StoreError("the store is full", "free room")) == "the store is full"
