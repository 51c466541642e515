"""``sotto``, except that a server that is silent is waited for only as long as a test has time."""

from __future__ import annotations

import sys
from functools import partial
from typing import Final

from device import cli, sync_verb
from device.compose_remote import remote_of

SILENCE_S: Final = 2.0


if __name__ == "__main__":
    sync_verb.remote_of = partial(remote_of, silence_s=SILENCE_S)
    sys.exit(cli.main())
