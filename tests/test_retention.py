"""What may go from the box and what stays: decided from facts alone, and never without a verified copy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lived import DAY_US
from device.recording.manifest import RecordingState
from device.recording.receipt import Receipt
from device.retention import Facts, Policy, decide
from device.words import By

POLICY = Policy(keep_days=30, warn_days=14)
COPY = Receipt(remote="clinic", digest="ab", size_bytes=7, verified_at="2026-03-02T10:00:00.000Z")
SYNCED = Facts("000001-abcdefghij", RecordingState.COMPLETE, "ab", 7, 40 * DAY_US, (COPY,), 31 * DAY_US)


def test_a_recording_goes_when_its_copy_was_verified_long_enough_ago() -> None:
    decision = decide(SYNCED, POLICY)
    assert decision.erase
    assert decision.why == "its copy at clinic is verified, known for 31 days"
    assert decide(replace(SYNCED, state=RecordingState.INTERRUPTED), POLICY).erase
    assert decide(replace(SYNCED, verified_for_us=30 * DAY_US), POLICY).erase
    assert decide(replace(SYNCED, verified_for_us=0), Policy(keep_days=0)).erase


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (replace(SYNCED, verified_for_us=30 * DAY_US - 1), "known for 29 days; it is kept for 30 days"),
        (replace(SYNCED, receipts=()), "it is not synced"),
        (replace(SYNCED, receipts=(COPY.model_copy(update={"digest": "cd"}),)), "the copy at clinic is not what"),
        (replace(SYNCED, receipts=(COPY.model_copy(update={"size_bytes": 8}),)), "the copy at clinic is not what"),
        (replace(SYNCED, digest=None), "its manifest has no digest"),
        (replace(SYNCED, held=True), "it is held for research"),
        (replace(SYNCED, state=RecordingState.OPEN), "it is not closed yet"),
        (replace(SYNCED, going=By.CLIENT), "it is being erased already (client)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_stays_and_the_decision_says_why(facts: Facts, why: str) -> None:
    decision = decide(facts, POLICY)
    assert not decision.erase
    assert why in decision.why


@pytest.mark.parametrize("policy", [None, Policy(), Policy(warn_days=1)])
def test_nothing_is_ever_deleted_where_the_configuration_does_not_say_so(policy: Policy | None) -> None:
    decision = decide(replace(SYNCED, verified_for_us=10_000 * DAY_US), policy)
    assert not decision.erase
    assert "kept for ever" in decision.why


def test_what_is_old_and_not_synced_is_told_and_never_deleted() -> None:
    old = replace(SYNCED, receipts=(), age_us=14 * DAY_US)
    assert decide(old, POLICY).warning == "it is 14 days old and not synced"
    assert decide(replace(old, held=True), POLICY).warning == "it is 14 days old and not synced"
    assert decide(replace(old, age_us=14 * DAY_US - 1), POLICY).warning is None
    assert decide(old, None).warning is None
    assert decide(SYNCED, POLICY).warning is None


def test_a_copy_that_differs_is_told_at_once() -> None:
    differs = replace(SYNCED, receipts=(COPY.model_copy(update={"digest": "cd"}),), age_us=0)
    assert decide(differs, POLICY).warning == "the copy at clinic is not what the box has"
    assert decide(replace(differs, receipts=(*differs.receipts, COPY)), POLICY).warning is None


RECEIPTS = st.builds(
    Receipt,
    remote=st.sampled_from(["clinic", "second"]),
    digest=st.sampled_from(["ab", "cd"]),
    size_bytes=st.sampled_from([7, 8]),
    verified_at=st.just("2026-03-02T10:00:00.000Z"),
)
FACTS = st.builds(
    Facts,
    recording=st.just("000001-abcdefghij"),
    state=st.sampled_from(RecordingState),
    digest=st.sampled_from(["ab", None]),
    size_bytes=st.just(7),
    age_us=st.integers(0, 10**6 * DAY_US),
    receipts=st.lists(RECEIPTS, max_size=3).map(tuple),
    verified_for_us=st.integers(0, 10**6 * DAY_US),
    held=st.booleans(),
    going=st.none() | st.sampled_from(By),
)
DAYS = st.none() | st.integers(0, 400)


@given(FACTS, st.none() | st.builds(Policy, keep_days=DAYS, warn_days=DAYS))
def test_only_what_is_closed_verified_not_held_and_long_enough_there_is_ever_erased(
    facts: Facts, policy: Policy | None
) -> None:
    decision = decide(facts, policy)
    verified = any((copy.digest, copy.size_bytes) == (facts.digest, 7) for copy in facts.receipts)
    closed = facts.state is not RecordingState.OPEN
    allowed = policy is not None and policy.keep_days is not None
    long_enough = allowed and facts.verified_for_us >= policy.keep_days * DAY_US  # type: ignore[operator, union-attr]
    assert decision.erase == (verified and closed and long_enough and not facts.held and facts.going is None)
    assert decision.why
    assert not (decision.erase and decision.warning)
