"""One scenario for each rule of the room, told with hands and seconds."""

from __future__ import annotations

import pytest

from device.press import Both, Down, Freed, Hold, Press, Stuck
from device.session import Session
from device.session_context import Rules
from device.session_events import (
    Action,
    Bookmark,
    Cause,
    Ended,
    Event,
    Failed,
    Fault,
    FaultCleared,
    FramingLost,
    MarkRequest,
    Offer,
    Opened,
    PeopleRequest,
    Sealed,
    Settle,
    Sound,
    StartFraming,
    StartRecording,
    State,
    StopFraming,
    StopRecording,
    StopRequest,
    Tick,
    Tone,
    Trouble,
    TurnOver,
    Well,
    Withdraw,
)
from device.words import Button, Consent, Fate

C, R = Button.CONSENT, Button.RECORD
NONE, SOUND, BOTH = Consent
S = 1_000_000


class Room:
    """A session with a clock, hands and a recorder."""

    def __init__(self, *, max_length_s: int = 7200, most: Consent = Consent.SOUND_AND_PICTURE) -> None:
        self.session = Session(Rules(max_length_s=max_length_s, most=most))
        self.now_us = 1000 * S
        self.press = 0

    def does(self, event: Event) -> tuple[Action, ...]:
        return self.session.handle(event)

    def after(self, seconds: float) -> tuple[Action, ...]:
        self.now_us += int(seconds * S)
        return self.does(Tick(self.now_us))

    def down(self, button: Button) -> tuple[Action, ...]:
        self.press += 1
        return self.does(Down(button, self.now_us, self.press))

    def up(self, button: Button) -> tuple[Action, ...]:
        return self.does(Press(button, self.now_us, self.press))

    def tap(self, button: Button) -> tuple[Action, ...]:
        went_down = self.down(button)
        self.now_us += S // 5
        return (*went_down, *self.up(button))

    def hold(self, button: Button) -> tuple[Action, ...]:
        went_down = self.down(button)
        self.now_us += 3 * S
        return (*went_down, *self.does(Hold(button, self.now_us, self.press)))

    def record(self, *, people: int = 1, taps: int = 1) -> Room:
        """Consent and start."""
        if people > 1:
            self.does(PeopleRequest(self.now_us, people))
        for person in range(people):
            for _ in range(taps):
                self.tap(C)
            if person < people - 1:
                self.tap(R)
        self.tap(R)
        assert self.state == State.RECORDING
        self.does(Opened(self.session.context.recording, self.now_us))
        return self

    def seal(self) -> tuple[Action, ...]:
        return self.does(Sealed(self.session.context.recording, self.now_us))

    @property
    def state(self) -> str:
        return self.session.state


@pytest.fixture
def room() -> Room:
    return Room()


def tones(actions: tuple[Action, ...]) -> list[Tone]:
    return [action.tone for action in actions if isinstance(action, Sound)]


def deeds(actions: tuple[Action, ...]) -> list[Action]:
    return [action for action in actions if not isinstance(action, Sound)]


# -- consent ----------------------------------------------------------------------------------------------------------


def test_consent_steps_none_sound_sound_and_picture_none(room: Room) -> None:
    assert room.session.consent is NONE
    assert room.tap(C) == (Sound(Tone.RISING_TICK),)
    assert (room.state, room.session.consent) == (State.ARMED, SOUND)
    assert room.tap(C) == (Sound(Tone.RISING_TICK),)
    assert (room.state, room.session.consent) == (State.ARMED, BOTH)
    assert room.tap(C) == ()
    assert (room.state, room.session.consent) == (State.IDLE, NONE)


def test_consent_acts_when_the_button_goes_down(room: Room) -> None:
    room.down(C)
    assert room.state == State.ARMED
    assert room.up(C) == ()
    assert room.session.consent is SOUND


def test_consent_held_while_idle_is_still_one_press(room: Room) -> None:
    assert tones(room.hold(C)) == [Tone.RISING_TICK]
    assert room.session.consent is SOUND


def test_consent_lapses_silently_60_s_after_the_last_press(room: Room) -> None:
    room.tap(C)
    room.after(50)
    room.tap(C)
    room.after(59)
    assert room.state == State.ARMED
    assert room.after(1) == ()
    assert (room.state, room.session.consent) == (State.IDLE, NONE)


def test_a_lapsed_consent_starts_nothing_even_if_nobody_looked_at_the_clock(room: Room) -> None:
    room.down(C)
    room.now_us += 60 * S
    assert room.tap(R) == (Sound(Tone.THREE_LOW),)
    assert room.state == State.REFUSED


