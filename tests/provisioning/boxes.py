"""What boxes leave at a clinic's remote: their recordings, put there as sync does, and erase orders."""

from __future__ import annotations

import io
import json
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.recording import MANIFEST_NAME
from device.recording.erasure import ORDER_KIND, EraseOrder
from device.recording.layout import ORDER_NAME, Desk
from device.recording.signing import sign, verify
from device.remote import Remote
from device.words import By
from provisioning.__main__ import run
from tests.provisioning.damage import Kept

DESK = Desk("practice", "room-3")
OTHER_DESK = Desk("practice", "room-4")


@dataclass(frozen=True)
class Said:
    """What one call of ``sotto-clinic`` said."""

    code: int
    out: str
    complaints: str

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.out)
        return told


def call(*words: object, here: Path | None = None) -> Said:
    """The command line, in this process."""
    said, complaints = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complaints), chdir(here or Path.cwd()):
        code = run([*map(str, words)])
    assert "Traceback" not in complaints.getvalue()
    assert complaints.getvalue().count("error: ") == complaints.getvalue().count("hint: ")
    return Said(code, said.getvalue(), complaints.getvalue())


def send(remote: Remote, folder: Path, *, desk: Desk = DESK, started: str | None = "2026-03-02T09:00:00.000Z") -> str:
    """Put a recording's files where sync puts them; the recording's folder there."""
    there = desk.recording(folder.name, started)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            assert remote.put(f"{there}/{path.relative_to(folder)}", file)
    return there


def put(remote: Remote, name: str, content: bytes) -> None:
    remote.put(name, io.BytesIO(content), replace=True)


def held(remote: Remote, folder: str = "") -> dict[str, int]:
    """What the remote holds."""
    return {one.name: one.size_bytes for one in remote.names(folder)}


def order_for(kept: Kept, *, key: Ed25519PrivateKey | None = None, **facts: Any) -> bytes:
    """An erase order for a recording as its box signs it, or with other facts or another's key."""
    manifest = verify("manifest", (kept.folder / MANIFEST_NAME).read_bytes()).payload
    order = EraseOrder(
        recording=kept.folder.name,
        clock_trusted=True,
        boot="b",
        monotonic_us=5,
        digest=manifest["digest"],
        started=manifest["started"],
        ordered="2026-03-09T10:00:00.000Z",
        by=By.THERAPIST,
    )
    return sign(ORDER_KIND, order.model_copy(update=facts).model_dump(mode="json"), key or kept.key)


def leave_order(remote: Remote, there: str, document: bytes) -> None:
    put(remote, f"{there}/{ORDER_NAME}", document)
