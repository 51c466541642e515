"""``sotto announce``: writes what the box says about itself on the local network, for avahi to read."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from device.announcing import announcement
from device.config import Config, load_config
from device.devicekey import published_fingerprint
from device.durable import write_whole
from device.errors import AdminError, PutOffError

_DONE: Final = 0


def add_verb(verbs: Any) -> None:
    """The verb, for the command line of ``sotto``."""
    announce = verbs.add_parser("announce", help="write what the box says about itself on the local network (mDNS)")
    announce.add_argument("--config", type=Path, required=True, metavar="FILE")
    announce.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="which avahi reads")
    announce.set_defaults(verb=_announce)


def run_announce(config: Config, *, output: Path) -> int:
    """Write it; or take it away, where nobody on the network could reach the page.

    Raises:
        PutOffError: the capture service has not published the device's key yet.
        AdminError: it cannot be written.
    """
    try:
        if config.web.nginx is None:
            output.unlink(missing_ok=True)
            return _DONE
        fingerprint = published_fingerprint(config.box.run)
        if fingerprint is None:
            raise PutOffError("the device's key is not published yet", "wait until sotto-capture is ready")
        text = announcement(
            name=config.box.name, version=version("sotto"), fingerprint=fingerprint, port=config.web.port
        )
        write_whole(output, text.encode())
    except OSError as problem:
        raise AdminError(f"{output.name} cannot be written: {problem.strerror}", "check its folder") from problem
    return _DONE


def _announce(options: argparse.Namespace) -> int:
    return run_announce(load_config(options.config), output=options.output)
