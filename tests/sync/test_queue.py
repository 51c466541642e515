"""What sync does next: a rule over what is there, held for everything that could be there."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from device.recording.receipt import Receipt
from device.sync_queue import Erase, Order, Send, Standing, due, smallest

DIGESTS = st.sampled_from(["aa" * 32, "bb" * 32])
NAMES = ("manifest.json", "attachments/label.age", "attachments/note-001.age")


@st.composite
def standings(draw: st.DrawFn) -> list[Standing]:
    return [draw(standing(f"{number:06d}-abcdefghij")) for number in range(draw(st.integers(0, 8)))]


@st.composite
def standing(draw: st.DrawFn, recording: str) -> Standing:
    beside = {name: draw(DIGESTS) for name in draw(st.sets(st.sampled_from(NAMES)))}
    receipt = Receipt(
        remote="clinic",
        digest=draw(DIGESTS),
        size_bytes=draw(st.sampled_from([5, 7])),
        verified_at="now",
        beside={name: draw(DIGESTS) for name in draw(st.sets(st.sampled_from(NAMES)))},
        differs=draw(st.booleans()),
    )
    return Standing(
        recording=recording,
        started="2026-03-02T09:00:00.000Z",
        size_bytes=draw(st.sampled_from([5, 7])),
        digest=draw(st.one_of(st.none(), DIGESTS)),
        is_open=draw(st.booleans()),
        is_going=draw(st.booleans()),
        sound_only=draw(st.booleans()),
        starred=draw(st.booleans()),
        beside=beside,
        receipt=draw(st.one_of(st.none(), st.just(receipt))),
    )


@st.composite
def orders(draw: st.DrawFn) -> list[Order]:
    numbers = draw(st.sets(st.integers(0, 12), max_size=4))
    return [Order(f"{number:06d}-abcdefghij", "2026-03-02T09:00:00.000Z") for number in numbers]


WINDOWS = st.one_of(st.none(), st.integers(0, 8).map(lambda number: f"{number:06d}-abcdefghij"))


@given(standings(), orders(), WINDOWS)
def test_nothing_leaves_that_is_open_going_in_its_window_ordered_or_without_a_digest(
    found: list[Standing], ordered: list[Order], window: str | None
) -> None:
    names = {order.recording for order in ordered}
    for step in due(found, ordered, window=window):
        if isinstance(step, Send):
            one = step.standing
            assert not one.is_open
            assert not one.is_going
            assert one.digest is not None
            assert one.recording != window
            assert one.recording not in names


@given(standings(), orders(), WINDOWS)
def test_whatever_may_leave_and_is_not_known_to_be_there_is_sent_and_nothing_else(
    found: list[Standing], ordered: list[Order], window: str | None
) -> None:
    names = {order.recording for order in ordered}
    sent = {step.standing.recording: step for step in due(found, ordered, window=window) if isinstance(step, Send)}
    for one in found:
        if one.is_open or one.is_going or one.digest is None or one.recording in names | {window}:
            continue
        receipt = one.receipt
        holds = (
            receipt is not None
            and not receipt.differs
            and (receipt.digest, receipt.size_bytes) == (one.digest, one.size_bytes)
        )
        lacking = {
            name for name in one.beside if not (holds and receipt and receipt.beside.get(name) == one.beside[name])
        }
        if holds and not lacking:
            assert one.recording not in sent
        else:
            step = sent[one.recording]
            assert step.whole == (not holds)
            assert set(step.files) == (lacking if holds else set(one.beside))


@given(standings(), orders(), WINDOWS)
def test_every_erase_order_goes_before_every_recording(
    found: list[Standing], ordered: list[Order], window: str | None
) -> None:
    steps = due(found, ordered, window=window)
    assert [step.order for step in steps[: len(ordered)] if isinstance(step, Erase)] == sorted(
        ordered, key=lambda order: order.recording
    )
    assert all(isinstance(step, Send) for step in steps[len(ordered) :])


@given(standings(), WINDOWS)
def test_sound_alone_and_bookmarked_ones_go_first_then_the_smallest_and_what_was_spoiled_last(
    found: list[Standing], window: str | None
) -> None:
    def rank(step: Send) -> tuple[bool, bool, int]:
        one = step.standing
        spoiled = one.receipt is not None and not one.proven
        return spoiled, not (one.sound_only or one.starred), step.size_bytes

    ranks = [rank(step) for step in due(found, (), window=window) if isinstance(step, Send)]
    assert ranks == sorted(ranks)


@given(standings(), orders(), WINDOWS)
def test_a_full_remote_is_asked_with_an_erasure_or_else_with_the_least_there_is(
    found: list[Standing], ordered: list[Order], window: str | None
) -> None:
    steps = due(found, ordered, window=window)
    probe = smallest(steps)
    if not steps:
        assert probe is None
    elif ordered:
        assert isinstance(probe, Erase)
    else:
        assert isinstance(probe, Send)
        assert probe.size_bytes == min(step.size_bytes for step in steps if isinstance(step, Send))


def test_a_new_label_brings_only_the_label_again() -> None:
    there = Receipt(
        remote="clinic", digest="aa" * 32, size_bytes=5, verified_at="now", beside={"manifest.json": "cc" * 32}
    )
    one = Standing(
        recording="000001-abcdefghij",
        started="2026-03-02T09:00:00.000Z",
        size_bytes=5,
        digest="aa" * 32,
        beside={"manifest.json": "cc" * 32},
        receipt=there,
    )
    assert due([one], (), window=None) == ()
    labelled = replace(one, beside={**one.beside, "attachments/label.age": "dd" * 32})
    assert due([labelled], (), window=None) == (Send(labelled, whole=False, files=("attachments/label.age",)),)
