"""``sotto``, except that the versions of a box are looked for where a test has put them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from device import cli, update_verb

if __name__ == "__main__":
    update_verb.VERSIONS, update_verb.RUN = (Path(os.environ[name]) for name in ("SOTTO_VERSIONS", "SOTTO_RUN"))
    sys.exit(cli.main())