def test_a_reboot_leaves_no_consent(room: Room) -> None:
    room.tap(C)
    room.session = Session()
    assert deeds(room.tap(R)) == []
    assert room.state == State.REFUSED


def test_the_page_can_neither_consent_nor_start(room: Room) -> None:
    for request in (StopRequest(0), MarkRequest(0), PeopleRequest(0, 2), PeopleRequest(0, 1)):
        assert room.does(request) == ()
        assert room.state == State.IDLE
    room.tap(C)
    assert room.does(StopRequest(room.now_us)) == room.does(MarkRequest(room.now_us)) == ()
    assert room.state == State.ARMED


# -- start, stop, mark ------------------------------------------------------------------------------------------------


def test_record_starts_when_armed_and_the_tones_come_when_it_is_true(room: Room) -> None:
    room.tap(C)
    assert room.down(R) == (StartRecording(1, room.now_us, SOUND, (SOUND,)),)
    assert (room.state, room.session.capturing, room.session.consent) == (State.RECORDING, True, SOUND)
    assert room.does(Opened(1, room.now_us)) == (Sound(Tone.TWO_SHORT),)


def test_the_press_that_started_neither_stops_nor_marks(room: Room) -> None:
    room.tap(C)
    room.down(R)
    assert room.does(Hold(R, room.now_us, room.press)) == ()
    assert room.up(R) == ()
    assert room.state == State.RECORDING


def test_record_without_consent_is_refused_for_three_seconds(room: Room) -> None:
    assert room.tap(R) == (Sound(Tone.THREE_LOW),)
    assert room.state == State.REFUSED
    room.after(2.5)
    assert room.state == State.REFUSED
    room.after(0.5)
    assert room.state == State.IDLE


def test_consent_works_at_once_after_a_refusal(room: Room) -> None:
    room.tap(R)
    room.tap(C)
    assert room.state == State.ARMED
    room.after(4)
    assert room.state == State.ARMED


def test_a_short_press_of_record_stops_and_keeps(room: Room) -> None:
    room.record()
    assert room.down(R) == ()
    assert room.up(R) == (StopRecording(1, room.now_us, Cause.BUTTON),)
    assert (room.state, room.session.fate, room.session.consent) == (State.SEALING, Fate.KEPT, NONE)


def test_record_held_marks_and_its_release_does_not_stop(room: Room) -> None:
    room.record()
    assert room.hold(R) == (Bookmark(1, room.now_us),)
    assert room.up(R) == ()
    assert room.state == State.RECORDING


def test_both_buttons_stop_and_keep(room: Room) -> None:
    room.record()
    assert room.does(Both(room.now_us)) == (StopRecording(1, room.now_us, Cause.BOTH_BUTTONS),)
    assert room.session.fate is Fate.KEPT


@pytest.mark.parametrize("people", [1, 2])
def test_both_buttons_take_a_consent_back(room: Room, people: int) -> None:
    room.does(PeopleRequest(room.now_us, people))
    room.tap(C)
    assert room.does(Both(room.now_us)) == ()
    assert (room.state, room.session.consent) == (State.IDLE, NONE)


def test_the_page_stops_and_marks(room: Room) -> None:
    room.record()
    assert room.does(MarkRequest(room.now_us)) == (Bookmark(1, room.now_us),)
    assert room.does(StopRequest(room.now_us)) == (StopRecording(1, room.now_us, Cause.PAGE),)


def test_a_recording_ends_at_its_maximum_length_and_warns_five_minutes_and_one_minute_before() -> None:
    room = Room(max_length_s=600)
    room.record()
    started_us = room.session.context.timers
    assert room.session.next_deadline_us == min(started_us.values())
    assert room.after(299) == ()
    assert room.after(1) == (Sound(Tone.TWO_LOW),)
    assert room.after(239) == ()
    assert room.after(1) == (Sound(Tone.TWO_LOW),)
    assert room.after(58) == ()
    (stopped, told) = room.after(2)
    assert isinstance(stopped, StopRecording)
    assert stopped.cause is Cause.MAXIMUM_LENGTH
    assert told == Sound(Tone.TWO_LOW)
    assert room.state == State.SEALING


@pytest.mark.parametrize(("max_length_s", "warnings"), [(301, 2), (300, 1), (61, 1), (60, 0)])
def test_a_warning_that_would_come_before_the_recording_is_none(max_length_s: int, warnings: int) -> None:
    room = Room(max_length_s=max_length_s)
    room.record()
    assert room.after(max_length_s - 1) == (Sound(Tone.TWO_LOW),) * warnings
    assert [type(action) for action in room.after(2)] == [StopRecording, Sound]


