"""Which sound card the microphone is, and how its gain stands; nothing is opened but the mixer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.capture.sound_cards import Card, Identity, find_card
from device.check.finding import Finding, Findings, bad, from_error, good, look
from device.config import AlsaMicrophone
from device.errors import MicrophoneError, SottoError

# Names that mean another card tomorrow: ALSA's default, and cards by the number under which they were found.
_FICKLE: Final = re.compile(r"default|sysdefault|pulse|pipewire|(plug)?hw:(CARD=)?\d+(,.*)?")
_PIN_HINT: Final = "name it by card, usb_path or serial in the configuration"


@dataclass(frozen=True, slots=True)
class MixerReader:
    """How a card's capture gain is read; as ``device.capture.alsa`` does it. Both raise ``MicrophoneError``."""

    controls: Callable[[int], list[str]]
    standing: Callable[[int, str], tuple[tuple[int, ...], bool]]


def check_card(
    name: str,
    section: AlsaMicrophone,
    mixer: MixerReader,
    *,
    find: Callable[[Identity], Card] = find_card,
) -> Findings:
    """Look for the card of a microphone, and at its gain. ``name``: what to call it."""
    if section.device is not None:
        return [_by_name(name, section.device)]
    try:
        card = find(Identity(card=section.card, usb_path=section.usb_path, serial=section.serial))
    except MicrophoneError as problem:
        if section.appears_within_s:
            return [look(name, f"{problem.what} while the light is off", "the room test will show whether it appears")]
        return [from_error(name, problem)]
    where = f", in USB socket {card.usb_path}" if card.usb_path else ""
    what = f"{card.product or card.id} (card {card.id}{where})"
    found = good(name, what, card=card.id, usb_path=card.usb_path, serial=card.serial, product=card.product)
    try:
        return [found, *_gain(name, section, card, mixer)]
    except SottoError as problem:
        return [found, from_error(f"{name}'s gain", problem)]


def _by_name(name: str, device: str) -> Finding:
    if _FICKLE.fullmatch(device):
        return look(name, f"ALSA's {device}, which may be another one after a restart", _PIN_HINT, device=device)
    return good(name, f"ALSA's {device}", device=device)


def _gain(name: str, section: AlsaMicrophone, card: Card, mixer: MixerReader) -> Findings:
    there = mixer.controls(card.index)
    name = f"{name}'s gain"
    if section.gain_control is None:
        if not there:
            return [good(name, "the card has none that could be changed", controls=there)]
        hint = f"pin one with gain_control and gain_percent; there are: {', '.join(there)}"
        return [look(name, "not pinned: a reboot, or a program, may change it", hint, controls=there)]
    if section.gain_control not in there:
        hint = f"there are: {', '.join(there) or 'none'}"
        return [bad(name, f"the card has no control {section.gain_control}", hint, controls=there)]
    percents, muted = mixer.standing(card.index, section.gain_control)
    stands = "muted" if muted else f"at {', '.join(f'{percent} %' for percent in percents)}"
    what = f"{section.gain_control} is {stands}, and is set to {section.gain_percent} % at each start"
    return [good(name, what, percents=[str(percent) for percent in percents], muted=muted, controls=there)]
