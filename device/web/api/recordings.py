"""The recordings that a visitor may know of, for their programs."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice

from flask import Blueprint, Response, request

from device.glimpse import Glimpse
from device.recording import ATTACHMENTS_NAME
from device.recording.manifest import RecordingState
from device.store import Listed
from device.web.api.edges import answer, query
from device.web.api.shapes import Attached, Entry, Facts, Listing, ListQuery
from device.web.files import sizes_inside
from device.web.house import House
from device.web.sight import Sight


def recordings(blueprint: Blueprint, house: House) -> None:
    """The routes that tell of recordings."""

    @blueprint.get("/recordings")
    def listing() -> Response:
        asked = query(ListQuery)
        seen = _seen(house, asked)
        entries = tuple(_entry(glimpse) for glimpse in islice(seen, asked.limit))
        more = next(seen, None) is not None
        if entries:
            house.noting.must_view("list")
        response = answer(Listing(recordings=entries, more=more))
        response.set_etag(sha256(response.get_data()).hexdigest()[:32])
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
        return response

    @blueprint.get("/recordings/<recording_id>")
    def recording(recording_id: str) -> Response:
        listed = house.find(recording_id)
        house.noting.must_view("facts", recording_id)
        attachments = _attachments(house, listed)
        return answer(Facts(**_entry(listed.glimpse).model_dump(), attachments=attachments))


def _seen(house: House, asked: ListQuery) -> Iterator[Glimpse]:
    """Those that were asked for and that the visitor may know of, newest first; each is read when it is its turn."""
    ids, sight = reversed(house.store.ids()), house.sights()
    older = (recording_id for recording_id in ids if asked.before is None or recording_id < asked.before)
    for glimpse in house.readable(older):  # what has only begun, or nobody can read, the page tells of
        therapist = glimpse.common.therapist
        if asked.therapist in (None, therapist) and sight(therapist) >= Sight.FACTS:
            yield glimpse


def _attachments(house: House, listed: Listed) -> tuple[Attached, ...] | None:
    """What lies beside a recording, for whoever may have it."""
    if house.sight(listed.manifest.therapist) < Sight.CONTENT:
        return None
    sizes = sizes_inside(house.store.folder(listed.manifest.id), ATTACHMENTS_NAME) if listed.going is None else {}
    return tuple(
        Attached(name=name, size_bytes=size_bytes) for name, size_bytes in sizes.items() if name.endswith(".age")
    )


def _entry(glimpse: Glimpse) -> Entry:
    """A recording's facts."""
    common = glimpse.common
    return Entry(
        id=glimpse.id,
        box=common.box,
        state=common.state,
        started=glimpse.started,
        ended=glimpse.ended,
        clock_trusted=common.clock_trusted,
        duration_us=glimpse.duration_us,
        consent=common.consent,
        picture=common.picture,
        sound=common.verdict,
        bookmarks=glimpse.bookmarks,
        therapist=common.therapist,
        size_bytes=glimpse.size_bytes,
        digest=glimpse.digest,
        held=glimpse.held,
        going=glimpse.going,
        downloadable=glimpse.going is None and common.state is not RecordingState.OPEN,
    )
