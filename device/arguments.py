"""What the command line's arguments have to be, where that is more than a type. Pure."""

from __future__ import annotations

from argparse import ArgumentTypeError


def size(text: str) -> tuple[int, int]:
    """Width and height of a picture, as ``WxH``, in pixels."""
    width, height = (int(side) for side in text.split("x"))
    if not (16 <= width <= 4096 and 16 <= height <= 4096 and width % 2 == height % 2 == 0):
        raise ArgumentTypeError(f"{text} is not an even width and height from 16 to 4096, such as 1280x720")
    return width, height


def fps(text: str) -> int:
    """Pictures a second."""
    if not 1 <= (pictures := int(text)) <= 120:
        raise ArgumentTypeError(f"{text} is not from 1 to 120")
    return pictures


def minutes(text: str) -> int:
    """The length of a session, in minutes."""
    if not 1 <= (length := int(text)) <= 480:
        raise ArgumentTypeError(f"{text} is not from 1 to 480")
    return length


def speed(text: str) -> float:
    """How many times real time."""
    if not 0.01 <= (times := float(text)) <= 1000:
        raise ArgumentTypeError(f"{text} is not from 0.01 to 1000")
    return times
