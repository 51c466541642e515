"""Passkeys: bound to the box's name, proven by who holds them, each challenge good once."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from webauthn.helpers import bytes_to_base64url

from device.people.keyring import Keyring
from device.people.people import People
from device.people.person import Person, Role
from device.people.refused import Reason, RefusedError
from device.people.steps import Caller
from tests.people.authenticator import PRESENT, VERIFIED, Authenticator
from tests.people.persons import NOW_S, PASSWORD, SITE, add, caller, enrol
from tests.people.test_entrance import refused


def keyring_of(people: People) -> Keyring:
    assert people.keyring is not None
    return people.keyring


def phone() -> Authenticator:
    return Authenticator(SITE.name, SITE.origins[0])


@pytest.fixture
def anna(people: People) -> Person:
    person = add(people, "anna", Role.THERAPIST)
    enrol(people, person)
    return person


def with_passkey(
    people: People, person: Person, authenticator: Authenticator, who: Caller | None = None
) -> Authenticator:
    keyring, who = keyring_of(people), who or caller()
    asked = keyring.begin_adding(person, PASSWORD, who)
    keyring.add(person, authenticator.make(asked), "phone", who)
    return authenticator


def test_a_passkey_lets_in_without_login_password_or_code(people: People, anna: Person) -> None:
    authenticator = with_passkey(people, anna, phone())
    begun = keyring_of(people).let_in(authenticator.prove(keyring_of(people).begin_asking(caller())), caller())
    visit = people.visitor_of_cookie(begun.token, NOW_S)
    assert visit is not None
    assert (visit.person, begun.mark) == (anna, anna.mark)


def test_the_browser_is_told_the_box_s_name_and_that_the_holder_is_to_be_verified(people: People, anna: Person) -> None:
    with_passkey(people, anna, authenticator := phone())
    adding = keyring_of(people).begin_adding(anna, PASSWORD, caller())
    assert adding["rp"]["id"] == SITE.name
    assert adding["authenticatorSelection"]["userVerification"] == "required"
    assert adding["authenticatorSelection"]["residentKey"] == "required"
    assert len(adding["excludeCredentials"]) == 1
    asking = keyring_of(people).begin_asking(caller())
    assert (asking["rpId"], asking["userVerification"]) == (SITE.name, "required")
    assert not asking.get("allowCredentials")  # whose passkeys there are is not told
    assert authenticator.id


def test_adding_one_needs_the_password(people: People, anna: Person) -> None:
    keyring = keyring_of(people)
    assert refused(lambda: keyring.begin_adding(anna, "a guess or two", caller())) is Reason.WRONG
    asked = keyring.begin_asking(caller())  # the challenge of a stranger is none for adding
    assert refused(lambda: keyring.add(anna, phone().make(asked), "", caller())) is Reason.PASSKEY
    assert keyring.of(anna.mark) == []


def test_a_challenge_for_one_person_adds_nothing_for_another(people: People, anna: Person) -> None:
    ben = add(people, "ben", Role.THERAPIST)
    asked = keyring_of(people).begin_adding(anna, PASSWORD, caller())
    assert refused(lambda: keyring_of(people).add(ben, phone().make(asked), "", caller())) is Reason.PASSKEY


def proving(change: Callable[[Authenticator], object]) -> Callable[[Authenticator, dict[str, Any]], dict[str, Any]]:
    def prove(authenticator: Authenticator, asked: dict[str, Any]) -> dict[str, Any]:
        change(authenticator)
        return authenticator.prove(asked)

    return prove


def spoilt(part: str) -> Callable[[Authenticator, dict[str, Any]], dict[str, Any]]:
    def prove(authenticator: Authenticator, asked: dict[str, Any]) -> dict[str, Any]:
        said = authenticator.prove(asked)
        text = said["response"][part]
        said["response"][part] = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
        return said

    return prove


@pytest.mark.parametrize(
    "prove",
    [
        proving(lambda one: setattr(one, "origin", "https://evil.example")),
        proving(lambda one: setattr(one, "origin", "http://box.clinic.example")),
        proving(lambda one: setattr(one, "site", "evil.example")),
        proving(lambda one: setattr(one, "flags", PRESENT)),
        proving(lambda one: setattr(one, "flags", VERIFIED)),
        proving(lambda one: setattr(one, "key", phone().key)),
        proving(lambda one: setattr(one, "id", b"nobody's")),
        proving(lambda one: setattr(one, "uses", 0)),  # a copy of the passkey: it has been used more often elsewhere
        spoilt("signature"),
        spoilt("authenticatorData"),
        spoilt("clientDataJSON"),
    ],
)
def test_what_is_not_proven_lets_nobody_in(
    people: People, anna: Person, prove: Callable[[Authenticator, dict[str, Any]], dict[str, Any]]
) -> None:
    authenticator = replace(phone(), uses=5)
    with_passkey(people, anna, authenticator)
    said = prove(authenticator, keyring_of(people).begin_asking(caller()))
    assert refused(lambda: keyring_of(people).let_in(said, caller())) is Reason.PASSKEY
    assert len(people.sessions(anna.mark, NOW_S)) == 1  # that of setting up the account


def test_an_answer_is_good_once_and_for_five_minutes(people: People, anna: Person) -> None:
    keyring, authenticator = keyring_of(people), with_passkey(people, anna, phone())
    said = authenticator.prove(keyring.begin_asking(caller()))
    assert keyring.let_in(said, caller()).token
    assert refused(lambda: keyring.let_in(said, caller())) is Reason.PASSKEY
    for now_s in (NOW_S + 300, NOW_S - 1):
        late = authenticator.prove(keyring.begin_asking(caller()))
        assert refused(lambda: keyring.let_in(late, caller(now_s))) is Reason.PASSKEY  # noqa: B023  # asked at once


@pytest.mark.parametrize(
    "said", [{}, {"response": {}}, {"response": {"clientDataJSON": "e30"}, "rawId": "x"}, {"response": 7}]
)
def test_what_is_no_answer_is_refused(people: People, said: dict[str, Any]) -> None:
    assert refused(lambda: keyring_of(people).let_in(said, caller())) is Reason.PASSKEY


def test_one_that_was_removed_or_whose_person_left_lets_nobody_in(people: People, anna: Person) -> None:
    keyring, authenticator = keyring_of(people), with_passkey(people, anna, phone())
    other = with_passkey(people, anna, phone())
    first, second = keyring.of(anna.mark)
    assert (first.name, second.name) == ("phone", "phone")
    ben = add(people, "ben", Role.THERAPIST)
    assert not keyring.take_away(ben.mark, authenticator.id.hex())
    assert not keyring.take_away(anna.mark, "no hex")
    assert keyring.take_away(anna.mark, authenticator.id.hex())
    gone = authenticator.prove(keyring.begin_asking(caller()))
    assert refused(lambda: keyring.let_in(gone, caller())) is Reason.PASSKEY
    assert keyring.let_in(other.prove(keyring.begin_asking(caller())), caller()).token
    people.put(replace(anna, active=False))
    left = other.prove(keyring.begin_asking(caller()))
    assert refused(lambda: keyring.let_in(left, caller())) is Reason.PASSKEY


def test_a_new_way_in_makes_passkeys_from_before_worthless(people: People, anna: Person) -> None:
    keyring, authenticator = keyring_of(people), with_passkey(people, anna, phone())
    people.office.invite(anna.mark, NOW_S)
    assert keyring.of(anna.mark) == []
    said = authenticator.prove(keyring.begin_asking(caller()))
    assert refused(lambda: keyring.let_in(said, caller())) is Reason.PASSKEY


def test_the_same_passkey_is_not_added_twice(people: People, anna: Person) -> None:
    authenticator = with_passkey(people, anna, phone())
    with pytest.raises(RefusedError):
        with_passkey(people, anna, authenticator)
    assert len(keyring_of(people).of(anna.mark)) == 1


def test_challenges_do_not_pile_up(people: People) -> None:
    for number in range(5):
        keyring_of(people).begin_asking(caller(NOW_S + number))
    keyring_of(people).begin_asking(caller(NOW_S + 1000))
    with people._database.transaction() as rows:
        assert len(rows.all("SELECT 1 FROM ceremonies")) == 1


ADDRESSES = (f"198.51.100.{number}" for number in itertools.count())  # nobody has to wait for another
TEXT = st.text(alphabet="ABCabc019-_=", max_size=80)
JUNK = st.one_of(
    TEXT, st.integers(), st.none(), st.lists(TEXT, max_size=2), st.binary(max_size=60).map(bytes_to_base64url)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(part="userHandle", junk="0")  # not even base64
@given(part=st.sampled_from(["signature", "authenticatorData", "userHandle", "id", "rawId", "type"]), junk=JUNK)
def test_junk_from_a_browser_is_refused_and_nothing_else_happens(people: People, part: str, junk: Any) -> None:
    anna = people.persons()[0] if people.persons() else add(people, "anna", Role.THERAPIST)
    if not people.office.is_ready(anna.mark):
        enrol(people, anna)
    elsewhere = caller(address=next(ADDRESSES))
    for passkey in keyring_of(people).of(anna.mark):
        keyring_of(people).take_away(anna.mark, passkey.id)
    authenticator = with_passkey(people, anna, phone(), elsewhere)
    said = authenticator.prove(keyring_of(people).begin_asking(elsewhere))
    (said["response"] if part in {"signature", "authenticatorData", "userHandle"} else said)[part] = junk
    try:
        keyring_of(people).let_in(said, elsewhere)
    except RefusedError:
        return
    assert part in {"userHandle", "id", "type"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.sampled_from(["attestationObject", "id", "rawId", "type"]), junk=JUNK, cut=st.integers(0, 200))
def test_junk_for_a_new_passkey_is_refused(people: People, part: str, junk: Any, cut: int) -> None:
    anna = people.persons()[0] if people.persons() else add(people, "anna", Role.THERAPIST)
    if not people.office.is_ready(anna.mark):
        enrol(people, anna)
    elsewhere = caller(address=next(ADDRESSES))
    asked = keyring_of(people).begin_adding(anna, PASSWORD, elsewhere)
    said = phone().make(asked)
    if part == "attestationObject":
        whole = said["response"][part]
        said["response"][part] = whole[:cut] + str(junk) + whole[cut + 4 :]
    else:
        said[part] = junk
    with contextlib.suppress(RefusedError):
        keyring_of(people).add(anna, said, "", elsewhere)
    for passkey in keyring_of(people).of(anna.mark):
        keyring_of(people).take_away(anna.mark, passkey.id)
