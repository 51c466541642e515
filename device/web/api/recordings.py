"""The recordings that a visitor may know of, for their programs."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice

from flask import Blueprint, Response, request

from device.recording import ATTACHMENTS_NAME
from device.store import Listed
from device.web.api.edges import answer, query
from device.web.api.shapes import Attached, Entry, Facts, Listing, ListQuery
from device.web.files import sizes_inside
from device.web.house import House, is_open
from device.web.sight import Sight


def recordings(blueprint: Blueprint, house: House) -> None:
    """The routes that tell of recordings."""

    @blueprint.get("/recordings")
    def listing() -> Response:
        asked = query(ListQuery)
        seen = _seen(house, asked)
        entries = tuple(_entry(listed) for listed in islice(seen, asked.limit))
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
        return answer(Facts(**_entry(listed).model_dump(), attachments=attachments))


def _seen(house: House, asked: ListQuery) -> Iterator[Listed]:
    """Those that were asked for and that the visitor may know of, newest first; each is read when it is its turn."""
    for recording_id in reversed(house.store.ids()):
        if asked.before is not None and recording_id >= asked.before:
            continue
        listed = house.store.find(recording_id)
        if listed is None or listed.manifest.id != recording_id:
            continue  # it has only begun, or nobody can read it: the page tells of that
        therapist = listed.manifest.therapist
        if asked.therapist in (None, therapist) and house.sight(listed.manifest) >= Sight.FACTS:
            yield listed


def _attachments(house: House, listed: Listed) -> tuple[Attached, ...] | None:
    """What lies beside a recording, for whoever may have it."""
    if house.sight(listed.manifest) < Sight.CONTENT:
        return None
    sizes = sizes_inside(house.store.folder(listed.manifest.id), ATTACHMENTS_NAME) if listed.going is None else {}
    return tuple(
        Attached(name=name, size_bytes=size_bytes) for name, size_bytes in sizes.items() if name.endswith(".age")
    )


def _entry(listed: Listed) -> Entry:
    """A recording's facts."""
    manifest = listed.manifest
    return Entry(
        id=manifest.id,
        box=manifest.box,
        state=manifest.state,
        started=manifest.started,
        ended=manifest.ended,
        clock_trusted=manifest.clock_trusted,
        duration_us=manifest.duration_us,
        consent=manifest.consent,
        picture=manifest.picture is not None,
        sound=manifest.report.verdict,
        bookmarks=len(manifest.bookmarks_us),
        therapist=manifest.therapist,
        size_bytes=listed.size_bytes,
        digest=manifest.digest,
        held=listed.held,
        going=listed.going,
        downloadable=listed.going is None and not is_open(listed),
    )
