"""The frame of updates: what an image needs and cannot bring. Its number says which images fit (docs/updates.md)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parent.parent
FRAME = ROOT / "deb/box/usr/lib/sotto/frame"
# Units and users, as the package installs them; and the packages of Debian's that it asks for.
FOLDERS: Final = ("systemd", "deb/box/usr/lib/systemd", "deb/box/usr/lib/tmpfiles.d", "deb/box/usr/lib/sysusers.d")
# Each frame by what it was when somebody last looked. A new number gets a line of its own, and a line stays as it is
# once a version with that frame was given out.
FRAMES: Final = {1: "1595430bdd2816347cf3972c0ab1537bab4b250992d26aae0caa18b124dea205"}
LOOK: Final = """
Units, users or Debian's packages are other than when somebody last looked at the frame. Does an image from before run
with them, and one from now with those before? Then write the new digest into FRAMES, beside the same number. Otherwise
raise the number in deb/box/usr/lib/sotto/frame, and add a line. The digest is now {digest}"""


def counted() -> Iterator[tuple[str, str]]:
    """Every file that counts, and what it says: comments and empty lines are nothing."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    for path in paths:
        lines = path.read_text(encoding="utf-8").splitlines()
        said = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(("#", ";"))]
        yield str(path.relative_to(ROOT)), "\n".join(said)
    control = (ROOT / "deb/control").read_text(encoding="utf-8")
    (needed,) = re.findall(r"^Depends: (.*)$", control, re.MULTILINE)
    yield "Depends", "\n".join(sorted(one.strip() for one in needed.split(",")))


def digest() -> str:
    """Of all of it."""
    told = "\0".join(f"{name}\0{said}" for name, said in counted())
    return hashlib.sha256(told.encode()).hexdigest()


def test_what_an_image_needs_is_what_its_frame_says() -> None:
    frame = int(FRAME.read_text())
    assert frame == max(FRAMES), "the newest frame is the one that the package has"
    assert FRAMES[frame] == digest(), LOOK.format(digest=digest())


def test_units_users_and_packages_are_counted() -> None:
    names = [name for name, said in counted() if said]
    assert "systemd/sotto-capture.service" in names
    assert "systemd/sysusers.d/sotto.conf" in names
    assert "deb/box/usr/lib/systemd/system/opt-sotto.mount" in names
    assert "Depends" in names
