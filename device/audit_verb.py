"""The verb ``sotto audit``: the end of the audit log, a line for each entry, the newest last; and its head."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from device.audit import head_of, newest_entries
from device.config import load_config
from device.recording.chain import AUDIT_NAME, Head

_NOT_TOLD = frozenset({"settings"})  # a mark for each key says nothing to anybody


def run_audit(config: Path, *, last: int, as_json: bool) -> int:
    """Print the ``last`` entries; the exit code.

    Raises:
        ConfigError: there is no configuration that holds.
        StoreError: the log cannot be read.
    """
    folder = load_config(config).store.path / AUDIT_NAME
    head, entries = head_of(folder), list(islice(newest_entries(folder), max(0, last)))[::-1]
    lines = [json.dumps({"head": str(head), "entries": entries}, indent=2)] if as_json else lines_of(head, entries)
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


def lines_of(head: Head, entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """It all for a person; ``entries`` come oldest first."""
    for entry in entries:
        moment = f"{entry['at']}{'' if entry['clock_trusted'] else ' (clock not set)'}"
        by = f", by {entry['by']}" if "by" in entry else ""
        recording = f", {entry['recording']}" if "recording" in entry else ""
        yield f"{entry['number']:>7}  {moment}  {entry['what']}{recording}{by}{_facts(entry.get('facts', {}))}"
    yield f"head: {head}"


def _facts(facts: Mapping[str, Any]) -> str:
    told = (f"{name.replace('_', ' ')} {_value(value)}" for name, value in facts.items() if name not in _NOT_TOLD)
    return "".join(f", {one}" for one in told)


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value).replace("_", " ")
