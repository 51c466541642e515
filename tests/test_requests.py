"""What the page can say to capture: stop, mark, how many people. And what a simulated finger can do."""

from __future__ import annotations

import json
import queue
import socket
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.datagrams import DatagramServer, send_datagram
from device.errors import AdminError
from device.requests import REQUESTS_NAME, Mark, People, Request, Stop, parse_request, send_request
from device.room import ROOM_NAME, Finger, parse_finger, send_finger
from device.words import Button

REQUESTS: list[Request] = [
    Stop(),
    Mark(),
    People(people=1),
    People(people=12),
]
WORDS = ("stop", "mark", "people", "start", "record", "consent", "withdraw", "erase", "recipient", "config")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("ask", *WORDS)), inner, max_size=4),
    max_leaves=6,
)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_request_reaches_capture_as_it_was_asked(tmp_path: Path, request_: Request) -> None:
    heard: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
    server = DatagramServer(tmp_path / REQUESTS_NAME, lambda data: heard.put(parse_request(data)))
    send_request(request_, tmp_path)
    assert heard.get(timeout=10) == request_
    server.close()


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("button", list(Button))
def test_a_finger_reaches_the_simulated_panel(tmp_path: Path, button: Button, down: bool) -> None:  # noqa: FBT001
    heard: queue.SimpleQueue[Finger | None] = queue.SimpleQueue()
    server = DatagramServer(tmp_path / ROOM_NAME, lambda data: heard.put(parse_finger(data)))
    send_finger(Finger(button=button, down=down), tmp_path)
    assert heard.get(timeout=10) == Finger(button=button, down=down)
    server.close()


@given(_JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=100))
@example(b'{"ask": "start"}')
@example(b'{"ask": "consent"}')
@example(b'{"ask": "record"}')
@example(b'{"ask": "stop", "consent": "sound"}')
@example(b'{"ask": "people", "people": 0}')
@example(b'{"ask": "people", "people": 13}')
@example(b'{"button": "consent", "down": true}')
@example(b'{"ask": "label", "text": "a"}')
@example(b'{"ask": "note", "text": "a", "recipient": "age1"}')
def test_nothing_else_is_a_request(data: bytes) -> None:
    heard = parse_request(data)
    match heard:
        case People(people=people):
            assert 1 <= people <= 12
        case _:
            assert heard in (None, Stop(), Mark())
    if heard is not None:
        said = json.loads(data)
        assert said["ask"] in {"stop", "mark", "people"}
        assert set(said) <= {"ask", "people"}


def test_consent_and_start_do_not_exist_in_the_vocabulary() -> None:
    for word in WORDS[3:]:
        for more in ({}, {"people": 1}, {"consent": "sound"}):
            assert parse_request(json.dumps({"ask": word} | more).encode()) is None


@given(st.binary(max_size=100) | _JSON.map(lambda value: json.dumps(value).encode()))
@example(b'{"ask": "stop"}')
@example(b'{"button": "both", "down": true}')
def test_nothing_else_is_a_finger(data: bytes) -> None:
    assert parse_finger(data) is None


def test_what_is_no_request_disturbs_neither_the_server_nor_what_follows(tmp_path: Path) -> None:
    heard: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
    server = DatagramServer(tmp_path / REQUESTS_NAME, lambda data: heard.put(parse_request(data)))
    for data in (b"nonsense", b"", b"\0" * 20_000, b'{"ask": "stop"' + b" " * 5000 + b"}"):
        send_datagram(data, tmp_path / REQUESTS_NAME)
    send_request(Mark(), tmp_path)
    assert [heard.get(timeout=10) for _ in range(4)] == [None, None, None, Mark()]
    server.close()


def test_where_capture_is_gone_the_page_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="does not answer") as told:
        send_request(Stop(), tmp_path)
    assert told.value.hint
    server = DatagramServer(tmp_path / REQUESTS_NAME, lambda _data: None)
    server.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(AdminError):
        send_request(Stop(), tmp_path)


def test_a_socket_that_a_killed_program_left_is_in_nobodys_way(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(tmp_path / REQUESTS_NAME))
    with pytest.raises(AdminError):
        send_request(Stop(), tmp_path)
    heard: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
    server = DatagramServer(tmp_path / REQUESTS_NAME, lambda data: heard.put(parse_request(data)))
    send_request(Stop(), tmp_path)
    assert heard.get(timeout=10) == Stop()
    server.close()


def test_a_missing_folder_for_sockets_is_told_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="No such file") as told:
        DatagramServer(tmp_path / "run" / REQUESTS_NAME, lambda _data: None)
    assert "box.run" in told.value.hint
