"""``sotto web``: the page. ``sotto nginx``: how nginx serves it, from the same configuration."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from device.compose_people import form_key_of, people_of
from device.config import Config
from device.config_web import NginxSection
from device.durable import write_whole
from device.errors import AdminError, ConfigError
from device.notify import READY, notifier
from device.store import StoreReader
from device.tls_certificate import key_id_of
from device.tls_series import read_series
from device.update_verb import update_told
from device.web.ahead import read_ahead
from device.web.app import create_app
from device.web.attendant import Attendant
from device.web.fleet.app import Wsgi, beside, create_fleet_app
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
        setup=setup_of(config, update=update_told),
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
        closing(Attendant(people.from_clinic)) as attendant,
        closing(Reminder(config.box.run, held=people.duty, unix_s=time.time)) as reminder,
        closing(read_ahead(app, tell=_tell)),
    ):
        attendant.start()
        reminder.start()  # in here: whoever ends the process while this begins ends it, too
        serve(beside(app, _fleet_of(config, front)), listening, on_listening)
    return _DONE


def _fleet_of(config: Config, front: Front) -> Wsgi:
    """What the clinic's desk reaches."""
    nginx, orders = config.web.nginx, config.orders
    app: Wsgi = create_fleet_app(
        store=StoreReader(config.store.path),
        run=config.box.run,
        box=config.box.name,
        front=front,
        certificate=None if nginx is None else nginx.certificate,
        spool=None if orders is None else orders.spool,
        state=None if orders is None else orders.state,
        update=update_told,
    )
    return app


def _tell(problem: AdminError) -> None:
    sys.stderr.write(f"error: {problem.what}\nhint: {problem.hint}\n")


def run_nginx(
    config: Config,
    *,
    output: Path | None,
    run: Path,
    again: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Write nginx's configuration to ``output``, or print it; ``run``: a folder of nginx's own, lost at a reboot.

    ``again``: only where it is another than what is written there, and then tell the nginx that runs.

    Raises:
        ConfigError: the configuration names no nginx.
        AdminError: it cannot be written there, or there is no certificate to be shown.
    """
    nginx = config.web.nginx
    if nginx is None:
        raise ConfigError("the configuration has no [web.nginx]", "docs/nginx.md shows what it has to hold")
    certificate, head = _certificate(nginx, now())
    places = Places(
        store=config.store.path,
        socket=nginx.socket,
        run=run,
        certificate=certificate,
        key=nginx.key,
        clinic_ca=nginx.authority,
    )
    text = head + nginx_config(places, port=config.web.port)
    if output is None:
        sys.stdout.write(text)
        return _DONE
    try:
        if again and output.exists() and output.read_text(encoding="utf-8") == text:
            return _DONE
        write_whole(output, text.encode())
        if again:
            _tell_nginx(run)
    except OSError as problem:
        raise AdminError(f"{output.name} cannot be written: {problem.strerror}", "check its folder") from problem
    return _DONE


def _certificate(nginx: NginxSection, now: datetime) -> tuple[Path, str]:
    """The certificate that is shown now; and where it is one of several, a line that says which, so that two differ."""
    if not nginx.certificate.is_dir():
        return nginx.certificate, ""
    try:
        key_id = key_id_of(nginx.key.read_bytes())
        authority = None if nginx.authority is None else nginx.authority.read_bytes()
    except OSError as problem:
        raise AdminError(
            f"the key of the page's certificate, or its authority, cannot be read: {problem.strerror}",
            "run this as nginx's user; docs/nginx.md says where they belong",
        ) from problem
    series = read_series(nginx.certificate, key_id=key_id, authority=authority)
    for left_out in series.left_out:
        _tell(left_out)
    shown = series.at(now)
    return shown.path, f"# certificate: {shown.certificate.fingerprint}\n"


def _tell_nginx(run: Path) -> None:
    """Have nginx read its configuration anew, without cutting a connection. One that does not run reads it later."""
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        os.kill(int((run / "nginx.pid").read_text(encoding="ascii")), signal.SIGHUP)


def front_of(config: Config) -> Front:
    """How browsers reach the page."""
    nginx = config.web.nginx
    return Front() if nginx is None else Front(nginx.names, config.web.port)
