"""``sotto``: the programs of the box. Messages: results on stdout, ``error:`` and ``hint:`` on stderr.

Exit codes: 0 done; 1 it could not be done, and the message says why; 2 the command line is wrong; 3 a rehearsal ended
without a recording.
"""

from __future__ import annotations

import sys

from device import cli
from device.secrecy import keep_to_itself


def main() -> int:
    """Run the command line of this process; the exit code."""
    keep_to_itself()
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