# -- framing ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def framing(room: Room) -> Room:
    """Sound and picture are allowed, and RECORD has been held."""
    room.tap(C)
    room.tap(C)
    room.hold(R)
    assert room.state == State.FRAMING
    return room


def test_record_held_with_a_picture_allowed_looks_through_the_camera(room: Room) -> None:
    room.tap(C)
    room.tap(C)
    assert room.down(R) == ()
    assert room.state == State.ARMED
    room.now_us += 3 * S // 2
    assert room.does(Hold(R, room.now_us, room.press)) == (StartFraming(1, room.now_us), Sound(Tone.FOUR_TICKS))
    assert (room.state, room.session.capturing, room.session.consent) == (State.FRAMING, True, BOTH)
    assert room.session.recording is None


def test_with_a_picture_allowed_record_starts_when_it_is_let_go_before_it_counts_as_held(room: Room) -> None:
    room.tap(C)
    room.tap(C)
    assert room.down(R) == ()
    room.now_us += S // 5
    assert room.up(R) == (StartRecording(1, room.now_us, BOTH, (BOTH,)),)
    assert room.state == State.RECORDING


def test_with_sound_allowed_record_starts_at_once_and_the_hold_is_nothing(room: Room) -> None:
    room.tap(C)
    assert deeds(room.hold(R)) == [StartRecording(1, room.now_us - 3 * S, SOUND, (SOUND,))]
    assert room.state == State.RECORDING


def test_record_in_framing_closes_the_camera_and_then_starts(framing: Room) -> None:
    assert framing.down(R) == (StopFraming(1, framing.now_us), StartRecording(1, framing.now_us, BOTH, (BOTH,)))
    assert framing.up(R) == ()
    assert framing.state == State.RECORDING


@pytest.mark.parametrize("gesture", ["CONSENT", "both", "people"])
def test_framing_ends_at_once_and_with_it_the_consent(framing: Room, gesture: str) -> None:
    does = {
        "CONSENT": lambda: framing.down(C),
        "both": lambda: framing.does(Both(framing.now_us)),
        "people": lambda: framing.does(PeopleRequest(framing.now_us, 2)),
    }
    assert does[gesture]() == (StopFraming(1, framing.now_us), Sound(Tone.THREE_LOW))
    assert (framing.state, framing.session.consent, framing.session.shown) == (State.IDLE, NONE, NONE)


def test_framing_lasts_a_minute_and_its_consent_no_longer(framing: Room) -> None:
    begun_us = framing.now_us
    assert framing.after(59) == ()
    assert framing.after(1) == (StopFraming(1, begun_us + 60 * S), Sound(Tone.THREE_LOW))
    assert (framing.state, framing.session.consent) == (State.IDLE, NONE)


def test_the_page_can_end_framing_and_its_consent_runs_on_as_it_did(framing: Room) -> None:
    framing.after(50)
    assert framing.does(StopRequest(framing.now_us)) == (StopFraming(1, framing.now_us), Sound(Tone.RISING_TICK))
    assert (framing.state, framing.session.consent) == (State.ARMED, BOTH)
    framing.after(10)
    assert (framing.state, framing.session.consent) == (State.IDLE, NONE)


def test_a_camera_that_is_lost_in_framing_leaves_the_consent(framing: Room) -> None:
    assert framing.does(FramingLost(1, framing.now_us, "gone")) == (Sound(Tone.TWO_LOW),)
    assert (framing.state, framing.session.consent) == (State.ARMED, BOTH)
    framing.hold(R)
    assert framing.does(FramingLost(1, framing.now_us, "late")) == ()
    assert framing.state == State.FRAMING


@pytest.mark.parametrize("what", [Fault(0, "no recipient"), Stuck(R, 0), Stuck(C, 0)], ids=str)
def test_a_fault_ends_framing(framing: Room, what: Fault | Stuck) -> None:
    stop, told = framing.does(what)
    assert isinstance(stop, StopFraming)
    assert told == Sound(Tone.THREE_LOW)
    assert (framing.state, framing.session.consent) == (State.FAULT, NONE)


def test_the_page_can_not_begin_framing(room: Room) -> None:
    room.tap(C)
    room.tap(C)
    for request in (StopRequest(room.now_us), MarkRequest(room.now_us)):
        assert room.does(request) == ()
        assert room.state == State.ARMED
    room.does(PeopleRequest(room.now_us, 1))
    assert room.state == State.IDLE


