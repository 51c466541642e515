"""The program that is cut: recordings, withdrawals, erasures and recoveries in a store, on the disk of ``shim.py``.

It writes down in the disk's own log what it was told is durable, so that a cut can be held to it. A scenario is a
function that gets a ``Scene``; what it calls is what a box calls. To add one: write it, and put it into ``SCENARIOS``.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.recipients import KeyRecipient
from device.attachments import attach, link, seal
from device.capture.backlog import Backlog, Bookmark
from device.capture.facts import Beginning, Facts
from device.capture.packets import Gap, Picture, Sound, SoundFormat, Wire
from device.capture.pipeline import Pipeline
from device.capture.sealer import Sealer
from device.capture.waiting import WaitingRoom
from device.capture.writer import Writer, WriterEvents
from device.clock import Stamp, SystemClock
from device.config_recipients import recipients_of
from device.durable import sync_folder, write_whole
from device.recording import RECEIPTS_NAME
from device.recording.beside import Kind
from device.recording.manifest import Manifest, SoundReport
from device.recovery import recover
from device.rehearse import Stage, parse_presses, rehearsal_of
from device.store import Store, read_manifest
from device.words import By, Consent, Fate
from tests.crash.shim import Disk, What
from tests.crash.shim import Kind as Call

AT = "2026-03-02T10:00:00.000Z"
SOUND = SoundFormat(16_000, 1, Wire.S16_LE)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_PERIOD = 1600


@dataclass(frozen=True, slots=True)
class Scene:
    """What a scenario has: an empty store, somebody to seal to, and a disk to speak to."""

    store: Store
    recipients: list[KeyRecipient]
    disk: Disk
    folder: Path  # for what is not on the disk that is cut


# -- what is told -----------------------------------------------------------------------------------------------------


@contextmanager
def replaced(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    """While it is entered, those attributes are others."""
    real = [(holder, name, getattr(holder, name)) for holder, name, _ in changes]
    for holder, name, other in changes:
        setattr(holder, name, other)
    try:
        yield
    finally:
        for holder, name, was in real:
            setattr(holder, name, was)


def _wrapped(holder: type, name: str, around: Callable[..., Any]) -> tuple[type, str, Callable[..., Any]]:
    real = getattr(holder, name)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        with around(self, *args, **kwargs):
            return real(self, *args, **kwargs)

    return holder, name, call


@contextmanager
def telling(disk: Disk) -> Iterator[None]:
    """Have the real code tell the log what begins and, once it returned, what is promised (a new promise: a line)."""

    def about(doing: str, done: str, facts: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
        @contextmanager
        def around(*args: Any, **kwargs: Any) -> Iterator[None]:
            said = facts(*args, **kwargs)
            disk.mark(do=doing, **said)
            yield
            disk.mark(do=done, **said)

        return around

    def by_id(_store: Store, recording_id: str, **_: Any) -> dict[str, Any]:
        return {"id": recording_id}

    def handed(sealer: Any, chunks: bytes, end_us: int) -> dict[str, Any]:
        said = {"bytes": len(chunks), "digest": sha256(chunks).hexdigest(), "end_us": end_us}
        return {"id": sealer._file._folder.name, **said}

    def noted(_store: Store, manifest: Manifest) -> dict[str, Any]:
        counted = {"bookmarks": len(manifest.bookmarks_us), "events": len(manifest.consent_events)}
        gaps = sum(gap.samples for gap in manifest.gaps)
        return {"id": manifest.id, "state": manifest.state, "gap_samples": gaps, **counted}

    def taken(pipeline: Any, _sound: Sound) -> dict[str, Any]:
        return {"id": pipeline._facts.recording_id, "us": pipeline.duration_us}

    wraps = [
        (Sealer, "write", about("hand", "durable", handed)),
        (Pipeline, "write_sound", about("take", "taken", taken)),
        (Store, "mark_withdrawn", about("mark", "marked", by_id)),
        (Store, "unmark_withdrawn", about("unmark", "unmarked", by_id)),
        (Store, "erase", about("erase", "erased", by_id)),
        (Store, "write_manifest", about("note", "noted", noted)),
    ]
    with replaced(*(_wrapped(*wrap) for wrap in wraps)):
        yield


# -- scenarios --------------------------------------------------------------------------------------------------------


def _facts(picture: bool) -> Facts:  # noqa: FBT001
    return Facts(
        Beginning(
            box="Room 1",
            boot="b",
            consent=Consent.SOUND_AND_PICTURE if picture else Consent.SOUND,
            choices=(Consent.SOUND,),
            pressed_us=0,
            started=AT,
            clock_trusted=True,
            camera="simulated" if picture else None,
            size=(320, 180) if picture else (0, 0),
            recipients=("f",),
        )
    )


def _feed(backlog: Backlog, *, seconds: float, seed: int, picture: bool, notes: bool) -> None:
    """Sound as loud noise, so that each fragment of 0.75 s fills a good part of its chunk."""
    chance = random.Random(seed)
    for number in range(round(seconds * 10)):
        end_us = (number + 1) * 100_000
        if notes and number % 20 == 10:
            backlog.put_gap(Gap(_PERIOD, "the microphone was gone", end_us))
            backlog.put_note(Bookmark(end_us))
            continue
        backlog.put_sound(Sound(chance.randbytes(2 * _PERIOD), _PERIOD, end_us))
        if picture and number % 10 == 5:  # a key picture that takes two chunks
            unit = b"\0\0\0\1\x65" + chance.randbytes(90_000).replace(b"\0", b"\1")
            backlog.put_picture(Picture(unit, end_us, key=True))
    backlog.close()


def record(
    scene: Scene, *, seconds: float = 5.0, seed: int = 1, picture: bool = False, notes: bool = False
) -> tuple[str, Facts]:
    """Record with the real writer; the id, and what is known of it."""
    backlog, facts = Backlog(), _facts(picture)
    backlog.set_format(SOUND)
    _feed(backlog, seconds=seconds, seed=seed, picture=picture, notes=notes)
    writer = Writer(
        scene.store,
        scene.recipients,
        backlog,
        facts,
        clock=SystemClock(),
        report=SoundReport,
        events=WriterEvents(begun=lambda _id: None, durable=lambda _us, _bytes: None, taken=lambda _us: None),
    )
    writer.run(SOUND)
    return facts.recording_id, facts


def whole(scene: Scene) -> None:
    record(scene)


def with_picture(scene: Scene) -> None:
    record(scene, seconds=3, picture=True)


def rewritten(scene: Scene) -> None:
    """Gaps and bookmarks are written down as they come; a fate after it is complete."""
    recording_id, facts = record(scene, notes=True)
    for at_us, fate in enumerate((Fate.WITHDRAWN, Fate.KEPT)):
        facts.add_fate(fate, at_us)
        manifest = read_manifest(scene.store.folder(recording_id))
        scene.store.write_manifest(manifest.model_copy(update={"consent_events": facts.consent_events}))


def withdrawn(scene: Scene) -> None:
    recording_id, _ = record(scene, seconds=2)
    scene.store.mark_withdrawn(recording_id)
    scene.store.erase(recording_id, by=By.CLIENT, at=AT)


def turned_over(scene: Scene) -> None:
    recording_id, _ = record(scene, seconds=2)
    scene.store.mark_withdrawn(recording_id)
    scene.store.unmark_withdrawn(recording_id)
    scene.store.mark_withdrawn(recording_id)
    scene.store.unmark_withdrawn(recording_id)


def with_receipt(scene: Scene) -> None:
    """A receipt comes; then the client's recording is erased all the same."""
    recording_id, _ = record(scene, seconds=2)
    receipts = scene.store.folder(recording_id) / RECEIPTS_NAME
    receipts.mkdir()
    sync_folder(receipts.parent)
    write_whole(receipts / "clinic.json", b'{"digest": "..."}')
    scene.disk.mark(do="received", id=recording_id, name="clinic.json")
    scene.store.erase(recording_id, by=By.CLIENT, at=AT)


