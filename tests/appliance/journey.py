"""What happened on the way from a stock card to an opened recording, and how long it took: ``docs/journey.md``."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.appliance.vm import Vm

_MOST_LINES: Final = 14
_MOST_LETTERS: Final = 40
_LONG: Final = re.compile(rf"\S{{{2 * _MOST_LETTERS},}}")


@dataclass
class Step:
    """One step: what it was, what was said, and how long it took, here and by the box's own clock."""

    title: str
    lines: list[str] = field(default_factory=list)
    took_s: float = 0.0
    box_took_s: float | None = None


class Journey:
    """Keeps the steps as they happen. ``machine``: what is emulated; ``box``: the one that is on, if one is."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self.steps: list[Step] = []
        self.box: Vm | None = None

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Something that is told and timed; by a box's clock only where the same box is on throughout."""
        step = Step(title)
        self.steps.append(step)
        box, began_s = self.box, time.monotonic()
        box_began_s = box.agent.monotonic_s() if box else 0.0
        yield step
        step.took_s = time.monotonic() - began_s
        if box is not None and box is self.box:
            step.box_took_s = box.agent.monotonic_s() - box_began_s

    def say(self, *lines: str) -> None:
        """Add lines to the step that is under way."""
        self.steps[-1].lines.extend(lines)

    def run(self, words: list[str], *, within: tuple[str, ...] = (), shown: dict[str, str] | None = None) -> str:
        """Run a command that has to succeed, and keep what was typed and said; ``shown``: paths by shorter names."""
        done = subprocess.run([*within, *words], capture_output=True, text=True, check=False)
        text = f"$ {shlex.join(words)}\n{done.stdout}{done.stderr}"
        for path, name in (shown or {}).items():
            text = text.replace(path, name)
        text = _LONG.sub(lambda word: f"{word[0][:_MOST_LETTERS]}…", text)
        self.say(*shortened(text.splitlines()))
        assert done.returncode == 0, text
        return done.stdout

    def write(self, path: Path) -> None:
        """The whole of it, as a page."""
        path.write_text("\n".join(self._page()) + "\n", encoding="utf-8")

    def _page(self) -> Iterator[str]:
        yield "# From a stock card to an opened recording"
        yield ""
        yield "Written by `make appliance-way` (`tests/appliance/test_appliance_way.py`) as it went; nobody touched"
        yield f"anything. The box is emulated ({self.machine}, no help of the hardware, beside other work): no time"
        yield "here says anything about a Raspberry Pi. Its own time is that of its clock, which counts instructions."
        yield ""
        yield "| step | here, s | box, s |"
        yield "|---|---:|---:|"
        for step in self.steps:
            box = "" if step.box_took_s is None else f"{step.box_took_s:.1f}"
            yield f"| {step.title} | {step.took_s:.1f} | {box} |"
        for step in self.steps:
            if step.lines:
                yield from ("", f"## {step.title[:1].upper()}{step.title[1:]}", "")
                yield from (f"    {line}".rstrip() for line in step.lines)


def shortened(lines: list[str]) -> list[str]:
    """Of many lines the first and the last ones."""
    if len(lines) <= _MOST_LINES:
        return lines
    head, tail = lines[: _MOST_LINES // 2], lines[-_MOST_LINES // 2 + 1 :]
    return [*head, f"[{len(lines) - len(head) - len(tail)} lines more]", *tail]
