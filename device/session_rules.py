"""Guards and effects: the sentences the session table is written in.

A guard is a question about the context and the event; an effect answers with the context as it is afterwards and with
what is to be done. None of them knows in which state it is used: that is the table's affair (``device/session.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from device.session_context import Context, Due, Heard, Timer, name_of
from device.session_events import (
    Action,
    Bookmark,
    Cause,
    Offer,
    PeopleRequest,
    Settle,
    Sound,
    StartFraming,
    StartRecording,
    StopFraming,
    StopRecording,
    Tone,
    TurnOver,
    Withdraw,
)
from device.words import Consent, Fate, least

Outcome: TypeAlias = tuple[Context, tuple[Action, ...]]
Guard: TypeAlias = Callable[[Context, Heard], bool]
Effect: TypeAlias = Callable[[Context, Heard], Outcome]


# -- guards -----------------------------------------------------------------------------------------------------------


def several_people(ctx: Context, _event: Heard) -> bool:
    """More than one person chooses."""
    return ctx.people > 1


def steps_to_none(ctx: Context, _event: Heard) -> bool:
    """One more step takes the consent back."""
    return least(ctx.choices).step(most=ctx.most) is Consent.NONE


def sound_only(ctx: Context, _event: Heard) -> bool:
    """Everybody has allowed the sound, and not everybody the picture."""
    return least(ctx.choices) is Consent.SOUND


def picture_allowed(ctx: Context, _event: Heard) -> bool:
    """Everybody has allowed the picture, too."""
    return least(ctx.choices) is Consent.SOUND_AND_PICTURE


def picture_chosen(ctx: Context, _event: Heard) -> bool:
    """Everybody who has chosen so far, or is about to, has chosen the picture, too."""
    under_way = () if ctx.choice is None else (ctx.choice,)
    return least((*ctx.choices, *under_way)) is Consent.SOUND_AND_PICTURE


def others_to_come(ctx: Context, _event: Heard) -> bool:
    """Somebody after this person has still to choose."""
    return len(ctx.choices) + 1 < ctx.people


def all_allow(ctx: Context, _event: Heard) -> bool:
    """With the choice under way everybody has chosen, and nobody chose none."""
    return len(ctx.chosen) == ctx.people and least(ctx.chosen) is not Consent.NONE


def faults_stand(ctx: Context, _event: Heard) -> bool:
    """The box could not record the next session."""
    return bool(ctx.faults)


def new_fault(ctx: Context, event: Heard) -> bool:
    """A fault that does not stand yet."""
    return name_of(event) not in ctx.faults


def last_fault(ctx: Context, event: Heard) -> bool:
    """No other fault stands."""
    return not ctx.faults - {name_of(event)}


def new_trouble(ctx: Context, event: Heard) -> bool:
    """A trouble that does not stand yet."""
    return name_of(event) not in ctx.troubles


def last_trouble(ctx: Context, event: Heard) -> bool:
    """No other trouble stands."""
    return not ctx.troubles - {name_of(event)}


def durable(ctx: Context, _event: Heard) -> bool:
    """The recording has been sealed."""
    return ctx.sealed


# -- effects: consent -------------------------------------------------------------------------------------------------


def _by_hand(ctx: Context, event: Heard) -> Context:
    return ctx.with_timer(Timer.CONSENT, at_us=event.at_us, after_s=ctx.rules.armed_s)


def consent_step(ctx: Context, event: Heard) -> Outcome:
    """The one person's press: from none to sound, from sound to sound and picture."""
    return replace(_by_hand(ctx, event), choices=(least(ctx.choices).step(most=ctx.most),)), ()


def begin_choosing(ctx: Context, event: Heard) -> Outcome:
    """The first person's first press; whatever had been chosen is gone."""
    return choice_step(replace(ctx, choices=(), choice=None), event)


def choice_step(ctx: Context, event: Heard) -> Outcome:
    """A press of the person whose turn it is."""
    choice = (ctx.choice or Consent.NONE).step(most=ctx.most)
    ctx = _by_hand(ctx, event).with_timer(Timer.CHOICE, at_us=event.at_us, after_s=ctx.rules.choice_ms / 1000)
    return replace(ctx, choice=choice), ()


def end_choice(ctx: Context, event: Heard) -> Outcome:
    """One person has chosen; the next one's turn begins, or there is a consent."""
    ctx = ctx.without(Timer.CHOICE)
    if not isinstance(event, Due):
        ctx = _by_hand(ctx, event)
    return replace(ctx, choices=ctx.chosen, choice=None), ()


def drop_consent(ctx: Context, _event: Heard) -> Outcome:
    """Nobody has allowed anything any more."""
    return replace(ctx, choices=(), choice=None), ()


def note_offer(ctx: Context, event: Heard) -> Outcome:
    """So much can be chosen from now on."""
    return (replace(ctx, offered=event.most) if isinstance(event, Offer) else ctx), ()


def set_people(ctx: Context, event: Heard) -> Outcome:
    """So many people will choose."""
    return (replace(ctx, people=event.people) if isinstance(event, PeopleRequest) else ctx), ()


