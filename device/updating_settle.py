"""Staging a version, and changing over to it: each step is durable before the next one (``device.updating``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

from device.clock import Clock, wait_until
from device.errors import SottoError, UpdateError, what_of
from device.updating import (
    Here,
    Next,
    Offer,
    Staged,
    State,
    check_offer,
    failed,
    next_step,
    noted,
    rank,
    staged_of,
    tried,
    version_of,
)
from device.updating_shelf import VersionShelf
from device.updating_trial import Health, Patience, Quiet, Seen, Trial, Verdict

_LOOK_EVERY_US: Final = 2_000_000

Say: TypeAlias = Callable[[str], None]
"""Tells whoever reads the journal how far it is."""


class Box(Protocol):
    """The machine whose version changes; one caller at a time."""

    def here(self) -> Here:
        """What a version has to fit."""

    def seen(self) -> Seen:
        """What capture publishes now. Never waits for it."""

    def health(self) -> Health:
        """What can be seen of the box now. Takes seconds where a service does not answer."""

    def change_over(self, link: Callable[[], None]) -> None:
        """End the services, do ``link``, mount what it then names, and start the services.

        Raises:
            UpdateError: it could not be mounted, or the services not be started.
        """


def stage(shelf: VersionShelf, box: Box, offer: Offer, pieces: Iterable[bytes]) -> Staged:
    """Bring a version in: checked, written aside, named, remembered. It is not used yet.

    A version that was given up, and one that was staged and not tried yet, is replaced by it. ``pieces`` end without an
    error only where all of the order is what was signed.

    Raises:
        UpdateError: this box does not take it, or it is not what was signed.
        StoreError: it cannot be written, or an update is under way.
    """
    with shelf.mine():
        state = shelf.state()
        check_offer(offer, here=_newest(box.here(), shelf.current()), state=state)
        shelf.tidy(state.model_copy(update={"previous": None}))  # the disk may be small
        staged = staged_of(offer)
        shelf.place(staged, pieces)
        shelf.remember(after := State(order=offer.order, staged=staged))
        shelf.tidy(after)
    return staged


def _newest(here: Here, current: str | None) -> Here:
    """Settled counts, too, where the package's own runs because the image could not be mounted."""
    settled = None if current is None else version_of(current)
    return here if settled is None or rank(settled) <= rank(here.newest) else replace(here, newest=settled)


def settle(shelf: VersionShelf, box: Box, clock: Clock, *, patience: Patience, say: Say) -> None:
    """Do what is to be done about updates: wait until the room is free, change over, look, and keep it.

    Where it does not end well the state says why, and the version on trial is still the one that is mounted: whoever
    started this goes back then (``deb/box/usr/lib/sotto/back``), as after a crash or a kill of this very program.

    Raises:
        UpdateError: the version did not hold, or is not tried any more.
        StoreError: the disk does not do as it should, or an update is under way.
    """
    if next_step(shelf.state(), current=shelf.current()) is Next.TRY:
        _wait_for_a_free_room(box, clock, patience, say)  # may be hours: another order can be staged meanwhile
    with shelf.mine():
        state = shelf.state()
        if state.staged is None:
            return
        match next_step(state, current=shelf.current()):
            case Next.NOTE:
                _note(shelf, state, previous=state.previous)
            case Next.GIVE_UP:
                raise _given_up(shelf, state, state.staged, "it was cut off each time that it was tried")
            case Next.TRY:
                _check_newer(shelf, box, state, state.staged)
                _try(shelf, box, clock, state.staged, patience=patience, say=say)
            case Next.REST:
                pass


def _check_newer(shelf: VersionShelf, box: Box, state: State, staged: Staged) -> None:
    """A package may have come since it was staged, which is as new; never is the version of a box an older one."""
    newest = _newest(box.here(), shelf.current()).newest
    if rank(staged.version) <= rank(newest):
        raise _given_up(shelf, state, staged, f"this box has {newest}")


def _wait_for_a_free_room(box: Box, clock: Clock, patience: Patience, say: Say) -> None:
    quiet = Quiet()
    quiet.see(box.seen(), clock.now_us())
    if not quiet.lasts(patience, clock.now_us()):
        say("a version is staged: waiting until the room is free for a while")
    while not quiet.lasts(patience, clock.now_us()):
        wait_until(clock, clock.now_us() + _LOOK_EVERY_US)
        quiet.see(box.seen(), clock.now_us())


def _try(shelf: VersionShelf, box: Box, clock: Clock, staged: Staged, *, patience: Patience, say: Say) -> None:
    state = shelf.state()
    try:
        shelf.check(staged)
    except SottoError as problem:
        raise _given_up(shelf, state, staged, what_of(problem)) from problem
    shelf.remember(state := tried(state, staged))
    was_in_fault = box.seen().state in ("fault", None)
    say(f"changing over to version {staged.version}")
    try:
        box.change_over(lambda: shelf.use(staged.image))
    except UpdateError as problem:
        raise _given_up(shelf, state, staged, what_of(problem)) from problem
    trial = Trial(staged.version, patience, was_in_fault=was_in_fault, begun_us=clock.now_us())
    while (verdict := trial.see(box.health(), clock.now_us())) is Verdict.WAIT:
        wait_until(clock, clock.now_us() + _LOOK_EVERY_US)
    if verdict is Verdict.BACK:
        raise _given_up(shelf, state, staged, trial.why)
    before = shelf.current()
    shelf.settle(staged.image)
    _note(shelf, state, previous=before)
    say(f"version {staged.version} is settled")


def _note(shelf: VersionShelf, state: State, *, previous: str | None) -> None:
    shelf.remember(after := noted(state, previous=previous))
    shelf.tidy(after)


def _given_up(shelf: VersionShelf, state: State, staged: Staged, why: str) -> UpdateError:
    shelf.remember(failed(state, staged, why))
    return UpdateError(
        f"version {staged.version} is given up: {why}", "the version before it runs; look into the journal"
    )
