"""`sotto-clinic verify` of an audit log: whether every entry is there, in order, as the box signed it; else the first
that is not.

What a log cannot show by itself is that its end was not cut off: for that a head is needed that went out earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from device.errors import DamagedError
from device.recording.chain import (
    AUDIT_NAME,
    Bad,
    Head,
    Line,
    Verdict,
    Wrong,
    first_number,
    judge,
    parse_head,
    read_line,
    split_lines,
)
from device.recording.signing import fingerprint
from provisioning.errors import NotARecordingError, UnreachableError, UsageError
from provisioning.exits import ALTERED, DONE

_WORDS: Final = {
    Wrong.EDITED: "it was changed after the box signed it",
    Wrong.ANOTHER_KEY: "it was signed by another key",
    Wrong.OUT_OF_ORDER: "another entry stands in its place: the order was changed",
    Wrong.MISSING: "it is missing: what follows it is there",
    Wrong.NOT_CHAINED: "it does not follow the entry before it, which was replaced by another",
    Wrong.MISNAMED: "its file has a name that says it begins with another entry",
    Wrong.TRUNCATED: "it is missing, with everything after it: the end of the log was cut off",
    Wrong.REWRITTEN: "it is not the entry whose hash went out: the log was rewritten before or at this entry",
}


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What is known of an audit log once it was gone through; up to the first bad entry, if there is one."""

    name: str
    first: int
    verdict: Verdict
    known: Head | None

    @property
    def exit_code(self) -> int:
        """The exit code that it alone would have."""
        return DONE if self.bad is None else ALTERED

    @property
    def state(self) -> str:
        """It in a word."""
        return "audit log good" if self.bad is None else "audit log altered"

    @property
    def bad(self) -> Bad | None:
        """The first bad entry, if there is one."""
        return self.verdict.bad

    def lines(self) -> Iterator[str]:
        """It all for a person."""
        verdict = self.verdict
        good = "no entry" if not verdict.entries else f"entries {self.first} to {verdict.head.number}"
        yield f"{self.name}: {good} good, signed by key {self.key or 'unknown'}"
        if self.first > 1:
            yield f"what came before entry {self.first} was not looked at"
        if self.bad is not None:
            yield f"first bad entry: {self.bad.number} ({self.bad.file}, line {self.bad.place}): {self.problem}"
        yield from (
            f"{file}: {size} bytes at its end never were an entry: a power cut tore them; nothing is lost"
            for file, size in verdict.torn
        )
        yield f"head: {verdict.head}{self._end_words()}"

    def _end_words(self) -> str:
        if self.bad is not None:
            return " (of the last good entry)"
        if self.known is None:
            return "; without a head that went out earlier nothing says whether later entries were cut off"
        return f"; the head that went out ({self.known.number}) is in it"

    @property
    def key(self) -> str | None:
        """The fingerprint of the key that signed it."""
        return None if self.verdict.key is None else fingerprint(self.verdict.key)

    @property
    def problem(self) -> str | None:
        """What is wrong with the first bad entry, in words."""
        return None if self.bad is None else _WORDS[self.bad.wrong]

    def as_json(self) -> dict[str, Any]:
        """It all for a script."""
        bad = self.bad
        return {
            "name": self.name,
            "state": self.state,
            "exit_code": self.exit_code,
            "first": self.first,
            "entries": self.verdict.entries,
            "head": str(self.verdict.head),
            "head_checked": self.verdict.head_seen,
            "key": self.key,
            "bad": None
            if bad is None
            else {
                "number": bad.number,
                "file": bad.file,
                "line": bad.place,
                "wrong": str(bad.wrong),
                "what": self.problem,
            },
            "torn": [{"file": file, "bytes": size} for file, size in self.verdict.torn],
        }


def is_audit(path: Path) -> bool:
    """Whether a path is an audit log, one of its files, or a store with one in it."""
    return first_number(path.name) is not None or (path.is_dir() and bool(_files(path) or _files(path / AUDIT_NAME)))


def read_head(text: str | None) -> Head | None:
    """A head as it was given on the command line.

    Raises:
        UsageError: it is none.
    """
    head = None if text is None else parse_head(text)
    if text is not None and head is None:
        raise UsageError("that is no head of an audit log", "write it as NUMBER:HEX, as `sotto audit` prints it")
    return head


def verify_audit(path: Path, *, device_keys: frozenset[str] = frozenset(), head: Head | None = None) -> AuditReport:
    """Go through the log at ``path``: its folder, the store that it is in, or one of its files alone.

    ``device_keys``: fingerprints, of which one must have signed it; none: any may. ``head``: a head that went out
    earlier.

    Raises:
        UsageError: ``head`` is older than what is looked at.
        UnreachableError: it is not there, or cannot be read.
        NotARecordingError: there is no log.
    """
    try:
        files = _files_at(path)
        start = _start(files[0]) if path.is_file() else Head()
        if head is not None and head.number < start.number:
            raise UsageError("that head is older than this file", "verify the whole folder")
        verdict = judge(_lines(files), key=None, known=head, start=start)
    except OSError as problem:
        raise UnreachableError(f"{path} cannot be read: {problem.strerror}", "check that you may read it") from problem
    if device_keys and verdict.key is not None and fingerprint(verdict.key) not in device_keys:
        verdict.bad = Bad(start.number + 1, files[0].name, 1, Wrong.ANOTHER_KEY)
        verdict.head, verdict.entries = start, 0
    return AuditReport(path.name, start.number + 1, verdict, head)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if first_number(entry.name) is not None)


def _files_at(path: Path) -> list[Path]:
    if not path.exists():
        raise UnreachableError(f"there is no {path}", "check the name")
    if path.is_file():
        return [path]
    files = _files(path) or _files(path / AUDIT_NAME)
    if not files and path.name != AUDIT_NAME:
        raise NotARecordingError(
            f"there is no audit log in {path}", "give a store, its folder `audit`, or a file of it"
        )
    return files


def _start(file: Path) -> Head:
    """The head before a file that stands alone, as its first entry has it."""
    with file.open("rb") as opened:
        first = opened.readline()
    try:
        entry = read_line(first)
    except DamagedError:
        return Head((first_number(file.name) or 1) - 1)
    return Head(entry.number - 1, entry.before)


def _lines(files: list[Path]) -> Iterator[Line]:
    for file in files:
        lines = split_lines(file.read_bytes())
        for place, line in enumerate(lines, start=1):
            yield Line(line, file.name, place, last=file is files[-1] and place == len(lines))
