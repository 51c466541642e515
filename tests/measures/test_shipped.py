"""The measures that are shipped: words and scores of PHQ-9 and GAD-7 as published, and our own four lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.measures.measure import Choices, Measure, Moment
from device.measures.parsing import parse_measure
from device.measures.scoring import scores_of, told_of
from device.measures.shelf import SHIPPED, read_shelf

# Written down here once more, from the English forms for the USA that their authors give away.
PHQ_9 = [
    "Little interest or pleasure in doing things",
    "Feeling down, depressed, or hopeless",
    "Trouble falling or staying asleep, or sleeping too much",
    "Feeling tired or having little energy",
    "Poor appetite or overeating",
    "Feeling bad about yourself — or that you are a failure or have let yourself or your family down",
    "Trouble concentrating on things, such as reading the newspaper or watching television",
    (
        "Moving or speaking so slowly that other people could have noticed? Or the opposite — being so fidgety or "
        "restless that you have been moving around a lot more than usual"
    ),
    "Thoughts that you would be better off dead or of hurting yourself in some way",
]
GAD_7 = [
    "Feeling nervous, anxious or on edge",
    "Not being able to stop or control worrying",
    "Worrying too much about different things",
    "Trouble relaxing",
    "Being so restless that it is hard to sit still",
    "Becoming easily annoyed or irritable",
    "Feeling afraid as if something awful might happen",
]
DIFFICULTY = (
    "If you checked off any problems, how difficult have these problems made it for you to do your work, take care of "
    "things at home, or get along with other people?"
)
FREQUENCY = [(0, "Not at all"), (1, "Several days"), (2, "More than half the days"), (3, "Nearly every day")]
HOW_DIFFICULT = [
    (0, "Not difficult at all"),
    (1, "Somewhat difficult"),
    (2, "Very difficult"),
    (3, "Extremely difficult"),
]
# Kroenke, Spitzer, Williams 2001; Spitzer, Kroenke, Williams, Löwe 2006.
PHQ_BANDS = {0: "minimal", 5: "mild", 10: "moderate", 15: "moderately severe", 20: "severe"}
GAD_BANDS = {0: "minimal", 5: "mild", 10: "moderate", 15: "severe"}
# Words that belong to the licensed forms of the same kind; ours are to have none of them.
LICENSED = (
    "individually",
    "interpersonally",
    "socially",
    "personal well-being",
    "close relationships",
    "general sense",
    "heard, understood",
    "respected",
    "goals and topics",
    "approach",
    "missing in the session",
    "right for me",
    "nearest to",
    "best fits",
)


DOCUMENT = Path(__file__).parents[2] / "docs" / "measures.md"


def shipped(measure_id: str) -> Measure:
    return read_shelf().measures[measure_id]


def choices_of(measure: Measure, item_id: str) -> list[tuple[int, str]]:
    scale = measure.scale_of(measure.item(item_id))
    assert isinstance(scale, Choices)
    return [(one.value, one.text) for one in scale.choices]


def total(measure: Measure, values: list[int]) -> tuple[float | None, str | None]:
    """The one score of answers to the first items."""
    answers = {item.id: value for item, value in zip(measure.items, values, strict=False)}
    (scored,) = scores_of(measure, answers)
    return scored.value, scored.band


def test_every_file_that_is_shipped_holds() -> None:
    shelf = read_shelf()
    assert shelf.wrong == ()
    assert set(shelf.measures) == {path.stem for path in SHIPPED.glob("*.toml")}
    assert set(shelf.measures) == {"phq-9", "gad-7", "outcome-4", "alliance-4"}


@pytest.mark.parametrize(("measure_id", "items"), [("phq-9", PHQ_9), ("gad-7", GAD_7)])
def test_the_words_are_those_that_were_published(measure_id: str, items: list[str]) -> None:
    measure = shipped(measure_id)
    assert [item.text for item in measure.items] == [*items, DIFFICULTY]
    assert all(choices_of(measure, item.id) == FREQUENCY for item in measure.items[:-1])
    assert choices_of(measure, "difficulty") == HOW_DIFFICULT
    assert measure.instruction.startswith("Over the last 2 weeks, how often have you been bothered by")
    assert "No permission required to reproduce, translate, display or distribute." in measure.notice
    assert [item.alone for item in measure.items] == [False] * len(items) + [True]
    assert not any(item.reversed for item in measure.items)


@pytest.mark.parametrize(("measure_id", "count", "bands"), [("phq-9", 9, PHQ_BANDS), ("gad-7", 7, GAD_BANDS)])
def test_every_total_has_the_band_that_was_published(measure_id: str, count: int, bands: dict[int, str]) -> None:
    measure = shipped(measure_id)
    for wanted in range(3 * count + 1):
        values = [min(max(wanted - 3 * index, 0), 3) for index in range(count)]
        band = bands[max(start for start in bands if start <= wanted)]
        assert total(measure, values) == (wanted, band)
        assert total(measure, [*values, 3]) == (wanted, band), "how difficult it was made is not scored"


@pytest.mark.parametrize(("measure_id", "count"), [("phq-9", 9), ("gad-7", 7)])
def test_without_all_answers_there_is_no_total(measure_id: str, count: int) -> None:
    measure = shipped(measure_id)
    answers: dict[str, int | None] = {item.id: 1 for item in measure.items[:count]}
    assert scores_of(measure, {**answers, "3": None})[0].value is None


def test_whoever_thinks_of_being_dead_is_told_that_nobody_reads_it_at_once() -> None:
    measure = shipped("phq-9")
    assert told_of(measure, {"9": 0}) == []
    for value in (1, 2, 3):
        (tell,) = told_of(measure, {"9": value})
        assert "Nobody reads these answers right away" in tell.text


@pytest.mark.parametrize(("measure_id", "moment"), [("outcome-4", Moment.BEFORE), ("alliance-4", Moment.AFTER)])
def test_our_own_are_four_lines_and_their_mean(measure_id: str, moment: Moment) -> None:
    measure = shipped(measure_id)
    assert measure.moment is moment
    assert len(measure.items) == 4
    assert {measure.scale_of(item).kind for item in measure.items} == {"line"}
    assert total(measure, [0, 50, 100, 51]) == (50.3, None)
    assert total(measure, [100] * 4) == (100, None)
    assert not any(score.bands for score in measure.scores), "there are no norms"


@pytest.mark.parametrize("measure_id", ["outcome-4", "alliance-4"])
def test_our_own_have_no_words_of_licensed_forms(measure_id: str) -> None:
    words = (SHIPPED / f"{measure_id}.toml").read_text(encoding="utf-8").casefold()
    assert [one for one in LICENSED if one in words] == []


def test_the_document_names_what_is_shipped_and_its_example_holds() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \| (?!\"|`)[A-Zh]", document, re.MULTILINE)) == set(
        read_shelf().measures
    )
    (example,) = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    measure = parse_measure(example.encode(), called="the example")
    assert [score.id for score in measure.scores] == ["total"]
    assert (
        parse_measure(example.replace("# alone", "alone").replace("# only", "only").encode(), called="it")
        .items[1]
        .alone
    )
