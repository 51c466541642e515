"""What the page can have named, and nothing else, whatever it says; over the real socket."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from device.errors import AdminError, StoreError
from device.naming_requests import (
    MOST_MEASURE_BYTES,
    MOST_SEALED_BYTES,
    NAMING_SOCKET_NAME,
    Asked,
    AskFor,
    Assign,
    Clip,
    Declined,
    Label,
    Leave,
    Measure,
    Named,
    NamingServer,
    Note,
    NotNamedError,
    OnDuty,
    Place,
    Reason,
    Review,
    ask_naming,
)
from device.recording.beside import Wish
from device.recording.named import MOST_LABEL_LETTERS, MOST_NOTE_LETTERS, LabelDocument, NoteDocument, from_bytes
from device.shapes import from_plain

ID = "000001-abcdefghij"
BY = "0123456789ab"
HIDDEN = "Zephyr"
ASKED: list[Asked] = [
    OnDuty(by=BY, therapist=BY, for_s=3600),
    OnDuty(by=BY, therapist=None),
    Label(by=BY, client="A-17 / b", session=3, study="RCT 2", arm="B"),
    Label(by=BY, recording=ID, client="Ü" * MOST_LABEL_LETTERS),
    Note(by=BY, text="🛋" * MOST_NOTE_LETTERS),
    Note(by=BY, recording=ID, text="two\nlines"),
    Measure(by=BY, document='{"kind": "sotto-measure"}'),
    Measure(by=BY, document="x" * MOST_MEASURE_BYTES),
    Clip(by=BY, recording=ID, sealed=os.urandom(MOST_SEALED_BYTES)),
    Review(by=BY, recording=ID, sealed=os.urandom(MOST_SEALED_BYTES)),
    AskFor(by=BY, recording=ID, wish=Wish.COPY),
    AskFor(by=BY, recording=ID, wish=Wish.DELETION, taken_back=True),
    Assign(by=BY, recording=ID, therapist=BY),
    Declined(by=BY),
    Leave(by=BY),
    Place(by=BY, name="measure-0123456789ab.age", recording=ID),
]


class Desk:
    """Answers as it is told, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.rested: list[float] = []
        self.answer: Callable[[Asked], Named] = lambda _asked: Named(ID, "label.age")

    def __call__(self, asked: Asked) -> Named:
        self.asked.append(asked)
        return self.answer(asked)


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, desk: Desk) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("run")
    users = frozenset({os.geteuid()})
    with closing(NamingServer(folder / NAMING_SOCKET_NAME, desk, users=users, rest=desk.rested.append)):
        yield folder


@pytest.fixture(autouse=True)
def _afresh(desk: Desk) -> None:
    desk.asked.clear()
    desk.answer = lambda _asked: Named(ID, "label.age")


def said(run: Path, data: bytes) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(str(run / NAMING_SOCKET_NAME))
        client.send(data)
        return dict(json.loads(client.recv(1 << 16)))


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.ask)
def test_what_is_asked_reaches_capture_as_it_was_asked_and_is_answered(run: Path, desk: Desk, asked: Asked) -> None:
    assert ask_naming(asked, run) == Named(ID, "label.age")
    assert desk.asked == [asked]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.ask)
def test_without_a_mark_that_can_stand_for_a_person_nothing_is_asked(run: Path, desk: Desk, asked: Asked) -> None:
    for by in (None, "", "Anna", "0123456789AB", "0123456789abc"):
        told = {**json.loads(asked.model_dump_json()), "by": by}
        assert said(run, json.dumps(told).encode())["reason"] == Reason.NOT_ASKABLE
    assert desk.asked == []


_VALUE = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from([ID, BY, "../../etc", "sound"])
)
_WORDS = ("start", "record", "consent", "withdraw", "erase", "open", "recipient", "config", "stop", "wish", "assign")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from(["recording", "client", "text", "therapist", "document", "wish", "name", "consent", "path"]),
        _VALUE,
        max_size=5,
    ),
    st.sampled_from([*_WORDS, "label", "note", "measure", "on_duty", "declined", "leave", "place", "clip", "review"]),
)
@example({"recording": "../../etc/passwd", "client": "a"}, "label")
@example({"recording": ID, "text": "a", "recipient": "age1"}, "note")
@example({"name": "../audit/000000000001.jsonl", "recording": ID}, "place")
@example({"name": "measure-0123456789ab.age/../x", "recording": ID}, "place")
@example({"recording": ID, "consent": "sound"}, "wish")
def test_nothing_else_can_be_asked(run: Path, desk: Desk, facts: dict[str, Any], ask: str) -> None:
    desk.asked.clear()
    answer = said(run, json.dumps({**facts, "ask": ask, "by": BY}).encode())
    if not desk.asked:
        assert answer["reason"] == Reason.NOT_ASKABLE
        return
    (asked,) = desk.asked
    assert asked.ask not in _WORDS[:-2]
    assert set(facts) <= set({"ask", *asked.__struct_fields__})
    assert getattr(asked, "recording", None) in (None, ID)


