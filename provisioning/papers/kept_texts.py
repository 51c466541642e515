"""Every consent text that the clinic ever gave out, numbered, in its folder: a manifest names one of them.

    CLINIC/consent/1.txt     the first; `sha256sum` of it is what manifests of that time name
           consent/2.txt     from the change of policy, or of our words, on that made it another

A text that is there is never changed. Nothing here is secret, and nothing has to be signed: who would put another text
in the place of one is found out by every manifest that names it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from device.durable import sync_folder
from provisioning.clinic_file import ClinicFile
from provisioning.errors import OutputError, UsageError
from provisioning.papers.consent_text import document_of

CONSENT_NAME: Final = "consent"
_MOST_BYTES: Final = 1 << 20
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class KeptText:
    """One of them, as manifests and the boxes' ``[consent]`` section name it."""

    version: str
    sha256: str


def standing_text(clinic: Path, book: ClinicFile) -> KeptText:
    """What clients are given to read now; kept under the next number where it is another than before.

    ``clinic``: the clinic's folder. Whoever asks twice gets the same.

    Raises:
        UsageError: no text can be made of the clinic's file, or a kept one cannot be read.
        OutputError: it cannot be kept.
    """
    document, newest = document_of(book), newest_text(clinic)
    if newest is not None and newest.sha256 == sha256(document).hexdigest():
        return newest
    version = "1" if newest is None else str(int(newest.version) + 1)
    _keep(clinic / CONSENT_NAME, version, document)
    return KeptText(version, sha256(document).hexdigest())


def newest_text(clinic: Path) -> KeptText | None:
    """The last that was kept, if there is one. Raises ``UsageError``: it cannot be read."""
    try:
        numbers = [int(path.stem) for path in (clinic / CONSENT_NAME).glob("*.txt") if path.stem.isdecimal()]
        if not numbers:
            return None
        with (clinic / CONSENT_NAME / f"{max(numbers)}.txt").open("rb") as file:
            return KeptText(str(max(numbers)), sha256(file.read(_MOST_BYTES)).hexdigest())
    except OSError as problem:
        raise UsageError(f"the kept consent texts cannot be read: {problem.strerror}", "check the folder") from problem


def _keep(folder: Path, version: str, document: bytes) -> None:
    """It has its name only once it is whole, and takes no other's place."""
    whole, beside = folder / f"{version}.txt", folder / f"{version}.txt.new"
    try:
        folder.mkdir(_FOLDER_MODE, exist_ok=True)
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE), "wb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        whole.hardlink_to(beside)
        beside.unlink()
        sync_folder(folder)
    except OSError as problem:
        raise OutputError(f"consent text {version} cannot be kept: {problem.strerror}", "try again") from problem
