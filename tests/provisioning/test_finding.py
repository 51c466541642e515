"""Boxes that announce themselves: found by what a box really says, here on this computer's own address alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import pytest
from zeroconf import ServiceInfo, Zeroconf

from device.announcing import announcement
from provisioning.fleet import finding
from provisioning.fleet.calling import Target
from provisioning.fleet.finding import find_boxes
from tests.provisioning.boxes import Said
from tests.provisioning.test_fleet import Fleet, fleet  # noqa: F401  # the same boxes
from tests.support import PATIENCE_S

HERE = ["127.0.0.1"]  # nothing of this leaves the computer
KEY = "00112233aabbccdd"
SHORT_S = 1.0


@contextmanager
def announced(
    name: str = "room-3", *, key: str = KEY, port: int = 443, at: str = "127.0.0.1", kind: str = ""
) -> Iterator[None]:
    """A box's announcement, as avahi reads it out of its file and says it (avahi.service(5))."""
    document = announcement(name=name, version="0.1.0", fingerprint=key, port=port)
    said = ElementTree.fromstring(document)  # noqa: S314  # our own
    words = [entry.text or "" for entry in said.iter("txt-record")]
    found = {tag: next(said.iter(tag)).text or "" for tag in ("name", "type", "port")}
    type_ = f"{kind or found['type']}.local."
    info = ServiceInfo(
        type_,
        f"{found['name']}.{type_}",
        port=int(found["port"]),
        properties=dict(word.split("=", 1) for word in words),
        parsed_addresses=[at],
        server=f"{found['name'].replace(' ', '-')}.local.",
    )
    speaker = Zeroconf(interfaces=HERE)
    try:
        speaker.register_service(info)
        yield
        speaker.unregister_service(info)
    finally:
        speaker.close()


def until_found(what: Callable[[list[Target]], bool]) -> list[Target]:
    """Whom somebody finds who looks for longer and longer: on a busy machine an answer takes its time."""
    until_s, for_s = time.monotonic() + PATIENCE_S, SHORT_S
    while not what(found := find_boxes(for_s, interfaces=HERE)):
        assert time.monotonic() < until_s, found
        for_s *= 2
    return found


def test_a_box_is_found_by_its_name_its_address_and_its_key() -> None:
    with announced(), announced("room-4", key="f" * 16, port=8443, at="127.0.0.4"):
        found = until_found(lambda found: len(found) == 2)
    assert found == [
        Target("room-3", "https://127.0.0.1", KEY),
        Target("room-4", "https://127.0.0.4:8443", "f" * 16),
    ]


def test_an_address_of_version_6_is_one_that_can_be_asked() -> None:
    with announced(at="fd00::7"):
        (found,) = until_found(bool)
    assert found.address == "https://[fd00::7]"


def test_who_announces_something_else_is_not_found() -> None:
    with announced(), announced("printer", kind="_ipp._tcp"):
        found = until_found(bool)
    assert [one.name for one in found] == ["room-3"]


def test_a_box_that_goes_while_somebody_looks_is_not_told() -> None:
    """The one that stays is known to be heard, so that an empty answer proves nothing by chance."""
    with announced("stays"):
        gone = threading.Event()

        def comes_and_goes() -> None:
            with announced("goes", key="e" * 16):
                gone.wait(SHORT_S)
            gone.set()

        thread = threading.Thread(target=comes_and_goes)
        thread.start()
        found = until_found(lambda found: gone.is_set() and bool(found))
        thread.join(PATIENCE_S)
    assert [one.name for one in found] == ["stays"]


def test_whoever_looks_for_boxes_is_shown_those_that_are_not_entered_and_no_other_twice(
    fleet: Fleet,  # noqa: F811  # pytest's way
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that is entered, one that was not yet, and one that is entered and calls itself by its own name."""
    monkeypatch.setattr(finding, "find_boxes", lambda _for_s: until_found(lambda found: len(found) == 3))
    known, new, other_name = fleet.boxes
    fleet.enter(known.entered(), other_name.entered())
    for box in fleet.boxes:
        box.publish()
    with (
        announced(known.name, key=known.fingerprint, port=known.reached.nginx.port, at=known.reached.host),
        announced(new.name, key=new.fingerprint, port=new.reached.nginx.port, at=new.reached.host),
        announced("Room 1", key=other_name.fingerprint, at="127.0.0.99"),
    ):
        without = fleet.does("status", fleet.admin.folder.path, "--json")
        found = fleet.does("status", fleet.admin.folder.path, "--json", "--find")
    assert rooms(without) == {"room-1": True, "room-3": True}
    assert rooms(found) == {"room-1": True, "room-2": True, "room-3": True}


def test_one_that_announces_itself_with_anothers_key_is_not_believed(
    fleet: Fleet,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finding, "find_boxes", lambda _for_s: until_found(bool))
    liar = fleet.boxes[2]
    fleet.enter(fleet.boxes[0].entered())
    with announced("room-9", key="e" * 16, port=liar.reached.nginx.port, at=liar.reached.host):
        found = fleet.does("status", fleet.admin.folder.path, "--json", "--find")
    (told,) = [one for one in found.told["boxes"] if one["name"] == "room-9"]
    assert "another device key" in told["error"]


def rooms(said: Said) -> dict[str, bool]:
    return {one["name"]: one["reachable"] for one in said.told["boxes"]}
