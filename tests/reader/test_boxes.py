"""Boxes: signing in by key and playing from them; and what a box that lies gets out of the reader, which is nothing."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest

from device.recording import MANIFEST_NAME
from device.recording.signing import fingerprint
from tests.provisioning.conftest import RATE_HZ, Chunks, Clinic
from tests.provisioning.damage import Kept, record
from tests.reader.browsing import Reader
from tests.reader.evil_box import KEY, RECORDING_ID, Answer, EvilBox, Lie, as_json, endless, entry, evil_box
from tests.reader.rooms import MARK, PASSPHRASE, Room, kit_of, room, write_kit

MUCH_BYTES = 512 << 20


@pytest.fixture
def kept(clinic: Clinic, sound_24: tuple[Chunks, bytes]) -> Kept:
    kept = record(clinic, sound_24[0])
    kept.sign(therapist=MARK, bookmarks_us=(3_000_000,))
    return kept


@pytest.fixture
def box(clinic: Clinic, kept: Kept) -> Iterator[Room]:
    with room(clinic.home / "store", clinic.device_key, clinic.identities["clinic"]) as made:
        yield made


@pytest.fixture
def evil(clinic: Clinic) -> Iterator[EvilBox]:
    with evil_box(clinic.identities["clinic"]) as made:
        yield made


def unlock(reader: Reader, clinic: Clinic, *places: dict[str, str]) -> Reader:
    return reader.unlock(write_kit(clinic.home, kit_of(clinic.identities["clinic"], list(places))), PASSPHRASE)


def open_first(reader: Reader) -> Reader:
    reader.page.locator("button.open").first.click()
    return reader


# -- as it should be --------------------------------------------------------------------------------------------------


def test_a_recording_on_a_box_is_listed_and_heard_bit_for_bit(
    reader: Reader, clinic: Clinic, box: Room, sound_24: tuple[Chunks, bytes]
) -> None:
    open_first(unlock(reader, clinic, box.place)).opened()
    assert "signed by Room 3" in reader.page.inner_text("main")
    reader.brought(20)
    assert reader.heard() == (sha256(sound_24[1]).hexdigest(), 20 * RATE_HZ)
    reader.play().plays()
    pulls = [one["facts"] for one in box.box.noted() if one["what"] == "pull"]
    assert pulls
    assert {pull["person"] for pull in pulls} == {MARK}


def test_the_reader_asks_the_boxes_of_its_kit_and_nobody_else(reader: Reader, clinic: Clinic, box: Room) -> None:
    open_first(unlock(reader, clinic, box.place)).opened().play().plays()
    asked = [address for address in reader.asked if not address.startswith(("blob:", "data:"))]
    assert asked
    assert {address.split("/api/v1/")[0] for address in asked} == {box.address}


def test_not_even_its_own_code_could_ask_anybody_else(reader: Reader, clinic: Clinic, box: Room, evil: EvilBox) -> None:
    """The browser itself is told the kit's boxes, so what got into the page could send nothing elsewhere."""
    unlock(reader, clinic, box.place)
    tried = "async (address) => { try { await fetch(address); return 'sent'; } catch { return 'refused'; } }"
    assert reader.page.evaluate(tried, f"{evil.address}/api/v1/me") == "refused"
    assert evil.asked == []
    assert reader.page.evaluate(tried, f"{box.address}/api/v1/openapi.json") == "sent"


