"""The reader's modules on their own: under node, and held against what reads the same documents in Python."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device.errors import DamagedError
from device.measures.document import Measured, from_bytes, measured
from device.measures.shelf import read_shelf
from device.recording.named import LabelDocument, NoteDocument
from device.recording.named import from_bytes as named_from_bytes
from provisioning.review import parse_review
from tests.support import said

JS = Path(__file__).parent / "js"
AT = "2026-03-02T09:00:00.000Z"
MARK = "0123456789ab"
REVIEW: dict[str, Any] = {
    "sotto_review": 1,
    "recording": "000007-abcdefghij",
    "by": MARK,
    "at": AT,
    "notes": [{"at_us": 5, "until_us": 7, "text": "one", "tags": ["Repair"]}],
    "growth_edge": "pace",
    "plan": {"text": "practise", "next_date": "2026-12-01"},
    "ratings": {"rubric": "basics", "items": {"empathy": 4, "focus": None}},
}
NOTE = {"text": "x", "at_us": 1}
LABEL = {"at": AT, "clock_trusted": True, "by": MARK, "client": "K-17", "session": 3}


pytestmark = pytest.mark.usefixtures("reader_packages")


def test_the_modules_do_what_their_tests_say() -> None:
    run = subprocess.run(
        ["node", "--no-warnings", "--test", *sorted(JS.glob("*.test.mjs"))], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr
    assert "# fail 0" in run.stdout


def takes(kind: str, documents: list[str]) -> list[bool]:
    """What the reader says of some documents."""
    lines = "".join(json.dumps(one) + "\n" for one in documents)
    told: list[bool] = json.loads(said(["node", "--no-warnings", JS / "parse.mjs", kind], given=lines.encode()))
    return told


def agrees(kind: str, documents: list[Any], parse: Callable[[bytes], object]) -> list[bool]:
    """What both say of some documents; it has to be the same."""

    def python_takes(document: str) -> bool:
        try:
            parse(document.encode())
        except DamagedError:
            return False
        return True

    texts = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in documents]
    ours = [python_takes(one) for one in texts]
    for document, python, reader in zip(texts, ours, takes(kind, texts), strict=True):
        assert python == reader, document
    return ours


def altered(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (document | changes).items() if value != "left out"}


def reviews() -> Iterator[Any]:
    yield REVIEW
    for key in REVIEW:
        yield altered(REVIEW, **{key: "left out"})
        yield altered(REVIEW, **{key: None})
        yield altered(REVIEW, **{key: 5})
    yield altered(REVIEW, more=1)
    for text in (
        "",
        " ",
        "\n",
        "a\tb\nc",
        "a\rb",
        "a\x00",
        "\u200dz",
        "👩‍👧",
        "x" * 4000,
        "x" * 4001,
        "🙂" * 4000,
        " x ",
        "\u2028",
    ):
        yield altered(REVIEW, growth_edge=text)
        yield altered(REVIEW, notes=[NOTE | {"tags": [text[:60]]}])
    for at_us, until_us in (
        (0, None),
        (None, None),
        (None, 5),
        (5, 4),
        (5, 5),
        (-1, None),
        (1.5, None),
        (10**12, None),
    ):
        yield altered(REVIEW, notes=[{"at_us": at_us, "until_us": until_us, "text": "x"}])
    yield altered(REVIEW, notes=[{"at_us": 10**12 + 1, "text": "x"}])
    yield altered(REVIEW, notes=[{"text": "x"}])
    yield altered(REVIEW, notes=[NOTE] * 500)
    yield altered(REVIEW, notes=[NOTE] * 501)
    yield altered(REVIEW, notes=[NOTE | {"tags": ["x"] * 21}])
    for day in ("2026-02-30", "2024-02-29", "2026-2-3", "2026-12-01T00:00", "", "0000-01-01"):
        yield altered(REVIEW, plan={"text": "x", "next_date": day})
    for moment in (
        "2026-03-02T09:00:00Z",
        "2026-03-02T09:00:00.1234567Z",
        "2026-03-02 09:00:00Z",
        "2026-03-02T09:00:00",
    ):
        yield altered(REVIEW, at=moment)
    for items in ({}, {"a": True}, {"a": 1.5}, {"a": "1"}, {"__proto__": 1}, {str(n): n for n in range(101)}):
        yield altered(REVIEW, ratings={"rubric": "basics", "items": items})
    yield altered(REVIEW, ratings={"rubric": "Basics", "items": {}})
    yield {"sotto_review": 1, "recording": REVIEW["recording"], "by": MARK, "at": AT}
    yield from ("", "[]", "null", "{", '"x"', "1", '{"a":NaN}')


def test_a_review_is_taken_here_exactly_where_sotto_clinic_takes_it() -> None:
    taken = agrees("review", list(reviews()), parse_review)
    assert 20 < sum(taken) < len(taken) - 20


def test_every_shipped_measure_is_taken_however_it_was_answered_and_nothing_else_in_its_place() -> None:
    documents: list[Any] = []
    for measure in read_shelf().measures.values():
        least = {item.id: measure.scale_of(item).least for item in measure.items}
        most = {item.id: measure.scale_of(item).most for item in measure.items}
        kinds = (least, most, dict.fromkeys(least))
        documents += [_measured(measure, answers).model_dump(mode="json") for answers in kinds]
    genuine = len(documents)
    one = documents[0]
    documents += [altered(one, **{key: value}) for key in one for value in ("left out", None, 5, [], "x")]
    documents += [altered(one, more=1), altered(one, person=13), altered(one, answers=one["answers"] * 20)]
    reader = takes("measure", [json.dumps(each) for each in documents])
    assert all(reader[:genuine])
    for document, taken in zip(documents[genuine:], reader[genuine:], strict=True):
        assert not taken or _is_measured(document), document


def _measured(measure: Any, answers: Any) -> Measured:
    return measured(measure, answers, by=MARK, person=1, started=AT, finished=AT, clock_trusted=False)


def _is_measured(document: Any) -> bool:
    """Python is less strict than the reader about the moments and the mark, never the other way round."""
    try:
        from_bytes(json.dumps(document).encode())
    except DamagedError:
        return False
    return True


def test_labels_and_notes_are_taken_as_a_box_seals_them() -> None:
    label = LabelDocument(at=AT, clock_trusted=False, by=MARK, client="K 17", session=None, study="S", arm="B")
    note = NoteDocument(at=AT, clock_trusted=True, by=MARK, text="<script>alert(1)</script>\nlate 🙂")
    assert takes("label", [label.model_dump_json(), label.model_dump_json() + " " * 500]) == [True, True]
    assert takes("note", [note.model_dump_json()]) == [True]
    wrong: list[Any] = [
        altered(LABEL, client=""),
        altered(LABEL, client="a\nb"),
        altered(LABEL, session=0),
        altered(LABEL, more=1),
    ]
    assert agrees("label", wrong, lambda data: named_from_bytes(data, LabelDocument)) == [False] * len(wrong)
