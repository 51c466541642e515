"""How a program signs in with its person's key, and the tokens that this gives.

The box seals a challenge to the person's recipient; who answers with its SHA-256 gets a token for an hour. Nothing here
tells whether anybody has the login that was given, and a failed answer is told in one way, whatever was wrong with it.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

from flask import Blueprint, Response, request

from device.audit_requests import NoteRequest
from device.people.refused import RefusedError
from device.people.sessions import Begun
from device.people.visit import Visit
from device.web.api.edges import answer, body
from device.web.api.shapes import AnswerIn, Challenge, ChallengeIn, Granted, Me, TokenFacts, Tokens
from device.web.house import House
from device.web.noting import not_noted
from device.web.refusals import Refusal
from device.web.visitor import visitor

_CREATED = 201
_NO_CONTENT = 204


def signing_in(blueprint: Blueprint, house: House) -> None:
    """The routes of challenges and tokens, and the one that says whose token it is."""

    @blueprint.post("/challenges")
    def challenge() -> Response:
        challenge_id, sealed = house.people.key_challenge(body(ChallengeIn).login, house.unix_s())
        return answer(Challenge(id=challenge_id, sealed=b64encode(sealed).decode()), _CREATED)

    @blueprint.post("/tokens")
    def sign_in() -> Response:
        given = body(AnswerIn)
        program = request.user_agent.string
        try:
            begun = house.people.key_answer(given.challenge, given.answer, house.unix_s(), what=program)
        except RefusedError as problem:
            house.noting.key_login(granted=False)
            raise Refusal(401, "error.api.answer") from problem
        _note(house, begun)
        return answer(Granted(token=begun.token), _CREATED)

    @blueprint.get("/tokens")
    def tokens() -> Response:
        who = visitor()
        held = house.people.tokens(who.person.mark, house.unix_s())
        return answer(Tokens(tokens=tuple(_facts(visit, current=who.session) for visit in held)))

    @blueprint.delete("/tokens/<token_id>")
    def revoke(token_id: str) -> Response:
        mark = visitor().person.mark
        held = {visit.session for visit in house.people.tokens(mark, house.unix_s())}
        if token_id not in held or not house.people.revoke(mark, token_id, lambda: _note_end(house, mark)):
            raise Refusal(404, "error.404.token")
        return Response(status=_NO_CONTENT)

    @blueprint.get("/me")
    def me() -> Response:
        person = visitor().person
        return answer(Me(mark=person.mark, name=person.name, roles=tuple(sorted(person.roles)), box=house.box))


def _note(house: House, begun: Begun) -> None:
    """Have it noted whose program has a token now.

    Raises:
        Refusal: it cannot be; the token is worth nothing then.
    """
    if not house.noting.key_login(granted=True, person=begun.mark):
        house.people.revoke(begun.mark, begun.session)
        raise not_noted()


def _note_end(house: House, mark: str) -> None:
    """Have it noted that somebody ends a token of their own.

    Raises:
        Refusal: it cannot be; the token holds on.
    """
    told = NoteRequest(what="person changed", person=mark, whom=mark, door="program", change="token revoked")
    house.noting.must_note(told)


def _facts(visit: Visit, *, current: str) -> TokenFacts:
    return TokenFacts(
        id=visit.session, began=_wire(visit.made_s), expires=_wire(visit.ends_s), current=visit.session == current
    )


def _wire(unix_s: float) -> str:
    """A moment as the wire writes it."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
