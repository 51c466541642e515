"""What configuration, documents and messages are made of: frozen shapes that hold by the time they are there.

A shape is checked when it is made, whether of keywords, of plain values or of JSON; what it does not know is refused.
``msgspec`` does that in C; only where something does not hold is it looked through again, for words
(``device/shape_faults.py``).

    class Line(Shape):
        low: Annotated[str, rule(min_length=1)]
        pins: tuple[Annotated[int, rule(ge=0), then(even)], ...] = ()

        def _check(self) -> None: ...           # what no single field can say; raises ``ValueError``
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeVar, dataclass_transform

import msgspec
from msgspec.structs import force_setattr

from device.shape_faults import END, HIDDEN, Fault, PlacedError, Then, faults_of, hints_of, settled

__all__ = [
    "Fault",
    "Hidden",
    "PlacedError",
    "Shape",
    "ShapeError",
    "from_json",
    "from_plain",
    "rule",
    "then",
    "to_plain",
]

_T = TypeVar("_T")

Hidden = Annotated[_T, HIDDEN]
"""A field that never shows in a line of a log."""


class ShapeError(ValueError):
    """Something is not of the shape that it has to be. It shows none of the values that were given."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """``faults``: all that is wrong, at least one."""
        count = f"{len(faults)} validation error{'' if len(faults) == 1 else 's'}"
        super().__init__(f"{count}: {'; '.join(map(str, faults))}")
        self.faults = faults


def rule(
    *,
    pattern: str | None = None,
    description: str | None = None,
    schema: dict[str, Any] | None = None,
    **limits: Any,
) -> msgspec.Meta:
    """What a value has to be, in ``Annotated``. ``limits``: ge, gt, le, lt, multiple_of, min_length, max_length.

    ``pattern`` ends with ``$`` where it has to fit to the very end: a newline there is none, as in every language but
    Python. ``schema``: for a description alone.
    """
    if pattern is not None and pattern.endswith("$"):
        pattern = pattern[:-1] + END
    return msgspec.Meta(pattern=pattern, description=description, extra_json_schema=schema, **limits)


def then(check: Callable[[Any], Any]) -> Then:
    """In ``Annotated``: what is done with a value that is right so far. Gives the value, or raises ``ValueError``."""
    return Then(check)


class _ShapeMeta(msgspec.StructMeta):
    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> _ShapeMeta:
        return super().__new__(cls, name, bases, namespace, kw_only=True, **config)

    if not TYPE_CHECKING:

        def __call__(cls, **values: Any) -> Any:
            return from_plain(cls, values)


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Shape(msgspec.Struct, metaclass=_ShapeMeta, frozen=True, forbid_unknown_fields=True):
    """The base of them all."""

    def __post_init__(self) -> None:
        for name, check in _checks_of(type(self)):
            value = getattr(self, name)
            if (now := check(value)) is not value:
                force_setattr(self, name, now)
        self._check()

    def _check(self) -> None:
        """What has to hold between fields. Raises ``ValueError``."""

    def _told(self) -> Any:
        """What is written of it, where that is not simply all."""
        return self

    @classmethod
    def model_validate(cls, values: Any, *, strict: bool = True) -> Self:
        """One of plain values. ``strict=False``: text that says a number or a truth is one, as in a form.

        Raises:
            ShapeError: they do not hold.
        """
        made: Self = from_plain(cls, values, strict=strict)
        return made

    @classmethod
    def model_validate_json(cls, document: bytes | str) -> Self:
        """One of JSON. Raises ``ShapeError``."""
        made: Self = from_json(cls, document)
        return made

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: set[str] | None = None,
        exclude: set[str] | None = None,
        exclude_none: bool = False,
        exclude_defaults: bool = False,
    ) -> dict[str, Any]:
        """The fields by name; shapes in it as dicts, too. ``mode="json"``: as JSON would have them.

        What is to be left out is so of its own fields, not of the shapes in it.
        """
        told: dict[str, Any] = to_plain(self._told()) if mode == "json" else _dumped(self)
        left_out = set(exclude or ())
        if exclude_defaults:
            fields = (one for one in msgspec.structs.fields(self) if not one.required)
            left_out |= {one.name for one in fields if getattr(self, one.name) == _default_of(one)}
        return {
            name: value
            for name, value in told.items()
            if (include is None or name in include) and name not in left_out and not (exclude_none and value is None)
        }

    def model_dump_json(self, *, indent: int | None = None, exclude_none: bool = False) -> str:
        """As JSON, without spaces unless it is indented."""
        told = self.model_dump(mode="json", exclude_none=True) if exclude_none else self._told()
        whole = _encoded(told)
        return (whole if indent is None else msgspec.json.format(whole, indent=indent)).decode()

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """The same with other values, which are not checked."""
        made = copy.copy(self)
        for name, value in (update or {}).items():
            force_setattr(made, name, value)
        return made

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        hints = hints_of(type(self))
        shown = (name for name in self.__struct_fields__ if HIDDEN not in getattr(hints[name], "__metadata__", ()))
        return [(name, getattr(self, name)) for name in shown]


_PREPARING: Final = threading.RLock()
_PREPARED: Final[set[Any]] = set()


def _prepare(kind: Any) -> None:
    """Have ``msgspec`` know a kind before it is used.

    It looks a shape through at its first use, and meanwhile shows what it has so far to every other thread: one that
    uses the same shape then ends the whole process (msgspec 0.22). So each is looked through behind a lock first.
    """
    if kind not in _PREPARED:
        with _PREPARING:
            msgspec.json.Decoder(kind, dec_hook=_made)
            _PREPARED.add(kind)


def from_plain(kind: Any, values: Any, *, strict: bool = True) -> Any:
    """Plain values as ``kind``, a shape or several of which one fits.

    Raises:
        ShapeError: they do not hold.
    """
    _prepare(kind)
    try:
        return msgspec.convert(values, kind, strict=strict, dec_hook=_made)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as problem:
        raise _error(kind, values, problem, strict=strict) from None


def from_json(kind: Any, document: bytes | str) -> Any:
    """JSON as ``kind``. Raises ``ShapeError``."""
    _prepare(kind)
    try:
        return msgspec.json.decode(document, type=kind, dec_hook=_made)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise _error(kind, _parsed(document), problem) from None


def _parsed(document: bytes | str) -> Any:
    try:
        return msgspec.json.decode(document)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise ShapeError((Fault((), "json_invalid", f"Invalid JSON: {problem}"),)) from None


def to_plain(value: Any) -> Any:
    """A value that may hold shapes as JSON would have it."""
    return msgspec.json.decode(_encoded(value))


def _error(kind: Any, values: Any, problem: Exception, *, strict: bool = True) -> ShapeError:
    faults = tuple(faults_of(kind, values, make=_make(strict=strict)))
    return ShapeError(faults or (Fault((), "value_error", str(problem)),))


def _make(*, strict: bool) -> Callable[[Any, Any], Any]:
    return lambda kind, value: msgspec.convert(value, kind, strict=strict, dec_hook=_made)


def _made(kind: type[Any], value: Any) -> Any:
    if isinstance(value, kind):
        return value
    if issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    raise ValueError(f"must be a {kind.__name__}")


def _default_of(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=str)


def _dumped(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        config = value.__struct_config__
        tag = {} if config.tag_field is None else {config.tag_field: config.tag}
        return tag | {name: _dumped(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Enum):
        return value
    if isinstance(value, tuple | list):
        return type(value)(map(_dumped, value))
    if isinstance(value, Mapping):
        return {name: _dumped(one) for name, one in value.items()}
    return value


_CHECKS: Final[dict[type, tuple[tuple[str, Callable[[Any], Any]], ...]]] = {}


def _checks_of(kind: type[msgspec.Struct]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    if kind not in _CHECKS:
        hints = hints_of(kind)
        found = ((name, settled(hints[name])) for name in kind.__struct_fields__)
        _CHECKS[kind] = tuple((name, check) for name, check in found if check is not None)
    return _CHECKS[kind]
