"""Getting in: two proofs, one after the other, a fresh token at each step, and longer waits for who guesses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from device.people.first_admin import FIRST_ADMIN_NAME, write_first_admin_code
from device.people.passwords import Passwords
from device.people.people import People
from device.people.person import Role
from device.people.refused import Reason, RefusedError
from device.people.steps import Proof
from tests.people.persons import NOW_S, PASSWORD, add, caller, code_for, enrol, people_in, sign_in

LATER_S = NOW_S + 3600


def refused(action: Callable[[], object]) -> Reason:
    with pytest.raises(RefusedError) as caught:
        action()
    return caught.value.reason


def test_whoever_has_both_proofs_is_in(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, _, _ = enrol(people, anna)
    begun = sign_in(people, anna, secret, now_s=LATER_S)
    visit = people.visitor_of_cookie(begun.token, LATER_S + 1)
    assert visit is not None
    assert (visit.person, visit.session, visit.what) == (anna, begun.session, "Firefox on a phone")


def test_the_login_may_be_typed_in_capitals_and_with_blanks(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    enrol(people, anna)
    assert people.entrance.password(" ANNA ", PASSWORD, caller(LATER_S)).token


def test_the_password_alone_lets_nobody_in(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    enrol(people, anna)
    half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
    assert people.visitor_of_cookie(half.token, LATER_S) is None
    assert people.visitor_of_bearer(half.token, LATER_S) is None
    assert people.visitor_of_kiosk(half.token, LATER_S) is None
    assert people.half_way(half.token, LATER_S) is not None


def test_each_step_makes_the_token_before_it_worthless(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, _, _ = enrol(people, anna)
    half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
    begun, proof = people.entrance.second_factor(half.token, code_for(secret, LATER_S), caller(LATER_S))
    assert proof is Proof.APP
    assert begun.token != half.token
    assert begun.session != half.session
    assert people.half_way(half.token, LATER_S) is None
    assert people.visitor_of_cookie(half.token, LATER_S) is None


def test_a_stranger_a_wrong_password_and_a_person_who_left_are_told_the_same(people: People) -> None:
    add(people, "admin", Role.ADMIN)
    anna = add(people, "anna", Role.THERAPIST)
    enrol(people, anna)
    assert refused(lambda: people.entrance.password("anna", "not it at all", caller(LATER_S))) is Reason.WRONG
    assert refused(lambda: people.entrance.password("nobody", PASSWORD, caller(LATER_S))) is Reason.WRONG
    assert refused(lambda: people.entrance.password("admin", PASSWORD, caller(LATER_S))) is Reason.WRONG  # has none yet
    people.put(type(anna)(anna.mark, anna.login, anna.name, anna.roles, active=False))
    assert refused(lambda: people.entrance.password("anna", PASSWORD, caller(LATER_S))) is Reason.WRONG


def test_a_code_is_good_once_and_none_from_before_it_is(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, _, _ = enrol(people, anna)
    sign_in(people, anna, secret, now_s=LATER_S)
    for now_s in (LATER_S, LATER_S - 30):
        half = people.entrance.password("anna", PASSWORD, caller(LATER_S + 1))
        code = code_for(secret, now_s)
        again = refused(lambda: people.entrance.second_factor(half.token, code, caller(LATER_S + 1)))  # noqa: B023  # asked at once
        assert again is Reason.WRONG
    sign_in(people, anna, secret, now_s=LATER_S + 30)


@pytest.mark.parametrize(("off_s", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_phone_may_be_half_a_minute_off(people: People, off_s: int, *, good: bool) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, _, _ = enrol(people, anna)
    half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
    code = code_for(secret, LATER_S + off_s)
    if good:
        assert people.entrance.second_factor(half.token, code, caller(LATER_S))[0].token
    else:
        assert refused(lambda: people.entrance.second_factor(half.token, code, caller(LATER_S))) is Reason.WRONG


def test_a_recovery_code_stands_for_the_app_once_however_it_is_typed(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    _, codes, _ = enrol(people, anna)
    assert len(set(codes)) == 10
    half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
    typed = codes[3].replace("-", " ").replace("1", "l").upper()
    assert people.entrance.second_factor(half.token, typed, caller(LATER_S))[1] is Proof.PAPER
    assert people.account.codes_left(anna.mark) == 9
    half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
    assert refused(lambda: people.entrance.second_factor(half.token, codes[3], caller(LATER_S))) is Reason.WRONG


def test_another_persons_recovery_code_opens_nothing(people: People) -> None:
    anna, ben = add(people, "anna", Role.THERAPIST), add(people, "ben", Role.THERAPIST)
    enrol(people, anna)
    _, codes, _ = enrol(people, ben)
    half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
    assert refused(lambda: people.entrance.second_factor(half.token, codes[0], caller(LATER_S))) is Reason.WRONG
    assert people.account.codes_left(ben.mark) == 10


def test_who_has_no_second_factor_sets_one_up_before_anything_else(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    code = people.office.invite(anna.mark, NOW_S)
    people.entrance.accept(code, PASSWORD, caller(), about=())
    half = people.entrance.password("anna", PASSWORD, caller())  # the browser was closed meanwhile
    assert people.visitor_of_cookie(half.token, NOW_S) is None
    assert refused(lambda: people.entrance.second_factor(half.token, "123456", caller())) is Reason.OVER
    secret = people.entrance.enrolment(half.token, caller())
    assert people.entrance.enrolment(half.token, caller()) == secret  # a page that is loaded again shows the same
    assert refused(lambda: people.entrance.enrol(half.token, "000000", caller())) is Reason.CODE
    begun, codes = people.entrance.enrol(half.token, code_for(secret), caller())
    assert people.visitor_of_cookie(begun.token, NOW_S) is not None
    assert len(codes) == 10


def test_an_invitation_is_good_once_and_for_a_week(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    first = people.office.invite(anna.mark, NOW_S)
    code = people.office.invite(anna.mark, NOW_S)
    accept = people.entrance.accept
    assert refused(lambda: accept(first, PASSWORD, caller(), about=())) is Reason.CODE  # the next one took its place
    assert refused(lambda: accept(code, PASSWORD, caller(NOW_S + 7 * 86_400), about=())) is Reason.CODE
    assert refused(lambda: accept(code, PASSWORD, caller(NOW_S - 1), about=())) is Reason.CODE
    assert refused(lambda: accept(code, "anna anna anna anna", caller(), about=())) is Reason.PASSWORD
    assert accept(code, PASSWORD, caller(), about=()).token
    assert refused(lambda: accept(code, PASSWORD, caller(), about=())) is Reason.CODE


def test_a_code_for_another_purpose_is_no_invitation(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    _, codes, _ = enrol(people, anna)
    assert refused(lambda: people.entrance.accept(codes[0], PASSWORD, caller(), about=())) is Reason.CODE
    half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
    people.office.invite(add(people, "ben", Role.THERAPIST).mark, NOW_S)
    assert refused(lambda: people.entrance.second_factor(half.token, "", caller(LATER_S))) is Reason.WRONG


def test_the_first_admin_has_the_code_from_the_box_which_is_good_once(people: People, tmp_path: Path) -> None:
    code = write_first_admin_code(tmp_path)
    assert (tmp_path / FIRST_ADMIN_NAME).stat().st_mode & 0o777 == 0o600
    become = people.entrance.first_admin
    assert refused(lambda: become("0000-0000", ("root", "Ada"), PASSWORD, caller(), about=())) is Reason.CODE
    assert refused(lambda: become("", ("root", "Ada"), PASSWORD, caller(), about=())) is Reason.CODE
    assert refused(lambda: become(code, ("root", "Ada"), "short", caller(), about=())) is Reason.PASSWORD
    assert refused(lambda: become(code, ("not a login", "Ada"), PASSWORD, caller(), about=())) is Reason.LOGIN
    assert people.persons() == []
    half = become(code.upper(), ("root", "Ada"), PASSWORD, caller(), about=())
    assert people.half_way(half.token, NOW_S) is not None
    assert [person.roles for person in people.persons()] == [frozenset({Role.ADMIN})]
    assert not (tmp_path / FIRST_ADMIN_NAME).exists()
    (tmp_path / FIRST_ADMIN_NAME).write_text(code)  # out of a backup
    assert refused(lambda: become(code, ("root2", "Eve"), PASSWORD, caller(), about=())) is Reason.CODE


def test_without_the_file_nobody_becomes_an_admin_and_an_empty_one_is_no_code(people: People, tmp_path: Path) -> None:
    become = people.entrance.first_admin
    assert refused(lambda: become("", ("root", "Ada"), PASSWORD, caller(), about=())) is Reason.CODE
    (tmp_path / FIRST_ADMIN_NAME).write_text("\n")
    assert refused(lambda: become("", ("root", "Ada"), PASSWORD, caller(), about=())) is Reason.CODE


def test_signing_out_makes_the_token_worthless(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    _, _, begun = enrol(people, anna)
    assert people.visitor_of_cookie(begun.token, NOW_S) is not None
    people.entrance.leave(begun.token, caller())
    assert people.visitor_of_cookie(begun.token, NOW_S) is None
    people.entrance.leave(begun.token, caller())
    people.entrance.leave("nonsense", caller())


def test_who_guesses_waits_and_waits_longer_also_after_a_restart(tmp_path: Path) -> None:
    with people_in(tmp_path) as people:
        enrol(people, add(people, "anna", Role.THERAPIST))
    now_s, waited = LATER_S, []
    for _ in range(16):
        with people_in(tmp_path) as people:  # the service was started again
            try:
                people.entrance.password("anna", "a guess or two", caller(now_s))
            except RefusedError as problem:
                waited.append(problem.wait_s)
                now_s += problem.wait_s
    assert waited == [0, 0, 0, 0, 0, 1, 0, 2, 0, 4, 0, 8, 0, 16, 0, 32]


def test_a_wait_is_no_try_and_the_right_password_has_to_wait_too(people: People) -> None:
    enrol(people, add(people, "anna", Role.THERAPIST))
    for _ in range(5):
        assert refused(lambda: people.entrance.password("anna", "a guess or two", caller(LATER_S))) is Reason.WRONG
    for _ in range(20):
        assert refused(lambda: people.entrance.password("anna", PASSWORD, caller(LATER_S))) is Reason.WAIT
    assert people.entrance.password("anna", PASSWORD, caller(LATER_S + 1)).token
    for _ in range(5):  # it was the right one: everything is forgotten
        assert refused(lambda: people.entrance.password("anna", "a guess or two", caller(LATER_S + 2))) is Reason.WRONG


def test_many_guesses_at_once_are_no_way_around_the_wait(people: People) -> None:
    enrol(people, add(people, "anna", Role.THERAPIST))
    looked_at = []

    def guess(number: int) -> None:
        try:
            people.entrance.password("anna", f"a guess, number {number}", caller(LATER_S))
        except RefusedError as problem:
            looked_at.append(problem.reason)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(guess, range(64)))
    # Who finds too many waiting is sent away, and was not looked at either; so five at most ever are.
    assert 1 <= looked_at.count(Reason.WRONG) <= 5


def test_who_guesses_at_the_second_factor_waits_also_in_a_fresh_browser(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, _, _ = enrol(people, anna)
    reasons = []
    for number in range(7):
        half = people.entrance.password("anna", PASSWORD, caller(LATER_S))
        code = f"{(int(code_for(secret, LATER_S)) + 1 + number) % 1_000_000:06}"
        reasons.append(refused(lambda: people.entrance.second_factor(half.token, code, caller(LATER_S))))  # noqa: B023  # asked at once
    assert reasons == [Reason.WRONG] * 5 + [Reason.WAIT] * 2


def test_one_address_that_tries_many_logins_waits(people: People) -> None:
    reasons = [
        refused(lambda: people.entrance.password(f"somebody{number}", PASSWORD, caller(LATER_S)))  # noqa: B023  # asked at once
        for number in range(40)
    ]
    assert reasons[:31] == [Reason.WRONG] * 31
    assert set(reasons[31:]) == {Reason.WAIT}
    elsewhere = caller(LATER_S, address="192.0.2.8")
    assert refused(lambda: people.entrance.password("somebody99", PASSWORD, elsewhere)) is Reason.WRONG


def test_whoever_guesses_elsewhere_does_not_keep_a_person_waiting_at_their_own_browser(people: People) -> None:
    anna, ben = add(people, "anna", Role.THERAPIST), add(people, "ben", Role.THERAPIST)
    for person in (anna, ben):
        enrol(people, person)
    known = {person: people.entrance.known(person.mark, caller()) for person in (anna, ben)}
    assert all(known.values())
    eve, own, bens = (replace(caller(LATER_S), known=token or "") for token in ("", known[anna], known[ben]))
    for _ in range(5):
        assert refused(lambda: people.entrance.password("anna", "a guess or two", eve)) is Reason.WRONG
    assert refused(lambda: people.entrance.password("anna", PASSWORD, eve)) is Reason.WAIT
    assert refused(lambda: people.entrance.password("anna", PASSWORD, bens)) is Reason.WAIT
    assert people.entrance.password("anna", PASSWORD, own).token
    assert people.entrance.known(anna.mark, own) is None
    for _ in range(5):  # it is no way to guess without end, either
        assert refused(lambda: people.entrance.password("anna", "a guess or two", own)) is Reason.WRONG
    assert refused(lambda: people.entrance.password("anna", PASSWORD, own)) is Reason.WAIT


def test_a_browser_is_known_for_half_a_year_and_forgotten_with_a_new_way_in(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    known = people.entrance.known(anna.mark, caller()) or ""
    assert people.entrance.known(anna.mark, replace(caller(NOW_S + 179 * 86_400), known=known)) is None
    assert people.entrance.known(anna.mark, replace(caller(NOW_S + 180 * 86_400), known=known))
    people.office.invite(anna.mark, NOW_S)
    assert people.entrance.known(anna.mark, replace(caller(), known=known))


def test_a_clock_that_was_set_back_makes_nobody_wait_for_years(people: People) -> None:
    enrol(people, add(people, "anna", Role.THERAPIST), now_s=NOW_S - 86_400 * 365)
    for _ in range(5):
        assert refused(lambda: people.entrance.password("anna", "a guess or two", caller(LATER_S))) is Reason.WRONG
    back_s = LATER_S - 1800
    with pytest.raises(RefusedError) as caught:
        people.entrance.password("anna", PASSWORD, caller(back_s))
    assert (caught.value.reason, caught.value.wait_s) == (Reason.WAIT, 1)
    assert people.entrance.password("anna", PASSWORD, caller(LATER_S - 86_400 * 300)).token


def test_who_finds_too_many_waiting_is_told_at_once_and_has_not_tried(people: People) -> None:
    enrol(people, add(people, "anna", Role.THERAPIST))
    passwords: Passwords = people.entrance._passwords
    places = [passwords._places.acquire(blocking=False) for _ in range(4)]
    assert places == [True, True, True, False]
    for _ in range(20):
        assert refused(lambda: people.entrance.password("anna", PASSWORD, caller(LATER_S))) is Reason.BUSY
    passwords._places.release()
    assert people.entrance.password("anna", PASSWORD, caller(LATER_S)).token
    for _ in range(2):
        passwords._places.release()


def test_a_password_kept_with_older_settings_is_kept_anew(tmp_path: Path) -> None:
    with people_in(tmp_path) as people:
        anna = add(people, "anna", Role.THERAPIST)
        enrol(people, anna)
        older = people.entrance._passwords
        newer = Passwords(memory_kib=16, passes=2)
        people.entrance._passwords = newer
        people.entrance.password("anna", PASSWORD, caller(LATER_S))
        with people._database.transaction() as rows:
            row = rows.one("SELECT password FROM persons WHERE mark = ?", anna.mark)
        assert row is not None
        assert not newer.is_outdated(row[0])
        assert older.is_outdated(row[0])


def test_neither_token_code_nor_password_stands_in_the_database(people: People, tmp_path: Path) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    invitation = people.office.invite(anna.mark, NOW_S)
    _, codes, begun = enrol(people, anna)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (begun.token, PASSWORD, invitation, *codes):
        assert secret.encode() not in kept
        assert secret.replace("-", "").encode() not in kept
    assert b"$argon2id$" in kept
