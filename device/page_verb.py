"""``sotto web``: the page. ``sotto nginx``: how nginx serves it, from the same configuration."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing
from pathlib import Path

from device.compose_people import form_key_of, people_of
from device.config import Config
from device.durable import write_whole
from device.errors import AdminError, ConfigError
from device.notify import READY, notifier
from device.store import StoreReader
from device.web.ahead import read_ahead
from device.web.app import create_app
from device.web.front import Front
from device.web.nginx import Places, nginx_config
from device.web.reminding import Reminder
from device.web.serve import address_of, listen_for_nginx, listen_here, serve
from device.web.setup import setup_of

_DONE = 0


def run_web(config: Config) -> int:
    """Serve the page until the process is told to exit; its address is printed once it answers.

    Raises:
        AdminError, ConfigError: it cannot listen, or its own folder cannot be used.
    """
    front, nginx, people = front_of(config), config.web.nginx, people_of(config)
    app = create_app(
        store=StoreReader(config.store.path),
        run=config.box.run,
        box=config.box.name,
        room=config.panel.driver == "simulated",
        people=people,
        setup=setup_of(config),
        front=front,
        form_key=form_key_of(config),
    )
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(_DONE))
    notify = notifier()
    listening = listen_here(config.web.host, config.web.port) if nginx is None else listen_for_nginx(nginx.socket)
    address = address_of(listening) if nginx is None else front.address(server_port="")

    def on_listening() -> None:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        notify(READY)

    with (
        closing(Reminder(config.box.run, held=people.duty, unix_s=time.time)) as reminder,
        closing(read_ahead(app, tell=_tell)),
    ):
        reminder.start()  # in here: whoever ends the process while this begins ends it, too
        serve(app, listening, on_listening)
    return _DONE


def _tell(problem: AdminError) -> None:
    sys.stderr.write(f"error: {problem.what}\nhint: {problem.hint}\n")


def run_nginx(config: Config, *, output: Path | None, run: Path) -> int:
    """Write nginx's configuration to ``output``, or print it; ``run``: a folder of nginx's own, lost at a reboot.

    Raises:
        ConfigError: the configuration names no nginx.
        AdminError: it cannot be written there.
    """
    nginx = config.web.nginx
    if nginx is None:
        raise ConfigError("the configuration has no [web.nginx]", "docs/nginx.md shows what it has to hold")
    places = Places(store=config.store.path, socket=nginx.socket, run=run, certificate=nginx.certificate, key=nginx.key)
    text = nginx_config(places, port=config.web.port)
    if output is None:
        sys.stdout.write(text)
        return _DONE
    try:
        write_whole(output, text.encode())
    except OSError as problem:
        raise AdminError(f"{output.name} cannot be written: {problem.strerror}", "check its folder") from problem
    return _DONE


def front_of(config: Config) -> Front:
    """How browsers reach the page."""
    nginx = config.web.nginx
    return Front() if nginx is None else Front(nginx.names, config.web.port)