# -- effects: framing -------------------------------------------------------------------------------------------------


def begin_framing(ctx: Context, event: Heard) -> Outcome:
    """Look through the camera; like any press it renews the consent's time, which bounds it."""
    ctx = replace(_by_hand(ctx, event), framing=ctx.framing + 1)
    return ctx, (StartFraming(ctx.framing, event.at_us),)


def end_framing(ctx: Context, event: Heard) -> Outcome:
    """The camera is closed at once, whatever comes next."""
    return ctx, (StopFraming(ctx.framing, event.at_us),)


# -- effects: recording -----------------------------------------------------------------------------------------------


def start(ctx: Context, event: Heard) -> Outcome:
    """Record what the least choice allows."""
    choices = ctx.chosen
    rules = ctx.rules
    ctx = replace(ctx, choices=choices, choice=None, recording=ctx.recording + 1, sealed=False)
    ctx = ctx.with_timer(Timer.LENGTH, at_us=event.at_us, after_s=rules.max_length_s)
    for timer, before_s in ((Timer.WARNING, rules.warning_s), (Timer.LAST_WARNING, rules.last_warning_s)):
        if rules.max_length_s > before_s:
            ctx = ctx.with_timer(timer, at_us=event.at_us, after_s=rules.max_length_s - before_s)
    return ctx, (StartRecording(ctx.recording, event.at_us, least(choices), choices),)


def bookmark(ctx: Context, event: Heard) -> Outcome:
    """Mark this moment."""
    return ctx, (Bookmark(ctx.recording, event.at_us),)


def open_window(ctx: Context, event: Heard) -> Outcome:
    """The recording is over: its fate is open for two minutes, its consent, people and troubles are gone."""
    ctx = replace(ctx, people=1, choices=(), choice=None, troubles=frozenset(), fate=Fate.KEPT)
    return ctx.with_timer(Timer.WINDOW, at_us=event.at_us, after_s=ctx.rules.window_s), ()


@dataclass(frozen=True)
class Stop:
    """The effect that the recording is stopped and kept."""

    cause: Cause

    def __call__(self, ctx: Context, event: Heard) -> Outcome:
        recording = ctx.recording
        ctx, _ = open_window(ctx, event)
        return ctx, (StopRecording(recording, event.at_us, self.cause),)


def withdraw(ctx: Context, event: Heard) -> Outcome:
    """The devices are closed at once, and the fate is withdrawn."""
    ctx, _ = open_window(ctx, event)
    return replace(ctx, fate=Fate.WITHDRAWN), (Withdraw(ctx.recording, event.at_us),)


def never_began(ctx: Context, _event: Heard) -> Outcome:
    """The devices did not open: no recording, no window, no consent."""
    return replace(ctx, choices=(), choice=None, troubles=frozenset()), ()


# -- effects: the window ----------------------------------------------------------------------------------------------


def turn_over(ctx: Context, event: Heard) -> Outcome:
    """Kept becomes withdrawn, withdrawn becomes kept."""
    fate = Fate.KEPT if ctx.fate is Fate.WITHDRAWN else Fate.WITHDRAWN
    return replace(ctx, fate=fate), (TurnOver(ctx.recording, event.at_us, fate),)


def settle(ctx: Context, event: Heard) -> Outcome:
    """The window is closed, and the fate is final."""
    if ctx.fate is None:
        msg = "no window is open"
        raise TypeError(msg)
    return replace(ctx, fate=None), (Settle(ctx.recording, event.at_us, ctx.fate),)


def note_sealed(ctx: Context, _event: Heard) -> Outcome:
    """The recording is durable."""
    return replace(ctx, sealed=True), ()


def show_white(ctx: Context, event: Heard) -> Outcome:
    """For five seconds."""
    return ctx.with_timer(Timer.WHITE, at_us=event.at_us, after_s=ctx.rules.white_s), ()


# -- effects: what is wrong -------------------------------------------------------------------------------------------


def show_refusal(ctx: Context, event: Heard) -> Outcome:
    """For three seconds."""
    return ctx.with_timer(Timer.REFUSAL, at_us=event.at_us, after_s=ctx.rules.refused_s), ()


def note_fault(ctx: Context, event: Heard) -> Outcome:
    """It stands until it is cleared, whatever is going on."""
    return replace(ctx, faults=ctx.faults | {name_of(event)}), ()


def forget_fault(ctx: Context, event: Heard) -> Outcome:
    """It is over."""
    return replace(ctx, faults=ctx.faults - {name_of(event)}), ()


def note_trouble(ctx: Context, event: Heard) -> Outcome:
    """It stands until it is over or the recording is."""
    return replace(ctx, troubles=ctx.troubles | {name_of(event)}), ()


def forget_trouble(ctx: Context, event: Heard) -> Outcome:
    """It is over."""
    return replace(ctx, troubles=ctx.troubles - {name_of(event)}), ()


@dataclass(frozen=True)
class Say:
    """The effect that the sounder says this."""

    tone: Tone

    def __call__(self, ctx: Context, _event: Heard) -> Outcome:
        return ctx, (Sound(self.tone),)