def test_several_people_have_all_to_allow_the_picture_before_it_is_looked_at(room: Room) -> None:
    room.does(PeopleRequest(room.now_us, 2))
    for taps in (2, 1):
        for _ in range(taps):
            room.tap(C)
        room.after(3.2)
    assert (room.state, room.session.consent) == (State.ARMED, SOUND)
    assert deeds(room.hold(R))[0] == StartRecording(1, room.now_us - 3 * S, SOUND, (BOTH, SOUND))


def test_a_press_of_record_whose_consent_lapsed_before_it_was_let_go_is_told(room: Room) -> None:
    """It was begun in time, so silence would be taken for a recording."""
    room.tap(C)
    room.tap(C)
    room.after(59.5)
    room.down(R)
    room.after(0.6)
    assert room.state == State.IDLE
    assert room.up(R) == (Sound(Tone.THREE_LOW),)
    assert room.state == State.REFUSED


# -- the recorder's reports -------------------------------------------------------------------------------------------


def test_devices_that_do_not_open_are_a_refusal_and_the_consent_is_gone(room: Room) -> None:
    room.tap(C)
    room.tap(R)
    assert room.does(Failed(1, room.now_us, "no microphone")) == (Sound(Tone.THREE_LOW),)
    assert (room.state, room.session.consent, room.session.recording) == (State.REFUSED, NONE, None)
    room.after(3)
    assert room.state == State.IDLE


def test_a_recording_stopped_before_it_could_not_start_is_settled_at_once(room: Room) -> None:
    room.tap(C)
    room.tap(R)
    room.tap(R)
    actions = room.does(Failed(1, room.now_us, "no microphone"))
    assert actions == (Settle(1, room.now_us, Fate.KEPT), Sound(Tone.THREE_LOW))
    assert room.state == State.REFUSED


def test_a_recording_that_ends_by_itself_is_kept_and_told(room: Room) -> None:
    room.record()
    assert room.does(Ended(1, room.now_us, "store full")) == (Sound(Tone.TWO_LOW),)
    assert (room.state, room.session.fate) == (State.SEALING, Fate.KEPT)


def test_sealed_is_one_long_tone_white_for_five_seconds_and_then_looks_idle(room: Room) -> None:
    room.record().tap(R)
    assert room.seal() == (Sound(Tone.ONE_LONG),)
    assert room.state == State.SEALED
    assert room.after(5) == ()
    assert room.state == State.KEPT
    assert room.seal() == ()


def test_troubles_come_and_go_with_two_low_tones_for_each_new_one(room: Room) -> None:
    room.record()
    assert room.does(Trouble(1, room.now_us, "no sound")) == (Sound(Tone.TWO_LOW),)
    assert room.does(Trouble(1, room.now_us, "no sound")) == ()
    assert room.does(Trouble(1, room.now_us, "no picture")) == (Sound(Tone.TWO_LOW),)
    assert (room.state, room.session.capturing) == (State.TROUBLED, True)
    assert room.does(Well(1, room.now_us, "no sound")) == ()
    assert room.state == State.TROUBLED
    assert room.does(Well(1, room.now_us, "no picture")) == ()
    assert room.state == State.RECORDING


def test_troubles_are_gone_with_their_recording(room: Room) -> None:
    room.record()
    room.does(Trouble(1, room.now_us, "no sound"))
    room.tap(R)
    assert room.session.troubles == frozenset()
    room.after(120)
    assert room.state == State.IDLE


# -- withdrawal and the window ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("troubled", [False, True])
def test_consent_while_recording_withdraws_at_once(room: Room, *, troubled: bool) -> None:
    room.record()
    if troubled:
        room.does(Trouble(1, room.now_us, "no sound"))
    assert room.down(C) == (Withdraw(1, room.now_us), Sound(Tone.THREE_FALLING))
    assert (room.state, room.session.capturing) == (State.WITHDRAWN, False)
    ended_us = room.now_us
    assert room.seal() == ()
    assert room.after(119) == ()
    assert room.after(1) == (Settle(1, ended_us + 120 * S, Fate.WITHDRAWN),)
    assert room.state == State.IDLE


def test_a_frightened_client_who_keeps_holding_has_still_withdrawn(room: Room) -> None:
    room.record()
    assert deeds(room.hold(C)) == [Withdraw(1, room.now_us - 3 * S)]
    assert (room.state, room.session.fate) == (State.WITHDRAWN, Fate.WITHDRAWN)
    room.now_us += 27 * S
    room.does(Stuck(C, room.now_us))
    room.does(Freed(C, room.now_us))
    assert deeds(room.after(120)) == [Settle(1, room.now_us - 30 * S, Fate.WITHDRAWN)]


