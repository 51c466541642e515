"""The edge between a request and the shapes: what comes in is checked, what goes out is written."""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from device.shapes import Shape, ShapeError, from_json
from device.web.refusals import Refusal

JSON: Final = "application/json"
SEALED: Final = "application/octet-stream"
_In = TypeVar("_In", bound=Shape)


def body(shape: Any) -> Any:
    """The request's body, as a shape, or as the one of several that it says it is.

    Raises:
        UnsupportedMediaType: it is not JSON.
        Refusal: it is no such shape.
    """
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    try:
        return from_json(shape, request.get_data())
    except ShapeError as problem:
        raise Refusal(400, "error.api") from problem


def sealed_body(most_bytes: int) -> bytes:
    """The request's body, where it is a sealed file of ``most_bytes`` at most.

    Raises:
        RequestEntityTooLarge: it is longer.
    """
    request.max_content_length = most_bytes
    return request.get_data()


def query(shape: type[_In]) -> _In:
    """What stands behind the question mark; each name once.

    Raises:
        Refusal: it is no such shape.
    """
    names = request.args.to_dict(flat=False)
    try:
        if any(len(values) != 1 for values in names.values()):
            raise Refusal(400, "error.api")
        return shape.model_validate({name: values[0] for name, values in names.items()}, strict=False)
    except ShapeError as problem:
        raise Refusal(400, "error.api") from problem


def answer(shape: Shape, status: int = 200) -> Response:
    """A shape as JSON."""
    return Response(shape.model_dump_json(), status, mimetype=JSON)


def document(text: dict[str, object]) -> Response:
    """A document that is no shape of ours: the description."""
    return Response(json.dumps(text), mimetype=JSON)
