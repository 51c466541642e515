"""The draw of a sample: the same for everybody who repeats it, whatever the order, and fair."""

from __future__ import annotations

import subprocess
from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.errors import UsageError
from provisioning.sampling.drawing import Drawn, Member, digest_of, draw, number_below, parts_of, rank
from provisioning.sampling.protocol import DrawPart, Protocol, SlicesPart, parse_protocol, seed_of

SECOND_US = 1_000_000
SEEDS = st.text("0123456789abcdef", min_size=64, max_size=64)
IDS = st.from_regex(r"[0-9]{6}-[a-z0-9]{10}", fullmatch=True)
MARKS = st.sampled_from([None, "0" * 12, "1" * 12, "a" * 12])


def slices(**facts: object) -> SlicesPart:
    return SlicesPart.model_validate({"length": "2m"} | facts)


def members(**least: int) -> st.SearchStrategy[list[Member]]:
    one = st.builds(Member, IDS, st.integers(least.get("least_us", 0), 4 * 3600 * SECOND_US), MARKS)
    return st.lists(one, unique_by=lambda member: member.recording, max_size=12)


def seed(number: int) -> str:
    return seed_of(str(number))


# -- the same for everybody -------------------------------------------------------------------------------------------


@given(data=st.data(), seed=SEEDS, population=members(least_us=600 * SECOND_US))
def test_no_order_of_files_changes_what_is_drawn(data: st.DataObject, seed: str, population: list[Member]) -> None:
    again = data.draw(st.permutations(population))
    for wanted in (DrawPart(recordings=3), DrawPart(each_therapist=2)):
        assert draw(seed, population, wanted, slices()) == draw(seed, again, wanted, slices())


@given(seed=SEEDS, population=members(least_us=600 * SECOND_US), other=IDS)
def test_another_recording_takes_at_most_one_place_and_moves_no_slice(
    seed: str, population: list[Member], other: str
) -> None:
    if other in {one.recording for one in population}:
        return
    before = set(draw(seed, population, DrawPart(recordings=4), slices()))
    after = set(draw(seed, [*population, Member(other, 900 * SECOND_US)], DrawPart(recordings=4), slices()))
    assert {one.recording for one in after - before} <= {other}
    assert len({one.recording for one in before - after}) <= 1


def h(*words: str) -> str:
    """What `sha256sum` of coreutils says of some words, a line each."""
    given = "".join(f"{word}\n" for word in words)
    return subprocess.run(["sha256sum"], input=given, capture_output=True, text=True, check=True).stdout.split()[0]


