"""The description of the interface, made of its table and its shapes (OpenAPI 3.1, spec.openapis.org/oas/v3.1.1)."""

from __future__ import annotations

import re
from typing import Any, Final

from device.shape_schemas import schemas_of
from device.shapes import Shape
from device.web.api import PREFIX
from device.web.api.operations import OPERATIONS, Operation, Plain
from device.web.api.shapes import AttachmentIn, AttachmentName, Problem, RecordingId, TokenId

_REFERENCE: Final = "#/components/schemas/{name}"
_NAMES: Final = {"recording_id": RecordingId, "name": AttachmentName, "token_id": TokenId}
_ABOUT_ATTACHMENTS: Final = (
    "What is to be sealed and put beside a recording. A label takes the place of the one before."
)
_SEVERAL: Final[dict[Any, tuple[str, str]]] = {AttachmentIn: ("AttachmentIn", _ABOUT_ATTACHMENTS)}
"""What is one of several shapes: what that is called, and what it is."""
_REFUSALS: Final = {
    400: "It is not what this description allows.",
    401: "Nobody is signed in, or not any more.",
    403: "This person may not do that.",
    404: "There is no such thing, or none that this person may know of.",
    409: "Not now: it is still being recorded, or it is going to be erased.",
    413: "It is too long.",
    415: "It is not JSON.",
    416: "The recording does not reach that far.",
    503: "It could not be noted in the audit log, so it is not handed out; or a service of the box is not there.",
}
_RANGE: Final[dict[str, Any]] = {
    "Range": "One range of bytes (RFC 9110, section 14). Anything else is answered with the whole.",
    "If-Range": "The ETag for which the range counts; for any other the whole comes.",
    "If-None-Match": "ETags that are there already.",
}
_ABOUT: Final = (
    "The recordings of one box, for programs. Sign in with your key: ask for a challenge, answer it with its SHA-256, "
    "and show the token that you get. Everything that is looked at or pulled is in the box's audit log. The sealed "
    "bytes are ordinary age files, which the box cannot open."
)


def description() -> dict[str, Any]:
    """All of it."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sotto", "version": "1", "description": _ABOUT},
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas() -> dict[str, Any]:
    asked: list[Any] = [Problem]
    for operation in OPERATIONS:
        asked += [
            one for one in (operation.takes, operation.gives[1]) if one is not None and not isinstance(one, Plain)
        ]
    shapes = tuple(dict.fromkeys(asked))
    whole, schemas = schemas_of(shapes, reference=_REFERENCE)
    for shape, schema in zip(shapes, whole, strict=True):
        if shape in _SEVERAL:
            name, description = _SEVERAL[shape]
            schemas[name] = {"title": name, "description": description, **schema}
    return schemas


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.endpoint,
        "summary": operation.summary,
        "parameters": [*_names_of(operation), *_query_of(operation), *_headers_of(operation)],
        "responses": _answers(operation),
        "security": [] if operation.strangers else [{"token": []}],
    }
    if operation.takes is not None:
        sealed = _content(Plain.SEALED)["content"] if operation.takes_sealed else {}
        described["requestBody"] = {"required": True, "content": {**_json(operation.takes), **sealed}}
    return described


def _names_of(operation: Operation) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", operation.path)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schemas_of((_NAMES[name],), reference=_REFERENCE)[0][0],
        }
        for name in names
    ]


def _query_of(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    name = operation.query.__name__
    schema = schemas_of((operation.query,), reference=_REFERENCE)[1][name]
    return [{"name": name, "in": "query", "schema": _alone(one)} for name, one in schema["properties"].items()]


def _alone(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a name in a query, which is left out where it is null."""
    (alone,) = [one for one in schema["anyOf"] if one != {"type": "null"}]
    return dict(alone)


def _headers_of(operation: Operation) -> list[dict[str, Any]]:
    headers = _RANGE if operation.ranges else {}
    return [
        {"name": name, "in": "header", "description": what, "schema": {"type": "string"}}
        for name, what in headers.items()
    ]


def _answers(operation: Operation) -> dict[str, Any]:
    status, given = operation.gives
    answers: dict[str, Any] = {str(status): {"description": operation.summary, **_content(given)}}
    if operation.ranges:
        answers["206"] = {"description": "The part that was asked for", **_content(given)}
        answers["304"] = {"description": "It is there already."}
        answers["416"] = {"description": _REFUSALS[416], "content": {"text/plain": {"schema": {"type": "string"}}}}
    refuses = operation.refuses if operation.strangers else (*operation.refuses, 401, 403)
    answers |= {str(one): {"description": _REFUSALS[one], "content": _json(Problem)} for one in sorted(refuses)}
    return answers


def _content(given: type[Shape] | Plain | None) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Plain):
        schema = {"type": "object"} if given is Plain.DESCRIPTION else {"type": "string", "format": "binary"}
        return {"content": {given.value: {"schema": schema}}}
    return {"content": _json(given)}


def _json(shape: Any) -> dict[str, Any]:
    name = _SEVERAL[shape][0] if shape in _SEVERAL else shape.__name__
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=name)}}}
