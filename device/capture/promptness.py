"""Real-time priority for the one thread that must not come late."""

from __future__ import annotations

import os
from typing import Final

# Above everything that is not real-time, below the kernel's own threads (50, sched(7)).
_PRIORITY: Final = 10


def be_prompt() -> bool:
    """Have the calling thread run before all ordinary ones, where that is allowed (``LimitRTPRIO=``, sched(7)).

    Whatever it starts is ordinary again. ``False``: it is not allowed; the buffer of the hardware has to do then.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_PRIORITY))
    except OSError:
        return False
    return True
