"""What is wrong with a value that has not the shape it has to have: all of it, each with its place, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

HIDDEN: Final = "hidden"
END: Final = r"\Z"  # of a pattern: there, and not before a newline
_TYPES: Final[dict[Any, tuple[str, str]]] = {
    str: ("string_type", "Input should be a valid string"),
    int: ("int_type", "Input should be a valid integer"),
    float: ("float_type", "Input should be a valid number"),
    bool: ("bool_type", "Input should be a valid boolean"),
    bytes: ("bytes_type", "Input should be valid bytes"),
    NoneType: ("none_required", "Input should be None"),
}
_LIMITS: Final[tuple[tuple[str, str, Callable[[Any, Any], bool]], ...]] = (
    ("le", "less than or equal to", lambda value, limit: value <= limit),
    ("lt", "less than", lambda value, limit: value < limit),
    ("ge", "greater than or equal to", lambda value, limit: value >= limit),
    ("gt", "greater than", lambda value, limit: value > limit),
    ("multiple_of", "a multiple of", lambda value, limit: value % limit == 0),
)
Make = Callable[[Any, Any], Any]
"""A value of a type, made of a plain one. Raises ``ValueError``."""
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, what kind of fault it is, in words; and what stood there."""

    place: Place
    kind: str
    words: str
    value: Any = field(default=None, repr=False, compare=False)
    tags: tuple[str, ...] = ()  # of which one is missing, or was to be there

    def __str__(self) -> str:
        where = ".".join(map(str, self.place))
        return f"{where}: {self.words}" if where else self.words


@dataclass(frozen=True, slots=True, eq=False)
class Then:
    """What is done with a value that is right so far."""

    check: Callable[[Any], Any]


class PlacedError(ValueError):
    """What does not hold between fields, where one of them is to be named."""

    def __init__(self, words: str, place: str) -> None:
        """``place``: the field's name."""
        super().__init__(words)
        self.place = place


_HINTS: Final[dict[type, dict[str, Any]]] = {}


def hints_of(kind: type) -> dict[str, Any]:
    """The types of a shape's fields, with all that is said beside them."""
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind, include_extras=True)
    return _HINTS[kind]


def settled(hint: Any) -> Callable[[Any], Any] | None:
    """What is done with a value of that type once it is right, everywhere in it; ``None``: nothing."""
    plain, extras = _taken_apart(hint)
    own = [extra.check for extra in extras if isinstance(extra, Then)]
    inner = _settled_within(plain)
    if not own:
        return inner

    def settle(value: Any) -> Any:
        value = value if inner is None else inner(value)
        for check in own:
            value = check(value)
        return value

    return settle


def _settled_within(plain: Any) -> Callable[[Any], Any] | None:
    origin, arguments = get_origin(plain), get_args(plain)
    if origin in (Union, UnionType):
        inner = [found for one in arguments if (found := settled(one)) is not None]
        (only,) = inner or (None,)  # of several one could not tell which
        return only and (lambda value: None if value is None else only(value))
    if origin is tuple:
        return _settled_tuple(arguments)
    if _is_a(origin, Mapping):
        key, item = map(settled, arguments)
        if key or item:
            return lambda value: {key(name) if key else name: item(one) if item else one for name, one in value.items()}
    return None


def _settled_tuple(arguments: tuple[Any, ...]) -> Callable[[Any], Any] | None:
    each = [settled(one) for one in arguments if one is not Ellipsis]
    if not any(each):
        return None
    every = each[0] if Ellipsis in arguments else None
    return lambda value: tuple(
        check(one) if (check := every or each[index]) else one for index, one in enumerate(value)
    )


def faults_of(hint: Any, value: Any, place: Place = (), *, make: Make) -> Iterator[Fault]:
    """All that is wrong with a plain value that has to be of that type."""
    within = list(_within(_bare(hint), value, place, make=make))
    yield from within or _as_a_whole(hint, value, place, make=make)