def test_no_token_and_no_cookie_is_in_an_address_or_kept(reader: Reader, clinic: Clinic, box: Room) -> None:
    open_first(unlock(reader, clinic, box.place)).opened()
    assert not [address for address in reader.asked if "token=" in address]
    assert reader.page.evaluate("() => [document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_a_recording_that_was_erased_meanwhile_is_told(reader: Reader, clinic: Clinic, box: Room, kept: Kept) -> None:
    unlock(reader, clinic, box.place).page.locator("button.open").first.wait_for()
    for path in (kept.file, kept.folder / MANIFEST_NAME):
        path.unlink()
    open_first(reader)
    assert "no such recording" in reader.problem("refused")


def test_a_token_that_was_ended_is_fetched_anew(reader: Reader, clinic: Clinic, box: Room) -> None:
    unlock(reader, clinic, box.place).page.locator("button.open").first.wait_for()
    with box.box.people._database.transaction() as rows:
        rows.run("DELETE FROM sessions")
    open_first(reader).opened()


def test_a_box_that_is_not_there_is_told_and_the_others_are_shown(reader: Reader, clinic: Clinic, box: Room) -> None:
    away = {"name": "room-4", "address": "http://127.0.0.1:9", "device_key": "0" * 16}
    unlock(reader, clinic, away, box.place)
    assert "room-4 does not answer" in reader.problem("unreachable")
    open_first(reader).opened()


def test_a_box_that_does_not_know_the_key_is_told(reader: Reader, clinic: Clinic, box: Room) -> None:
    file = write_kit(clinic.home, kit_of(clinic.identities["stranger"], [box.place]))
    reader.unlock(file, PASSPHRASE).page.locator(".problem").wait_for()
    assert "None of your keys opens" in reader.page.inner_text(".problem")


# -- and as a box that lies would have it -----------------------------------------------------------------------------


def challenge(words: Callable[[EvilBox], str]) -> Callable[[EvilBox], Lie]:
    return lambda box: lambda _path, _headers: as_json({"id": "one", "sealed": words(box)}, 201)


TAIL = secrets.token_urlsafe(32)


@pytest.mark.parametrize(
    "sealed",
    [
        lambda box: box.sealed("the note of another session, which only Ada can open"),
        lambda box: box.sealed(f"sotto-login:v1:{'f' * 16}:{TAIL}"),
        lambda box: box.sealed(f"sotto-login:v2:{KEY}:{TAIL}"),
        lambda box: box.sealed(f"sotto-login:v1:{KEY}:{TAIL}\n"),
        lambda box: box.sealed(f"sotto-login:v1:{KEY}:short"),
        lambda box: box.sealed(f"sotto-login:v1:{KEY}:" + "a" * 20_000),
        lambda box: "no base64",
        lambda box: "",
        lambda box: "A" * (1 << 20),
    ],
    ids=[
        "a note",
        "another box",
        "another version",
        "a line more",
        "too short",
        "far too long",
        "none",
        "empty",
        "huge",
    ],
)
def test_what_is_no_challenge_of_that_box_is_never_answered(
    reader: Reader, clinic: Clinic, evil: EvilBox, sealed: Callable[[EvilBox], str]
) -> None:
    evil.lies["/challenges"] = challenge(sealed)(evil)
    unlock(reader, clinic, evil.place).page.locator(".problem").wait_for()
    assert not [one for one in evil.asked if one.endswith("/tokens")]
    assert all(set(json.loads(said)) == {"login"} for said in evil.told)


MARKUP = "<img src=x onerror=window.taken=1><script>window.taken=1</script>"


def test_words_of_a_box_are_words(reader: Reader, clinic: Clinic, evil: EvilBox) -> None:
    facts = dict.fromkeys(("box", "state", "started", "sound", "consent"), MARKUP)
    evil.entries = [entry(**facts)]
    unlock(reader, clinic, evil.place).page.locator("button.open").first.wait_for()
    assert MARKUP in reader.page.inner_text("main")
    assert reader.page.locator("main img, main script").count() == 0
    assert reader.page.evaluate("() => window.taken") is None


@pytest.mark.parametrize(
    "facts",
    [
        {"id": "../../people"},
        {"id": RECORDING_ID + "/x"},
        {"size_bytes": -1},
        {"size_bytes": "1"},
        {"duration_us": 1e300},
    ],
)
def test_a_listing_of_another_shape_is_none(
    reader: Reader, clinic: Clinic, evil: EvilBox, facts: dict[str, Any]
) -> None:
    evil.entries = [entry(**facts)]
    unlock(reader, clinic, evil.place)
    assert "answers as no box does" in reader.problem("odd answer")
    assert reader.page.locator("button.open").count() == 0


def test_a_listing_without_an_end_is_given_up(reader: Reader, clinic: Clinic, evil: EvilBox) -> None:
    evil.lies["/recordings"] = lambda _path, _headers: Answer(endless(MUCH_BYTES))
    unlock(reader, clinic, evil.place)
    reader.problem("odd answer")
    assert evil.sent_bytes < 64 << 20


def test_a_box_that_points_elsewhere_is_not_followed(reader: Reader, clinic: Clinic, evil: EvilBox, box: Room) -> None:
    evil.lies["/recordings"] = lambda _path, _headers: Answer(
        status=302, headers={"Location": f"{box.address}/api/v1/openapi.json"}
    )
    unlock(reader, clinic, evil.place)
    reader.problem("unreachable")
    assert not [address for address in reader.asked if address.startswith(box.address)]


def ranged(content: bytes, change: Callable[[int, int], Answer]) -> Lie:
    def lie(_path: str, headers: dict[str, str]) -> Answer:
        first, last = map(int, headers["range"].removeprefix("bytes=").split("-"))
        answer = change(first, last)
        answer.headers = {"Content-Range": f"bytes {first}-{last}/{len(content)}", "ETag": '"one"', **answer.headers}
        return answer

    return lie


@pytest.fixture
def taken(evil: EvilBox, clinic: Clinic, kept: Kept) -> Callable[[Callable[[bytes, int, int], Answer]], None]:
    """Have the box hand out a real recording and its manifest; what it makes of each range is for the test to say.

    It is one of the clinic's own that somebody got hold of: it has the key by which it is known.
    """

    def take(change: Callable[[bytes, int, int], Answer]) -> None:
        evil.key = fingerprint(clinic.device_key.public_key().public_bytes_raw())
        content = kept.file.read_bytes()
        document = (kept.folder / MANIFEST_NAME).read_bytes()
        evil.entries = [entry(size_bytes=len(content))]
        evil.lies["/manifest.json"] = lambda _path, _headers: Answer(document)
        evil.lies["/session.mp4.age"] = ranged(content, lambda first, last: change(content, first, last))

    return take


Take = Callable[[Callable[[bytes, int, int], Answer]], None]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda content, first, last: Answer(content[first : last + 1] + b"x", 206), "odd answer"),
        (lambda content, first, last: Answer(content[first:last], 206), "broken off"),
        (lambda content, first, last: Answer(endless(MUCH_BYTES), 206), "odd answer"),
        (lambda content, first, last: Answer(content, 200), "changed there"),
        (lambda content, first, last: Answer(content[: last - first + 1], 206), "cut"),
        (lambda content, first, last: Answer(bytes(last - first + 1), 206), "not age"),
        (lambda content, first, last: Answer(status=500), "refused"),
        (
            lambda content, first, last: Answer(
                content[first : last + 1], 206, {"Content-Range": f"bytes {first}-{last}/{len(content) + 1}"}
            ),
            "changed there",
        ),
    ],
    ids=["too long", "too short", "endless", "whole", "another part", "zeros", "error", "another size"],
)
def test_a_range_of_another_shape_is_refused(
    reader: Reader,
    clinic: Clinic,
    evil: EvilBox,
    taken: Take,
    change: Callable[[bytes, int, int], Answer],
    kind: str,
) -> None:
    taken(change)
    open_first(unlock(reader, clinic, evil.place))
    reader.problem(kind)
    assert reader.handed_bytes() == 0
    assert evil.sent_bytes < 64 << 20


