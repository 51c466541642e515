"""What of a session goes into the audit log: who pressed what to which end, and what became of the recording; pure.

Read off what the session machine heard and answered, so that nothing which it does can be forgotten here. Nobody is
named: a button says which side it is on, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from device.errors import MissingPackageError, RecipientError, SottoError, StoreError, StoreFullError
from device.press import Both, Down, Freed, Hold, Press, Stuck
from device.recording.audited import OTHER, Happened, Plain, What, Who, word
from device.recording.manifest import GapFact, Manifest
from device.session import Session
from device.session_events import (
    Action,
    Ended,
    Event,
    Failed,
    FramingLost,
    PeopleRequest,
    Settle,
    Sound,
    StartFraming,
    StartRecording,
    State,
    StopFraming,
    StopRecording,
    StopRequest,
    Tick,
    Tone,
    Trouble,
    TurnOver,
    Well,
    Withdraw,
)
from device.words import Button, Consent

_REFUSED = {State.FAULT: "fault", State.CHOOSING: "no consent", State.IDLE: "no consent", State.REFUSED: "no consent"}

FindId = Callable[[int], str | None]
"""The id of the recording of an ordinal, once it has one."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a session stood before it heard something."""

    state: State
    consent: Consent

    @classmethod
    def of(cls, session: Session) -> Stand:
        """Where it stands now."""
        return cls(session.state, session.consent)


def trail_of(
    event: Event, actions: Sequence[Action], *, before: Stand, session: Session, find_id: FindId
) -> Iterator[Happened]:
    """What to write down of an event that the machine has answered with ``actions``."""
    yield from _of_event(event, actions, before=before, find_id=find_id)
    for action in actions:
        if isinstance(action, StartRecording) and action.consent is not before.consent:
            yield _consent(event, action.consent, people=len(action.choices))  # the last choice and the start were one
        if (happened := _of_action(action, event, find_id=find_id)) is not None:
            yield happened
    after = Stand.of(session)
    if after.consent is not before.consent and not (before.state.records or after.state.records):
        yield _consent(event, after.consent, people=session.people)


def _consent(event: Event, consent: Consent, *, people: int) -> Happened:
    """Consent as it is now: given or changed by the one hand that can, or gone again, by whatever took it away."""
    facts: dict[str, Plain] = {"consent": consent.value, "people": people}
    if consent is not Consent.NONE:
        return Happened(What.CONSENT, by=Who.CLIENT, facts=facts)
    if isinstance(event, Tick | Both):
        facts["cause"] = "nobody pressed" if isinstance(event, Tick) else "both buttons"
    return Happened(What.CONSENT, by=_by(event), facts=facts)


def _by(event: Event) -> Who | None:
    """Whose doing it is; nobody knows whose two hands were on both buttons."""
    match event:
        case Down(button=button) | Press(button=button) | Hold(button=button):
            return Who.CLIENT if button is Button.CONSENT else Who.THERAPIST
        case StopRequest() | PeopleRequest():
            return Who.PAGE
        case Both():
            return None
        case _:
            return Who.BOX


def _of_event(event: Event, actions: Sequence[Action], *, before: Stand, find_id: FindId) -> Iterator[Happened]:
    match event:
        case Down(button=Button.RECORD) | Press(button=Button.RECORD) | Hold(button=Button.RECORD):
            if Sound(Tone.THREE_LOW) in actions:
                facts = {"cause": _REFUSED.get(before.state, "window open")}
                yield Happened(What.START_REFUSED, by=Who.THERAPIST, facts=facts)
        case Failed(recording=take):
            yield Happened(What.START_FAILED, find_id(take), Who.BOX, {"take": take})
        case Trouble(recording=take, name=name):
            yield Happened(What.TROUBLE, find_id(take), Who.BOX, {"take": take, "trouble": word("trouble", name)})
        case Well(recording=take, name=name):
            yield Happened(What.WELL, find_id(take), Who.BOX, {"take": take, "trouble": word("trouble", name)})
        case Ended(recording=take, cause=cause):
            told = word("cause", cause)
            yield Happened(
                What.STOP, find_id(take), Who.BOX, {"take": take, "cause": "by itself" if told == OTHER else told}
            )
        case FramingLost() if before.state is State.FRAMING:
            yield Happened(What.FRAMING_ENDED, by=Who.BOX, facts={"cause": "camera gone"})
        case Stuck(button=button):
            yield Happened(What.TROUBLE, by=Who.BOX, facts={"trouble": "stuck button", "button": button.value})
        case Freed(button=button):
            yield Happened(What.WELL, by=Who.BOX, facts={"trouble": "stuck button", "button": button.value})


