"""Which version a box takes, and what it does about one that is here."""

from __future__ import annotations

import pytest

from device.errors import UpdateError
from device.updating import (
    MOST_TRIES,
    Facts,
    Here,
    Next,
    Offer,
    Staged,
    State,
    check_offer,
    failed,
    needed,
    next_step,
    noted,
    rank,
    read_facts,
    staged_of,
    tried,
    version_of,
)

HERE = Here(machine="arm64", python="3.13", debian="13", frame=1, newest="0.1.0")
FACTS = Facts(version="0.2.0", machine="arm64", python="3.13", debian="13", frame=1)
OFFER = Offer(order=7, facts=FACTS, size_bytes=4096, sha256="0" * 64)
OLD, NEW = "sotto_0.1.0_arm64.squashfs", "sotto_0.2.0_arm64.squashfs"


def other(**changes: object) -> Offer:
    return Offer(7, Facts.model_validate({**FACTS.model_dump(), **changes}), 4096, "0" * 64)


@pytest.mark.parametrize(
    ("before", "after"),
    [("0.1.0", "0.1.1"), ("0.9.0", "0.10.0"), ("0.2.0rc1", "0.2.0"), ("0.2.0a9", "0.2.0b1"), ("0.2", "0.2.1")],
)
def test_versions_have_an_order(before: str, after: str) -> None:
    assert rank(before) < rank(after)
    assert rank("0.2") == rank("0.2.0")


def test_what_fits_is_taken() -> None:
    check_offer(OFFER, here=HERE, state=State(order=6))
    assert staged_of(OFFER).image == NEW
    assert version_of(NEW) == "0.2.0"
    assert version_of("sotto_0.2.0_arm64.squashfs.new") is None


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        (other(version="0.0.9"), "has 0.1.0"),
        (other(version="0.1.0"), "has 0.1.0"),
        (other(version="0.1.0rc3"), "has 0.1.0"),
        (other(machine="amd64"), "another machine"),
        (other(python="3.14"), "another Python"),
        (other(debian="14"), "another Debian"),
        (other(frame=2), "an update cannot bring"),
        (Offer(6, FACTS, 4096, "0" * 64), "took order 6 before"),
        (Offer(5, FACTS, 4096, "0" * 64), "took order 6 before"),
        (Offer(7, FACTS, 0, "0" * 64), "no size"),
        (Offer(7, FACTS, (1 << 30) + 1, "0" * 64), "no size"),
    ],
)
def test_what_is_older_or_for_another_box_is_refused_with_a_word_why(offer: Offer, said: str) -> None:
    with pytest.raises(UpdateError, match=said) as refused:
        check_offer(offer, here=HERE, state=State(order=6))
    assert refused.value.hint


def test_facts_that_nobody_wrote_so_are_refused() -> None:
    assert read_facts(FACTS.model_dump_json().encode()) == FACTS
    for document in (b"", b"{}", b'{"sotto_update":2}', FACTS.model_dump_json().encode().replace(b"0.2.0", b"../../x")):
        with pytest.raises(UpdateError, match="nothing sensible"):
            read_facts(document)


STAGED = Staged(version="0.2.0", image=NEW, size_bytes=4096, sha256="0" * 64)
# After any cut: what is on the disk, and what is done about it. What runs is what ``current`` names, in each row.
TABLE = {
    (None, OLD): Next.REST,
    (None, None): Next.REST,
    (STAGED, OLD): Next.TRY,
    (STAGED, None): Next.TRY,
    (STAGED.model_copy(update={"tries": 1}), OLD): Next.TRY,
    (STAGED.model_copy(update={"tries": MOST_TRIES}), OLD): Next.GIVE_UP,
    (STAGED.model_copy(update={"failed": "the page does not answer"}), OLD): Next.REST,
    (STAGED.model_copy(update={"tries": 1}), NEW): Next.NOTE,
    (STAGED.model_copy(update={"tries": MOST_TRIES}), NEW): Next.NOTE,
    (STAGED.model_copy(update={"tries": 1, "failed": "no"}), NEW): Next.NOTE,
}


@pytest.mark.parametrize(("staged", "current"), TABLE)
def test_after_any_cut_one_table_says_what_is_done(staged: Staged | None, current: str | None) -> None:
    assert next_step(State(order=7, staged=staged), current=current) is TABLE[staged, current]


def test_a_version_that_was_given_up_is_tried_again_only_by_a_new_order() -> None:
    state = failed(tried(State(order=7), STAGED), STAGED, "the page does not answer")
    assert next_step(state, current=OLD) is Next.REST
    with pytest.raises(UpdateError, match="order 7"):
        check_offer(OFFER, here=HERE, state=state)
    check_offer(Offer(8, FACTS, 4096, "0" * 64), here=HERE, state=state)


def test_two_images_are_kept_and_never_three() -> None:
    older = "sotto_0.0.9_arm64.squashfs"
    state = State(order=7, previous=older)
    assert needed(state, current=OLD) == {OLD, older}
    state = state.model_copy(update={"staged": STAGED})
    assert needed(state, current=OLD) == {OLD, NEW}
    assert needed(failed(state, STAGED, "no"), current=OLD) == {OLD, older}
    assert needed(noted(state, previous=OLD), current=NEW) == {NEW, OLD}
    assert needed(noted(state, previous=None), current=NEW) == {NEW}