def test_four_requests_bring_the_first_sound_and_the_browser_asks_no_permission(
    reader: Reader, clinic: Clinic, evil: EvilBox, taken: Take
) -> None:
    """Each that had to wait for another, and each question of the browser, would be a way there and back more."""
    ranges: list[int] = []

    def hand_out(content: bytes, first: int, last: int) -> Answer:
        ranges.append(last - first + 1)
        return Answer(content[first : last + 1], 206)

    taken(hand_out)
    unlock(reader, clinic, evil.place).page.locator("button.open").first.wait_for()
    questions, before = len(evil.questions), len(evil.asked)
    open_first(reader).opened().play().plays()
    assert sorted(one.rpartition("/")[2] for one in evil.asked[before : before + 4]) == [
        "manifest.json",
        *["session.mp4.age"] * 3,
    ]
    assert sum(ranges[:3]) < 280 * 1024
    assert len(evil.questions) == questions


def test_a_recording_that_another_box_signed_is_told(
    reader: Reader, clinic: Clinic, evil: EvilBox, taken: Take
) -> None:
    """The bytes are those of a real recording, sealed to Ada: but who made it is not in her kit."""
    taken(lambda content, first, last: Answer(content[first : last + 1], 206))
    evil.key = KEY
    open_first(unlock(reader, clinic, evil.place))
    assert "a box that is not in your kit" in reader.problem("strange box")
    assert reader.handed_bytes() == 0


@pytest.mark.parametrize(
    ("of_box", "words"), [(True, "the box that stood in"), (False, "a box that your clinic has no more")]
)
def test_a_recording_that_a_box_signed_that_was_replaced_plays_and_is_told_as_that(
    reader: Reader, clinic: Clinic, evil: EvilBox, taken: Take, *, of_box: bool, words: str
) -> None:
    taken(lambda content, first, last: Answer(content[first : last + 1], 206))
    evil.key = KEY
    former = {"former_keys": [fingerprint(clinic.device_key.public_key().public_bytes_raw())]}
    place: dict[str, Any] = {**evil.place, **(former if of_box else {})}
    kit = kit_of(clinic.identities["clinic"], [place], **({} if of_box else former))
    open_first(reader.unlock(write_kit(clinic.home, kit), PASSPHRASE)).opened().play().plays()
    assert f"It was signed by {words}" in reader.page.inner_text("body")


def test_a_recording_that_changes_while_it_is_played_is_told(
    reader: Reader, clinic: Clinic, evil: EvilBox, taken: Take, kept: Kept
) -> None:
    count = iter(range(1000))
    taken(
        lambda content, first, last: Answer(
            content[first : last + 1], 206, {"ETag": '"one"' if next(count) < 2 else '"other"'}
        )
    )
    open_first(unlock(reader, clinic, evil.place))
    reader.problem("changed there")
    assert reader.handed_bytes() < 1000  # the first chunk's, which tells of the tracks, and nothing behind it