@pytest.mark.parametrize("data", [b"nonsense", b"[]", b"{}", b"\xff" * 100, b'{"ask": "label"' + b" " * 100_000])
def test_what_is_no_request_disturbs_nobody_who_asks_next(run: Path, desk: Desk, data: bytes) -> None:
    assert said(run, data)["reason"] == Reason.NOT_ASKABLE
    assert ask_naming(Leave(by=BY), run) == Named(ID, "label.age")


@pytest.mark.parametrize("text", ["", " ", "a\nb", " a", "a ", "\x00", "a\u202eb", "x" * (MOST_LABEL_LETTERS + 1)])
def test_a_label_is_words_on_one_line(text: str) -> None:
    for field in ("client", "study", "arm"):
        with pytest.raises(ValueError, match="1 validation error"):
            from_plain(Asked, {"ask": "label", "by": BY, "client": "a", field: text})


@pytest.mark.parametrize("text", ["", " \n", "\x1b[2J", "x" * (MOST_NOTE_LETTERS + 1)])
def test_a_note_is_something_that_can_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="1 validation error"):
        Note(by=BY, text=text)


def test_nothing_of_a_text_shows_where_its_request_or_its_document_does() -> None:
    label = Label(by=BY, client=HIDDEN, session=7341, study=HIDDEN, arm=HIDDEN)
    shown = [label, Note(by=BY, text=HIDDEN), Measure(by=BY, document=HIDDEN)]
    documents = [
        LabelDocument(at="x", clock_trusted=True, by=BY, client=HIDDEN, session=7341, study=HIDDEN, arm=HIDDEN),
        NoteDocument(at="x", clock_trusted=True, by=BY, text=HIDDEN),
    ]
    clip = Clip(by=BY, recording=ID, sealed=HIDDEN.encode())
    for text in (repr([*shown, *documents, clip]), str(shown), str(documents)):
        assert HIDDEN not in text
        assert "7341" not in text
    with pytest.raises(ValueError) as refused:
        Label(by=BY, client=HIDDEN + "\n")
    assert HIDDEN not in str(refused.value)


def test_whoever_can_open_a_label_can_read_it_back() -> None:
    label = LabelDocument(at="2026-03-02T09:00:00.000Z", clock_trusted=True, by=BY, client="A-17", session=3)
    assert from_bytes(label.model_dump_json().encode(), LabelDocument) == label
    with pytest.raises(StoreError, match="not what a box seals"):
        from_bytes(label.model_dump_json().encode(), NoteDocument)


# -- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(Reason))
def test_a_refusal_arrives_with_its_reason_and_both_sentences(run: Path, desk: Desk, reason: Reason) -> None:
    def refuse(_asked: Asked) -> Named:
        raise NotNamedError(reason, "what", "hint")

    desk.answer = refuse
    with pytest.raises(NotNamedError) as refused:
        ask_naming(Leave(by=BY), run)
    assert (refused.value.reason, refused.value.what, refused.value.hint) == (reason, "what", "hint")


@pytest.mark.parametrize("problem", [StoreError("full", "free room"), ValueError(HIDDEN), OSError(5, "I/O", HIDDEN)])
def test_whatever_goes_wrong_is_an_answer_and_nothing_of_the_request_is_in_it(
    run: Path, desk: Desk, problem: Exception
) -> None:
    def fail(_asked: Asked) -> Named:
        raise problem

    desk.answer = fail
    with pytest.raises(NotNamedError) as refused:
        ask_naming(Note(by=BY, text=HIDDEN), run)
    assert refused.value.reason is Reason.STORE
    assert refused.value.hint
    assert HIDDEN not in refused.value.what + refused.value.hint
    desk.answer = lambda _asked: Named()
    assert ask_naming(Leave(by=BY), run) == Named()


def test_it_rests_for_as_long_as_it_worked(run: Path, desk: Desk) -> None:
    ask_naming(Leave(by=BY), run)
    ask_naming(Leave(by=BY), run)  # whoever is answered second, the rest after the first is over
    assert desk.rested
    assert all(0.2 <= rest_s <= 2 for rest_s in desk.rested)
    desk.rested.clear()
    desk.answer = lambda _asked: time.sleep(0.5) or Named()
    ask_naming(Leave(by=BY), run)
    ask_naming(Leave(by=BY), run)
    assert desk.rested[0] >= 0.5


def test_without_capture_the_page_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="does not answer") as told:
        ask_naming(Leave(by=BY), tmp_path)
    assert told.value.hint


def test_whoever_is_not_of_the_pages_user_is_refused_whatever_its_group(tmp_path: Path) -> None:
    desk = Desk()
    others = NamingServer(
        tmp_path / NAMING_SOCKET_NAME, desk, users=frozenset({os.geteuid() + 1}), rest=lambda _seconds: None
    )
    with closing(others), pytest.raises(NotNamedError) as refused:
        ask_naming(Leave(by=BY), tmp_path)
    assert refused.value.reason is Reason.NOT_ASKABLE
    assert desk.asked == []


def test_only_the_group_can_reach_the_socket(run: Path) -> None:
    assert stat.S_IMODE((run / NAMING_SOCKET_NAME).stat().st_mode) == 0o660
