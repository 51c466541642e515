"""The device keys that a clinic knows: what a signature is compared with."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from device.recording.signing import fingerprint
from provisioning.clinic_file import CLINIC_NAME, read_clinic_file
from provisioning.errors import UsageError

_FINGERPRINT: Final = re.compile(r"[0-9a-fA-F]{16}")
_KEY_BYTES: Final = 32
_MOST_BYTES: Final = 1 << 20


def read_device_keys(texts: Sequence[str]) -> frozenset[str]:
    """The fingerprints that were given: each as such, or as a file with one fingerprint or public key (base64) a line;
    or as the clinic's folder, for those of all its boxes, also of the ones that were replaced.

    Raises:
        UsageError: it is neither.
    """
    return frozenset(found for text in texts for found in _read_one(text))


def _read_one(text: str) -> Iterator[str]:
    if _FINGERPRINT.fullmatch(text):
        yield text.lower()
        return
    if (Path(text) / CLINIC_NAME).is_file():
        yield from read_clinic_file(Path(text)).device_keys()
        return
    try:
        with Path(text).open("rb") as file:
            lines = file.read(_MOST_BYTES).decode("utf-8").splitlines()
        found = [_parse(line) for line in map(str.strip, lines) if line and not line.startswith("#")]
    except OSError as problem:
        raise UsageError(
            f"the device keys in {text} cannot be read: {problem.strerror}",
            "give a key's fingerprint (16 hex digits), or a file with one key a line",
        ) from problem
    except (ValueError, Base64Error) as problem:
        raise UsageError(
            f"{text} is not a file of device keys", "let each line be a fingerprint, or a key as a manifest has it"
        ) from problem
    if not found:
        raise UsageError(f"there is no device key in {text}", "let each line be one, as a manifest has it")
    yield from found


def _parse(line: str) -> str:
    if _FINGERPRINT.fullmatch(line):
        return line.lower()
    key = b64decode(line, validate=True)
    if len(key) != _KEY_BYTES:
        raise ValueError("a device key is 32 bytes")
    return fingerprint(key)
