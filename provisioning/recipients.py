"""Recipients as a person names them: the text itself, or a file with one a line, as ``age -R`` takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from device.age.errors import RecipientSyntaxError
from device.age.recipients import KeyRecipient, fingerprint, parse_recipient
from provisioning.errors import UsageError

_MOST_BYTES: Final = 1 << 20
_HOW: Final = "give what `sotto-clinic key recipient` prints, or a file with one recipient a line"


def read_recipients(texts: Sequence[str]) -> tuple[KeyRecipient, ...]:
    """All who were named, each once.

    Raises:
        UsageError: one of them is no recipient, and no file of recipients.
    """
    found = {fingerprint(recipient): recipient for text in texts for recipient in _read_one(text)}
    return tuple(found.values())


def _read_one(text: str) -> Iterator[KeyRecipient]:
    if text[:4].lower() == "age1":
        yield _parse(text)
        return
    try:
        with Path(text).open("rb") as file:
            lines = file.read(_MOST_BYTES).decode("utf-8").splitlines()
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is no text"
        raise UsageError(f"{text[:80]!r} is no recipient, and no file of them: {reason}", _HOW) from problem
    kept = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    if not kept:
        raise UsageError(f"there is no recipient in {text}", _HOW)
    yield from map(_parse, kept)


def _parse(text: str) -> KeyRecipient:
    """A recipient; all in capitals, as a QR code of the reader has it, it is the same one (BIP-173)."""
    try:
        return parse_recipient(text.lower() if text.isupper() else text)
    except RecipientSyntaxError as problem:
        raise UsageError(
            f"that is not a recipient: {problem.what[:1].lower()}{problem.what[1:].rstrip('.')}", _HOW
        ) from (problem)
