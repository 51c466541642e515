"""Where a program's processor time goes: its own functions, wrapped in place, and its threads by their names.

What a part takes is without what the parts inside it take. A look at the clock costs about a microsecond, so only what
is called a few times per period or per chunk may be a part.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from typing import Any


class Stopwatch:
    """Sums up CPU seconds and calls, by part; and CPU seconds of threads, by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._local = threading.local()
        self.cpu_s: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self.threads_s: dict[str, float] = defaultdict(float)

    def wrap(self, part: str, place: str) -> None:
        """Have ``place`` (``module:name`` or ``module:Class.name``) count as that part from now on.

        Raises:
            AttributeError: nothing is called so any more; whoever renamed it has to say so where its name stands.
        """
        module, _, path = place.partition(":")
        *holders, name = path.split(".")
        owner = functools.reduce(getattr, holders, import_module(module))
        setattr(owner, name, self.timed(part, getattr(owner, name)))

    def timed(self, part: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""

        @functools.wraps(real)
        def call(*words: Any, **named: Any) -> Any:
            inside = self._inside()
            inside.append(0)
            began_ns = time.thread_time_ns()
            try:
                return real(*words, **named)
            finally:
                whole_ns = time.thread_time_ns() - began_ns
                own_ns = whole_ns - inside.pop()
                if inside:
                    inside[-1] += whole_ns
                with self._lock:
                    self.cpu_s[part] += own_ns / 1e9
                    self.calls[part] += 1

        return call

    def _inside(self) -> list[int]:
        if not hasattr(self._local, "inside"):
            self._local.inside = []
        stack: list[int] = self._local.inside
        return stack

    def watch_threads(self) -> None:
        """Have every thread that ends from now on told by its name."""
        real = threading.Thread.run

        def run(thread: threading.Thread) -> None:
            try:
                real(thread)
            finally:
                with self._lock:
                    self.threads_s[thread.name] += time.thread_time()

        threading.Thread.run = run  # type: ignore[method-assign]  # of this process, which measures

    def told(self) -> dict[str, Any]:
        """All of it, and the whole process's."""
        return {
            "process_s": time.process_time(),
            "parts_s": dict(self.cpu_s),
            "calls": dict(self.calls),
            "threads_s": dict(self.threads_s),
        }
