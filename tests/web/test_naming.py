"""What could not be named is told in the page's own words, for every reason that there is."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from device.naming_requests import NotNamedError, Reason
from device.web.texts import TEXTS
from tests.web.conftest import Box


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_its_two_sentences_and_its_code(box: Box, reason: Reason) -> None:
    app = box.app()

    @app.get("/fails")
    def fails() -> str:
        raise NotNamedError(reason, "what the box says", "what it advises")

    client: FlaskClient = app.test_client()
    for headers in ({}, {"Content-Type": "application/json"}):
        answer = client.get("/fails", headers=headers)
        assert 400 <= answer.status_code < 600
        assert answer.status_code != 500
        key = f"naming.{reason.replace(' ', '_')}"
        assert TEXTS[key] in answer.text
        assert TEXTS[f"{key}.do"] in answer.text
        assert "what the box says" not in answer.text
