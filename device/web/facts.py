"""The facts of one recording in words: its manifest, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device.recording.manifest import ConsentEvent, GapFact, Manifest
from device.web.says import consent_text
from device.web.texts import TEXTS, text
from device.web.wording import When, clock_text, decibels_text, when

_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Happened:
    """Something on the timeline; ``kind`` is consent, gap, picture or bookmark."""

    kind: str
    at: str
    what: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page of one recording says beyond its row."""

    ended: When | None
    end: str | None
    sound: str
    picture: str
    levels: str
    timeline: tuple[Happened, ...]
    recipients: tuple[str, ...]
    digest: str


def facts_of(manifest: Manifest) -> Facts:
    """The manifest in words."""
    return Facts(
        ended=when(manifest.ended) if manifest.ended else None,
        end=TEXTS.get(f"end.{manifest.end}", manifest.end),
        sound=_sound(manifest),
        picture=_picture(manifest),
        levels=_levels(manifest),
        timeline=_timeline(manifest),
        recipients=manifest.recipients,
        digest=text("facts.digest.value", digest=manifest.digest, chunks=manifest.chunks)
        if manifest.digest
        else text("facts.unknown"),
    )


def _sound(manifest: Manifest) -> str:
    sound = manifest.sound
    if sound is None:
        return text("facts.none")
    drift = "" if sound.drift_ppm is None else f", {text('facts.drift', ppm=f'{sound.drift_ppm:+.0f}')}"
    channels = text("facts.mono") if sound.channels == 1 else text("facts.channels", count=sound.channels)
    track = text(
        "facts.sound_track.value",
        codec=sound.codec.upper(),
        bits=sound.bits,
        khz=f"{sound.rate_hz / 1000:g}",
        channels=channels,
        microphone=", ".join(microphone.name for microphone in sound.microphones),
    )
    return track + drift


def _picture(manifest: Manifest) -> str:
    picture = manifest.picture
    if picture is None:
        return text("facts.none")
    line = text("facts.picture_track.value", **picture.model_dump(exclude={"codec"}), codec="H.264")
    if picture.given_up_at_us is None:
        return line
    return f"{line}; {text('facts.picture_given_up', at=clock_text(picture.given_up_at_us))}"


def _levels(manifest: Manifest) -> str:
    report = manifest.report
    parts = []
    if report.peak_dbfs is not None and report.loudness_lufs is not None:
        peak, loudness = decibels_text(report.peak_dbfs), decibels_text(report.loudness_lufs)
        parts.append(text("facts.levels.value", peak=peak, loudness=loudness))
    if report.noise_floor_dbfs is not None:
        parts.append(text("facts.noise_floor", floor=decibels_text(report.noise_floor_dbfs)))
    if report.below_floor_s >= 1:
        parts.append(text("facts.floor", seconds=f"{report.below_floor_s:.0f}"))
    if report.clipped_periods:
        parts.append(text("facts.clipped", count=report.clipped_periods))
    return "; ".join(parts) or text("facts.unknown")


def _timeline(manifest: Manifest) -> tuple[Happened, ...]:
    happened = [*_consents(manifest.consent_events), *_gaps(manifest), *_steps(manifest)]
    happened += [(at_us, "bookmark", text("facts.bookmark")) for at_us in manifest.bookmarks_us]
    in_order = sorted(happened, key=lambda entry: entry[0])
    return tuple(Happened(kind, _at(at_us), what) for at_us, kind, what in in_order)


def _consents(events: tuple[ConsentEvent, ...]) -> Iterator[tuple[int, str, str]]:
    for event in events:
        key = f"facts.{event.what}"
        if event.what == "consented" and event.people > 1:
            key = "facts.consented.people"
        yield event.at_us, "consent", text(key, consent=consent_text(event.consent), people=event.people)


def _gaps(manifest: Manifest) -> Iterator[tuple[int, str, str]]:
    rate_hz = manifest.sound.rate_hz if manifest.sound else 0
    for gap in manifest.gaps:
        yield _us(gap.start_sample, rate_hz), "gap", _gap(gap, rate_hz)


def _steps(manifest: Manifest) -> Iterator[tuple[int, str, str]]:
    if manifest.picture is None:
        return
    for step in manifest.picture.steps:
        yield step.at_us, "picture", text(f"facts.step.{step.rung}", cause=step.cause)
    for away in manifest.picture.away:
        yield away.from_us, "picture", text("facts.camera_gone")
        if away.to_us is not None:
            yield away.to_us, "picture", text("facts.camera_back")


def _gap(gap: GapFact, rate_hz: int) -> str:
    return text("facts.gap", samples=gap.samples, ms=round(_us(gap.samples, rate_hz) / 1000), cause=gap.cause)


def _us(samples: int, rate_hz: int) -> int:
    return samples * _MICROSECONDS // rate_hz if rate_hz else 0


def _at(at_us: int) -> str:
    if at_us < 0:
        return text("facts.before", time=clock_text(-at_us))
    return text("facts.at", time=clock_text(at_us))
