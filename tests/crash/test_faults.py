"""The n-th call of every operation of the store fails, for every n: nothing durable is lost, and it is told.

The faults are of the real system calls, in a program of ours (``disk.c``). After each round the program "starts again"
on what was left, and, as a second thought, the power goes then: what a failed fsync let go may be gone for good.
"""

from __future__ import annotations

import errno
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from device.age.identities import KeyIdentity
from device.recording import LEDGER_NAME, SESSION_NAME
from device.recording.manifest import RecordingState
from tests.crash.faults import OPERATIONS
from tests.crash.judge import Opener, broken, examine
from tests.crash.model import Disk, State
from tests.crash.promises import Told
from tests.crash.search import play, rounds
from tests.crash.shim import Call, Kind, What

COUNTED = {"positions": 0, "states": 0}

# What goes wrong: with what error, whether it stays that way, with which calls; and whether the power then goes, too.
FAULTS: dict[str, dict[str, Any]] = {
    "an error of the disk": {"error": errno.EIO, "cut": True},
    "a full disk": {"error": errno.ENOSPC, "lasting": True},
    "a quota": {"error": errno.EDQUOT},
    "a disk that became read-only": {"error": errno.EROFS, "lasting": True},
    "a short write": {"what": What.SHORT, "kinds": [Kind.WRITE]},
    "a failing fsync": {"error": errno.EIO, "kinds": [Kind.SYNC, Kind.SYNC_FOLDER], "cut": True},
    "a disk that fails until the program starts again": {
        "error": errno.EIO,
        "lasting": True,
        "restart": True,
        "cut": True,
    },
    "a file system that sets no room aside": {"error": errno.EOPNOTSUPP, "kinds": [Kind.ASIDE]},
    "a read error": {"error": errno.EIO, "kinds": [Kind.READ]},
}


@pytest.fixture(scope="module", autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(
            f"\nfaults: {COUNTED['positions']} positions, {COUNTED['states']} states of the disk after them: "
            f"{'see the failures' if request.session.testsfailed else '0 violations'}"
        )


@dataclass
class Round:
    """One round of an operation: what it was told, what it did, and what it left."""

    said: dict[str, Any]
    place: Path
    calls: list[Call] = field(default_factory=list)

    @property
    def told(self) -> Told:
        heard = Told()
        for call in self.calls:
            if call.kind is Kind.MARK:
                heard.hear(call.mark)
        return heard

    def left(self) -> State:
        """What a program finds that starts again."""
        entries = sorted(self.place.rglob("*"))
        tree = {str(e.relative_to(self.place)): None if e.is_dir() else e.read_bytes() for e in entries}
        return State(tree, b"")

    def after_a_cut(self) -> Iterator[State]:
        """What is on the disk if the power goes now, too."""
        disk = Disk()
        for call in self.calls:
            disk.obey(call)
        seen = set()
        for choice in disk.choices(random.Random(7), lots=2):
            if (digest := disk.digest(choice)) not in seen:
                seen.add(digest)
                yield disk.state(choice)


def rounds_of(
    library: Path, folder: Path, identity: KeyIdentity, operation: str, faults: dict[str, dict[str, Any]]
) -> dict[str, list[Round]]:
    """Every round of an operation with each fault; the last one of each, in which nothing went wrong, is left out."""
    run = play(library, folder, identity, {"do": "fault", "operation": operation, "faults": faults})
    parts = rounds(run.calls)
    found: dict[str, list[Round]] = {}
    for fault, told in json.loads(run.printed).items():
        assert told[-1]["hits"] == 0, f"{operation} never passed untouched by {fault}"
        assert told[-1]["error"] == ""
        found[fault] = [Round(said, folder / "played" / said["store"], parts[said["store"]]) for said in told[:-1]]
    return found


@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_call_fails_nothing_durable_is_lost_and_it_is_told(
    library: Path, identity: KeyIdentity, place: Path, operation: str
) -> None:
    opener = Opener(identity)
    for fault, all_played in rounds_of(library, place / "faults", identity, operation, FAULTS).items():
        for played in all_played:
            said, promises = played.said, played.told
            if said["error"]:
                assert said["error"] in {"StoreError", "StoreFullError"} or "read" in fault, said
                assert said["what"]
                assert said["hint"]
            for state in (played.left(), *(played.after_a_cut() if "cut" in FAULTS[fault] else ())):
                outcome = examine(state, place / "scratch", promises.pieces, opener)
                wrong = broken(outcome, promises.promises, promises.pieces, frozenset())
                assert not wrong, f"{fault}: {said}: {wrong}"
                COUNTED["states"] += 1
        COUNTED["positions"] += len(all_played)


def test_room_that_cannot_be_set_aside_is_no_reason_not_to_record(
    library: Path, identity: KeyIdentity, place: Path
) -> None:
    for error in (errno.EOPNOTSUPP, errno.ENOSPC, errno.EINTR):
        fault = {"no room": {"error": error, "kinds": [Kind.ASIDE]}}
        (played,) = rounds_of(library, place / str(error), identity, "record", fault)["no room"]
        assert played.said["error"] == ""
        (outcome,) = examine(played.left(), place / "scratch", played.told.pieces, Opener(identity)).found.values()
        assert outcome.manifest.state is RecordingState.COMPLETE


def test_a_recording_whose_fsync_failed_is_written_no_further(
    library: Path, identity: KeyIdentity, place: Path
) -> None:
    seen = 0
    fault = "a failing fsync"
    for played in rounds_of(library, place / "faults", identity, "record", {fault: FAULTS[fault]})[fault]:
        failed = next(n for n, call in enumerate(played.calls) if call.error)
        if played.calls[failed].path.rpartition("/")[2] not in {SESSION_NAME, LEDGER_NAME}:
            continue
        seen += 1
        assert played.said["error"] == "StoreError"
        handed = [c.mark for c in played.calls[failed:] if c.kind is Kind.MARK and c.mark["do"] == "hand"]
        assert handed == []
        ((name, promise),) = played.told.promises.items()
        outcome = examine(played.left(), place / "scratch", played.told.pieces, Opener(identity))
        # What it had called durable before, and not one chunk that only the page cache still shows.
        if promise.durable == 0:
            assert name not in outcome.found, "what never began leaves nothing"
            continue
        assert outcome.found[name].pieces == promise.durable
        assert "the store failed: a chunk could not be made durable" in str(outcome.found[name].manifest.end)
    assert seen > 4
