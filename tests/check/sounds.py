"""Sound as a microphone delivers it, made to order: each channel is a list of values of which 1 is full scale."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from device.capture.packets import Sound, SoundFormat, Wire
from device.capture.wav import read_wav
from device.check.ear import Ear
from device.check.sound import SoundFigures, figures_of

RATE_HZ = 8_000  # less to make than 48 kHz, and the same to the ear
FULL = 1 << 23
ROOM = Path(__file__).parents[2] / "device" / "capture" / "room.wav"

Channel = Sequence[float]


def noise(seconds: float, dbfs: float, *, seed: int = 7) -> list[float]:
    """Gaussian noise; ``dbfs`` is its RMS."""
    chance, sigma = random.Random(seed), 10 ** (dbfs / 20)
    return [chance.gauss(0, sigma) for _ in range(round(seconds * RATE_HZ))]


def sine(seconds: float, hz: float, dbfs: float) -> list[float]:
    """A tone; ``dbfs`` is its RMS."""
    height = 10 ** (dbfs / 20) * math.sqrt(2)
    return [height * math.sin(2 * math.pi * hz * n / RATE_HZ) for n in range(round(seconds * RATE_HZ))]


def mixed(*channels: Channel) -> list[float]:
    return [sum(values) for values in zip(*channels, strict=True)]


def scaled(channel: Channel, db: float) -> list[float]:
    factor = 10 ** (db / 20)
    return [value * factor for value in channel]


def speech() -> list[float]:
    """The demo's clip: four seconds of a voice in a room, at a sixth of its rate."""
    wav = read_wav(ROOM)
    data = ROOM.read_bytes()[wav.offset :][: wav.samples * 3]
    whole = [int.from_bytes(data[at : at + 3], "little", signed=True) / FULL for at in range(0, len(data), 3)]
    return [sum(group) / 6 for group in zip(*[iter(whole)] * 6, strict=False)][: 4 * RATE_HZ]


def periods(channels: Sequence[Channel], *, wire: Wire = Wire.S24_3LE, start_us: int = 0) -> Iterator[Sound]:
    """The channels in periods of 100 ms, cut off at full scale as a converter does it."""
    sound = SoundFormat(RATE_HZ, len(channels), wire)
    top = (1 << (sound.bits - 1)) - 1
    shift = {Wire.S16_LE: 16, Wire.S24_3LE: 8, Wire.S32_LE: 8}[wire]
    wide = array("i", bytes(4 * len(channels) * len(channels[0])))
    for place, channel in enumerate(channels):
        wide[place :: len(channels)] = array(
            "i", [max(-top - 1, min(top, int(value * top))) << shift for value in channel]
        )
    raw, step = wide.tobytes(), RATE_HZ // 10 * len(channels) * 4
    for number, at in enumerate(range(0, len(raw) - step + 1, step)):
        part = raw[at : at + step]
        kept = 4 - wire.sample_bytes
        data = bytearray(len(part) // 4 * wire.sample_bytes)
        for byte in range(wire.sample_bytes):
            data[byte :: wire.sample_bytes] = part[kept + byte :: 4]
        yield Sound(bytes(data), RATE_HZ // 10, start_us + (number + 1) * 100_000)


def heard(*channels: Channel, wire: Wire = Wire.S24_3LE) -> SoundFigures:
    """What the ear makes of it."""
    ear = Ear(SoundFormat(RATE_HZ, len(channels), wire))
    for period in periods(channels, wire=wire):
        ear.hear(period)
    return figures_of(ear)
