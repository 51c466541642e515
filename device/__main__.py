"""``sotto``: the programs of the box. Messages: results on stdout, ``error:`` and ``hint:`` on stderr.

Exit codes: 0 done; 1 it could not be done, and the message says why; 2 the command line is wrong; 3 a rehearsal ended
without a recording.
"""

from __future__ import annotations

import sys

from device.cli import main

if __name__ == "__main__":
    sys.exit(main())
