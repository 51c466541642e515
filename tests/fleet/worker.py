"""A process with many boxes, a thread each. ``python -m tests.fleet.worker FOLDER LOG BOX…``; ``--naive`` comes first.

It tells what its boxes do, a line of JSON each, in LOG, and can be killed at any moment: what it did is in the boxes'
folders and at the clinic, and nowhere else.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from tests.fleet.box import run_box
from tests.fleet.pace import FleetClock


def main() -> int:
    naive = sys.argv[1] == "--naive"
    folder, log, *boxes = sys.argv[2:] if naive else sys.argv[1:]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    threading.stack_size(1 << 20)
    clock = FleetClock(Path(folder) / "clock")
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
    died: list[str] = []
    number = int(Path(log).stem.rpartition("-")[2])
    counting = threading.Condition()
    count = len(boxes)
    clock.note_up(number, count)

    def up(change: int) -> None:
        nonlocal count
        with counting:
            count += change
            clock.note_up(number, count)
            counting.notify()

    def run(box: str) -> None:
        def tell(facts: dict[str, Any]) -> None:
            os.write(told, (json.dumps({"box": box, **facts}) + "\n").encode())

        tell({"call": "start", "at": clock.now_s()})
        try:
            run_box(Path(folder) / box, clock=clock, tell=tell, naive=naive, up=up)
        except BaseException:  # noqa: BLE001  # told, and the fleet fails
            tell({"call": "died", "at": clock.now_s(), "why": traceback.format_exc()})
            died.append(box)
        else:
            tell({"call": "done", "at": clock.now_s()})
        up(-1)

    threads = [threading.Thread(target=run, args=(box,), name=box) for box in boxes]
    for thread in threads:
        thread.start()
    with counting:
        counting.wait_for(lambda: count == 0)  # all have started, and rest
    Path(log).with_suffix(".ready").touch()
    for thread in threads:
        thread.join()
    return 1 if died else 0


if __name__ == "__main__":
    sys.exit(main())
