"""What `sotto check` says of the clinic's list of people."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.check.finding import Level
from device.check.standing import check_people
from device.clinic_people import PEOPLE_LISTS
from device.config import Config, parse_config
from tests.test_clinic_people import KEY, PUBLIC, a_list
from tests.test_config import TEXT


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A box that gets its people from the clinic, and whose page took list 3."""
    text = TEXT.replace("keys = []", f'roster = "{tmp_path}/roster.json"\nclinic_key = "{PUBLIC.hex()}"')
    text = text.replace('"/var/lib/sotto-web"', f'"{tmp_path}"') + f'\n[people]\nfile = "{tmp_path}/given.json"\n'
    (tmp_path / PEOPLE_LISTS.file_name).write_bytes(PEOPLE_LISTS.sign(a_list(number=3), KEY))
    return parse_config(text)


def test_a_list_that_the_page_takes_is_good(config: Config) -> None:
    assert config.people is not None
    config.people.file.write_bytes(PEOPLE_LISTS.sign(a_list(number=4), KEY))
    (found,) = check_people(config)
    assert (found.level, found.figures) == (Level.GOOD, {"people_list": 4, "count": 3})


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (None, "cannot be read"),
        (PEOPLE_LISTS.sign(a_list(number=4), KEY).replace(b'"cy"', b'"cz"'), "was changed"),
        (PEOPLE_LISTS.sign(a_list(number=2), KEY), "took number 3 before"),
        (PEOPLE_LISTS.sign(a_list(number=4, boxes=("Room 9",)), KEY), "for other boxes"),
    ],
)
def test_one_that_it_does_not_take_is_bad_and_told_with_what_to_do(
    config: Config, document: bytes | None, why: str
) -> None:
    assert config.people is not None
    if document is not None:
        config.people.file.write_bytes(document)
    (found,) = check_people(config)
    assert found.level is Level.BAD
    assert why in found.what
    assert found.hint


def test_a_box_that_makes_its_people_on_its_page_is_told_nothing() -> None:
    assert check_people(parse_config(TEXT)) == []
