"""Certificates on the page: that of TLS; and of what was erased here, when, by whom, and how far it was overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Blueprint, render_template, request

from device.errors import DamagedError
from device.recording import ERASE_ORDERS_NAME, ERASED_NAME, is_recording_id
from device.recording.erasure import CERTIFICATE_KIND, EraseCertificate
from device.recording.signing import fingerprint, verify
from device.shapes import ShapeError
from device.store import StoreReader, store_error
from device.web.box.tls import tls_of
from device.web.house import House
from device.web.paging import number_of, page_of
from device.web.texts import text
from device.web.wording import When, when

_AT_ONCE: Final = 50
_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One erase certificate; ``erased`` is ``None`` where it does not hold. ``ordered``: the remote has still to."""

    recording: str
    erased: When | None
    clock_trusted: bool
    by: str
    how: str
    key: str
    ordered: bool


def certificates(house: House) -> Blueprint:
    """The route ``/box/certificates``."""
    blueprint = Blueprint("certificates", __name__)

    @blueprint.get("/box/certificates")
    def view() -> str:
        house.noting.must_view("list")
        paths = _paths(house.store)
        page = page_of(paths, number_of(request.args.get("page")), size=_AT_ONCE)
        shown = [_read(path, house.store.path / ERASE_ORDERS_NAME) for path in page.items]
        return render_template("certificates.html", tls=tls_of(house), certificates=shown, page=page)

    return blueprint


def _paths(store: StoreReader) -> list[Path]:
    """The certificates in the store, that of the newest recording first."""
    folder = store.path / ERASED_NAME
    try:
        return sorted(_named(folder), key=lambda path: path.name, reverse=True) if folder.is_dir() else []
    except OSError as problem:
        raise store_error(problem, "the erase certificates cannot be listed") from problem


def _named(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix == _SUFFIX and is_recording_id(path.stem))


def _read(path: Path, orders: Path) -> Certificate:
    ordered = (orders / path.name).exists()
    try:
        signed = verify(CERTIFICATE_KIND, path.read_bytes())
        facts = EraseCertificate.model_validate(signed.payload)
    except (OSError, DamagedError, ShapeError):
        return Certificate(path.stem, None, clock_trusted=False, by="", how="", key="", ordered=ordered)
    return Certificate(
        recording=path.stem,
        erased=when(facts.erased),
        clock_trusted=facts.clock_trusted,
        by=text(f"certificates.by.{facts.by}"),
        how=text(f"certificates.how.{facts.header.replace(' ', '_')}"),
        key=fingerprint(signed.key),
        ordered=ordered,
    )
