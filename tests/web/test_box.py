"""What an admin looks after: told as it is, nothing of it decided or erased by the page, and nobody else let in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from device.audit_requests import AUDIT_SOCKET_NAME
from device.belonging import digest_of
from device.capture.auditor import Auditor
from device.clock import Stamp
from device.datagrams import DatagramServer
from device.order_results import Result, Results, write_results
from device.people.person import Role
from device.recording import ERASED_NAME, MANIFEST_NAME
from device.recording.audited import WORDS, Happened, What
from device.recording.receipt import Receipt
from device.retention import Policy
from device.session_events import State
from device.status import MachineStatus, Status, publish
from device.sync_control import Tell, control_path, parse_tell
from device.sync_status import SYNC_FOLDER_NAME, SyncState, SyncStatus, publish_sync
from device.web.box.entries import told
from device.web.box.health import _order
from device.web.box.retention import policy_text
from device.web.box.sync import sync_now
from device.web.frame import BOX_PAGES, PAGES, links_of
from device.web.permissions import PERMISSIONS
from device.web.setup import Setup
from device.words import By
from tests.web.conftest import Box, audited
from tests.web.published import add_recording, status
from tests.web.visitors import add_person, begin, browser, form_token_of

AT = Stamp("2026-03-03T14:00:00.000Z", trusted=True)
SETUP = Setup(microphone="the sound card Mic", camera="none", policy=Policy(keep_days=30, warn_days=7), remote="clinic")
PAGES_OF_THE_BOX = ("/box/health", "/box/sync", "/box/retention", "/box/audit", "/box/certificates")


@pytest.fixture
def auditor(bare_box: Box) -> Iterator[Auditor]:
    bare_box.setup = SETUP
    with audited(bare_box) as auditor:
        yield auditor


@pytest.fixture
def box(bare_box: Box, auditor: Auditor) -> Box:  # it has to be there
    return bare_box


@pytest.fixture
def admin(box: Box) -> FlaskClient:
    return browser(box.app(), begin(box.people, add_person(box.people, Role.ADMIN)))


def syncing(box: Box, **facts: object) -> SyncStatus:
    usual: dict[str, object] = {"state": SyncState.IDLE, "remote": "clinic", "published_unix_s": time.time()}
    now = SyncStatus.model_validate({**usual, **facts})
    (box.run / SYNC_FOLDER_NAME).mkdir(exist_ok=True)
    publish_sync(now, box.run)
    return now


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.SUPERVISOR])
def test_nobody_but_an_admin_gets_in(box: Box, role: Role) -> None:
    client = browser(box.app(), begin(box.people, add_person(box.people, role)))
    for path in PAGES_OF_THE_BOX:
        assert client.get(path).status_code == 403
    assert "/box/" not in client.get("/").text


def test_every_page_of_the_box_leads_to_the_others(admin: FlaskClient) -> None:
    for path in PAGES_OF_THE_BOX:
        html = admin.get(path).text
        assert all(f'href="{other}"' in html for other in PAGES_OF_THE_BOX)
        assert f'href="{path}" aria-current="page"' in html


@pytest.mark.parametrize("pages", [PAGES, BOX_PAGES])
def test_a_way_that_is_closed_or_not_there_is_not_shown(pages: tuple[tuple[str, str, tuple[str, ...]], ...]) -> None:
    everywhere = [link.endpoint for link in links_of(pages, there=PERMISSIONS, may=lambda _endpoint: True, endpoint="")]
    assert everywhere == [endpoint for endpoint, _, _ in pages]
    assert not list(links_of(pages, there=PERMISSIONS, may=lambda _endpoint: False, endpoint=""))
    assert not list(links_of(pages, there=(), may=lambda _endpoint: True, endpoint=""))


# -- health -----------------------------------------------------------------------------------------------------------


def parts(client: FlaskClient) -> dict[str, tuple[str, str]]:
    """Each part of the health page: its kind, and all that is said of it."""
    found = client.get("/box/health").text.split('<div class="part card" data-kind="')[1:]
    told = {one.partition("<dt>")[2].partition("</dt>")[0]: one for one in found}
    return {name: (one.partition('"')[0], one) for name, one in told.items()}


def test_a_box_that_is_well_says_so_and_what_it_does_not_know(box: Box, admin: FlaskClient) -> None:
    publish(status(machine=MachineStatus(temperature_c=51.0, under_voltage=False)), box.run)
    found = parts(admin)
    for name in ("Capture service", "Store", "Clock", "Temperature", "Power supply"):
        assert found[name][0] == "good"
    assert "51 °C" in found["Temperature"][1]
    assert found["Microphone"][0] == "told"
    assert "the sound card Mic" in found["Microphone"][1]
    assert found["Heard last"][0] == "unknown"
    assert found["Last room test"][0] == "unknown"
    assert "All that is known is well." in admin.get("/box/health").text


@pytest.mark.parametrize(
    ("now", "name", "hint"),
    [
        (status(State.FAULT, faults=(("x", "y"),)), "Capture service", "What is wrong"),
        (status(store_minutes_left=119), "Store", "Free room on it"),
        (status(clock_trusted=False), "Clock", "time server"),
        (status(machine=MachineStatus(temperature_c=80.0, under_voltage=None)), "Temperature", "Let air reach"),
        (status(machine=MachineStatus(temperature_c=None, under_voltage=True)), "Power supply", "short cable"),
    ],
)
def test_what_is_not_well_is_told_with_what_to_do(
    box: Box, admin: FlaskClient, now: Status, name: str, hint: str
) -> None:
    publish(now.model_copy(update={"published_unix_s": time.time()}), box.run)
    found = parts(admin)
    assert [one for one in found if found[one][0] == "look"] == [name]
    assert hint in found[name][1]
    assert "1 thing should be looked after." in admin.get("/box/health").text


def test_of_a_capture_service_that_is_gone_nothing_is_claimed(box: Box, admin: FlaskClient) -> None:
    publish(status(published_unix_s=0.0, machine=MachineStatus(temperature_c=20.0, under_voltage=False)), box.run)
    found = parts(admin)
    assert found["Capture service"][0] == "look"
    assert {found[name][0] for name in ("Store", "Clock", "Temperature", "Power supply")} == {"unknown"}


def test_the_last_room_test_and_what_was_heard_last_are_told(box: Box, admin: FlaskClient, auditor: Auditor) -> None:
    add_recording(box.store)
    auditor.note_durably(Happened(What.ROOM_TEST_ENDED), patience_s=10)
    found = parts(admin)
    assert found["Last room test"][0] == "good"
    assert found["Heard last"][0] == "good"
    assert "simulated: room.wav" in found["Heard last"][1]


def test_a_new_roster_is_announced_with_the_keys_that_came_and_went(
    box: Box, admin: FlaskClient, auditor: Auditor
) -> None:
    assert "Who can open recordings" not in parts(admin)
    for number, (came, went) in enumerate((("a" * 16, "b" * 16), ("c" * 16, None)), start=1):
        facts = {"roster": number, "digest": "0" * 64, "added": (came,), "removed": (went,) if went else ()}
        auditor.note_durably(Happened(What.ROSTER_TAKEN, facts=facts), patience_s=10)
    kind, said = parts(admin)["Who can open recordings"]
    assert kind == "clinic"
    assert "roster 2 of the clinic" in said
    assert f"that came with it: {'c' * 16}; that went: none" in said


def test_what_became_of_the_clinics_last_order_is_told(tmp_path: Path) -> None:
    assert list(_order(None)) == list(_order(tmp_path)) == []
    at, hint = "2026-03-02T09:00:00Z", "look at it"
    done = Result(digest="ab" * 32, outcome="done", at=at, about="config", number=1, what="w", hint=hint)
    undone = done.model_copy(update={"outcome": "undone"})
    for result, kind, hint_shown in ((done, "clinic", ""), (undone, "look", "Look at it.")):
        write_results(tmp_path, Results().with_one(result))
        (part,) = _order(tmp_path)
        assert (part.kind, part.hint) == (kind, hint_shown)
        assert part.value.startswith("The configuration, ")
        assert part.value.endswith("W.")
    (tmp_path / "results.json").write_bytes(b"{")
    (part,) = _order(tmp_path)
    assert part.kind == "look"
    assert part.hint


# -- sync -------------------------------------------------------------------------------------------------------------


def test_what_moves_is_told_with_speed_and_time_left(box: Box, admin: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    moving = {"recording": recording_id, "sent_bytes": 30, "size_bytes": 100, "bytes_per_s": 7}
    syncing(box, state=SyncState.SENDING, **moving)
    html = admin.get("/box/sync").text
    assert '<progress max="100" value="30"' in html
    assert "7 bytes a second" in html
    assert "about 10 s left" in html
    assert f"The recording of which something moves: {recording_id}" in html


def test_what_changes_by_itself_is_sent_again_only_where_it_has_changed(box: Box, admin: FlaskClient) -> None:
    syncing(box, state=SyncState.SENDING, sent_bytes=1, size_bytes=4)
    first = admin.get("/box/sync/now")
    assert b"<html" not in first.data
    again = {"If-None-Match": first.headers["ETag"]}
    assert admin.get("/box/sync/now", headers=again).status_code == 304
    syncing(box, state=SyncState.SENDING, sent_bytes=2, size_bytes=4)
    assert admin.get("/box/sync/now", headers=again).status_code == 200


@pytest.mark.parametrize("what", Tell)
def test_sync_can_be_paused_and_told_to_go_on(box: Box, admin: FlaskClient, what: Tell) -> None:
    syncing(box)
    heard: list[bytes] = []
    done = threading.Event()

    def hear(data: bytes) -> None:
        heard.append(data)
        done.set()

    token = form_token_of(admin.get("/box/sync").text)
    route = {Tell.PAUSE: "pause", Tell.RESUME: "resume", Tell.NOW: "again"}[what]
    with closing(DatagramServer(control_path(box.run), hear)):
        answer = admin.post(f"/box/sync/{route}", data={"token": token})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/box/sync")
        assert done.wait(10)
    assert [parse_tell(data) for data in heard] == [what]
    (entry,) = [one for one in box.noted() if one["what"] == "sync told"]
    assert (entry["by"], entry["facts"]["told"]) == ("page", what.value)
    assert set(entry["facts"]) == {"told", "person"}
    answer = admin.post(f"/box/sync/{route}", data={"token": token})
    assert answer.status_code == 503
    assert "The sync service does not answer" in answer.text


def test_sync_is_told_nothing_that_could_not_be_noted(box: Box, admin: FlaskClient) -> None:
    syncing(box)
    heard: list[bytes] = []
    token = form_token_of(admin.get("/box/sync").text)
    (box.run / AUDIT_SOCKET_NAME).unlink()
    with closing(DatagramServer(control_path(box.run), heard.append)):
        assert admin.post("/box/sync/pause", data={"token": token}).status_code == 503
    assert heard == []


def test_there_is_a_word_in_the_log_for_all_that_sync_can_be_told() -> None:
    assert {tell.value for tell in Tell} == WORDS["told"]


def test_a_paused_sync_offers_to_go_on(box: Box, admin: FlaskClient) -> None:
    syncing(box)
    html = admin.get("/box/sync").text
    assert 'action="/box/sync/pause"' in html
    assert 'action="/box/sync/resume"' not in html
    syncing(box, state=SyncState.PAUSED)
    html = admin.get("/box/sync").text
    assert 'action="/box/sync/resume"' in html
    assert 'action="/box/sync/pause"' not in html


def test_what_passes_by_itself_is_told_here_too() -> None:
    now = time.time()
    trouble = SyncStatus(
        state=SyncState.HELD_UP,
        remote="clinic",
        published_unix_s=now,
        next_try_s=61.0,
        trouble=("the server is away", "it is tried again by itself"),
    )
    told = sync_now(trouble, remote="clinic", unix_s=now)
    assert [wrong.what for wrong in told.wrong] == ["The server is away."]
    assert told.next_try == "The next try is in 1 min 1 s."
    stale = sync_now(trouble, remote="clinic", unix_s=now + 3600)
    assert (stale.kind, stale.next_try, stale.moving) == ("gone", "", None)


def test_a_box_without_a_remote_says_so_and_offers_nothing(box: Box) -> None:
    box.setup = Setup()
    admin = browser(box.app(), begin(box.people, add_person(box.people, Role.ADMIN)))
    html = admin.get("/box/sync").text
    assert "This box has no remote" in html
    assert 'action="/box/sync/' not in html


# -- retention --------------------------------------------------------------------------------------------------------


def test_what_becomes_of_each_recording_is_told_as_retention_decides_it(box: Box, admin: FlaskClient) -> None:
    kept, held = add_recording(box.store), add_recording(box.store)
    box.store.hold(held, at=AT)
    listed = box.store.find(kept)
    assert listed is not None
    copy = Receipt(
        remote="clinic",
        digest=str(listed.manifest.digest),
        size_bytes=listed.manifest.size_bytes,
        verified_at=AT.wall,
        beside={MANIFEST_NAME: digest_of(box.store.folder(kept) / MANIFEST_NAME)},
    )
    box.store.write_receipt(kept, copy)
    html = admin.get("/box/retention").text
    assert "30 days after its copy at the clinic was verified" in html
    assert "Its copy at clinic is verified, known for 0 days; it is kept for 30 days." in html
    assert "It is held for research." in html
    assert "It may go from the box on" in html


def test_all_recordings_are_gone_through_without_reading_a_manifest_again(
    box: Box, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of thousands: so each look at one of these pages would take seconds of the box's processor."""
    monkeypatch.setattr("device.remembering.MOST_MANIFESTS", 1)
    ids = [add_recording(box.store) for _ in range(3)]
    for page in ("/box/sync", "/box/retention"):
        admin.get(page)
    monkeypatch.setattr("device.remembering.read_signed", lambda folder: pytest.fail(f"{folder} was read again"))
    for page in ("/box/sync", "/box/retention"):
        html = admin.get(page).text
        assert all(recording_id in html for recording_id in ids)


