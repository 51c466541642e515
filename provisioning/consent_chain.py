"""Whether what the buttons said about consent makes sense, from the manifest's consent events; pure."""

from __future__ import annotations

from collections.abc import Iterator

from device.recording.manifest import ConsentEvent, Manifest
from device.words import Consent, Fate, least
from provisioning.findings import Finding, Part


def judge_consent(manifest: Manifest, *, picture_in_file: bool | None) -> list[Finding]:
    """What contradicts the consent that the manifest states.

    ``picture_in_file``: whether the file has a picture track, as far as an identity shows it.
    """
    return [Finding(Part.CONSENT, what) for what in _contradictions(manifest, picture_in_file=picture_in_file)]


def is_withdrawn(manifest: Manifest) -> bool:
    """Whether the last thing that was said about the recording's fate is that it was withdrawn."""
    fates = [event.what for event in manifest.consent_events if event.what != "consented"]
    return fates[-1:] == [Fate.WITHDRAWN.value]


def _contradictions(manifest: Manifest, *, picture_in_file: bool | None) -> Iterator[str]:
    events = manifest.consent_events
    given = [event for event in events if event.what == "consented"]
    if not given or list(events[: len(given)]) != given:
        yield "nothing says that anybody consented before all else"
        return
    if manifest.consent is Consent.NONE or least(event.consent for event in given) is not manifest.consent:
        yield f"it was recorded with {_words(manifest.consent)}, which is not the least of what was chosen"
    if any(event.at_us > 0 for event in given):
        yield "consent was given only after the first sample was taken"
    if manifest.consent is Consent.SOUND and manifest.picture is not None:
        yield "consent was to sound alone, and the manifest tells of a picture"
    if manifest.consent is Consent.SOUND and picture_in_file:
        yield "consent was to sound alone, and the file has a picture track"
    if len({event.people for event in events}) > 1 or any(event.people < 1 for event in events):
        yield "the number of people who chose is not the same throughout"
    yield from _fates(manifest, events[len(given) :], after_us=given[-1].at_us)


def _fates(manifest: Manifest, fates: tuple[ConsentEvent, ...], *, after_us: int) -> Iterator[str]:
    """A recording is withdrawn first, and can then be turned over again and again, each time at a later moment."""
    expected = Fate.WITHDRAWN
    for event in fates:
        leaves = Consent.NONE if event.what == Fate.WITHDRAWN.value else manifest.consent
        if event.what != expected.value or event.consent is not leaves or event.at_us < after_us:
            yield "what was said about the recording's fate does not follow from what was said before"
            return
        expected = Fate.KEPT if expected is Fate.WITHDRAWN else Fate.WITHDRAWN
        after_us = event.at_us


def _words(consent: Consent) -> str:
    return f"consent to {consent.value.replace('_', ' ')}"
