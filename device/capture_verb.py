"""The verb ``sotto capture``: the service that opens microphone and camera, with all that it is built of."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing

from device import compose, compose_audit
from device.capture import native
from device.capture.putting_in_order import Progress
from device.capture.waiting import WaitingRoom
from device.claim import claimed, other_writer
from device.clock import Clock, Stamp, SystemClock, boot_id, stamp
from device.compose import Parts
from device.compose_camera import camera_of, stills_of
from device.compose_naming import desk_of, naming_server
from device.compose_proving import proof_server
from device.compose_receipts import receipts_server
from device.compose_upkeep import upkeep_of
from device.config import Config
from device.devicekey import load_or_make_device_key, publish_public_key
from device.errors import StoreError
from device.journal import Entry, Scribe, where_it_belongs
from device.notify import notifier
from device.recording.audited import Happened, Plain, Tell, What, Who, word
from device.recovery import recover
from device.secrecy import hold_in_memory
from device.status import publish
from device.store import Store
from device.thrift import without_huge_pages


def run_capture(config: Config) -> None:
    """Run the box until the program is asked to end.

    Raises:
        AdminError: it cannot be built as configured, or another program writes to its store.
    """
    without_huge_pages()
    if not hold_in_memory():
        print("sotto: this user may not keep memory out of swap; let there be no swap", file=sys.stderr)
    with claimed(config.store.path, otherwise=other_writer()):
        _run(config)


def _run(config: Config) -> None:
    clock = SystemClock()
    auditor = compose_audit.auditor_of(config, clock=clock)
    for happened in compose_audit.start_entries(config):
        auditor.note(happened)
    store = compose.store_of(config)
    publish_public_key(load_or_make_device_key(config.box.device_key), config.box.run)
    openers = compose.openers_of(config, tell=auditor.note)
    scribe, waiting, in_order = Scribe(where_it_belongs()), WaitingRoom(store.path), threading.Event()
    scribe(Entry(f"the sound goes the {native.way()} way", fields={"SOTTO_WHAT": "sound", "SOTTO_WAY": native.way()}))
    desk = desk_of(
        config,
        store=store,
        recipients=openers.who,
        waiting=waiting,
        auditor=auditor,
        clock=clock,
        journal=scribe,
        in_order=in_order.is_set,
    )

    def put_in_order(progress: Progress) -> None:
        _recover(store, at=stamp(clock, boot_id()), progress=progress, tell=auditor.note, done=in_order.set)

    service = compose.service_of(
        _parts(config, clock),
        box=config.box.name,
        store=store,
        recipients=openers.who,
        session=config.session,
        consent=config.consent,
        standing=openers.standing,
        roster=openers.look,
        publish=lambda status: publish(status, config.box.run),
        notify=notifier(),
        machine=compose.this_machine().read,
        journal=scribe,
        recover=put_in_order,
        upkeep=upkeep_of(config, store=store, clock=clock, journal=scribe, waiting=waiting, auditor=auditor),
        auditor=auditor,
        desk=desk,
    )
    on_termination(service.stop)
    with (
        closing(scribe),
        closing(auditor),
        closing(desk),
        closing(compose.requests_server(config, service)),
        closing(compose_audit.audit_server(config, auditor)),
        closing(naming_server(config, desk)),
        closing(proof_server(config)),
        closing(compose.stills_server(config, service)),
        closing(receipts_server(config, store=store, auditor=auditor, clock=clock)),
    ):
        print("ready", flush=True)
        service.run()
        auditor.note(Happened(What.BOX_ENDED, by=Who.BOX))


def _parts(config: Config, clock: Clock) -> Parts:
    return Parts(
        clock=clock,
        panel=compose.panel_of(config, clock=clock),
        microphone=compose.microphone_of(config, clock=clock),
        camera=camera_of(config, clock=clock),
        simulated=compose.simulated_parts(config),
        stills=stills_of(config, clock=clock),
    )


def _recover(store: Store, *, at: Stamp, progress: Progress, tell: Tell, done: Callable[[], None]) -> None:
    """Close what a cut left open. A store that is not there is no reason not to start: the lamp tells of it then."""
    try:
        for found in recover(store, at=at, progress=progress):
            print(f"sotto: {found.recording_id}: {found.what}, {found.duration_us / 1e6:.1f} s", file=sys.stderr)
            facts: dict[str, Plain] = {"state": word("state", found.what), "duration_us": found.duration_us}
            tell(Happened(What.RECOVERED, found.recording_id, Who.BOX, facts))
    except StoreError as problem:
        print(f"sotto: {problem.what}; {problem.hint}", file=sys.stderr)
    done()


def on_termination(action: Callable[[], None]) -> None:
    """Have ``action`` done when the process is asked to end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: action())
