"""``sotto sync``: the service that brings recordings to the clinic's remote, and what an admin can tell it."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from device.capture_verb import on_termination
from device.clock import SystemClock
from device.compose_remote import configured, control_server, remote_of, sync_of
from device.config import Config, load_config
from device.errors import AdminError
from device.journal import Entry, Priority, Scribe, where_it_belongs
from device.notify import READY, notifier
from device.sync_control import Tell, tell_sync
from device.sync_status import SYNC_FOLDER_NAME

_EXIT_DONE = 0
_DONE = {
    Tell.PAUSE: "nothing is sent until `sotto sync resume`, after a restart neither; erase orders still go",
    Tell.RESUME: "it sends again",
    Tell.NOW: "it tries again now",
}


def run_verb(path: Path, tell: str | None) -> int:
    """Be the service, or tell the one that runs something; the exit code.

    Raises:
        AdminError: as ``run_sync``; or no service answers.
    """
    config = load_config(path)
    if tell is not None:
        configured(config)
        _tell(config, Tell(tell))
    elif config.remote is None:
        # A box that keeps its recordings to itself is no box with a fault: the service ends, and is not started again.
        notifier()(READY)
        sys.stdout.write("the configuration names no remote: nothing is synced\n")
    else:
        run_sync(config)
    return _EXIT_DONE


def _tell(config: Config, what: Tell) -> None:
    tell_sync(what, config.box.run)
    sys.stdout.write(_DONE[what] + "\n")


def run_sync(config: Config) -> None:
    """Sync until the program is asked to end.

    Raises:
        AdminError: it cannot be built as configured.
    """
    folder = config.box.run / SYNC_FOLDER_NAME
    try:
        folder.mkdir(mode=0o750, exist_ok=True)
    except OSError as problem:
        reason = problem.strerror or "unknown error"
        raise AdminError(
            f"{SYNC_FOLDER_NAME} cannot be made: {reason}", "check the folder that box.run names"
        ) from None
    scribe = Scribe(where_it_belongs())

    def failed(problem: OSError) -> None:
        reason = problem.strerror or "unknown error"
        scribe(Entry(f"a pause cannot be remembered: {reason}; check sync.state", Priority.ERROR))

    clock = SystemClock()
    with closing(scribe), closing(remote_of(config, clock=clock)) as remote:
        built = sync_of(config, remote=remote, clock=clock, journal=scribe, notify=notifier())
        on_termination(built.waiting.stop)
        with closing(control_server(config, built.waiting, failed=failed)):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            built.sync.run()
