"""``sotto first-admin``: a one-time code with which somebody becomes the first admin of a box, or its next."""

from __future__ import annotations

import sys

from device.config import Config
from device.people.first_admin import write_first_admin_code
from device.web.front import Front

_DONE = 0


def run_first_admin(config: Config) -> int:
    """Write a new code into the page's folder, print it, and say where to go with it.

    Raises:
        AdminError: it cannot be written there.
    """
    code = write_first_admin_code(config.web.state)
    nginx = config.web.nginx
    front = Front() if nginx is None else Front(nginx.names, config.web.port)
    address = front.address(server_port=str(config.web.port))
    sys.stdout.write(f"{code}\n")
    sys.stderr.write(f"hint: open {address}first-admin on the page; the code works once\n")
    return _DONE
