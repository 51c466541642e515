"""Key login: only the identity answers, once, in time; and a login that nobody has looks like any other."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path

import pytest

from device.age.errors import AgeError
from device.age.header import read_header
from device.age.identities import KeyIdentity, generate_identity
from device.age.opening import decrypt
from device.errors import AdminError
from device.people.database import Database
from device.people.people import People
from device.people.person import Person, Role, new_mark
from device.people.refused import Reason
from device.people.visit import Kind
from tests.people.persons import FINGERPRINT, NOW_S, add
from tests.people.test_entrance import refused


def opened(sealed: bytes, identity: KeyIdentity) -> bytes:
    sink = io.BytesIO()
    decrypt(io.BytesIO(sealed), sink, [identity])
    return sink.getvalue()


def with_key(people: People, *, post_quantum: bool = True, login: str = "sue") -> tuple[Person, KeyIdentity]:
    identity = generate_identity(post_quantum=post_quantum)
    person = Person(new_mark(), login, login.title(), frozenset({Role.SUPERVISOR}), recipient=str(identity.recipient()))
    people.put(person)
    return person, identity


def answer_to(sealed: bytes, identity: KeyIdentity) -> str:
    return sha256(opened(sealed, identity)).hexdigest()


@pytest.mark.parametrize("post_quantum", [True, False])
def test_whoever_has_the_identity_gets_a_token(people: People, *, post_quantum: bool) -> None:
    sue, identity = with_key(people, post_quantum=post_quantum)
    challenge, sealed = people.key_challenge("sue", NOW_S)
    plain = opened(sealed, identity)
    assert plain.startswith(f"sotto-login:v1:{FINGERPRINT}:".encode())
    begun = people.key_answer(challenge, sha256(plain).hexdigest(), NOW_S + 1, what="sotto-clinic")
    visit = people.visitor_of_bearer(begun.token, NOW_S + 2)
    assert visit is not None
    assert (visit.person, visit.kind, visit.what) == (sue, Kind.PROGRAM, "sotto-clinic")
    assert people.visitor_of_cookie(begun.token, NOW_S + 2) is None
    assert [token.session for token in people.tokens(sue.mark, NOW_S + 2)] == [begun.session]


def test_a_token_lives_for_an_hour_however_much_it_is_used_and_can_be_revoked(people: People) -> None:
    sue, identity = with_key(people)
    tokens = []
    for _ in range(2):
        challenge, sealed = people.key_challenge("sue", NOW_S)
        tokens.append(people.key_answer(challenge, answer_to(sealed, identity), NOW_S, what="reader"))
    assert people.revoke(sue.mark, tokens[0].session)
    assert people.visitor_of_bearer(tokens[0].token, NOW_S) is None
    for minute in range(0, 60, 10):
        assert people.visitor_of_bearer(tokens[1].token, NOW_S + 60 * minute) is not None
    assert people.visitor_of_bearer(tokens[1].token, NOW_S + 3600) is None


def test_a_challenge_is_answered_once(people: People) -> None:
    _, identity = with_key(people)
    challenge, sealed = people.key_challenge("sue", NOW_S)
    answer = answer_to(sealed, identity)
    assert people.key_answer(challenge, answer, NOW_S, what="").token
    assert refused(lambda: people.key_answer(challenge, answer, NOW_S, what="")) is Reason.WRONG


def test_a_wrong_answer_uses_the_challenge_up(people: People) -> None:
    _, identity = with_key(people)
    challenge, sealed = people.key_challenge("sue", NOW_S)
    answer = answer_to(sealed, identity)
    assert refused(lambda: people.key_answer(challenge, "0" * 64, NOW_S, what="")) is Reason.WRONG
    assert refused(lambda: people.key_answer(challenge, answer, NOW_S, what="")) is Reason.WRONG


def test_the_plaintext_itself_is_no_answer_and_neither_is_one_to_another_challenge(people: People) -> None:
    _, identity = with_key(people)
    challenge, sealed = people.key_challenge("sue", NOW_S)
    plain = opened(sealed, identity).decode()
    assert refused(lambda: people.key_answer(challenge, plain, NOW_S, what="")) is Reason.WRONG
    challenge, sealed = people.key_challenge("sue", NOW_S)
    other, _ = people.key_challenge("sue", NOW_S)
    answer = answer_to(sealed, identity)
    assert refused(lambda: people.key_answer(other, answer, NOW_S, what="")) is Reason.WRONG


@pytest.mark.parametrize("late_s", [120.0, -1.0, 86_400.0])
def test_an_answer_that_comes_too_late_or_before_its_challenge_is_none(people: People, late_s: float) -> None:
    _, identity = with_key(people)
    challenge, sealed = people.key_challenge("sue", NOW_S)
    answer = answer_to(sealed, identity)
    assert refused(lambda: people.key_answer(challenge, answer, NOW_S + late_s, what="")) is Reason.WRONG


def test_who_left_while_the_challenge_was_open_gets_no_token(people: People) -> None:
    sue, identity = with_key(people)
    challenge, sealed = people.key_challenge("sue", NOW_S)
    people.put(Person(sue.mark, sue.login, sue.name, sue.roles, sue.recipient, active=False))
    answer = answer_to(sealed, identity)
    assert refused(lambda: people.key_answer(challenge, answer, NOW_S, what="")) is Reason.WRONG


@pytest.mark.parametrize("post_quantum", [True, False])
def test_a_login_that_nobody_has_looks_like_any_other_and_opens_for_nobody(
    people: People, *, post_quantum: bool
) -> None:
    sue, identity = with_key(people, post_quantum=post_quantum)
    add(people, "keyless", Role.SUPERVISOR)
    people.put(Person(new_mark(), "gone", "Gone", sue.roles, sue.recipient, active=False))
    _, known = people.key_challenge("sue", NOW_S)
    for login in ("nobody", "keyless", "gone", "", "\x00", "x" * 5000):
        challenge, sealed = people.key_challenge(login, NOW_S)
        assert len(sealed) == len(known)
        kinds = [[stanza.kind for stanza in read_header(io.BytesIO(one)).stanzas] for one in (sealed, known)]
        assert kinds[0] == kinds[1]
        with pytest.raises(AgeError):
            opened(sealed, identity)
        assert refused(lambda: people.key_answer(challenge, "0" * 64, NOW_S, what="")) is Reason.WRONG  # noqa: B023  # asked at once


def test_challenges_do_not_pile_up(people: People) -> None:
    for number in range(5):
        people.key_challenge("nobody", NOW_S + number)
    people.key_challenge("nobody", NOW_S + 1000)
    with people._database.transaction() as rows:
        assert len(rows.all("SELECT 1 FROM challenges")) == 1


def test_a_box_that_does_not_know_its_key_yet_challenges_nobody(tmp_path: Path) -> None:
    database = Database(tmp_path)
    people = People(database, fingerprint=lambda: None)
    with pytest.raises(AdminError, match="does not know the key of its box"):
        people.key_challenge("sue", NOW_S)
    database.close()


def test_neither_challenge_nor_answer_nor_token_stands_in_the_database(people: People, tmp_path: Path) -> None:
    _, identity = with_key(people)
    challenge, sealed = people.key_challenge("sue", NOW_S)
    _, other = people.key_challenge("sue", NOW_S)
    begun = people.key_answer(challenge, answer_to(sealed, identity), NOW_S, what="")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (opened(other, identity), answer_to(other, identity).encode(), begun.token.encode()):
        assert secret not in kept
