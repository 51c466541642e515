"""What the page has named lies sealed beside its recording, or waits; and nothing is ever put where it is not to be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from device.age.identities import KeyIdentity, generate_identity
from device.attachments import seal
from device.capture import desk as desk_module
from device.capture.desk import Desk
from device.capture.places import Begun
from device.clock import Stamp
from device.counts import read_counts
from device.errors import StoreError
from device.journal import Entry
from device.naming_requests import (
    MOST_MEASURE_BYTES,
    Asked,
    AskFor,
    Assign,
    Clip,
    Declined,
    Label,
    Leave,
    Measure,
    Named,
    Note,
    NotNamedError,
    OnDuty,
    Place,
    Reason,
    Review,
)
from device.recording import ATTACHMENTS_NAME, LEDGER_NAME, SESSION_NAME
from device.recording.audited import Happened
from device.recording.beside import ASKED_NAMES, Kind, Wish
from device.recording.manifest import RecordingState
from device.recording.named import MOST_NOTE_LETTERS, LabelDocument, NoteDocument, from_bytes
from device.store import Store, read_manifest
from device.waiting import WAITS_S
from device.wishes import wishes_of
from device.words import By, Consent
from tests.retained import FreeClock, add_recording
from tests.support import PATIENCE_S, desk_at, own_open, store_at

ANNA, BEN, ADMIN = "a" * 12, "b" * 12, "c" * 12
AT = Stamp("2026-03-02T10:00:00.000Z", trusted=True, boot="b", monotonic_us=7)
HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def identity() -> KeyIdentity:
    return generate_identity(post_quantum=False)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


class Room:
    """A desk, its clock, and what it had noted and told."""

    def __init__(self, store: Store, identity: KeyIdentity) -> None:
        self.store, self.identity = store, identity
        self.clock = FreeClock()
        self.noted: list[Happened] = []
        self.told: list[str] = []
        self.in_order = True
        self.note: Callable[[Happened], int | None] = lambda happened: self.noted.append(happened) or len(self.noted)
        self.desk = self.start()

    def start(self) -> Desk:
        return desk_at(
            self.store,
            clock=self.clock,
            recipients=[self.identity.recipient()],
            note=self._note,
            in_order=lambda: self.in_order,
            told=self._tell,
        )

    def _note(self, happened: Happened) -> int | None:
        return self.note(happened)

    def _tell(self, entry: Entry) -> None:
        self.told.append(entry.message)

    def ask(self, asked: Asked) -> Named:
        return self.desk.answer(asked)

    def refused(self, asked: Asked) -> Reason:
        with pytest.raises(NotNamedError) as refused:
            self.desk.answer(asked)
        assert refused.value.what
        assert refused.value.hint
        return refused.value.reason

    def opened(self, recording_id: str, name: str) -> bytes:
        return own_open(self.store.folder(recording_id) / ATTACHMENTS_NAME / name, self.identity)

    def beside(self, recording_id: str) -> list[str]:
        place = self.store.folder(recording_id) / ATTACHMENTS_NAME
        return sorted(path.name for path in place.iterdir()) if place.exists() else []

    def begin(self, therapist: str | None, *, ordinal: int = 1) -> str:
        """A recording begins, as the recorder tells it; returns once the desk has heard."""
        recording_id = add_recording(self.store, state="open")
        self.desk.places.started(ordinal)
        self.desk.places.begun(ordinal, Begun(recording_id, therapist, Consent.SOUND))
        self.heard()
        return recording_id

    def heard(self) -> None:
        done = threading.Event()
        self.desk._jobs.put(done.set)
        assert done.wait(PATIENCE_S)


@pytest.fixture
def room(store: Store, identity: KeyIdentity) -> Iterator[Room]:
    room = Room(store, identity)
    with closing(room.desk):
        yield room


def a_measure(recording_id: str | None = None) -> Measure:
    return Measure(by=ANNA, recording=recording_id, document='{"kind": "sotto-measure"}')


# -- beside a recording that is there ---------------------------------------------------------------------------------


def test_labels_notes_and_measures_go_beside_an_earlier_recording_sealed(room: Room) -> None:
    one = add_recording(room.store)
    assert room.ask(Label(by=ANNA, recording=one, client="A-17", session=3, arm="B")) == Named(one, "label.age")
    assert room.ask(Note(by=BEN, recording=one, text="at the window")) == Named(one, "note-001.age")
    assert room.ask(a_measure(one)) == Named(one, "measure-001.age")
    label = from_bytes(room.opened(one, "label.age"), LabelDocument)
    assert (label.client, label.session, label.study, label.arm, label.by) == ("A-17", 3, None, "B", ANNA)
    assert label.at == "2026-03-02T09:00:00.000Z"
    note = from_bytes(room.opened(one, "note-001.age"), NoteDocument)
    assert (note.text, note.by) == ("at the window", BEN)
    assert room.opened(one, "measure-001.age").rstrip() == b'{"kind": "sotto-measure"}'
    assert [(h.what, h.recording, h.facts["attachment"], h.facts["person"]) for h in room.noted] == [
        ("named", one, "label", ANNA),
        ("named", one, "note", BEN),
        ("named", one, "measure", ANNA),
    ]
    assert "A-17" not in str(room.noted)


def test_how_long_a_sealed_file_is_does_not_tell_what_was_answered(room: Room) -> None:
    one = add_recording(room.store)
    for words in ("Not at all", "Nearly every day"):
        room.ask(Measure(by=ANNA, recording=one, document=json.dumps({"words": words})))
        room.ask(Note(by=ANNA, recording=one, text=words))
    place = room.store.folder(one) / ATTACHMENTS_NAME
    sizes = {kind: {path.stat().st_size for path in place.glob(f"{kind}-*.age")} for kind in ("measure", "note")}
    assert [len(found) for found in sizes.values()] == [1, 1]
    sizes_of_labels = set()
    for client in ("A", "A-17 of the second ward"):
        room.ask(Label(by=ANNA, recording=one, client=client))
        sizes_of_labels.add((place / "label.age").stat().st_size)
    assert len(sizes_of_labels) == 1
    longest = Measure(by=ANNA, recording=one, document="x" * MOST_MEASURE_BYTES)
    assert room.ask(longest).name == "measure-003.age"
    assert room.ask(Note(by=ANNA, recording=one, text="🛋" * MOST_NOTE_LETTERS)).name == "note-003.age"


def test_a_clip_is_kept_as_it_was_sealed_and_what_is_in_the_plain_is_not(room: Room, identity: KeyIdentity) -> None:
    one = add_recording(room.store)
    sealed = seal(Kind.CLIP, b"a clip", [identity.recipient()])
    assert room.ask(Clip(by=BEN, recording=one, sealed=sealed)) == Named(one, "clip-001.age")
    assert room.opened(one, "clip-001.age") == b"a clip"
    assert room.ask(Review(by=BEN, recording=one, sealed=sealed)) == Named(one, "review-001.age")
    for kind in (Clip, Review):
        assert room.refused(kind(by=BEN, recording=one, sealed=b"in the plain")) is Reason.NOT_SEALED
    assert room.beside(one) == ["clip-001.age", "review-001.age"]


def test_beside_what_is_not_there_not_begun_or_going_nothing_is_put(room: Room) -> None:
    gone, unbegun = "000099-abcdefghij", add_recording(room.store)
    (room.store.folder(unbegun) / SESSION_NAME).unlink()
    withdrawn, owed, going = (add_recording(room.store) for _ in range(3))
    room.store.mark_withdrawn(withdrawn)
    room.store.erasing.owed[owed] = By.CLIENT
    room.store.mark_for_retention(going)
    for asked in (
        lambda one: Label(by=ANNA, recording=one, client="a"),
        a_measure,
        lambda one: AskFor(by=ANNA, recording=one, wish=Wish.COPY),
        lambda one: Assign(by=ADMIN, recording=one, therapist=ANNA),
    ):
        assert [room.refused(asked(one)) for one in (gone, unbegun)] == [Reason.GONE] * 2
        assert [room.refused(asked(one)) for one in (withdrawn, owed, going)] == [Reason.GOING] * 3
    assert room.noted == []
    for one in (unbegun, withdrawn, owed, going):
        assert room.beside(one) == []


def test_a_withdrawal_that_comes_in_between_comes_first(room: Room) -> None:
    one = add_recording(room.store)

    def note(_happened: Happened) -> int:
        room.store.mark_withdrawn(one)
        return 1

    room.note = note
    assert room.refused(a_measure(one)) is Reason.GOING
    assert room.beside(one) == []


def test_while_something_is_erased_nobody_waits_for_long_and_while_something_is_written_no_erasure_begins(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.capture.beside._PATIENCE_S", 0.05)
    one = add_recording(room.store)
    with room.store.erasing.undisturbed():
        assert room.refused(a_measure(one)) is Reason.BUSY
    real, erasing = desk_module.attach, list[bool]()

    def attach(folder: Path, kind: Kind, sealed: bytes) -> str:
        erasing.append(room.store.erasing.undisturbed().locked())
        return real(folder, kind, sealed)

    monkeypatch.setattr(desk_module, "attach", attach)
    room.ask(a_measure(one))
    assert erasing == [True]
    assert not room.store.erasing.undisturbed().locked()


def test_what_cannot_be_noted_is_not_done(room: Room) -> None:
    one = add_recording(room.store)
    room.note = lambda _happened: None
    for asked in (
        Label(by=ANNA, recording=one, client="a"),
        Label(by=ANNA, client="a"),
        AskFor(by=ANNA, recording=one, wish=Wish.COPY),
        Assign(by=ADMIN, recording=one, therapist=ANNA),
        OnDuty(by=ANNA, therapist=ANNA),
        Declined(by=ANNA),
    ):
        assert room.refused(asked) is Reason.NOT_NOTED
    assert room.beside(one) == []
    assert room.desk.waiting.all() == ()
    assert wishes_of(room.store.folder(one)) == ()
    assert read_manifest(room.store.folder(one)).therapist is None
    assert room.desk.duty.therapist(room.clock.now_us()) is None
    assert read_counts(room.store.path) is None


def test_while_the_recordings_are_put_in_order_nothing_is_put_beside_one_but_what_is_given_waits(room: Room) -> None:
    one = add_recording(room.store)
    room.in_order = False
    assert room.refused(a_measure(one)) is Reason.BUSY
    assert room.ask(a_measure()).recording is None


def test_without_a_recipient_nothing_is_kept(store: Store, identity: KeyIdentity) -> None:
    nobody = desk_at(store, clock=FreeClock(), recipients=[])
    with closing(nobody), pytest.raises(NotNamedError) as refused:
        nobody.answer(a_measure())
    assert refused.value.reason is Reason.NOT_SEALED
    assert refused.value.hint
    assert list(store.path.iterdir()) == []


def test_a_disk_that_takes_too_long_is_told_and_the_next_is_answered(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "ANSWER_S", 0.05)
    goes_on = threading.Event()
    room.note = lambda happened: goes_on.wait(PATIENCE_S) and 1
    assert room.refused(a_measure()) is Reason.TOO_SLOW
    assert room.refused(Label(by=ANNA, client="a")) is Reason.TOO_SLOW  # it had not begun, and is not done later either
    goes_on.set()
    room.heard()
    assert [one.kind for one in room.desk.waiting.all()] == [Kind.MEASURE]


# -- what waits -------------------------------------------------------------------------------------------------------


def test_what_is_given_before_goes_beside_the_next_recording_of_that_person(room: Room) -> None:
    room.ask(Label(by=ANNA, client="A-17"))
    room.ask(a_measure())
    one = room.begin(ANNA)
    assert room.beside(one) == ["label.age", "measure-001.age"]
    assert from_bytes(room.opened(one, "label.age"), LabelDocument).client == "A-17"
    assert room.desk.waiting.all() == ()
    placed = [(h.what, h.recording, h.by, h.facts["attachment"]) for h in room.noted if h.what == "placed"]
    assert placed == [("placed", one, "box", "label"), ("placed", one, "box", "measure")]


@pytest.mark.parametrize("therapist", [BEN, None])
def test_when_somebody_elses_recording_begins_it_is_left_and_goes_beside_none_after_that(
    room: Room, therapist: str | None
) -> None:
    room.ask(a_measure())
    other = room.begin(therapist)
    room.desk.places.settled(1)
    own = room.begin(ANNA, ordinal=2)
    assert room.beside(other) == room.beside(own) == []
    assert [one.left for one in room.desk.waiting.all()] == [True]


def test_after_three_hours_it_is_left(room: Room) -> None:
    room.ask(a_measure())
    room.clock.run(WAITS_S * 1_000_000 + 1)
    assert room.beside(room.begin(ANNA)) == []
    assert [one.left for one in room.desk.waiting.all()] == [True]


def test_a_session_that_was_not_recorded_leaves_what_was_given_for_it(room: Room) -> None:
    room.ask(a_measure())
    room.ask(Leave(by=BEN))
    assert [one.left for one in room.desk.waiting.all()] == [False]
    room.ask(Leave(by=ANNA))
    assert room.beside(room.begin(ANNA)) == []


@pytest.mark.parametrize(("therapist", "stays"), [(BEN, False), (None, False), (ANNA, True)])
def test_when_the_room_is_anothers_what_waits_is_left(room: Room, therapist: str | None, *, stays: bool) -> None:
    room.ask(a_measure())
    room.ask(OnDuty(by=therapist or ANNA, therapist=therapist))
    assert [not one.left for one in room.desk.waiting.all()] == [stays]


def test_what_waits_or_was_left_can_be_put_beside_a_recording_by_whoever_gave_it(room: Room) -> None:
    one = add_recording(room.store)
    name = room.ask(a_measure()).name
    assert name is not None
    room.ask(Leave(by=ANNA))
    assert room.refused(Place(by=BEN, name=name, recording=one)) is Reason.GONE
    assert room.ask(Place(by=ANNA, name=name, recording=one)) == Named(one, "measure-001.age")
    assert room.refused(Place(by=ANNA, name=name, recording=one)) is Reason.GONE
    assert room.opened(one, "measure-001.age").rstrip() == b'{"kind": "sotto-measure"}'


def test_a_recording_that_is_withdrawn_as_it_begins_gets_nothing(room: Room) -> None:
    room.ask(a_measure())
    recording_id = add_recording(room.store, state="open")
    room.store.mark_withdrawn(recording_id)
    room.desk.places.started(1)
    room.desk.places.begun(1, Begun(recording_id, ANNA, Consent.SOUND))
    room.heard()
    assert room.beside(recording_id) == []
    assert [one.left for one in room.desk.waiting.all()] == [True]
    assert room.told == ["that recording is being erased"]


def test_while_a_recording_runs_or_its_window_is_open_a_name_without_one_is_for_it(room: Room) -> None:
    one = room.begin(ANNA)
    assert room.ask(Label(by=BEN, client="a")).recording == one
    room.desk.places.settled(1)
    assert room.ask(Label(by=BEN, client="b")).recording is None
    room.desk.places.over(1)
    assert room.ask(a_measure()).recording is None


def test_what_is_for_no_recording_by_name_is_never_for_another_therapists_or_the_last_clients(room: Room) -> None:
    one = room.begin(ANNA)
    room.store.write_manifest(read_manifest(room.store.folder(one)).model_copy(update={"therapist": ANNA}))
    assert room.ask(Label(by=BEN, client="of Ben")).recording is None
    assert room.ask(Measure(by=ANNA, after=one, document="{}")).recording is None
    assert room.ask(Measure(by=ANNA, after="000099-abcdefghij", document="{}")).recording == one
    assert room.ask(Label(by=ANNA, client="of Anna")).recording == one


def test_beside_a_recording_there_can_only_be_so_many(room: Room) -> None:
    one = add_recording(room.store)
    place = room.store.folder(one) / ATTACHMENTS_NAME
    place.mkdir()
    (place / "measure-100.age").write_bytes(b"sealed")
    name = room.ask(a_measure()).name
    assert room.refused(a_measure(one)) is Reason.TOO_MANY
    assert room.refused(Place(by=ANNA, name=name or "", recording=one)) is Reason.TOO_MANY
    assert len(room.desk.waiting.all()) == 1, "it is not lost"


def test_what_comes_while_a_recording_starts_is_for_that_one_and_not_for_the_one_before(room: Room) -> None:
    before = room.begin(ANNA)
    room.desk.places.settled(1)
    room.desk.places.started(2)
    asked = threading.Thread(target=lambda: room.ask(Label(by=BEN, client="b")))
    asked.start()
    now = add_recording(room.store, state="open")
    room.desk.places.begun(2, Begun(now, ANNA, Consent.SOUND))
    asked.join(PATIENCE_S)
    assert (room.beside(before), room.beside(now)) == ([], ["label.age"])


def test_what_comes_while_a_recording_starts_that_never_begins_waits(room: Room) -> None:
    room.desk.places.started(1)
    named: list[Named] = []
    asked = threading.Thread(target=lambda: named.append(room.ask(a_measure())))
    asked.start()
    room.desk.places.over(1)
    asked.join(PATIENCE_S)
    assert [one.recording for one in named] == [None]


def test_whoever_checks_out_is_out_also_where_that_cannot_be_noted(room: Room) -> None:
    room.ask(OnDuty(by=ANNA, therapist=ANNA))
    assert room.desk.duty.therapist(room.clock.now_us()) == ANNA
    room.note = lambda _happened: None
    assert room.refused(OnDuty(by=ANNA, therapist=None)) is Reason.NOT_NOTED
    assert room.desk.duty.therapist(room.clock.now_us()) is None


# -- wishes, and whose it is ------------------------------------------------------------------------------------------


def test_a_wish_is_a_signed_fact_that_can_be_taken_back_and_changes_nothing_else(room: Room) -> None:
    one = add_recording(room.store)
    folder = room.store.folder(one)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for wish in Wish:
        room.ask(AskFor(by=ANNA, recording=one, wish=wish))
    assert [(wished.wish, wished.by, wished.asked) for wished in wishes_of(folder)] == [
        (Wish.COPY, ANNA, "2026-03-02T09:00:00.000Z"),
        (Wish.DELETION, ANNA, "2026-03-02T09:00:00.000Z"),
    ]
    room.ask(AskFor(by=ANNA, recording=one, wish=Wish.DELETION, taken_back=True))
    room.ask(AskFor(by=ANNA, recording=one, wish=Wish.DELETION, taken_back=True))
    assert [wished.wish for wished in wishes_of(folder)] == [Wish.COPY]
    (folder / ASKED_NAMES[Wish.COPY]).write_bytes((folder / ASKED_NAMES[Wish.COPY]).read_bytes().replace(b"a", b"b", 1))
    assert wishes_of(folder) == ()
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ASKED_NAMES.values()}
    assert after == before
    assert room.store.going() == []
    facts = [(h.what, h.facts["wish"], h.facts["taken_back"]) for h in room.noted]
    assert facts[:3] == [("asked", "copy", False), ("asked", "deletion", False), ("asked", "deletion", True)]


def test_a_recording_of_nobody_is_assigned_and_nothing_else_in_its_manifest_changes(room: Room) -> None:
    one = add_recording(room.store)
    before = read_manifest(room.store.folder(one))
    assert before.therapist is None
    room.ask(Assign(by=ADMIN, recording=one, therapist=ANNA))
    assert read_manifest(room.store.folder(one)) == before.model_copy(update={"therapist": ANNA})
    (noted,) = room.noted
    assert (noted.what, noted.facts) == ("assigned", {"person": ADMIN, "therapist": ANNA})


def test_what_a_take_or_recovery_may_still_write_to_is_not_assigned(room: Room) -> None:
    is_open, torn = add_recording(room.store, state="open"), add_recording(room.store)
    (room.store.folder(torn) / LEDGER_NAME).write_bytes(b"")
    running = room.begin(ANNA)
    room.store.write_manifest(
        read_manifest(room.store.folder(running)).model_copy(update={"state": RecordingState.COMPLETE})
    )
    room.desk.places.settled(1)
    for one in (is_open, torn, running):
        assert room.refused(Assign(by=ADMIN, recording=one, therapist=BEN)) is Reason.NOT_CLOSED
        assert read_manifest(room.store.folder(one)).therapist is None
    room.desk.places.over(1)
    room.ask(Assign(by=ADMIN, recording=running, therapist=BEN))


# -- what is counted --------------------------------------------------------------------------------------------------


def test_what_began_was_withdrawn_or_declined_is_counted_for_its_therapist(room: Room) -> None:
    one = room.begin(ANNA)
    room.store.write_manifest(read_manifest(room.store.folder(one)).model_copy(update={"therapist": ANNA}))
    room.begin(None, ordinal=2)
    room.ask(Declined(by=ANNA))
    room.ask(Declined(by=BEN))
    room.store.erasing.on_erased = room.desk.erased
    room.store.erase(one, by=By.CLIENT, at=AT)
    room.heard()
    counts = read_counts(room.store.path)
    assert counts is not None
    anna, ben = (counts.of(mark)["2026-03"] for mark in (ANNA, BEN))
    assert (anna.offered, anna.accepted, anna.withdrawn, anna.declined) == (2, 1, 1, 1)
    assert (ben.offered, ben.accepted) == (1, 0)
    assert set(counts.therapists) == {ANNA, BEN}


def test_no_erasure_fails_for_want_of_a_count(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("Zephyr")

    one = add_recording(room.store)
    room.store.erasing.on_erased = room.desk.erased
    monkeypatch.setattr(desk_module, "manifest_of", broken)
    assert room.store.erase(one, by=By.CLIENT, at=AT)
    assert room.store.ids() == []
    assert room.told == ["a part of the program failed: ValueError"]


def test_what_retention_erases_is_no_withdrawal(room: Room) -> None:
    one = room.begin(ANNA)
    room.store.write_manifest(read_manifest(room.store.folder(one)).model_copy(update={"therapist": ANNA}))
    room.store.erasing.on_erased = room.desk.erased
    room.store.erase(one, by=By.RETENTION, at=AT)
    room.heard()
    counts = read_counts(room.store.path)
    assert counts is not None
    assert counts.of(ANNA)["2026-03"].withdrawn == 0


def test_without_a_clock_that_can_be_believed_it_is_counted_undated(room: Room) -> None:
    room.clock.is_trusted = False
    room.ask(Declined(by=ANNA))
    counts = read_counts(room.store.path)
    assert counts is not None
    assert counts.of(ANNA)["undated"].declined == 1


# -- the thread -------------------------------------------------------------------------------------------------------


def test_whatever_goes_wrong_in_it_the_next_is_answered(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise ValueError("Zephyr")

    with monkeypatch.context() as broken:
        broken.setattr(desk_module, "attach", fail)
        with pytest.raises(ValueError, match="Zephyr"):  # the socket tells no more than its kind
            room.ask(a_measure(add_recording(room.store)))
        broken.setattr(room.desk._counting, "recorded", fail)
        room.begin(ANNA)
    assert room.told == ["a part of the program failed: ValueError"]
    assert room.ask(Declined(by=ANNA)) == Named()


def test_it_is_told_that_a_recording_began_without_waiting_for_the_disk(room: Room) -> None:
    held = threading.Event()
    room.note = lambda _happened: held.wait(PATIENCE_S) and 1
    asking = threading.Thread(target=lambda: room.ask(Declined(by=ANNA)))
    asking.start()
    for ordinal in range(1, 50):
        room.desk.places.started(ordinal)
        room.desk.places.begun(ordinal, Begun("000001-abcdefghij", ANNA, Consent.SOUND))
    held.set()
    asking.join(PATIENCE_S)


def test_a_store_that_fails_is_told_in_its_own_words(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    one = add_recording(room.store)

    def full(*_: object, **__: object) -> str:
        raise StoreError("the store is full", "free room")

    monkeypatch.setattr(desk_module, "attach", full)
    with pytest.raises(StoreError, match="the store is full"):
        room.ask(a_measure(one))
