"""The vocabulary of the audit log: nobody can be named in it."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audit_requests import NoteRequest
from device.capture import feeds, microphone, pipeline, take
from device.capture.backlog import _SLOW_STORAGE
from device.config import Config, parse_config
from device.config_marks import changed, digest_of_config, marks_of, start_of
from device.demo import DemoChoices, demo_config
from device.people.person import new_mark
from device.recording.audited import WORDS, Happened, What, is_fact
from device.recording.manifest import RecordingState
from device.session_events import Cause
from tests.audit.logs import ID

MARKS = ("person", "whom", "therapist")
KEYS = ("added", "only", "opened_by")
DIGESTS = ("header", "header_before", "protocol", "seed", "population", "drawn", "blinding")
NAMES = sorted(
    {
        *WORDS,
        *MARKS,
        *KEYS,
        *DIGESTS,
        "people",
        "digest",
        "version",
        "standing",
        "keys",
        "settings",
        "granted",
        "config",
    }
)
FREE_TEXT = ["Anna Meier", "anna", "ANNA", "a@b.ch", "wants to talk about her mother", "12.03.1980", "756.1234.5678.97"]


@pytest.mark.parametrize("text", FREE_TEXT)
def test_nobody_can_be_named_in_any_fact(text: str) -> None:
    for name in [*NAMES, "label", "note", "client", text]:
        for value in (text, (text,), {text: text}, {"session.label": text}):
            assert not is_fact(name, value), (name, value)
            with pytest.raises(ValueError, match="no words"):
                Happened(What.VIEW, facts={name: value})
    with pytest.raises(ValueError, match="not the id of a recording"):
        Happened(What.VIEW, text)


@given(name=st.sampled_from(NAMES) | st.text(max_size=20), value=st.text(max_size=60))
def test_whatever_text_there_is_only_our_own_words_and_digests_get_in(name: str, value: str) -> None:
    if is_fact(name, value):
        assert value in WORDS.get(name, ()) or set(value) <= set("0123456789abcdef.rcp")


def test_an_id_with_the_right_shape_is_the_only_text_beside_the_facts() -> None:
    assert Happened(What.VIEW, ID).as_json() == {"what": "view", "recording": ID}


def test_there_is_a_word_for_everything_that_the_box_itself_says() -> None:
    assert {*map(str, Cause), take.SILENCE, take.STORE_FULL} <= WORDS["cause"]
    gaps = (feeds._GONE, microphone._TOO_LATE, pipeline._UNTOLD, _SLOW_STORAGE)
    assert set(gaps) <= WORDS["cause"]
    of_sound = {take.NO_SOUND, take.LONG_SILENCE, take.MICROPHONE_GONE, take.SECOND_MICROPHONE}
    assert of_sound | {take.NO_PICTURE, take.STORAGE_SLOW} <= WORDS["trouble"]
    assert set(RecordingState) <= WORDS["state"]


@pytest.mark.parametrize("name", MARKS)
def test_a_person_is_a_mark_and_nothing_else(name: str) -> None:
    assert is_fact(name, new_mark())
    for other in ("", "anna", "0123456789a", "0123456789abc", "0123456789AB", True, 12, ("0123456789ab",)):
        assert not is_fact(name, other)


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_named_by_its_id_and_never_by_itself(name: str) -> None:
    assert is_fact(name, ("0123456789abcdef", "f" * 16))
    for other in ("0123456789abcdef", ("age1qqqq",), ("0123456789abcde",), ("0123456789ABCDEF",), ("Anna",), 5):
        assert not is_fact(name, other)


def test_what_the_page_does_is_noted_with_whose_doing_it_was() -> None:
    mark = new_mark()
    login = NoteRequest(what="login", person=mark, door="page", way="password", granted=True).happened()
    assert login is not None
    assert login.facts == {"person": mark, "door": "page", "way": "password", "granted": True}
    changed = NoteRequest(what="person changed", person=mark, whom=new_mark(), change="roles").happened()
    assert changed is not None
    assert changed.what is What.PERSON_CHANGED


@pytest.mark.parametrize("text", FREE_TEXT)
def test_what_the_page_says_of_people_in_other_words_is_not_noted(text: str) -> None:
    for field in ("person", "whom", "door", "way", "change", "of", "recording"):
        assert NoteRequest.model_validate({"what": "view", field: text}).happened() is None


# -- the configuration ------------------------------------------------------------------------------------------------


def config(tmp_path: Path, **replaced: str) -> Config:
    text = demo_config(DemoChoices(tmp_path, 8300, None, picture=True), "age1x")
    for old, new in replaced.items():
        text = text.replace(old, new)
    return parse_config(text)


def test_the_keys_that_changed_are_named_and_no_value_is(tmp_path: Path) -> None:
    before, after = config(tmp_path), config(tmp_path, age1x="age1y")
    first = start_of(before, b"secret", ())
    assert [happened.what for happened in first] == [What.BOX_STARTED]
    again = start_of(before, b"secret", [first[0].as_json()])
    assert [happened.what for happened in again] == [What.BOX_STARTED]
    later = start_of(after, b"secret", [{"what": "gap"}, first[0].as_json()])
    assert [happened.what for happened in later] == [What.BOX_STARTED, What.CONFIG_CHANGED]
    assert later[1].facts == {"config": digest_of_config(after), "keys": ("recipients.keys",)}
    assert "age1" not in str([happened.as_json() for happened in later])
    assert str(tmp_path) not in str([happened.as_json() for happened in later])


def test_a_section_that_came_or_went_is_a_change_of_its_keys(tmp_path: Path) -> None:
    before = marks_of(config(tmp_path), b"secret")
    after = marks_of(config(tmp_path, **{"[camera]\ndriver": "[camera]\nfps = 5\ndriver"}), b"secret")
    assert changed(before, after) == ("camera.fps",)
    assert changed({}, before) == tuple(sorted(before))


def test_a_mark_says_nothing_to_whoever_has_not_the_key(tmp_path: Path) -> None:
    assert not set(marks_of(config(tmp_path), b"secret").values()) & set(marks_of(config(tmp_path), b"other").values())


def test_every_key_of_the_configuration_can_be_named(tmp_path: Path) -> None:
    assert is_fact("settings", marks_of(config(tmp_path), b"secret"))
    names = tuple(f"{section}.{key}" for section, kind in get_type_hints(Config).items() for key in _keys(kind))
    assert names
    assert is_fact("keys", names)


def _keys(section: object) -> list[str]:
    return list(getattr(section, "__struct_fields__", ()))