def test_a_box_that_never_deletes_says_so() -> None:
    assert policy_text(None)[0] == "Nothing is ever deleted from this box but by its client."
    assert "7 days old" in policy_text(Policy(keep_days=30, warn_days=7))[1]


# -- the audit log ----------------------------------------------------------------------------------------------------


def test_the_audit_log_tells_who_it_was_by_name_and_that_it_was_looked_at(box: Box, admin: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    admin.get(f"/recordings/{recording_id}/")
    html = admin.get("/box/audit").text
    person = next(person for person in box.people.persons() if person.is_a(Role.ADMIN))
    assert f"the page: {person.name}" in html
    assert person.mark not in html.replace(person.name, "")
    assert recording_id in html
    assert "of: audit" in html
    noted = box.noted()
    assert noted[-1]["facts"]["of"] == "audit"
    assert f">{noted[-1]['number']}<" in html


def test_the_whole_log_can_be_read_back_page_by_page(box: Box, admin: FlaskClient, auditor: Auditor) -> None:
    for _ in range(130):
        auditor.note_durably(Happened(What.WELL), patience_s=10)
    first = admin.get("/box/audit").text
    assert first.count('<span class="number">') == 100
    older = first.partition("/box/audit?before=")[2].partition('"')[0]
    second = admin.get(f"/box/audit?before={older}").text
    assert '<span class="number">1</span>' in second
    assert "Newest entries" in second
    for wrong in ("x", "-1", "", "9" * 40):
        assert admin.get(f"/box/audit?before={wrong}").status_code == 200


def test_an_entry_of_a_newer_box_is_told_in_its_own_words() -> None:
    entry = {
        "number": 7,
        "at": AT.wall,
        "clock_trusted": False,
        "what": "something new",
        "facts": {"up_to_bytes": 1000, "x": True},
    }
    shown = told(entry)
    assert (shown.what, shown.facts) == ("something new", ("at most: 1 kB", "x: yes"))


# -- erase certificates -----------------------------------------------------------------------------------------------


def test_what_was_erased_is_told_by_whom_and_what_the_clinic_has_still_to_do(box: Box, admin: FlaskClient) -> None:
    assert "Nothing was erased here yet." in admin.get("/box/certificates").text
    gone, retained = add_recording(box.store), add_recording(box.store)
    box.store.erase(gone, by=By.CLIENT, at=AT)
    box.store.erase(retained, by=By.RETENTION, at=AT)
    html = admin.get("/box/certificates").text
    assert html.index(retained) < html.index(gone)
    assert "the client, who withdrew it" in html
    assert "retention; the clinic has its copy" in html
    assert html.count("the clinic&#39;s server has still to erase its copy") == 1
    assert "overwritten" in html


def test_a_certificate_that_was_changed_is_not_believed(box: Box, admin: FlaskClient) -> None:
    gone = add_recording(box.store)
    box.store.erase(gone, by=By.CLIENT, at=AT)
    path = box.store.path / ERASED_NAME / f"{gone}.json"
    path.write_text(path.read_text().replace('"client"', '"retention"'))
    html = admin.get("/box/certificates").text
    assert gone in html
    assert "This certificate does not hold." in html
    assert "the clinic has its copy" not in html


@pytest.mark.parametrize("path", ["/box/sync", "/box/retention"])
def test_a_folder_with_the_manifest_of_another_is_on_no_way_and_has_no_fate(
    box: Box, admin: FlaskClient, path: str
) -> None:
    one, other = add_recording(box.store), add_recording(box.store)
    (box.store.folder(other) / MANIFEST_NAME).write_bytes((box.store.folder(one) / MANIFEST_NAME).read_bytes())
    html = admin.get(path).text
    assert html.count(f'<span class="id">{one}') == 1
    assert other not in html


@pytest.mark.parametrize("path", ["/box/sync", "/box/retention"])
def test_what_comes_first_is_known_of_all_and_not_of_one_page_alone(box: Box, admin: FlaskClient, path: str) -> None:
    wrong = add_recording(box.store)  # the oldest, far behind the first page by its age
    others = [add_recording(box.store) for _ in range(60)]
    for recording_id in (wrong, *others):
        digest = "00" * 32 if recording_id == wrong else "ab" * 32
        receipt = Receipt(remote="clinic", digest=digest, size_bytes=7000, verified_at="2026-03-03T14:00:00.000Z")
        box.store.write_receipt(recording_id, receipt)
    first = [admin.get(path).text, admin.get(f"{path}?page=2").text, admin.get(f"{path}?page=3").text]
    assert first[0].index(wrong) < first[0].index(others[-1])
    shown = [recording_id for recording_id in (wrong, *others) for html in first if f'id">{recording_id}' in html]
    assert set(shown) == {wrong, *others}
