"""A slice of a recording as a sealed file of its own: for oneself or for somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from device.age.identities import KeyIdentity
from device.age.recipients import Recipient
from provisioning.beside import Beside, as_it_is_now, must_be_known, read_beside
from provisioning.clips import Gaps, Sealing, write_clip
from provisioning.opener import Request, checked_recording
from provisioning.opening import Progress
from provisioning.output import FileOutput
from provisioning.place import Place, let_be_if_withdrawn
from provisioning.recording import SealedRecording
from provisioning.report import Opened
from provisioning.times import format_time


def name_of(request: Request) -> str:
    """What a slice is called beside others: ``last-15-00.mp4.age``, ``10-00-to-25-00.mp4.age``."""
    if request.last_us is not None:
        name = f"last-{format_time(request.last_us)}"
    elif request.is_slice:
        until = "the-end" if request.to_us is None else format_time(request.to_us)
        name = f"{format_time(request.from_us or 0)}-to-{until}"
    else:
        name = "whole"
    return f"{name.replace(':', '-')}.mp4.age"


def clip_of(
    place: Place,
    request: Request,
    identities: Sequence[KeyIdentity],
    recipients: Sequence[Recipient],
    to: Path,
    *,
    device_keys: frozenset[str],
    progress: Progress,
    force: bool = False,
    sound_only: bool = False,
) -> Opened:
    """Write a slice to ``to``, sealed to ``recipients`` alone; what was read for it.

    Raises:
        SottoError, AgeError: it failed, and nothing was kept.
    """
    let_be_if_withdrawn(place)
    output = FileOutput(to, force=force)
    document = place.read_manifest()
    beside = None if document is None else as_it_is_now(read_beside(document), place)
    must_be_known(beside, device_keys)
    source = place.source()
    try:
        recording = checked_recording(source, identities, beside)
        duration_us = recording.duration_us()
        from_us, to_us = request.span_us(duration_us)
        with output:
            sealing = Sealing(output, recipients)
            span = write_clip(
                recording,
                sealing,
                from_us=from_us,
                to_us=to_us,
                gaps=_gaps(recording, beside),
                progress=progress,
                sound_only=sound_only,
            )
            sealing.close()
            output.keep()
    finally:
        source.close()
    return Opened(
        name=place.name,
        index=recording.index,
        duration_us=duration_us,
        has_picture=recording.has_picture and not sound_only,
        chunks=recording.chunks,
        size_bytes=recording.size_bytes,
        bytes_read=source.bytes_read,
        output=str(to),
        span=span,
        beside=beside,
    )


def _gaps(recording: SealedRecording, beside: Beside | None) -> Gaps:
    if recording.index is not None:
        return recording.index.gaps
    return [] if beside is None else [(gap.start_sample, gap.samples) for gap in beside.manifest.gaps]
