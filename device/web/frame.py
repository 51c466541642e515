"""The frame around every page: which ways lead on from here. One that is closed to somebody is not shown to them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from flask import Flask, request

from device.web.house import House
from device.web.texts import text
from device.web.visitor import visitor_or_none
from device.web.wording import second_text


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another page. ``current``: this page is one of its."""

    endpoint: str
    text: str
    current: bool


Pages: TypeAlias = tuple[tuple[str, str, tuple[str, ...]], ...]
"""Where each leads, what it is called, and the blueprints whose pages are its."""

_BOX: Final = ("health", "sync", "retention", "audit", "certificates")
PAGES: Final[Pages] = (
    ("lists.recordings", "frame.recordings", ("lists", "download")),
    ("handing.view", "frame.measures", ("handing",)),
    ("room.view", "frame.room", ("room",)),
    ("health.view", "frame.box", _BOX),
    ("persons.persons", "frame.persons", ("persons",)),
)
BOX_PAGES: Final[Pages] = tuple((f"{name}.view", f"frame.{name}", (name,)) for name in _BOX)
_MOST_PEOPLE: Final = 12
_PAGES: Final = {"pages": PAGES, "box": BOX_PAGES}


def frame(app: Flask, house: House) -> None:
    """Let the templates of ``app`` draw it; after the doors, which say what is open to whom (``may``)."""

    @app.context_processor
    def _told() -> dict[str, object]:
        return {
            "t": text,
            "box": house.box,
            "visitor": visitor_or_none(),
            "looked": second_text(house.unix_s()),
            "most_people": _MOST_PEOPLE,
        }

    may = cast("Callable[[str], bool]", app.jinja_env.globals["may"])

    def links(name: str) -> tuple[Link, ...]:
        return tuple(links_of(_PAGES[name], there=app.view_functions, may=may, endpoint=request.endpoint or ""))

    app.add_template_global(links, "links")
    app.add_template_test(lambda endpoint: endpoint in app.view_functions, "there")


def links_of(pages: Pages, *, there: Container[str], may: Callable[[str], bool], endpoint: str) -> Iterator[Link]:
    """Those of ``pages`` that are ``there`` and open to whoever asks; ``endpoint``: where they are."""
    here = endpoint.partition(".")[0]
    for target, key, blueprints in pages:
        if target in there and may(target):
            yield Link(target, text(key), here in blueprints)
