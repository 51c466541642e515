"""``python -m tests.bench.parted OUT VERB …``: the program that ships, told apart; OUT holds what it took, as JSON.

This is the one place that knows by name what the parts are made of. Who renames one says so here.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Final

from tests.bench.stopwatch import Stopwatch

METERING: Final = "metering"
ENCODING: Final = "coding and container"
SEALING: Final = "sealing"
LEDGER: Final = "ledger and digests"
DURABILITY: Final = "durability"
PLACES: Final = {
    METERING: ("device.capture.meter:Meter.write",),
    ENCODING: ("device.capture.encoder:FlacEncoder.write",),
    LEDGER: ("device.capture.sealer:Sealer.write",),  # without its cipher and its file, which are parts of their own
    SEALING: ("device.age.chunks:ChunkCipher.seal",),
    DURABILITY: ("device.sealed_file:SealedFile.append",),
}


def main(words: list[str]) -> int:
    """Run it."""
    out, *verb = words
    watch = Stopwatch()
    for part, places in PLACES.items():
        for place in places:
            watch.wrap(part, place)
    watch.watch_threads()
    from device.cli import main as program

    start_s = time.process_time()
    code = program(verb)
    Path(out).write_text(json.dumps({**watch.told(), "start_s": start_s}))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
