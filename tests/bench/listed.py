"""``python -m tests.bench.listed FOLDER N``: what a list of N recordings takes the page; prints it as JSON.

The recordings are made without a sync each, which would take minutes; what is measured comes after.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from device.recording import SESSION_NAME
from device.recording.chain import AUDIT_NAME
from tests.bench.cost import memory
from tests.web.conftest import Box, audited, people_in
from tests.web.published import make_store, manifest
from tests.web.visitors import of_therapist

_LISTS = ("/", "/api/v1/recordings?limit=2000")


def main(words: list[str]) -> int:
    """Make them, and look."""
    folder, count = Path(words[0]), int(words[1])
    store, synced = make_store(folder / "store"), os.fsync
    os.fsync = lambda _descriptor: None
    for number in range(count):
        recording = store.path / f"{number + 1:06d}-abcdefghij"
        recording.mkdir()
        (recording / SESSION_NAME).write_bytes(b"sealed")
        store.write_manifest(manifest(recording.name, size_bytes=6))
    os.fsync = synced
    (run := folder / "run").mkdir()
    with people_in(folder) as people:
        box = Box(store, run, store.path / AUDIT_NAME, people)
        with audited(box):
            browser = of_therapist(box.app(), people)
            took = {}
            for name in ("first", "again"):
                began_s = time.process_time()
                for path in _LISTS:
                    answer = browser.get(path)
                    assert answer.status_code == 200, answer.data
                took[f"{name}_cpu_s"] = time.process_time() - began_s
            took["resident_mb"] = memory(os.getpid()).resident_mb
    print(json.dumps(took))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
