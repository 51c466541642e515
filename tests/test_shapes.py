"""Shapes: what they are made of is checked, whichever way they are made; what is wrong is told, all of it, in words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.shape_faults import faults_of
from device.shape_schemas import schemas_of
from device.shapes import Hidden, PlacedError, Shape, ShapeError, from_json, from_plain, rule, then

ROOT = Path(__file__).parent.parent


class Colour(StrEnum):
    """Three are enough."""

    RED = "red"
    BLUE = "blue"


def _even(number: int) -> int:
    if number % 2:
        raise ValueError("must be even")
    return number


class Round(Shape, tag_field="form", tag="round"):
    """One form."""

    form: ClassVar[Literal["round"]] = "round"
    radius: Annotated[float, rule(ge=0, le=9)]


class Square(Shape, tag_field="form", tag="square"):
    """Another."""

    form: ClassVar[Literal["square"]] = "square"
    sides: tuple[Annotated[int, rule(ge=0), then(_even)], ...] = ()

    def _check(self) -> None:
        if len(self.sides) > 4:
            raise ValueError("it has four sides at most")


class Named(Shape, tag_field="form", tag="named"):
    """A third."""

    name: Annotated[str, rule(min_length=1, pattern=r"^[a-z]+$")]


class Thing(Shape):
    """All kinds of fields."""

    name: Annotated[str, rule(min_length=1, pattern=r"^[a-z]+$")]
    colour: Colour = Colour.RED
    form: Round | Square | None = None
    place: Path | None = None
    counted: Mapping[str, Annotated[int, rule(gt=0)]] = {}
    upper: Annotated[str, then(str.upper)] = ""
    secret: Hidden[str | None] = None
    data: bytes = b""

    def _check(self) -> None:
        if self.name == "wrong":
            raise PlacedError("that is no name", "name")


def told(values: Any, **more: Any) -> list[str]:
    with pytest.raises(ShapeError) as caught:
        Thing.model_validate(values, **more)
    return [str(fault) for fault in caught.value.faults]


def test_a_shape_is_checked_however_it_is_made() -> None:
    with pytest.raises(ShapeError, match="1 validation error: name: String should have at least 1 character"):
        Thing(name="")
    with pytest.raises(ShapeError, match=r"form\.radius: Input should be less than or equal to 9"):
        Thing.model_validate_json(b'{"name": "a", "form": {"form": "round", "radius": 10}}')
    with pytest.raises(ShapeError, match="Invalid JSON"):
        Thing.model_validate_json(b"{")
    with pytest.raises(ShapeError, match="Invalid JSON"):
        Thing.model_validate_json(b"[" * 100_000)


def test_nothing_of_it_can_be_changed_and_equal_ones_are_equal() -> None:
    one = Thing(name="a", form=Square(sides=(2,)))
    with pytest.raises(AttributeError):
        one.name = "b"  # type: ignore[misc]
    assert one == Thing.model_validate_json(one.model_dump_json()) == Thing.model_validate(one.model_dump())
    assert one != one.model_copy(update={"name": "b"})
    assert hash(Square(sides=(2,))) == hash(Square(sides=(2,)))


def test_all_that_is_wrong_is_told_each_with_its_place() -> None:
    values = {"colour": "green", "form": {"form": "round", "size": 3}, "counted": {"a": 0}, "mane": "a", "place": 3}
    assert told(values) == [
        "name: Field required",
        "colour: Input should be 'red' or 'blue'",
        "form.radius: Field required",
        "form.size: Extra inputs are not permitted",
        "place: Input is not a valid path",
        "counted.a: Input should be greater than 0",
        "mane: Extra inputs are not permitted",
    ]


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({}, "form.form: Field required"),
        ({"form": "oval"}, "form.form: allowed are 'round', 'square'"),
        ({"form": "square", "sides": [2, 3]}, "form.sides.1: Value error, must be even"),
        ({"form": "square", "sides": [-2]}, "form.sides.0: Input should be greater than or equal to 0"),
        ({"form": "square", "sides": [2] * 5}, "form: Value error, it has four sides at most"),
        ({"form": "square", "sides": 2}, "form.sides: Input should be a valid tuple"),
        (3, "form: Input should be a valid dictionary"),
    ],
)
def test_one_of_several_shapes_is_told_by_its_tag(form: object, why: str) -> None:
    assert told({"name": "a", "form": form}) == [why]


def test_what_no_single_field_can_say_is_told_at_the_field_that_is_to_be_changed() -> None:
    assert told({"name": "wrong"}) == ["name: Value error, that is no name"]


def test_a_pattern_fits_to_the_very_end() -> None:
    assert told({"name": "a\n"}) == ["name: String should match pattern '^[a-z]+$'"]


def test_types_are_strict_and_in_a_form_text_says_them() -> None:
    assert told({"name": "a", "counted": {"a": "1"}}) == ["counted.a: Input should be a valid integer"]
    assert told({"name": "a", "counted": {"a": True}}) == ["counted.a: Input should be a valid integer"]
    assert Thing.model_validate({"name": "a", "counted": {"a": "1"}}, strict=False).counted == {"a": 1}
    assert told({"name": "a", "counted": {"a": "0"}}, strict=False) == ["counted.a: Input should be greater than 0"]


def test_a_check_may_give_another_value() -> None:
    assert Thing(name="a", upper="b").upper == "B"
    assert Thing.model_validate_json('{"name": "a", "upper": "b"}').upper == "B"


def test_what_is_hidden_shows_nowhere() -> None:
    one = Thing.model_validate({"name": "a", "secret": "hush"})
    assert repr(Round(radius=1)) == "Round(radius=1.0)"
    assert "hush" not in f"{one!r} {one}"
    assert "hush" not in str(told({"name": "hush!", "secret": ["hush"], "hush": 1})).replace("hush: Extra", "")


def test_it_is_written_in_the_order_of_its_fields_without_spaces() -> None:
    one = Thing(name="a", form=Round(radius=1), place=Path("/é"), data=b"\0")
    assert one.model_dump_json() == (
        '{"name":"a","colour":"red","form":{"form":"round","radius":1.0},"place":"/é","counted":{},"upper":"",'
        '"secret":null,"data":"AA=="}'
    )
    assert one.model_dump(mode="json") == json.loads(one.model_dump_json())
    assert one.model_dump(include={"form", "place"}) == {"form": {"form": "round", "radius": 1.0}, "place": Path("/é")}
    assert one.model_dump_json(exclude_none=True).count("null") == 0
    assert set(one.model_dump(exclude_defaults=True)) == {"name", "form", "place", "data"}


def test_a_description_has_patterns_as_other_languages_write_them() -> None:
    (several,), named = schemas_of((Square | Named,), reference="#/{name}")
    assert named["Named"]["properties"]["name"] == {"type": "string", "minLength": 1, "pattern": "^[a-z]+$"}
    assert set(named) == {"Named", "Square"}
    assert several["anyOf"] == [{"$ref": "#/Square"}, {"$ref": "#/Named"}]


_PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 12)
    | st.floats()
    | st.sampled_from(["", "a", "red", "round", "square"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["form", "radius", "sides", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*Thing.__struct_fields__, "x"]), _PLAIN, max_size=4))
def test_whatever_does_not_hold_has_a_fault_of_its_own_and_nothing_else_has(values: dict[str, Any]) -> None:
    def make(kind: Any, value: Any) -> Any:
        return from_plain(kind, value)

    try:
        from_plain(Thing, values)
    except ShapeError as problem:
        assert list(faults_of(Thing, values, make=make)) == list(problem.faults)
    else:
        assert not list(faults_of(Thing, values, make=make))


def test_one_of_several_is_read_from_json() -> None:
    assert from_json(Round | Square, b'{"form": "square"}') == Square()
    with pytest.raises(ShapeError, match="allowed are 'round', 'square'"):
        from_json(Round | Square, b'{"form": "x"}')


def test_shapes_that_many_threads_use_first_at_once_end_no_process() -> None:
    # msgspec shows a shape that it still looks through to every other thread: a service of many threads ended with it.
    program = """
import sys, threading
from typing import Annotated
from device.shapes import Shape, from_plain, rule

count = 40
names = [f"Shape{number}" for number in range(count)]
inner = {"words": tuple[Annotated[str, rule(min_length=1)], ...], "count": Annotated[int, rule(ge=0)]}
for number, name in enumerate(names):
    more = {} if number == 0 else {"inside": globals()[names[number - 1]] | None}
    space = {"__annotations__": {**inner, **more}, "__module__": __name__, "inside": None}
    globals()[name] = type(Shape)(name, (Shape,), space if more else {k: v for k, v in space.items() if k != "inside"})
last = globals()[names[-1]]
value = {"words": ["a"], "count": 1}
for _ in range(count - 1):
    value = {"words": ["a"], "count": 1, "inside": value}
sys.setswitchinterval(1e-6)
begin = threading.Barrier(8)

def use():
    begin.wait()
    assert from_plain(last, value).inside.count == 1

threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)
