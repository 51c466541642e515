"""What the page says of sync: one line always, a warning only where somebody has to look."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from device.status import publish
from device.sync_status import SYNC_FOLDER_NAME, SyncState, SyncStatus, publish_sync, read_sync_status
from device.web.syncing import sync_line, sync_wrong
from device.words import Fate
from tests.web.conftest import Box
from tests.web.published import last, status

NOW_S = 1000.0


def syncing(**facts: Any) -> SyncStatus:
    return SyncStatus(**{"state": SyncState.IDLE, "remote": "clinic", "published_unix_s": NOW_S} | facts)


@pytest.mark.parametrize("state", SyncState)
def test_every_state_has_a_line_and_is_no_warning_by_itself(state: SyncState) -> None:
    told = syncing(state=state, size_bytes=400, sent_bytes=100, waiting=2, waiting_bytes=3_000_000, orders=1)
    line = sync_line(told, unix_s=NOW_S)
    assert "clinic" in line
    assert "2 recordings are still to go (3 MB). Erase orders that wait: 1." in line
    assert ("25 %" in line) == (state in {SyncState.SENDING, SyncState.VERIFYING})
    assert list(sync_wrong(told, unix_s=NOW_S)) == []


def test_a_box_without_a_remote_says_nothing_of_it() -> None:
    assert sync_line(None, unix_s=NOW_S) == ""
    assert list(sync_wrong(None, unix_s=NOW_S)) == []


def test_a_box_that_keeps_a_recording_back_never_says_that_all_is_synced() -> None:
    assert sync_line(syncing(), unix_s=NOW_S) == "Synced with clinic."
    assert sync_line(syncing(), unix_s=NOW_S, kept_back=True) == (
        "Synced with clinic. The newest recording is not sent yet: it goes once the client can no longer withdraw it."
    )


def test_a_remote_that_is_away_is_a_warning_only_once_it_is_stuck() -> None:
    away = syncing(state=SyncState.HELD_UP, trouble=("the remote does not answer", "nothing"))
    assert list(sync_wrong(away, unix_s=NOW_S)) == []
    for looked in (away.model_copy(update={"stuck": True}), away.model_copy(update={"must_act": True})):
        (wrong,) = sync_wrong(looked, unix_s=NOW_S)
        assert (wrong.what, wrong.hint) == ("The remote does not answer.", "Nothing.")
    for state in (SyncState.IDLE, SyncState.PAUSED):
        (wrong,) = sync_wrong(syncing(state=state, stuck=True), unix_s=NOW_S)
        assert "for days" in wrong.what
        assert ("resume" in wrong.hint) == (state is SyncState.PAUSED)


@pytest.mark.parametrize("age_s", [61, -61])
def test_what_is_old_or_from_the_future_is_not_believed(age_s: float) -> None:
    assert sync_line(syncing(), unix_s=NOW_S + age_s) == "The sync service does not answer."
    assert [wrong.what for wrong in sync_wrong(syncing(), unix_s=NOW_S + age_s)] == [
        "The sync service does not answer."
    ]


def test_the_page_shows_the_line_and_the_warning(box: Box, client: FlaskClient) -> None:
    publish(status(), box.run)
    assert b'data-say="sync" hidden' in client.get("/").data
    (box.run / SYNC_FOLDER_NAME).mkdir()
    full = ("the remote is full", "make room there")
    publish_sync(syncing(state=SyncState.HELD_UP, trouble=full, must_act=True, published_unix_s=time.time()), box.run)
    page = client.get("/").text
    assert "Sync with clinic is held up" in page
    assert "<strong>The remote is full.</strong> Make room there." in page
    said = json.loads(client.get("/status.json").data)["says"]
    assert "held up" in said["sync"]
    assert said["wrong"][-1] == {"what": "The remote is full.", "hint": "Make room there."}


@pytest.mark.parametrize(("fate", "kept_back"), [(Fate.KEPT, True), (Fate.WITHDRAWN, False)])
def test_while_the_client_can_still_withdraw_it_the_page_says_that_it_is_not_sent(
    box: Box, client: FlaskClient, fate: Fate, *, kept_back: bool
) -> None:
    publish(status(last=last(fate)), box.run)
    (box.run / SYNC_FOLDER_NAME).mkdir()
    publish_sync(syncing(published_unix_s=time.time()), box.run)
    assert ("is not sent yet" in client.get("/").text) == kept_back


@pytest.mark.parametrize("content", ["", "{", '{"state": "dreaming"}'])
def test_a_file_that_cannot_be_read_is_no_status(tmp_path: Path, content: str) -> None:
    (tmp_path / SYNC_FOLDER_NAME).mkdir()
    (tmp_path / SYNC_FOLDER_NAME / "sync.json").write_text(content)
    assert read_sync_status(tmp_path) is None
