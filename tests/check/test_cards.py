"""Which card the microphone is, and how its gain stands."""

from __future__ import annotations

from typing import Any

import pytest

from device.capture.sound_cards import Card, Identity
from device.check.cards import MixerReader, check_card
from device.check.finding import Findings, Level
from device.config import AlsaMicrophone
from device.errors import MicrophoneError

CARD = Card(3, "Mic", usb_path="1-1.2", serial="A17", product="Table Microphone")


def mixer(controls: dict[str, tuple[tuple[int, ...], bool]]) -> MixerReader:
    def standing(index: int, control: str) -> tuple[tuple[int, ...], bool]:
        assert index == CARD.index
        return controls[control]

    return MixerReader(lambda _index: list(controls), standing)


def checked(controls: dict[str, tuple[tuple[int, ...], bool]], **keys: Any) -> Findings:
    section = AlsaMicrophone(driver="alsa", **keys)
    return check_card("sound card", section, mixer(controls), find=lambda _identity: CARD)


def test_a_card_is_told_by_all_that_could_name_it() -> None:
    (card, gain) = checked({}, serial="A17")
    assert card.level is Level.GOOD
    assert card.what == "Table Microphone (card Mic, in USB socket 1-1.2)"
    assert card.figures["serial"] == "A17"
    assert (gain.level, gain.what) == (Level.GOOD, "the card has none that could be changed")


@pytest.mark.parametrize("device", ["default", "hw:0", "hw:1,0", "plughw:CARD=2,DEV=0", "pulse"])
def test_a_name_that_may_mean_another_card_tomorrow_is_worth_a_look(device: str) -> None:
    (finding,) = checked({}, device=device)
    assert finding.level is Level.LOOK
    assert "usb_path" in finding.hint


@pytest.mark.parametrize("device", ["hw:CARD=Mic,DEV=0", "hw:Mic", "studio"])
def test_a_name_that_holds_the_cards_id_is_good(device: str) -> None:
    (finding,) = checked({}, device=device)
    assert finding.level is Level.GOOD


def test_a_gain_that_nobody_pinned_is_worth_a_look_and_its_controls_are_listed() -> None:
    finding = checked({"Mic": ((30,), False), "Line": ((0,), True)}, card="Mic")[1]
    assert finding.level is Level.LOOK
    assert "Mic, Line" in finding.hint


def test_a_pinned_gain_is_told_as_it_stands_and_as_it_will_be_set() -> None:
    finding = checked({"Mic": ((30, 31), False)}, card="Mic", gain_control="Mic", gain_percent=70)[1]
    assert finding.level is Level.GOOD
    assert finding.what == "Mic is at 30 %, 31 %, and is set to 70 % at each start"
    muted = checked({"Mic": ((30,), True)}, card="Mic", gain_control="Mic", gain_percent=70)[1]
    assert muted.what.startswith("Mic is muted")


def test_a_control_that_the_card_does_not_have_is_bad() -> None:
    finding = checked({"Line": ((30,), False)}, card="Mic", gain_control="Mic", gain_percent=70)[1]
    assert (finding.level, finding.what) == (Level.BAD, "the card has no control Mic")


@pytest.mark.parametrize(("appears_within_s", "level"), [(0, Level.BAD), (3, Level.LOOK)])
def test_a_card_that_is_not_there_is_bad_unless_it_comes_with_the_light(appears_within_s: int, level: Level) -> None:
    def find(_identity: Identity) -> Card:
        raise MicrophoneError("no sound card has the card Mic", "plug it in")

    section = AlsaMicrophone(driver="alsa", card="Mic", appears_within_s=appears_within_s)
    (finding,) = check_card("sound card", section, mixer({}), find=find)
    assert finding.level is level
