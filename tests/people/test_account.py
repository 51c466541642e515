"""What people change about themselves."""

from __future__ import annotations

import pytest

from device.people.account import Setting
from device.people.passwords import check_new_password
from device.people.people import People
from device.people.person import Role
from device.people.refused import Reason, RefusedError
from device.people.steps import Proof
from tests.people.persons import NOW_S, PASSWORD, add, caller, code_for, enrol, sign_in
from tests.people.test_entrance import LATER_S, refused

NEW = "seven grey herons, late"


def test_another_password_ends_every_session_and_token_but_goes_on_here_with_a_fresh_one(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, _, begun = enrol(people, anna)
    elsewhere = sign_in(people, anna, secret, now_s=NOW_S + 60)
    tablet = people.hand_over(anna.mark, "phq-9", NOW_S)
    who = Setting(anna, begun.session)
    fresh = people.account.change_password(who, PASSWORD, NEW, caller(NOW_S + 90), about=())
    for old in (begun, elsewhere):
        assert people.visitor_of_cookie(old.token, NOW_S + 90) is None
    assert people.visitor_of_kiosk(tablet.token, NOW_S + 90) is None
    assert people.visitor_of_cookie(fresh.token, NOW_S + 90) is not None
    assert refused(lambda: people.entrance.password("anna", PASSWORD, caller(LATER_S))) is Reason.WRONG
    assert people.entrance.password("anna", NEW, caller(LATER_S)).token


def test_whoever_finds_an_open_browser_cannot_take_the_account_over(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, codes, begun = enrol(people, anna)
    who = Setting(anna, begun.session)
    account = people.account
    assert refused(lambda: account.change_password(who, "a guess or two", NEW, caller(), about=())) is Reason.WRONG
    assert refused(lambda: account.new_codes(who, "a guess or two", caller())) is Reason.WRONG
    assert refused(lambda: account.begin_new_app(who, "a guess or two", caller())) is Reason.WRONG
    assert account.new_app(who) is None
    assert refused(lambda: account.use_new_app(who, code_for(secret), caller())) is Reason.CODE
    assert refused(lambda: account.change_password(who, "a guess or two", NEW, caller(), about=())) is Reason.WRONG
    assert refused(lambda: account.change_password(who, "a guess or two", NEW, caller(), about=())) is Reason.WRONG
    assert refused(lambda: account.change_password(who, PASSWORD, NEW, caller(), about=())) is Reason.WAIT
    assert account.codes_left(anna.mark) == len(codes)


def test_new_recovery_codes_take_the_place_of_the_old(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    _, old, begun = enrol(people, anna)
    new = people.account.new_codes(Setting(anna, begun.session), PASSWORD, caller())
    assert not set(old) & set(new)
    half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
    assert refused(lambda: people.entrance.second_factor(half.token, old[0], caller(LATER_S))) is Reason.WRONG
    assert people.entrance.second_factor(half.token, new[0], caller(LATER_S))[1] is Proof.PAPER


def test_the_old_app_works_until_the_new_one_has_shown_a_code(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, _, begun = enrol(people, anna)
    who = Setting(anna, begun.session)
    people.account.begin_new_app(who, PASSWORD, caller())
    new = people.account.new_app(who)
    assert new is not None
    assert new != secret
    elsewhere = sign_in(people, anna, secret, now_s=NOW_S + 60)
    assert refused(lambda: people.account.use_new_app(who, code_for(secret), caller())) is Reason.CODE
    fresh, codes = people.account.use_new_app(who, code_for(new, NOW_S + 90), caller(NOW_S + 90))
    assert len(codes) == 10
    assert people.visitor_of_cookie(elsewhere.token, NOW_S + 90) is None
    assert people.visitor_of_cookie(fresh.token, NOW_S + 90) is not None
    half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
    old_code = code_for(secret, LATER_S)
    assert refused(lambda: people.entrance.second_factor(half.token, old_code, caller(LATER_S))) is Reason.WRONG
    assert sign_in(people, anna, new, now_s=LATER_S).token


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "123456789012",
        "password1234",
        "Qwertzuiop!!!!",
        "abcdefghijklmnop",
        "anna anna anna anna",
        "Anna.Bergmann.2026",
        "Room 3 Room 3 Room 3",
        "x" * 201,
    ],
)
def test_a_password_that_others_would_try_first_is_refused(password: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_new_password(password, about=("anna", "Anna Bergmann", "Room 3", "Sotto", "2026"))
    assert caught.value.reason is Reason.PASSWORD


@pytest.mark.parametrize("password", [PASSWORD, NEW, "Tr0ub4dor&3 and more", "десять слов на стене", "x7!kQ2#mW9$z"])
def test_any_other_long_one_will_do(password: str) -> None:
    check_new_password(password, about=("anna", "Anna Bergmann", "Room 3", "Sotto"))
