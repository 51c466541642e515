"""Whether nothing was lost: every recording of every box, read again as the clinic reads it, and its receipt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from device.devicekey import load_or_make_device_key
from device.errors import SottoError
from device.recording import MANIFEST_NAME, SESSION_NAME
from device.recording.copied import Copying
from device.recording.layout import filed
from device.recording.manifest import Manifest
from device.recording.receipt import proving
from device.recording.signing import verify
from device.remote import Remote
from device.retaining import read_receipts
from tests.fleet.clinics import Clinic
from tests.fleet.issue import COMING
from tests.fleet.leader import Run


@dataclass
class Verdict:
    """``well``: as many as there are, each read and the same; what is not is in ``wrong``."""

    recordings: int = 0
    read_bytes: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(run: Run, clinic: Clinic) -> Verdict:
    """Look at every recording of a fleet, in the boxes' stores and at the clinic."""
    verdict, wanted = Verdict(), dict(_recordings(run))
    copies = Counter[str]()
    for remote in clinic.remotes():
        names = [held.name for held in remote.names("")]
        remote.close()
        for name in names:
            found = filed(name)
            if found is not None and found.file == SESSION_NAME and found.recording in wanted:
                copies[found.recording] += 1
    verdict.recordings = len(wanted)
    for recording in wanted:
        if copies[recording] != 1:
            verdict.wrong.append(f"{recording} is at the clinic {copies[recording]} times")
    by_place = {remote_key(remote): remote for remote in clinic.remotes()}
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(_judge_place, [w for w in wanted.values() if w.bucket in {key, None}], remote)
            for key, remote in by_place.items()
        ]
        for job in jobs:
            wrong, read_bytes = job.result()
            verdict.wrong += wrong
            verdict.read_bytes += read_bytes
    return verdict


def remote_key(remote: Remote) -> str | None:
    """Its bucket, where it has one."""
    http = getattr(remote, "_http", None)
    return None if http is None else str(http._place.bucket)


@dataclass(frozen=True)
class _Wanted:
    recording: str
    folder: Path
    manifest: Manifest
    manifest_bytes: bytes
    key: bytes
    bucket: str | None


def _recordings(run: Run) -> Iterator[tuple[str, _Wanted]]:
    for box in run.boxes:
        folder = run.folder / box
        key = load_or_make_device_key(folder / "device.key").public_key().public_bytes_raw()
        text = (folder / "sotto.toml").read_text()
        bucket = next((line.split('"')[1] for line in text.splitlines() if line.startswith("bucket")), None)
        for recording in json.loads((folder / "arrivals.json").read_text()):
            place = folder / "store" / recording
            if not place.exists():
                place = folder / COMING / recording
            document = (place / MANIFEST_NAME).read_bytes()
            manifest = Manifest.model_validate(verify("manifest", document).payload)
            yield recording, _Wanted(recording, place, manifest, document, key, bucket)


def _judge_place(wanted: list[_Wanted], remote: Remote) -> tuple[list[str], int]:
    wrong: list[str] = []
    read_bytes = 0
    for one in wanted:
        receipts = proving(
            read_receipts(one.folder, one.key), digest=one.manifest.digest, size_bytes=one.manifest.size_bytes
        )
        if len(receipts) != 1 or receipts[0].folder is None:
            wrong.append(f"{one.recording} has {len(receipts)} receipts")
            continue
        copying = Copying(one.manifest)
        try:
            for piece in remote.read(f"{receipts[0].folder}/{SESSION_NAME}"):
                read_bytes += len(piece)
                copying.take(piece)
            manifest = b"".join(remote.read(f"{receipts[0].folder}/{MANIFEST_NAME}"))
        except SottoError as problem:  # told as what is wrong with this one
            wrong.append(f"{one.recording} cannot be read at the clinic: {problem}")
            continue
        if not copying.end().is_of(one.manifest):
            wrong.append(f"{one.recording} is another one at the clinic")
        if manifest != one.manifest_bytes:
            wrong.append(f"{one.recording} has another manifest at the clinic")
    remote.close()
    return wrong, read_bytes
