"""One operation of the store after another, with its n-th call going wrong: for every n, until it passes untouched.

Runs inside ``play.py``. Each round has a store of its own, in a folder of its own; what came of it is printed as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from device.capture.sealer import Sealer
from device.capture.writer import Writer
from device.durable import sync_folder, write_whole
from device.errors import SottoError
from device.recording import RECEIPTS_NAME
from device.recovery import recover
from device.store import read_manifest
from device.words import By
from tests.crash.play import AT, Scene, record, replaced, store_of, telling
from tests.crash.shim import CHANGES, Kind, What

_MOST = 400


def _only(scene: Scene) -> str:
    return scene.store.ids()[0]


def _record(scene: Scene) -> None:
    record(scene, seconds=1.5, notes=True)


def _withdraw(scene: Scene) -> None:
    scene.store.mark_withdrawn(_only(scene))


def _turn_back(scene: Scene) -> None:
    scene.store.unmark_withdrawn(_only(scene))


def _erase(scene: Scene) -> None:
    scene.store.erase(_only(scene), by=By.CLIENT, at=AT)


def _note(scene: Scene) -> None:
    scene.store.write_manifest(read_manifest(scene.store.folder(_only(scene))))


def _recover(scene: Scene) -> None:
    recover(scene.store, at=AT)


def _check(scene: Scene) -> None:
    scene.store.check()


def _nothing(_scene: Scene) -> None:
    pass


def _complete(scene: Scene) -> None:
    recording_id, _ = record(scene, seconds=1.5)
    receipts = scene.store.folder(recording_id) / RECEIPTS_NAME
    receipts.mkdir()
    sync_folder(receipts.parent)
    write_whole(receipts / "clinic.json", b"{}")
    scene.disk.mark(do="received", id=recording_id, name="clinic.json")


def _withdrawn(scene: Scene) -> None:
    _complete(scene)
    _withdraw(scene)


class _PowerCut(BaseException):
    pass


def _torn(scene: Scene) -> None:
    """What a power cut leaves in the middle of a recording."""
    real, left = Sealer.write, [2]

    def write(self: Sealer, chunks: bytes, end_us: int) -> None:
        real(self, chunks, end_us)
        left[0] -= 1
        if left[0] < 0:
            raise _PowerCut

    not_closed = (Writer, "_close_as_it_is", lambda *_a, **_k: None)
    with suppress(_PowerCut), replaced((Sealer, "write", write), not_closed):
        record(scene, seconds=3)


def _torn_and_withdrawn(scene: Scene) -> None:
    _torn(scene)
    _withdraw(scene)


# What there is before, and what is then tried.
OPERATIONS: dict[str, tuple[Callable[[Scene], None], Callable[[Scene], None]]] = {
    "record": (_nothing, _record),
    "withdraw": (_complete, _withdraw),
    "turn back": (_withdrawn, _turn_back),
    "erase": (_withdrawn, _erase),
    "note": (_complete, _note),
    "recover": (_torn, _recover),
    "recover a withdrawal": (_torn_and_withdrawn, _recover),
    "check": (_nothing, _check),
}


def inject(scene: Scene, job: dict[str, Any]) -> None:
    """Play every round of one operation with each of the faults of ``job``."""
    prepare, operate = OPERATIONS[job["operation"]]
    print(json.dumps({name: _rounds(scene, name, fault, prepare, operate) for name, fault in job["faults"].items()}))


def _rounds(
    scene: Scene,
    name: str,
    fault: dict[str, Any],
    prepare: Callable[[Scene], None],
    operate: Callable[[Scene], None],
) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    for nth in range(1, _MOST):
        place = scene.store.path / f"{name} {nth}"
        place.mkdir()
        mine = replace(scene, store=store_of(place))
        scene.disk.mark(do="round", store=place.name)
        with telling(scene.disk):
            prepare(mine)
            scene.disk.fault(
                nth,
                kinds=tuple(map(Kind, fault.get("kinds", CHANGES))),
                what=What(fault.get("what", What.FAIL)),
                error=fault.get("error", 0),
                lasting=fault.get("lasting", False),
            )
            told.append({"store": place.name, **_outcome(operate, mine)})
            told[-1]["hits"] = scene.disk.hits
            scene.disk.fault(0)
            if fault.get("restart"):
                recover(mine.store, at=AT)
        if told[-1]["hits"] == 0:
            break
    return told


def _outcome(operate: Callable[[Scene], None], scene: Scene) -> dict[str, Any]:
    try:
        operate(scene)
    except SottoError as problem:
        return {"error": type(problem).__name__, "what": problem.what, "hint": problem.hint}
    return {"error": ""}