def two(scene: Scene) -> None:
    """One is settled while the next is recorded: a withdrawal is marked, and erased, between its chunks."""
    first, _ = record(scene, seconds=2, seed=2)
    steps = iter([scene.store.mark_withdrawn, lambda i: scene.store.erase(i, by=By.CLIENT, at=AT)])
    real = Sealer.write
    appended = 0

    def write(self: Sealer, chunks: bytes, end_us: int) -> None:
        nonlocal appended
        real(self, chunks, end_us)
        appended += 1
        if appended in (2, 4):
            next(steps)(first)

    with replaced((Sealer, "write", write)):
        record(scene, seconds=4, seed=3)


def _seal(scene: Scene, kind: Kind, recording_id: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    """Something sealed for a recording, and what the log is told of it; it is about to be written."""
    sealed = seal(kind, content, scene.recipients)
    told = {"id": recording_id, "digest": sha256(sealed).hexdigest()}
    scene.disk.mark(do="give", **told)
    return sealed, told


def named(scene: Scene) -> None:
    """A label, a note, and another label in the first one's place."""
    recording_id, _ = record(scene, seconds=2)
    for kind, content in ((Kind.LABEL, b"A-17"), (Kind.NOTE, b"at the window" * 200), (Kind.LABEL, b"A-18")):
        sealed, told = _seal(scene, kind, recording_id, content)
        name = attach(scene.store.folder(recording_id), kind, sealed)
        scene.disk.mark(do="given", name=name, **told)


def placed(scene: Scene) -> None:
    """A measure waits, is left, and goes beside a recording."""
    recording_id, _ = record(scene, seconds=2)
    room, folder = WaitingRoom(scene.store.path), scene.store.folder(recording_id)
    sealed, told = _seal(scene, Kind.MEASURE, recording_id, bytes(5000))
    now = Stamp(AT, trusted=True, boot="b", monotonic_us=1)
    room.put(Kind.MEASURE, sealed, by="a" * 12, at=now)
    scene.disk.mark(do="given", name="", **told)
    room.leave(room.all())
    name = room.place(room.all()[0], lambda path: link(path, folder, Kind.MEASURE))
    scene.disk.mark(do="given", name=name, **told)


def named_and_withdrawn(scene: Scene) -> None:
    """What lies beside a recording goes with it."""
    recording_id, _ = record(scene, seconds=1)
    sealed, told = _seal(scene, Kind.NOTE, recording_id, b"at the window" * 200)
    scene.disk.mark(do="given", name=attach(scene.store.folder(recording_id), Kind.NOTE, sealed), **told)
    scene.store.mark_withdrawn(recording_id)
    scene.store.erase(recording_id, by=By.CLIENT, at=AT)


def room_wav(path: Path) -> bytes:
    """What is said in the room, 12 s of it, as a WAV; its samples."""
    from tests.support import write_wav  # it needs pytest, which a guest of the appliance has not

    data = random.Random(9).randbytes(12 * 2 * SOUND.rate_hz)
    write_wav(path, data, rate_hz=SOUND.rate_hz, channels=SOUND.channels, bits=SOUND.bits)
    return data


def _rehearse(scene: Scene, presses: str, *, speed: float = 40) -> None:
    """The whole program: panel, session, microphone and all its threads."""
    wav = scene.folder / "room.wav"
    room_wav(wav)
    stage = Stage(
        sound=wav,
        loop=True,
        size=None,
        fps=1,
        store=scene.store.path,
        recipients=tuple(map(str, scene.recipients)),
        speed=speed,
        max_length_min=1,
    )
    rehearsal_of(stage).run(parse_presses(presses))


def program_withdrawn(scene: Scene) -> None:
    _rehearse(scene, "0.1 consent, 0.5 record, 3.5 consent")


def program_two(scene: Scene) -> None:
    """Two sessions: the first was withdrawn, and the next client's press settles it."""
    _rehearse(scene, "0.1 consent, 0.5 record, 3 consent, 6 consent, 6.5 record, 9 record")


def program_turned_over(scene: Scene) -> None:
    _rehearse(scene, "0.1 consent, 0.5 record, 3 consent, 5 hold consent")


SCENARIOS: dict[str, Callable[[Scene], None]] = {
    play.__name__: play
    for play in (
        whole,
        with_picture,
        rewritten,
        withdrawn,
        turned_over,
        with_receipt,
        two,
        named,
        placed,
        named_and_withdrawn,
        program_withdrawn,
        program_two,
        program_turned_over,
    )
}


def stall(scene: Scene, *, stall_ms: int, every: int) -> None:
    """A recording in real time on a disk of which an fsync stalls again and again; how much sound waited at most."""
    real, put = Sealer.write, Backlog.put_sound
    seen = {"stalls": 0, "waiting_us": 0}
    calls = 0

    def write(self: Sealer, chunks: bytes, end_us: int) -> None:
        nonlocal calls
        calls += 1
        if calls % every == 0:
            scene.disk.fault(1, kinds=(Call.SYNC,), what=What.STALL, error=stall_ms)
        real(self, chunks, end_us)
        if calls % every == 0:
            seen["stalls"] += scene.disk.hits
            scene.disk.fault(0)

    def put_sound(self: Backlog, sound: Sound) -> bool:
        taken = put(self, sound)
        seen["waiting_us"] = max(seen["waiting_us"], self.sound_waiting_us)
        return taken

    with replaced((Sealer, "write", write), (Backlog, "put_sound", put_sound)):
        _rehearse(scene, "0.1 consent, 0.5 record, 10.5 record", speed=1)
    print(json.dumps(seen))


def store_of(path: Path) -> Store:
    return Store(path, device_key=KEY)


def main() -> None:
    """``play.py JOB``: a JSON object with ``do``, ``store``, ``recipient``, ``folder`` and what the job needs."""
    job = json.loads(sys.argv[1])
    disk = Disk()
    assert disk.is_there, "to be run on the disk of shim.py"
    scene = Scene(store_of(Path(job["store"])), recipients_of((job["recipient"],)), disk, Path(job["folder"]))
    match job["do"]:
        case "play":
            with telling(disk):
                SCENARIOS[job["scenario"]](scene)
        case "recover":
            for number in range(job["count"]):
                recover(store_of(scene.store.path / str(number)), at=AT)
        case "stall":
            stall(scene, stall_ms=job["stall_ms"], every=job["every"])
        case "naive":
            from tests.crash.naive import play_all

            play_all(scene, SCENARIOS[job["scenario"]])
        case _:
            from tests.crash.faults import inject

            inject(scene, job)


if __name__ == "__main__":
    main()