def _of_action(action: Action, event: Event, *, find_id: FindId) -> Happened | None:
    by = _by(event)
    match action:
        case StartFraming() | StopFraming():
            return Happened(What.FRAMING_BEGUN if isinstance(action, StartFraming) else What.FRAMING_ENDED, by=by)
        case StartRecording(recording=take, consent=consent, choices=choices):
            facts: dict[str, Plain] = {"take": take, "consent": consent.value, "people": len(choices)}
            return Happened(What.START, by=by, facts=facts)
        case StopRecording() | Withdraw() | TurnOver() | Settle():
            what, told = _ending(action)
            who = Who.BOX if what is What.SETTLED else by
            return Happened(what, find_id(action.recording), who, {"take": action.recording, **told})
        case _:
            return None


def _ending(action: StopRecording | Withdraw | TurnOver | Settle) -> tuple[What, dict[str, Plain]]:
    match action:
        case StopRecording(cause=cause):
            return What.STOP, {"cause": word("cause", str(cause))}
        case Withdraw():
            return What.WITHDRAWN, {}
        case TurnOver(fate=fate):
            return What.TURNED_OVER, {"fate": fate.value}
        case Settle(fate=fate):
            return What.SETTLED, {"fate": fate.value}


def begun(recording_id: str, take: int, *, therapist: str | None = None) -> Happened:
    """The recording has its id and its folder. ``therapist``: the mark of who was checked in."""
    facts: dict[str, Plain] = {"take": take} if therapist is None else {"take": take, "therapist": therapist}
    return Happened(What.BEGUN, recording_id, Who.BOX, facts)


def sealed(manifest: Manifest) -> Happened:
    """The recording is closed and durable, as its manifest says."""
    facts: dict[str, Plain] = {
        "state": word("state", manifest.state),
        "chunks": manifest.chunks,
        "duration_us": manifest.duration_us,
        "gaps": len(manifest.gaps),
    }
    if manifest.digest is not None:
        facts["digest"] = manifest.digest
    return Happened(What.SEALED, manifest.id, Who.BOX, facts)


def gap_of(recording_id: str, gap: GapFact) -> Happened:
    """Sound is missing: exactly so much."""
    facts: dict[str, Plain] = {
        "start_sample": gap.start_sample,
        "samples": gap.samples,
        "cause": word("cause", gap.cause),
    }
    return Happened(What.GAP, recording_id, Who.BOX, facts)


def erased(recording_id: str, *, by: Who, digest: str | None) -> Happened:
    """The recording is gone, and a certificate is left."""
    return Happened(What.ERASED, recording_id, by, {} if digest is None else {"digest": digest})


def faults(problems: Iterable[SottoError]) -> Happened:
    """What keeps the box from recording now; nothing, once all of it is over."""
    return Happened(
        What.FAULTS, by=Who.BOX, facts={"standing": tuple(sorted({_kind(problem) for problem in problems}))}
    )


def _kind(problem: SottoError) -> str:
    kinds: tuple[tuple[type[SottoError], str], ...] = (
        (StoreFullError, "store full"),
        (StoreError, "store"),
        (RecipientError, "recipient"),
        (MissingPackageError, "package"),
    )
    return next((name for kind, name in kinds if isinstance(problem, kind)), OTHER)
