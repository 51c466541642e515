"""Two ways to update that leave one thing out; the search has to find each of them out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.updates import facts_of, image_of

folder, broken = Path(sys.argv[1]), sys.argv[2]
image = folder / facts_of("0.9.0").image
with (folder / "new").open("wb") as file:
    file.write(image_of("0.9.0"))
    file.flush()
    if broken != "name first":
        os.fsync(file.fileno())
(folder / "new").rename(image)
if broken == "name first":
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
(folder / "current").symlink_to(image.name)
if broken == "link first":
    image.unlink()
    image.write_bytes(image_of("0.9.0"))