def _as_a_whole(hint: Any, value: Any, place: Place, *, make: Make) -> Iterator[Fault]:
    """What is wrong with a value in which everything is right."""
    plain, extras = _taken_apart(hint)
    try:
        made = make(plain, value)
        beyond = list(_limits(plain, extras, made, place))
        yield from beyond
        if not beyond and (settle := settled(hint)) is not None:
            settle(made)
    except (msgspec.MsgspecError, ValueError, TypeError) as problem:
        cause = problem.__cause__ if isinstance(problem.__cause__, ValueError) else problem
        if isinstance(cause, PlacedError):
            place = (*place, cause.place)
            value = value.get(cause.place) if isinstance(value, Mapping) else value
        words = _type_fault(plain)[1] if isinstance(cause, msgspec.MsgspecError) else f"Value error, {cause}"
        yield Fault(place, "value_error", words, value)


def _taken_apart(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    return (hint.__origin__, hint.__metadata__) if get_origin(hint) is Annotated else (hint, ())


def _within(plain: Any, value: Any, place: Place, *, make: Make) -> Iterator[Fault]:
    origin, arguments = get_origin(plain), get_args(plain)
    if origin in (Union, UnionType):
        yield from _of_several(arguments, value, place, make=make)
    elif origin is Literal or _is_a(plain, Enum):
        allowed = arguments if origin is Literal else tuple(one.value for one in plain)
        if not any(one == value and isinstance(value, type(one)) and not isinstance(value, bool) for one in allowed):
            yield Fault(place, "literal_error", f"Input should be {_listed(allowed)}", value)
    elif origin in (tuple, list):
        yield from _sequence(origin, arguments, value, place, make=make)
    elif _is_a(origin, Mapping):
        yield from _mapping(arguments, value, place, make=make)
    elif _is_shape(plain):
        yield from _shape(plain, value, place, make=make)
    elif plain is not Any:
        try:
            make(plain, value)
        except (msgspec.MsgspecError, ValueError, TypeError):
            yield Fault(place, *_type_fault(plain), value)


def _of_several(kinds: tuple[Any, ...], value: Any, place: Place, *, make: Make) -> Iterator[Fault]:
    if value is None and NoneType in kinds:
        return
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    shapes = {kind.__struct_config__.tag: kind for kind in map(_bare, kinds) if _is_shape(kind)}
    if len(kinds) == len(shapes) > 1:
        yield from _tagged(shapes, value, place, make=make)
        return
    faults: list[Fault] = []
    for kind in kinds:
        found = list(faults_of(kind, value, place, make=make))
        if not found:
            return
        faults = faults or found
    yield from faults


def _tagged(shapes: dict[Any, Any], value: Any, place: Place, *, make: Make) -> Iterator[Fault]:
    if isinstance(value, tuple(shapes.values())):
        return
    field_name = next(iter(shapes.values())).__struct_config__.tag_field
    if not isinstance(value, Mapping):
        yield Fault(place, "model_attributes_type", "Input should be a valid dictionary", value)
    elif field_name not in value:
        yield Fault((*place, field_name), "missing", "Field required", value, tuple(shapes))
    elif not isinstance(value[field_name], str) or value[field_name] not in shapes:
        listed = ", ".join(map(repr, shapes))
        yield Fault((*place, field_name), "tag_invalid", f"allowed are {listed}", value[field_name], tuple(shapes))
    else:
        yield from faults_of(shapes[value[field_name]], value, place, make=make)


def _shape(kind: Any, value: Any, place: Place, *, make: Make) -> Iterator[Fault]:
    if isinstance(value, kind):
        return
    if not isinstance(value, Mapping):
        words = f"Input should be a valid dictionary or instance of {kind.__name__}"
        yield Fault(place, "model_type", words, value)
        return
    hints, config = hints_of(kind), kind.__struct_config__
    needed = {one.name for one in msgspec.structs.fields(kind) if one.required}
    for name in kind.__struct_fields__:
        if name in value:
            yield from faults_of(hints[name], value[name], (*place, name), make=make)
        elif name in needed:
            yield Fault((*place, name), "missing", "Field required", value)
    if config.tag_field in value and value[config.tag_field] != config.tag:
        words = f"Input should be {config.tag!r}"
        yield Fault((*place, config.tag_field), "literal_error", words, value[config.tag_field])
    if config.forbid_unknown_fields:
        for name in value:
            if name not in kind.__struct_fields__ and name != config.tag_field:
                yield Fault((*place, name), "extra_forbidden", "Extra inputs are not permitted", value[name])


def _mapping(arguments: tuple[Any, ...], value: Any, place: Place, *, make: Make) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield Fault(place, "dict_type", "Input should be a valid dictionary", value)
        return
    for name, one in value.items():
        yield from faults_of(arguments[0], name, (*place, name), make=make)
        yield from faults_of(arguments[1], one, (*place, name), make=make)


def _sequence(origin: Any, arguments: Any, value: Any, place: Place, *, make: Make) -> Iterator[Fault]:
    if not isinstance(value, list | tuple):
        yield Fault(place, f"{origin.__name__}_type", f"Input should be a valid {origin.__name__}", value)
        return
    every = arguments[0] if origin is list or Ellipsis in arguments else None
    if every is None and len(value) != len(arguments):
        words = f"Tuple should have {len(arguments)} items, not {len(value)}"
        yield Fault(place, "too_short" if len(value) < len(arguments) else "too_long", words, value)
        return
    for index, one in enumerate(value):
        yield from faults_of(every or arguments[index], one, (*place, index), make=make)


def _limits(plain: Any, extras: tuple[Any, ...], value: Any, place: Place) -> Iterator[Fault]:
    """What a value that is of its type exceeds."""
    for meta in (extra for extra in extras if isinstance(extra, msgspec.Meta)):
        if value is None:
            return
        for name, words, holds in _LIMITS:
            if (limit := getattr(meta, name)) is not None and not holds(value, limit):
                yield Fault(place, name, f"Input should be {words} {limit}", value)
                return
        least, most = meta.min_length, meta.max_length
        if least is not None and len(value) < least:
            yield Fault(place, "too_short", _length(plain, value, f"at least {least}", least), value)
        elif most is not None and len(value) > most:
            yield Fault(place, "too_long", _length(plain, value, f"at most {most}", most), value)
        elif meta.pattern is not None and not _fits(meta.pattern, value):
            yield Fault(place, "pattern", f"String should match pattern '{shown(meta.pattern)}'", value)


def shown(pattern: str) -> str:
    """A pattern as it is written everywhere but in Python."""
    return f"{pattern.removesuffix(END)}$" if pattern.endswith(END) else pattern


def _fits(pattern: str, value: Any) -> bool:
    try:
        msgspec.convert(value, Annotated[str, msgspec.Meta(pattern=pattern)])
    except msgspec.ValidationError:
        return False
    return True


def _length(plain: Any, value: Any, limit: str, count: int) -> str:
    if isinstance(value, str):
        return f"String should have {limit} character{'' if count == 1 else 's'}"
    called = "Dictionary" if isinstance(value, Mapping) else (get_origin(plain) or plain).__name__.capitalize()
    return f"{called} should have {limit} item{'' if count == 1 else 's'} after validation, not {len(value)}"


def _type_fault(plain: Any) -> tuple[str, str]:
    if _is_a(plain, PurePath):
        return "path_type", "Input is not a valid path"
    return _TYPES.get(plain, ("value_error", f"Input should be a valid {getattr(plain, '__name__', plain)}"))


def _listed(allowed: tuple[Any, ...]) -> str:
    *others, last = map(repr, allowed)
    return f"{', '.join(others)} or {last}" if others else last


def _bare(kind: Any) -> Any:
    return _taken_apart(kind)[0]


def _is_a(kind: Any, base: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)


def _is_shape(kind: Any) -> bool:
    return _is_a(kind, msgspec.Struct)