def test_it_can_be_repeated_with_sha256sum_and_a_pocket_calculator() -> None:
    population = [Member(f"00000{number}-abcdefghij", (40 + number) * 60 * SECOND_US) for number in range(6)]
    part = slices(each=2, skip_start="5m", skip_end="1m")
    by_hand = []
    for one in sorted(population, key=lambda one: h("sotto sample 1", "recording", seed(1), one.recording))[:3]:
        first, last = 300, one.duration_us // SECOND_US - 60
        for number, (start, end) in enumerate(
            [(first, first + (last - first) // 2), (first + (last - first) // 2, last)]
        ):
            starts = end - start - 120 + 1
            drawn = int(h("sotto sample 1", "slice", seed(1), one.recording, str(number), "0")[:16], 16)
            assert drawn < 2**64 - 2**64 % starts, "else the next try counts"
            by_hand.append(Drawn(one.recording, start + drawn % starts, start + drawn % starts + 120))
    assert draw(seed(1), population, DrawPart(recordings=3), part) == tuple(by_hand)
    lines = "".join(f"{one.recording} {one.from_s} {one.until_s}\n" for one in by_hand)
    assert digest_of(by_hand) == h(*lines.splitlines())


def test_a_draw_of_today_is_the_draw_of_ten_years_on() -> None:
    population = [Member(f"00000{number}-abcdefghij", 3000 * SECOND_US) for number in range(5)]
    drawn = draw(seed_of("a seed"), population, DrawPart(recordings=2), slices(length="5m"))
    assert [one.line() for one in drawn] == ["000003-abcdefghij 1213 1513\n", "000001-abcdefghij 793 1093\n"]


# -- fair -------------------------------------------------------------------------------------------------------------


def chi_squared(counts: Counter[object], kinds: int) -> float:
    expected = counts.total() / kinds
    there = sum((count - expected) ** 2 / expected for count in counts.values())
    return there + (kinds - len(counts)) * expected


def test_every_pair_of_recordings_is_drawn_as_often_as_any_other() -> None:
    population = [Member(f"00000{number}-abcdefghij", 600 * SECOND_US) for number in range(6)]
    pairs = Counter[object](
        frozenset(one.recording for one in draw(seed(number), population, DrawPart(recordings=2), slices()))
        for number in range(3000)
    )
    kinds = len(list(combinations(population, 2)))
    assert chi_squared(pairs, kinds) < 42, "14 degrees of freedom: one fair draw in ten thousand is beyond"


@pytest.mark.parametrize("below", [2, 7, 60])
def test_every_second_is_as_likely_as_any_other(below: int) -> None:
    numbers = Counter[object](number_below(seed(number), "000001-abcdefghij", 0, below) for number in range(6000))
    assert chi_squared(numbers, below) < {2: 15, 7: 28, 60: 106}[below]


def test_the_parts_of_one_recording_are_drawn_apart() -> None:
    same = sum(
        number_below(seed(number), "1", 0, 10) == number_below(seed(number), "1", 1, 10) for number in range(2000)
    )
    assert 130 < same < 270


@given(seed=SEEDS, below=st.integers(1, 2**64))
def test_a_number_is_below_what_was_asked_for(seed: str, below: int) -> None:
    assert 0 <= number_below(seed, "000001-abcdefghij", 0, below) < below


def test_an_uneven_stretch_is_thrown_away() -> None:
    below = 3 * 2**62  # a quarter of all numbers would come a second time, and make the lowest third one half
    numbers = [number_below(seed(number), "1", 0, below) for number in range(600)]
    assert 150 < sum(number < below // 3 for number in numbers) < 250


# -- where slices lie -------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(
    seed=SEEDS,
    population=members(),
    each=st.integers(1, 6),
    length=st.integers(1, 900),
    skips=st.tuples(st.integers(0, 900), st.integers(0, 900)),
)
def test_slices_are_whole_lie_where_they_may_and_never_overlap(
    seed: str, population: list[Member], each: int, length: int, skips: tuple[int, int]
) -> None:
    part = slices(each=each, length=f"{length}s", skip_start=f"{skips[0]}s", skip_end=f"{skips[1]}s")
    long = {one.recording: one for one in population if parts_of(one, part) is not None}
    drawn = draw(seed, long.values(), DrawPart(recordings=5), part)
    assert len(drawn) == min(5, len(long)) * each
    for one in drawn:
        assert one.until_s - one.from_s == length
        assert skips[0] <= one.from_s
        assert one.until_s * SECOND_US <= long[one.recording].duration_us - skips[1] * SECOND_US
    for name in long:
        own = [one for one in drawn if one.recording == name]
        assert all(before.until_s <= after.from_s for before, after in pairwise(own))


@given(each=st.integers(1, 9), length=st.integers(1, 500), more=st.integers(-3, 3))
def test_a_recording_that_is_too_short_for_its_slices_is_none(each: int, length: int, more: int) -> None:
    part = slices(each=each, length=f"{length}s")
    is_long = parts_of(Member("1", max(0, each * length + more) * SECOND_US), part) is not None
    assert is_long is (more >= 0)


def test_of_each_therapist_as_many_are_drawn_as_the_protocol_says() -> None:
    population = [Member(f"{number:06d}-abcdefghij", 600 * SECOND_US, f"{number % 3:012x}") for number in range(30)]
    drawn = draw(seed(3), population, DrawPart(each_therapist=4), slices())
    whose = {one.recording: one.therapist for one in population}
    assert Counter(whose[one.recording] for one in drawn) == {f"{number:012x}": 4 for number in range(3)}


def test_ranks_of_one_seed_say_nothing_of_another() -> None:
    ids = [f"{number:06d}-abcdefghij" for number in range(50)]
    orders = [tuple(sorted(ids, key=lambda one, n=number: rank(seed(n), one))) for number in range(20)]  # type: ignore[misc]
    assert len(set(orders)) == 20


# -- the protocol -----------------------------------------------------------------------------------------------------

WHOLE = b"""
sotto_sample = 1
[population]
since = 2026-01-01
until = "2026-06-30"
therapists = ["0123456789ab"]
consent = ["sound"]
interrupted = true
study = "S-1"
arm = "B"
[draw]
recordings = 40
seed = "words"
[slices]
each = 3
length = "5m"
skip_start = "2:30"
skip_end = "90"
sound_only = true
"""


def test_a_protocol_says_what_is_drawn() -> None:
    protocol = parse_protocol(WHOLE)
    assert (protocol.slices.length, protocol.slices.skip_start, protocol.slices.skip_end) == (300, 150, 90)
    assert str(protocol.population.since) == "2026-01-01"
    assert protocol.draw.seed == "words"


def test_a_small_protocol_leaves_the_rest_as_it_is() -> None:
    protocol = parse_protocol(b'sotto_sample = 1\n[draw]\nrecordings = 2\n[slices]\nlength = "1m"\n')
    assert isinstance(protocol, Protocol)
    assert protocol.draw.seed is None


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("recordings = 40", "", "draw"),
        ("recordings = 40", "recordings = 40\neach_therapist = 2", "draw"),
        ("recordings = 40", "recordings = 0", "recordings"),
        ("recordings = 40", 'recordings = "40"', "recordings"),
        ('length = "5m"', 'length = "0"', "length"),
        ('length = "5m"', 'length = "1.5"', "whole seconds"),
        ('length = "5m"', 'length = "soon"', "length"),
        ('["0123456789ab"]', '["Anna"]', "therapists"),
        ('["sound"]', '["none"]', "consent"),
        ("each = 3", "eahc = 3", "eahc"),
        ("sotto_sample = 1", "sotto_sample = 2", "sotto_sample"),
        ("2026-01-01", '"yesterday"', "since"),
        ("[draw]", "[draw", "cannot be read"),
    ],
)
def test_a_protocol_that_does_not_hold_is_refused_and_told_why(old: str, new: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parse_protocol(WHOLE.replace(old.encode(), new.encode()))


def test_a_protocol_that_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError):
        parse_protocol(b"\xff\xfe")
    with pytest.raises(UsageError):
        parse_protocol(b"#" * 100_000)
