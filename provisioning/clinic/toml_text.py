"""Writes TOML: of what the clinic's file holds, and nothing else. What is written is read again and compared."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from provisioning.errors import UsageError

HEAD: Final = """\
# The clinic: what it decided and whom it has (docs/clinic-folder.md). `sotto-clinic person`, `room` and `recovery`
# write it, and keep no comments; whoever changes it by hand signs it with `sotto-clinic roster --sign`.
"""


def to_toml(values: Mapping[str, Any]) -> str:
    """The file's text: single values first, then tables, then lists of tables; what is ``None`` or empty is left out.

    Raises:
        UsageError: it cannot be said in TOML.
    """
    wanted = {name: _without_nothing(value) for name, value in values.items() if not _is_nothing(value)}
    text = HEAD + "\n".join(_lines(wanted)) + "\n"
    if tomllib.loads(text) != wanted:
        raise UsageError("the clinic's file cannot be written as TOML", "leave unusual characters out of its names")
    return text


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if not isinstance(value, dict) and not _is_tables(value):
            yield f"{name} = {_value(value)}"
    for name, value in values.items():
        for table in [value] if isinstance(value, dict) else value if _is_tables(value) else []:
            yield ""
            yield f"[{name}]" if isinstance(value, dict) else f"[[{name}]]"
            yield from (f"{key} = {_value(inner)}" for key, inner in table.items())


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # all of JSON's escapes are TOML's, too
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _is_nothing(value: Any) -> bool:
    return value is None or value in ([], {})


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nothing(inner) for name, inner in value.items() if not _is_nothing(inner)}
    return [_without_nothing(one) for one in value] if isinstance(value, list) else value
