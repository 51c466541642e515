"""Shapes as JSON Schemas, for a description of what is asked and answered."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec

from device.shape_faults import shown


def schemas_of(kinds: Sequence[Any], *, reference: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The schemas of these, and those of the shapes in them by their names. ``reference``: with ``{name}`` in it."""
    each, named = msgspec.json.schema_components(kinds, ref_template=reference)
    return [_as_elsewhere(one) for one in each], _as_elsewhere(named)


def _as_elsewhere(schema: Any) -> Any:
    """Patterns end as they do in every language but Python, and descriptions begin at the left."""
    if isinstance(schema, list):
        return [_as_elsewhere(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: _as_elsewhere(one) for name, one in schema.items()}
    if isinstance(pattern := told.get("pattern"), str):
        told["pattern"] = shown(pattern)
    if isinstance(description := told.get("description"), str):
        told["description"] = inspect.cleandoc(description)
    return told
