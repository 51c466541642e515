"""Passwords: which are good enough, and how the box knows one again. The only home of ``argon2``."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from device.people.refused import Reason, RefusedError

LEAST_LETTERS: Final = 12
MOST_LETTERS: Final = 200
_LEAST_DIFFERENT: Final = 6
_MOST_STEPS_OF_A_RUN: Final = 3
_TRIED_FIRST: Final = ("sotto", "password", "passwort", "kennwort", "qwertyuiop", "qwertzuiop", "letmein", "welcome")
# RFC 9106, section 4, the second choice, on one lane: the other cores of the box are for sound and picture.
_MEMORY_KIB: Final = 64 * 1024
_PASSES: Final = 3
# Each costs memory and a part of a second. Who comes when so many wait is told so at once, and holds up no thread.
_MOST_WAITING: Final = 2


def check_new_password(password: str, *, about: tuple[str, ...]) -> None:
    """Whether a password may be chosen: long, and not made of what everybody knows (NIST SP 800-63B, 5.1.1.2).

    ``about``: words that others would try first: login, name, the box's name.

    Raises:
        RefusedError: it is too easy.
    """
    plain = password.casefold()
    for word in sorted(_words((*about, *_TRIED_FIRST)), key=len, reverse=True):
        plain = plain.replace(word, "")
    long_enough = LEAST_LETTERS <= len(password) <= MOST_LETTERS
    if not long_enough or len(set(plain)) < _LEAST_DIFFERENT or _is_a_run(plain):
        raise RefusedError(Reason.PASSWORD)


def _words(texts: tuple[str, ...]) -> set[str]:
    return {word for text in texts for word in re.split(r"\W+", text.casefold()) if len(word) > 2}


def _is_a_run(plain: str) -> bool:
    """Whether each letter follows from the one before, as in 123456789012 or abcdefgh."""
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    return len(steps) <= _MOST_STEPS_OF_A_RUN


class Passwords:
    """Makes what the box keeps of a password, and compares. Safe for many threads, one password at a time."""

    def __init__(self, *, memory_kib: int = _MEMORY_KIB, passes: int = _PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._one = threading.Lock()
        self._places = threading.BoundedSemaphore(_MOST_WAITING + 1)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(16))

    def kept(self, password: str) -> str:
        """What the box keeps: argon2's own text, with its salt and its settings.

        Raises:
            RefusedError: too many are waiting.
        """
        with self._turn():
            return self._hasher.hash(password)

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether it is the one; where there is none, that takes as long to find out.

        Raises:
            RefusedError: too many are waiting.
        """
        with self._turn():
            try:
                return self._hasher.verify(kept or self._nobodys, password[: MOST_LETTERS + 1])
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, kept: str) -> bool:
        """Whether it was kept with settings that are no longer ours."""
        return self._hasher.check_needs_rehash(kept)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise RefusedError(Reason.BUSY)
        try:
            with self._one:
                yield
        finally:
            self._places.release()
