"""The description of the interface is the interface: nothing is missing from it, and whatever fits it is understood.

The second half is found out by schemathesis, which makes requests from the description, right and wrong ones, and looks
whether each answer is one of those described there, and never a mistake of our own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode

from device.naming_requests import NAMING_SOCKET_NAME, Asked, Named, NamingServer
from device.web.api import PREFIX
from device.web.api.operations import OPERATIONS, Operation
from device.web.permissions import PERMISSIONS, Strangers
from device.web.visitor import By
from tests.web.conftest import Box
from tests.web.programs import Program, mark_of, settle
from tests.web.published import add_recording
from tests.web.test_api import attach

EXAMPLES = 60


@pytest.fixture
def app(box: Box) -> Iterator[Flask]:
    """A page with recordings to be asked for, and a capture service that is asked to name things."""
    settle(box.people)
    for mark in (mark_of("one"), mark_of("other"), None):
        recording_id = add_recording(box.store, therapist=mark)
        attach(box, recording_id, "label.age", b"client 17")
    with closing(naming(box)):
        yield box.app()


def naming(box: Box) -> NamingServer:
    """Whoever listens in the place of capture: it understands every request, and has each done."""

    def done(asked: Asked) -> Named:
        return Named(getattr(asked, "recording", None), "note-001.age")

    return NamingServer(box.run / NAMING_SOCKET_NAME, done, users=frozenset({0, *user()}), rest=lambda _s: None)


def user() -> set[int]:
    import os

    return {os.getuid()}


def described(app: Flask) -> dict[str, Any]:
    """The description, as a stranger gets it."""
    answer = app.test_client().get(f"{PREFIX}/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return dict(answer.get_json())


# The description.


def test_every_route_for_programs_is_described_and_nothing_else(app: Flask) -> None:
    routes = {
        (rule.endpoint, method.lower(), re.sub(r"<(\w+)>", r"{\1}", rule.rule).removeprefix(PREFIX))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(f"{PREFIX}/")
    }
    assert {(one.endpoint, one.method, one.path) for one in OPERATIONS} == routes
    told = described(app)
    assert {(method, path) for path, methods in told["paths"].items() for method in methods} == {
        (method, path) for _, method, path in routes
    }


def test_what_needs_a_token_is_what_strangers_may_not(app: Flask) -> None:
    for operation in OPERATIONS:
        rule = PERMISSIONS[operation.endpoint]
        assert By.PROGRAM in rule.by
        assert operation.strangers == (rule.strangers is Strangers.ALWAYS), operation.endpoint
        security = described(app)["paths"][operation.path][operation.method]["security"]
        assert security == ([] if operation.strangers else [{"token": []}])


def test_every_shape_that_is_named_is_there_and_each_is_a_schema(app: Flask) -> None:
    told = described(app)
    schemas = told["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(told)))
    assert named == set(schemas)
    for schema in schemas.values():
        assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
        assert schema.get("description"), "what it is, is said"


def test_the_document_names_all_that_can_be_asked() -> None:
    document = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(GET|POST|DELETE) (/[^` ]*)`", document))
    assert {(one.method.upper(), one.path) for one in OPERATIONS} <= named | {("GET", "/openapi.json")}
    assert {path for _, path in named} == {one.path for one in OPERATIONS}


# The interface, held against it.


# There is no wrong way to ask for what takes nothing.
ASKED = [(one, False) for one in OPERATIONS] + [(one, True) for one in OPERATIONS if one.takes or "{" in one.path]


@pytest.mark.parametrize(("operation", "wrong"), ASKED, ids=lambda one: getattr(one, "endpoint", one))
def test_whatever_is_asked_is_answered_as_described(app: Flask, operation: Operation, *, wrong: bool) -> None:
    """Every check that schemathesis has: no mistake of ours, nothing undescribed, nobody let in without a token."""
    described_at = schemathesis.openapi.from_wsgi(f"{PREFIX}/openapi.json", app)
    asking = described_at[operation.path][operation.method]
    mode = GenerationMode.NEGATIVE if wrong else GenerationMode.POSITIVE
    shown = Program(app.test_client(), "one").sign_in().shown

    @given(case=asking.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: Case) -> None:
        case.call_and_validate(headers=shown)

    ask()
