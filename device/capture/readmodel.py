"""The published status, made from what the service knows."""

from __future__ import annotations

from dataclasses import dataclass

from device.capture.health import Health
from device.capture.recorder import Recorder
from device.capture.take import Take
from device.clock import Clock, wire_time
from device.panel_language import Face, Lamp, notes
from device.session import Session
from device.session_context import Timer
from device.session_events import State, Tone
from device.status import (
    FramingStatus,
    LampStatus,
    LastStatus,
    LevelStatus,
    MachineStatus,
    PanelStatus,
    RecordingStatus,
    Status,
)


@dataclass(slots=True)
class Sounder:
    """What the sounder said last, and how often it has spoken."""

    tone: Tone | None = None
    tones: int = 0

    def say(self, tone: Tone) -> None:
        """Note a tone."""
        self.tone = tone
        self.tones += 1


def make_status(
    *,
    box: str,
    simulated: tuple[str, ...],
    clock: Clock,
    session: Session,
    shown: Face,
    sounder: Sounder,
    recorder: Recorder,
    health: Health,
    warnings: tuple[tuple[str, str], ...],
) -> Status:
    """Everything the page may know, as of now."""
    now_us = clock.now_us()
    utc = clock.utc()
    take = recorder.find(session.recording)
    framing = session.state is State.FRAMING
    return Status(
        box=box,
        simulated=simulated,
        published=wire_time(utc),
        published_unix_s=utc.timestamp(),
        state=session.state,
        consent=session.consent,
        choices=session.context.choices,
        people=session.people,
        armed_left_s=_seconds_left(session, Timer.CONSENT, now_us),
        panel=_panel(shown, sounder),
        level=_level(take),
        recording=_recording(take, session, now_us) if take and session.state.records else None,
        framing=FramingStatus(devices_open=("camera",) * recorder.framing_open) if framing else None,
        last=_last(take, session, now_us),
        sealing=sum(not other.sealed for other in recorder.takes if other is not take or not session.state.records),
        faults=_faults(session, health),
        store_free_bytes=health.free_bytes,
        store_minutes_left=health.minutes_left,
        clock_trusted=clock.trusted(),
        room_for_picture=not session.context.scant,
        recovering=health.recovering,
        on_duty=recorder.on_duty(now_us),
        warnings=warnings,
        machine=_machine(health),
    )


def _seconds_left(session: Session, timer: Timer, now_us: int) -> float | None:
    due_us = session.context.timers.get(timer)
    return None if due_us is None else max(0.0, round((due_us - now_us) / 1_000_000, 1))


def _panel(shown: Face, sounder: Sounder) -> PanelStatus:
    first, second = (_lamp(lamp) for lamp in shown.lamps)
    tones = () if sounder.tone is None else tuple((note.hz, note.ms) for note in notes(sounder.tone))
    return PanelStatus(
        room_light=shown.room_light,
        lamps=(first, second),
        tone=sounder.tone,
        tones=sounder.tones,
        tone_notes=tones,
    )


def _lamp(lamp: Lamp) -> LampStatus:
    return LampStatus(colour=lamp.colour, pattern=lamp.pattern, beats_ms=lamp.pattern.beats_ms)


def _level(take: Take | None) -> LevelStatus | None:
    if take is None or take.level is None or not take.devices_open:
        return None
    loudness = take.level.loudness_lufs
    return LevelStatus(
        peak_dbfs=round(take.level.peak_dbfs, 1),
        loudness_lufs=None if loudness is None else round(loudness, 1),
        above_floor=take.above_floor,
    )


def _recording(take: Take, session: Session, now_us: int) -> RecordingStatus:
    return RecordingStatus(
        id=take.facts.recording_id or None,
        consent=take.facts.beginning.consent,
        elapsed_us=max(0, take.facts.from_zero(now_us)),
        durable_us=take.durable_us,
        size_bytes=take.size_bytes,
        devices_open=take.devices_open,
        troubles=tuple(sorted(session.troubles)),
        pictures=take.pictures,
        ends_in_s=_seconds_left(session, Timer.LENGTH, now_us),
    )


def _last(take: Take | None, session: Session, now_us: int) -> LastStatus | None:
    if session.fate is None:
        return None
    return LastStatus(
        id=take.facts.recording_id or None if take else None,
        fate=session.fate,
        sealed=take.sealed if take else True,
        window_left_s=_seconds_left(session, Timer.WINDOW, now_us) or 0.0,
        end=take.facts.end if take else None,
    )


def _machine(health: Health) -> MachineStatus:
    read = health.surroundings.machine
    return MachineStatus(temperature_c=read.temperature_c, under_voltage=read.under_voltage)


def _faults(session: Session, health: Health) -> tuple[tuple[str, str], ...]:
    hints = {problem.what: problem.hint for problem in health.problems}
    return tuple((what, hints.get(what, "look at the panel, then ask your admin")) for what in sorted(session.faults))
