"""Recordings for a thousand boxes: a few are made by the real capture path, and issued under as many ids as are needed.

Each box has a key of its own, and each recording a manifest that this key signed; the sealed file itself is one under
many names (hard links).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import generate_identity
from device.recording import ATTACHMENTS_NAME, MANIFEST_NAME, SESSION_NAME
from device.recording.manifest import Manifest
from device.recording.signing import sign, verify
from tests.remote.servers import ROOT

COMING: Final = "coming"
ARRIVALS: Final = "arrivals.json"
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_PRESSES: Final = (
    "0.5 consent, 1 record, 1.6 record, 10 consent, 10.5 record, 12 record, 20 consent, 20.5 record, 23.5 record"
)
_LABEL_BYTES: Final = 900


@dataclass(frozen=True)
class Original:
    """A recording that was really made, to be issued again and again."""

    session: Path
    manifest: Manifest

    @property
    def size_bytes(self) -> int:
        return self.manifest.size_bytes


def make_originals(folder: Path) -> tuple[Original, ...]:
    """Three sessions through the real capture path, the shortest first."""
    store = folder / "originals"
    store.mkdir()
    recipient = str(generate_identity(post_quantum=True).recipient())
    command = [
        sys.executable,
        "-m",
        "device",
        "rehearse",
        "--sound",
        "device/capture/room.wav",
        "--loop",
        "--speed",
        "20",
    ]
    command += ["--presses", _PRESSES, "--recipient", recipient, "--store", str(store), "--json"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    found = []
    for path in sorted(store.glob(f"*/{MANIFEST_NAME}")):
        manifest = Manifest.model_validate(verify("manifest", path.read_bytes()).payload)
        found.append(Original(path.parent / SESSION_NAME, manifest))
    return tuple(sorted(found, key=lambda original: original.size_bytes))


def issue(box: Path, originals: Sequence[Original], arrivals_s: Sequence[float], *, chance: random.Random) -> None:
    """Make a box's folder: its key, an empty store, and recordings that come into it at these moments."""
    box.mkdir(parents=True)
    key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    (box / "device.key").write_bytes(key.private_bytes_raw())
    (box / "store").mkdir()
    arrivals = {}
    for number, at_s in enumerate(arrivals_s, start=1):
        recording_id = f"{number:06d}-" + "".join(chance.choices(_LETTERS, k=10))
        arrivals[recording_id] = at_s
        _issue_one(box / COMING / recording_id, chance.choice(list(originals)), key, chance=chance)
    (box / ARRIVALS).write_text(json.dumps(arrivals))


def _issue_one(folder: Path, original: Original, key: Ed25519PrivateKey, *, chance: random.Random) -> None:
    (folder / ATTACHMENTS_NAME).mkdir(parents=True)
    os.link(original.session, folder / SESSION_NAME)
    manifest = original.manifest.model_copy(update={"id": folder.name, "box": folder.parent.parent.name})
    (folder / MANIFEST_NAME).write_bytes(sign("manifest", manifest.model_dump(mode="json"), key))
    (folder / ATTACHMENTS_NAME / "label.age").write_bytes(chance.randbytes(_LABEL_BYTES))


class Coming:
    """What comes into a box's store, and when (the boxes' clock)."""

    def __init__(self, box: Path) -> None:
        self._box = box
        arrivals: dict[str, float] = json.loads((box / ARRIVALS).read_text())
        self._left = {one: at_s for one, at_s in arrivals.items() if (box / COMING / one).exists()}

    @property
    def next_s(self) -> float | None:
        """When the next one comes; ``None``: none does."""
        return min(self._left.values(), default=None)

    def arrive(self, now_s: float) -> Iterator[str]:
        """Put into the store, in one step each, what has come by now."""
        for one, at_s in sorted(self._left.items(), key=lambda item: item[1]):
            if at_s <= now_s:
                (self._box / COMING / one).rename(self._box / "store" / one)
                del self._left[one]
                yield one
