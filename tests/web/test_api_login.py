"""Signing in with a key: what proves whose program it is, and what everybody else gets."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from device.people.person import Role
from device.web.app import create_app
from device.web.noting import Noting
from provisioning.key_login import MOST_SEALED_BYTES
from tests.web.conftest import Box
from tests.web.programs import EVERYBODY, Program, mark_of, person, settle
from tests.web.published import BOX

LOGIN = "/api/v1/challenges"
TOKENS = "/api/v1/tokens"


@pytest.fixture
def clinic(box: Box) -> Box:
    settle(box.people)
    return box


@pytest.fixture
def client(clinic: Box) -> FlaskClient:
    return clinic.app().test_client()


@pytest.fixture
def one(client: FlaskClient) -> Program:
    return Program(client, "one")


def granted(client: FlaskClient, answer: dict[str, str]) -> Any:
    return client.post(TOKENS, json=answer)


def test_who_answers_the_challenge_has_a_token(one: Program) -> None:
    one.sign_in()
    me = one.get("/me").get_json()
    assert me == {"mark": mark_of("one"), "name": "<b>one</b>", "roles": ["therapist"], "box": BOX}


def test_a_challenge_is_one_that_the_clinics_program_takes(one: Program) -> None:
    challenge = one.challenge()
    assert len(b64decode(challenge["sealed"], validate=True)) < MOST_SEALED_BYTES
    assert one.challenge() != challenge


def test_the_challenge_itself_is_never_an_answer(client: FlaskClient, one: Program) -> None:
    """A box that took the plaintext would teach programs to hand over what they open."""
    answer = one.answer_to(one.challenge())
    for wrong in ("0" * 64, answer["answer"].upper(), answer["answer"][:-1], "sotto-login:v1:0123456789abcdef:x", ""):
        assert granted(client, {**answer, "answer": wrong}).status_code in {400, 401}


def test_an_answer_counts_once(client: FlaskClient, one: Program) -> None:
    answer = one.answer_to(one.challenge())
    assert granted(client, answer).status_code == 201
    assert granted(client, answer).status_code == 401


def test_an_answer_counts_for_its_own_challenge_only(client: FlaskClient, one: Program) -> None:
    first, second = one.answer_to(one.challenge()), one.answer_to(one.challenge())
    assert granted(client, {**first, "challenge": second["challenge"]}).status_code == 401
    assert granted(client, first).status_code == 201


def test_an_answer_that_comes_too_late_is_none(clinic: Box, one: Program) -> None:
    now = [1_800_000_000.0]
    app = create_app(
        store=clinic.store, run=clinic.run, box=BOX, room=False, people=clinic.people, unix_s=lambda: now[0]
    )
    late = Program(app.test_client(), "one")
    answer = late.answer_to(late.challenge())
    now[0] += 600
    assert granted(late.client, answer).status_code == 401
    late.sign_in()
    assert late.get("/me").status_code == 200
    now[0] += 3600
    assert late.get("/me").status_code == 401


def test_of_a_login_that_nobody_has_nothing_is_told(client: FlaskClient) -> None:
    known, unknown = (client.post(LOGIN, json={"login": login}) for login in ("one", "nobody"))
    assert (known.status_code, set(known.get_json())) == (unknown.status_code, set(unknown.get_json()))
    assert len(known.get_json()["sealed"]) == len(unknown.get_json()["sealed"])
    wrong = {"answer": "0" * 64}
    answers = [granted(client, {"challenge": asked.get_json()["id"], **wrong}) for asked in (known, unknown)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].data == answers[1].data


def test_whoever_has_gone_or_has_another_key_is_known_no_more(clinic: Box, one: Program) -> None:
    one.sign_in()
    clinic.people.put(replace(EVERYBODY[0], active=False))
    assert one.get("/me").status_code == 401
    assert one.client.post(LOGIN, json={"login": "one"}).status_code == 201  # as for everybody, and of no use
    clinic.people.put(EVERYBODY[0])
    assert one.get("/me").status_code == 401
    one.sign_in()
    clinic.people.put(replace(EVERYBODY[0], recipient=person("other").recipient))
    assert one.get("/me").status_code == 401


def test_other_rights_end_the_tokens_that_were_made_with_the_old_ones(clinic: Box, one: Program) -> None:
    one.sign_in()
    clinic.people.put(replace(EVERYBODY[0], roles=frozenset({Role.ADMIN})))
    assert one.get("/recordings").status_code == 401


# Tokens.


def test_tokens_are_listed_and_none_is_told(one: Program) -> None:
    first = one.sign_in().token
    one.sign_in()
    answer = one.get("/tokens")
    told = answer.get_json()["tokens"]
    assert [token["current"] for token in told].count(True) == 1
    assert len(told) == 2
    assert first not in answer.text
    assert one.token not in answer.text
    assert all(token["began"] < token["expires"] for token in told)


def test_a_token_that_was_ended_is_refused(one: Program) -> None:
    one.sign_in()
    old = Program(one.client, "one", one.token)
    one.sign_in()
    ended = next(token["id"] for token in one.get("/tokens").get_json()["tokens"] if not token["current"])
    assert one.ask("DELETE", f"/tokens/{ended}").status_code == 204
    assert old.get("/me").status_code == 401
    assert one.ask("DELETE", f"/tokens/{ended}").status_code == 404
    own = one.get("/tokens").get_json()["tokens"][0]["id"]
    assert one.ask("DELETE", f"/tokens/{own}").status_code == 204
    assert one.get("/tokens").status_code == 401


def test_nobody_ends_or_sees_the_token_of_another(client: FlaskClient, one: Program) -> None:
    one.sign_in()
    other = Program(client, "other").sign_in()
    (mine,) = one.get("/tokens").get_json()["tokens"]
    (theirs,) = other.get("/tokens").get_json()["tokens"]
    assert mine["id"] != theirs["id"]
    assert other.ask("DELETE", f"/tokens/{mine['id']}").status_code == 404
    assert one.get("/me").status_code == 200


def test_a_token_is_no_cookie_and_a_cookie_is_no_token(client: FlaskClient, one: Program) -> None:
    one.sign_in()
    client.set_cookie("sotto", one.token, domain="localhost")
    assert client.get("/api/v1/me").status_code == 401
    assert client.get("/api/v1/recordings").status_code == 401


# What is noted.


def test_signing_in_is_noted_with_the_person_and_in_vain_once_a_minute(clinic: Box, one: Program) -> None:
    for _ in range(5):
        assert granted(one.client, {"challenge": "0" * 32, "answer": "0" * 64}).status_code == 401
    one.sign_in()
    noted = [(entry["what"], entry["facts"]) for entry in clinic.noted()]
    assert noted == [
        ("login", {"granted": False, "door": "program", "way": "key"}),
        ("login", {"granted": True, "door": "program", "way": "key", "person": mark_of("one")}),
    ]


def test_who_cannot_be_noted_is_not_let_in(clinic: Box, one: Program) -> None:
    answer = one.answer_to(one.challenge())
    (clinic.run / "audit.sock").unlink()
    refused = granted(one.client, answer)
    assert refused.status_code == 503
    assert "token" not in refused.get_json()
    assert clinic.people.tokens(mark_of("one"), 0) == []
    with clinic.people._database.transaction() as rows:
        assert rows.all("SELECT * FROM sessions") == []


def test_what_was_in_vain_is_noted_anew_after_a_minute(clinic: Box) -> None:
    now, asked = [0.0], []
    noting = Noting(clinic.run, now_s=lambda: now[0], ask=lambda request, _run: asked.append(request) or 1)
    for now[0] in (0.0, 59.0, 61.0, 100.0, 130.0):
        assert noting.key_login(granted=False)
    assert len(asked) == 3


# What comes in.


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"one"',
        b'{"login": 1}',
        b'{"login": ""}',
        b'{"login": "one", "more": 1}',
        b'{"login": "' + b"a" * 300 + b'"}',
        b'{"login": "\xff"}',
        b"[" * 10_000,
    ],
)
def test_what_is_no_login_is_refused_in_words(client: FlaskClient, sent: bytes) -> None:
    answer = client.post(LOGIN, data=sent, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.get_json()) == {"what", "hint"}


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_what_is_not_json_is_refused(client: FlaskClient, kind: str) -> None:
    assert client.post(LOGIN, data=b'{"login": "one"}', content_type=kind).status_code == 415


def test_what_is_far_too_long_is_refused(client: FlaskClient) -> None:
    assert client.post(LOGIN, data=b" " * 100_000, content_type="application/json").status_code == 413


def test_no_answer_breaks_it(client: FlaskClient) -> None:
    @settings(deadline=None)
    @given(challenge=st.text(max_size=120), answer=st.text(max_size=120) | st.from_regex("[0-9a-f]{64}"))
    def answered(challenge: str, answer: str) -> None:
        assert granted(client, {"challenge": challenge, "answer": answer}).status_code in {400, 401}

    answered()