def test_the_tap_that_withdrew_does_not_close_the_window(room: Room) -> None:
    room.record()
    assert deeds(room.tap(C)) == [Withdraw(1, room.now_us - S // 5)]
    assert room.state == State.WITHDRAWN


@pytest.mark.parametrize("when", [State.SEALING, State.SEALED, State.KEPT])
def test_a_hold_turns_a_kept_recording_over_and_another_turns_it_back(room: Room, when: State) -> None:
    room.record().tap(R)
    if when is not State.SEALING:
        room.seal()
        room.after(0 if when is State.SEALED else 6)
    assert room.state == when
    assert room.hold(C) == (TurnOver(1, room.now_us, Fate.WITHDRAWN), Sound(Tone.THREE_FALLING))
    assert room.state == State.WITHDRAWN
    back = room.hold(C)
    assert back[0] == TurnOver(1, room.now_us, Fate.KEPT)
    if when is State.SEALING:
        assert (tones(back), room.state) == ([], State.SEALING)
        assert room.seal() == (Sound(Tone.ONE_LONG),)
    else:
        assert (tones(back), room.state) == ([Tone.ONE_LONG], State.KEPT)


def test_what_became_durable_while_withdrawn_is_known_when_it_is_turned_back(room: Room) -> None:
    room.record().tap(C)
    room.seal()
    assert room.hold(C) == (TurnOver(1, room.now_us, Fate.KEPT), Sound(Tone.ONE_LONG))
    assert room.state == State.KEPT


def test_turning_over_does_not_lengthen_the_window(room: Room) -> None:
    room.record()
    room.tap(R)
    ended_us = room.now_us
    room.after(100)
    room.hold(C)
    assert room.after(20) == (Settle(1, ended_us + 120 * S, Fate.WITHDRAWN),)


@pytest.mark.parametrize("fate", list(Fate))
def test_a_short_press_closes_the_window_and_is_the_next_clients(room: Room, fate: Fate) -> None:
    room.record(taps=2).tap(R if fate is Fate.KEPT else C)
    room.seal()
    room.after(10)
    assert room.down(C) == ()
    assert room.up(C) == (Settle(1, room.now_us, fate), Sound(Tone.RISING_TICK))
    assert (room.state, room.session.consent, room.session.fate) == (State.ARMED, SOUND, None)
    assert deeds(room.hold(C)) == []  # the next client can neither erase nor rescue
    assert room.session.consent is BOTH


def test_record_in_a_window_is_refused_and_the_window_stays(room: Room) -> None:
    room.record().tap(R)
    for _ in range(2):
        assert room.tap(R) == (Sound(Tone.THREE_LOW),)
        assert room.state == State.SEALING
    room.tap(R)
    assert room.hold(C)[0] == TurnOver(1, room.now_us, Fate.WITHDRAWN)


def test_both_and_the_page_do_nothing_in_a_window(room: Room) -> None:
    room.record().tap(R)
    for event in (Both(room.now_us), StopRequest(room.now_us), MarkRequest(room.now_us)):
        assert room.does(event) == ()
    assert (room.state, room.session.fate) == (State.SEALING, Fate.KEPT)


def test_a_press_whose_window_closed_meanwhile_still_steps(room: Room) -> None:
    room.record().tap(R)
    room.after(119.9)
    room.down(C)
    settled = room.after(0.2)
    assert [type(action) for action in settled] == [Settle]
    assert room.up(C) == (Sound(Tone.RISING_TICK),)
    assert room.state == State.ARMED


def test_a_hold_whose_window_closed_meanwhile_turns_nothing_over(room: Room) -> None:
    room.record().tap(R)
    room.after(119.9)
    actions = room.hold(C)
    assert [action for action in actions if isinstance(action, TurnOver)] == []
    assert room.state == State.ARMED


def test_a_stop_pressed_while_the_recording_ended_by_itself_is_nothing(room: Room) -> None:
    room.record()
    room.down(R)
    room.does(Ended(1, room.now_us, "store full"))
    assert room.up(R) == ()
    assert room.state == State.SEALING


def test_a_recording_that_seals_longer_than_its_window_is_settled_all_the_same(room: Room) -> None:
    room.record().tap(R)
    assert deeds(room.after(121))[0] == Settle(1, room.now_us - S, Fate.KEPT)
    assert room.seal() == ()
    assert room.state == State.IDLE


# -- two sessions -----------------------------------------------------------------------------------------------------


def test_two_sessions_ten_seconds_apart(room: Room) -> None:
    room.record().tap(R)
    first_ended_us = room.now_us
    room.seal()
    room.after(10)
    room.tap(C)
    started = room.tap(R)
    assert deeds(started) == [StartRecording(2, room.now_us - S // 5, SOUND, (SOUND,))]
    assert first_ended_us < room.now_us
    assert room.after(200) == ()  # nothing of the first window is left
    room.tap(R)
    assert room.seal() == (Sound(Tone.ONE_LONG),)


def test_a_recording_that_is_still_sealing_does_not_disturb_the_next(room: Room) -> None:
    room.record().tap(R)
    assert deeds(room.tap(C)) == [Settle(1, room.now_us, Fate.KEPT)]
    assert room.does(Sealed(1, room.now_us)) == ()
    assert room.state == State.ARMED
    room.tap(R)
    for late in (
        Sealed(1, room.now_us),
        Ended(1, room.now_us, "store full"),
        Trouble(1, room.now_us, "no sound"),
        Failed(1, room.now_us, "x"),
        Opened(1, room.now_us),
    ):
        assert room.does(late) == ()
        assert room.state == State.RECORDING
    room.tap(R)
    assert room.does(Sealed(1, room.now_us)) == ()
    assert room.state == State.SEALING
    assert room.does(Sealed(2, room.now_us)) == (Sound(Tone.ONE_LONG),)


# -- several people ---------------------------------------------------------------------------------------------------


def choosing(people: int) -> Room:
    room = Room()
    room.does(PeopleRequest(room.now_us, people))
    return room


def test_each_person_chooses_in_turn_and_the_least_choice_counts() -> None:
    room = choosing(3)
    assert room.tap(C) == room.tap(C) == (Sound(Tone.TICK),)
    assert (room.state, room.session.shown, room.session.consent) == (State.CHOOSING, BOTH, NONE)
    assert room.after(3.2) == ()
    assert (room.state, room.session.shown) == (State.CHOOSING, NONE)
    room.tap(C)
    assert room.tap(R) == (Sound(Tone.TICK),)
    room.tap(C)
    room.tap(C)
    assert room.after(3.2) == (Sound(Tone.RISING_TICK),)
    assert (room.state, room.session.consent) == (State.ARMED, SOUND)
    assert deeds(room.tap(R)) == [StartRecording(1, room.now_us - S // 5, SOUND, (BOTH, SOUND, BOTH))]


def test_record_ends_the_last_choice_and_starts_at_once() -> None:
    room = choosing(2)
    room.tap(C)
    room.tap(R)
    room.tap(C)
    assert room.down(R) == (StartRecording(1, room.now_us, SOUND, (SOUND, SOUND)),)
    assert room.up(R) == ()
    assert room.state == State.RECORDING


def test_record_before_the_last_person_pressed_counts_as_none_and_is_refused() -> None:
    room = choosing(2)
    room.tap(C)
    room.tap(R)
    assert room.tap(R) == (Sound(Tone.THREE_LOW),)
    assert (room.state, room.session.context.choices) == (State.REFUSED, ())


def test_one_person_who_chose_none_is_enough() -> None:
    room = choosing(2)
    for _ in range(3):
        room.tap(C)
    room.after(3.2)
    room.tap(C)
    assert room.after(3.2) == (Sound(Tone.THREE_LOW),)
    assert (room.state, room.session.consent) == (State.IDLE, NONE)


def test_a_press_starts_the_three_seconds_anew() -> None:
    room = choosing(2)
    room.tap(C)
    room.after(2.5)
    room.tap(C)
    room.after(2.5)
    assert not room.session.context.choices
    room.after(0.7)
    assert list(room.session.context.choices) == [BOTH]


def test_a_press_made_in_time_but_known_late_is_still_this_persons() -> None:
    room = choosing(2)
    room.down(C)
    pressed_us = room.now_us
    room.after(3.1)
    room.press += 1
    room.does(Down(C, pressed_us + 2_980_000, room.press))
    assert (room.session.shown, room.session.context.choices) == (BOTH, ())


def test_choices_lapse_60_s_after_the_last_press() -> None:
    room = choosing(2)
    room.tap(C)
    assert room.after(59) == ()
    assert room.state == State.CHOOSING
    assert room.after(1) == ()
    assert (room.state, room.session.context.choices) == (State.IDLE, ())


def test_nobodys_choice_is_altered_by_another_hand() -> None:
    room = choosing(2)
    room.tap(C)
    room.tap(R)
    room.tap(C)
    room.after(3.2)
    assert room.state == State.ARMED
    assert room.tap(C) == (Sound(Tone.TICK),)
    assert (room.state, room.session.shown, room.session.context.choices) == (State.CHOOSING, SOUND, ())


@pytest.mark.parametrize("people", [1, 2])
def test_another_number_of_people_takes_the_consent_back(people: int) -> None:
    room = choosing(people)
    room.tap(C)
    assert room.does(PeopleRequest(room.now_us, 3)) == ()
    assert (room.state, room.session.people, room.session.context.choices) == (State.IDLE, 3, ())


def test_people_go_back_to_one_after_a_recording_and_can_be_set_in_its_window(room: Room) -> None:
    room.record(people=2)
    assert room.does(PeopleRequest(room.now_us, 5)) == ()
    assert room.session.people == 2
    room.tap(R)
    assert room.session.people == 1
    room.does(PeopleRequest(room.now_us, 2))
    assert room.tap(C) == (Settle(1, room.now_us, Fate.KEPT), Sound(Tone.TICK))
    assert room.state == State.CHOOSING


def test_people_stay_when_devices_do_not_open() -> None:
    room = choosing(2)
    room.tap(C)
    room.tap(R)
    room.tap(C)
    room.tap(R)
    room.does(Failed(1, room.now_us, "no microphone"))
    assert room.session.people == 2


@pytest.mark.parametrize("people", [0, 13, -1])
def test_people_are_1_to_12(people: int) -> None:
    with pytest.raises(ValueError, match="1 to 12"):
        PeopleRequest(0, people)


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_fault_refuses_both_buttons_until_the_last_is_cleared(room: Room) -> None:
    assert room.does(Fault(room.now_us, "no recipient")) == (Sound(Tone.THREE_LOW),)
    assert room.does(Fault(room.now_us, "no recipient")) == ()
    assert room.does(Fault(room.now_us, "no store")) == (Sound(Tone.THREE_LOW),)
    assert room.tap(C) == room.tap(R) == (Sound(Tone.THREE_LOW),)
    assert room.state == State.FAULT
    room.does(FaultCleared(room.now_us, "no store"))
    assert room.state == State.FAULT
    assert room.does(FaultCleared(room.now_us, "no recipient")) == ()
    assert room.state == State.IDLE


@pytest.mark.parametrize("people", [1, 2])
def test_a_fault_takes_the_consent_away(people: int) -> None:
    room = choosing(people)
    room.tap(C)
    assert room.does(Fault(room.now_us, "no store")) == (Sound(Tone.THREE_LOW),)
    room.does(FaultCleared(room.now_us, "no store"))
    assert (room.state, room.session.context.choices, room.session.next_deadline_us) == (State.IDLE, (), None)


@pytest.mark.parametrize("button", list(Button))
def test_a_button_stuck_at_boot_is_a_fault_and_never_a_press(room: Room, button: Button) -> None:
    assert room.does(Stuck(button, room.now_us)) == (Sound(Tone.THREE_LOW),)
    assert (room.state, room.session.faults) == (State.FAULT, frozenset({f"stuck {button}"}))
    assert room.does(Freed(button, room.now_us)) == ()
    assert room.state == State.IDLE


def test_a_button_stuck_while_recording_is_a_trouble_and_afterwards_a_fault(room: Room) -> None:
    room.record()
    assert room.does(Stuck(R, room.now_us)) == (Sound(Tone.TWO_LOW),)
    assert (room.state, room.session.troubles) == (State.TROUBLED, frozenset({"stuck record"}))
    room.does(StopRequest(room.now_us))
    assert room.state == State.SEALING
    assert tones(room.after(120)) == [Tone.THREE_LOW]
    assert room.state == State.FAULT


def test_a_button_freed_while_recording_is_well(room: Room) -> None:
    room.record()
    room.does(Stuck(R, room.now_us))
    assert room.does(Freed(R, room.now_us)) == ()
    assert (room.state, room.session.faults) == (State.RECORDING, frozenset())


def test_a_fault_while_recording_waits_until_the_window_has_closed(room: Room) -> None:
    room.record()
    assert room.does(Fault(room.now_us, "no recipient")) == ()
    assert room.state == State.RECORDING
    room.tap(R)
    assert room.state == State.SEALING
    assert room.after(120) == (Settle(1, room.now_us, Fate.KEPT), Sound(Tone.THREE_LOW))
    assert room.state == State.FAULT


def test_a_press_that_closes_a_window_with_a_fault_standing_gives_no_consent(room: Room) -> None:
    room.record().tap(R)
    room.does(Fault(room.now_us, "no recipient"))
    assert room.tap(C) == (Settle(1, room.now_us, Fate.KEPT), Sound(Tone.THREE_LOW))
    assert (room.state, room.session.consent) == (State.FAULT, NONE)


def test_a_fault_cleared_before_the_window_closed_is_never_shown(room: Room) -> None:
    room.record()
    room.does(Fault(room.now_us, "no recipient"))
    room.tap(R)
    room.does(FaultCleared(room.now_us, "no recipient"))
    room.after(120)
    assert room.state == State.IDLE


# -- time -------------------------------------------------------------------------------------------------------------


def test_deadlines_nobody_looked_at_are_worked_off_in_order(room: Room) -> None:
    room.record().tap(R)
    ended_us = room.now_us
    room.seal()
    room.now_us += 3600 * S
    assert room.tap(R) == (Settle(1, ended_us + 120 * S, Fate.KEPT), Sound(Tone.THREE_LOW))
    assert room.state == State.REFUSED


def test_an_idle_session_waits_for_nothing(room: Room) -> None:
    assert room.session.next_deadline_us is None
    assert room.after(10**6) == ()


def test_without_room_for_a_picture_only_sound_can_be_chosen_and_the_machine_says_why(room: Room) -> None:
    room.does(Offer(room.now_us, SOUND))
    room.tap(C)
    assert (room.state, room.session.consent, room.session.context.scant) == (State.ARMED, SOUND, True)
    room.tap(C)
    assert (room.state, room.session.consent) == (State.IDLE, NONE)
    room.does(Offer(room.now_us, BOTH))
    room.tap(C)
    room.tap(C)
    assert (room.session.consent, room.session.context.scant) == (BOTH, False)


def test_a_picture_that_was_chosen_and_has_no_room_any_more_is_dropped_with_three_low_tones(room: Room) -> None:
    room.tap(C)
    room.tap(C)
    assert room.does(Offer(room.now_us, SOUND)) == (Sound(Tone.THREE_LOW),)
    assert (room.state, room.session.consent) == (State.IDLE, NONE)
    assert tones(room.tap(R)) == [Tone.THREE_LOW]  # nothing starts of itself with less
    assert room.state == State.REFUSED


def test_a_sound_that_was_chosen_stays_when_the_room_for_a_picture_goes(room: Room) -> None:
    room.tap(C)
    assert room.does(Offer(room.now_us, SOUND)) == ()
    assert (room.state, room.session.consent, room.session.context.scant) == (State.ARMED, SOUND, True)
    assert room.down(R) == (StartRecording(1, room.now_us, SOUND, (SOUND,)),)


def test_room_that_comes_back_is_not_heard_while_somebody_chooses(room: Room) -> None:
    """The press that was to take the consent back would have allowed a picture."""
    room.does(Offer(room.now_us, SOUND))
    room.tap(C)
    assert room.does(Offer(room.now_us, BOTH)) == ()
    room.tap(C)
    assert (room.state, room.session.consent) == (State.IDLE, NONE)
    room.does(Offer(room.now_us, BOTH))
    room.tap(C)
    room.tap(C)
    assert room.session.consent is BOTH


def test_a_framing_check_ends_when_the_room_for_a_picture_goes(framing: Room) -> None:
    assert framing.does(Offer(framing.now_us, SOUND)) == (StopFraming(1, framing.now_us), Sound(Tone.THREE_LOW))
    assert (framing.state, framing.session.consent) == (State.IDLE, NONE)


def test_among_several_the_picture_is_dropped_only_if_everybody_so_far_had_chosen_it() -> None:
    for taps, dropped in ((2, True), (1, False)):
        room = Room()
        room.does(PeopleRequest(room.now_us, 2))
        for _ in range(taps):
            room.tap(C)
        room.tap(R)
        assert (room.does(Offer(room.now_us, SOUND)) == (Sound(Tone.THREE_LOW),)) == dropped
        assert room.state == (State.IDLE if dropped else State.CHOOSING)


@pytest.mark.parametrize("when", ["recording", "window", "fault"])
def test_room_that_goes_where_nobody_chooses_is_noted_for_the_next_client(room: Room, when: str) -> None:
    if when == "fault":
        room.does(Fault(room.now_us, "x"))
    else:
        room.record(taps=2)
    if when == "window":
        room.tap(R)
    before = room.state
    assert room.does(Offer(room.now_us, SOUND)) == ()
    assert room.state == before
    assert room.session.consent is (BOTH if when == "recording" else NONE)
    assert room.session.context.most is SOUND


def test_a_box_that_can_offer_nothing_has_a_fault_instead() -> None:
    with pytest.raises(ValueError, match="fault"):
        Offer(0, NONE)


def test_a_box_without_a_camera_offers_sound_only() -> None:
    room = Room(most=SOUND)
    room.down(C)
    assert room.session.consent is SOUND
    room.down(C)
    assert room.session.state is State.IDLE
    assert room.session.consent is NONE
