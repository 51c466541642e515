r"""The draw: which recordings, and which slices of them; pure, and the same for whoever repeats it.

Everything is decided by ``H``, the SHA-256 of some words, each with a newline behind it, so that `sha256sum` is all
that is needed to repeat it by hand:

    printf 'sotto sample 1\nrecording\n%s\n%s\n' SEED RECORDING | sha256sum

- A recording's *rank* is ``H("sotto sample 1", "recording", seed, id)``. Of n that are wanted those with the n lowest
  ranks are drawn: each set of n is as likely as any other, and no order of files and no other recording changes a rank.
- Between what is left out at both ends lie whole seconds, cut into equal parts, one for each slice. A slice starts at a
  second that is drawn from all that leave it whole within its part: the first 16 hex digits of
  ``H("sotto sample 1", "slice", seed, id, part, try)``, as a number, modulo how many there are. Numbers in the last,
  uneven stretch below 2^64 would favour the early seconds: they are thrown away, and the next try counts. Tries and
  parts count from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, pairwise
from typing import Final

from provisioning.sampling.protocol import DrawPart, SlicesPart
from provisioning.times import SECOND_US

_FORMAT: Final = "sotto sample 1"
_ALL: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class Member:
    """A recording that can be drawn: its id, its length, and whose it is (a mark; ``None``: nobody was on duty)."""

    recording: str
    duration_us: int
    therapist: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A slice that was drawn, in seconds of its recording."""

    recording: str
    from_s: int
    until_s: int

    def line(self) -> str:
        """It as the digest of a draw has it."""
        return f"{self.recording} {self.from_s} {self.until_s}\n"


def parts_of(member: Member, slices: SlicesPart) -> list[tuple[int, int]] | None:
    """The parts of a recording, in seconds, in each of which a slice lies; ``None`` where it is too short for them."""
    first, last = slices.skip_start, member.duration_us // SECOND_US - slices.skip_end
    bounds = [first + (last - first) * number // slices.each for number in range(slices.each + 1)]
    parts = list(pairwise(bounds))
    return parts if all(end - start >= slices.length for start, end in parts) else None


def draw(seed: str, population: Iterable[Member], wanted: DrawPart, slices: SlicesPart) -> tuple[Drawn, ...]:
    """What is drawn, by rank; of fewer recordings than are wanted, all.

    ``population``: each once, in any order, and none that is too short (ValueError).
    """
    ranked = sorted(population, key=lambda member: rank(seed, member.recording))
    if wanted.each_therapist is None:
        chosen = ranked[: wanted.recordings]
    else:
        chosen = list(_first_of_each(ranked, wanted.each_therapist))
    return tuple(drawn for member in chosen for drawn in _slices(seed, member, slices))


def rank(seed: str, recording: str) -> str:
    """By what a recording is drawn before another (64 hex digits)."""
    return _h("recording", seed, recording)


def number_below(seed: str, recording: str, part: int, below: int) -> int:
    """A number from 0 to ``below - 1``, each as likely as the others."""
    even = _ALL - _ALL % below
    tries = (int(_h("slice", seed, recording, str(part), str(attempt))[:16], 16) for attempt in count())
    return next(number for number in tries if number < even) % below


def digest_of(drawn: Sequence[Drawn]) -> str:
    """What the log says of a draw: the SHA-256 of its lines, one for each slice."""
    return sha256("".join(one.line() for one in drawn).encode()).hexdigest()


def _slices(seed: str, member: Member, slices: SlicesPart) -> Iterable[Drawn]:
    parts = parts_of(member, slices)
    if parts is None:
        raise ValueError("a recording that is too short is in no population")
    for number, (start, end) in enumerate(parts):
        from_s = start + number_below(seed, member.recording, number, end - start - slices.length + 1)
        yield Drawn(member.recording, from_s, from_s + slices.length)


def _first_of_each(ranked: Iterable[Member], most: int) -> Iterable[Member]:
    taken: Counter[str | None] = Counter()
    for member in ranked:
        taken[member.therapist] += 1
        if taken[member.therapist] <= most:
            yield member


def _h(*words: str) -> str:
    return sha256("".join(f"{word}\n" for word in (_FORMAT, *words)).encode()).hexdigest()
