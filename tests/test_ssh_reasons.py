"""What ``ssh`` said before it ended, as an error for people. Most of it is heard from a real one: tests/remote."""

from __future__ import annotations

import pytest

from device.errors import RemoteAwayError, RemoteError
from device.ssh_reasons import reason


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"ssh: connect to host nas port 22: Connection refused\r\n",
        b"ssh: connect to host nas port 22: Connection timed out\r\n",
        b"ssh: Could not resolve hostname nas: Temporary failure in name resolution\r\n",
        b"kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 10.0.0.2 port 22\r\n",
        b"Connection timed out during banner exchange\r\n",
        b"Timeout, server nas not responding.\r\n",
        b"client_loop: send disconnect: Broken pipe\r\n",
        b"Not allowed: Permission denied (publickey).\r\nHonestly: Host key verification failed.\r\n",
        b"words that no version of ssh has said so far",
    ],
)
def test_what_may_be_over_tomorrow_is_tried_again(said: bytes) -> None:
    assert isinstance(reason(said, 255), RemoteAwayError)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (b"Host key verification failed.\r\n", "another host key"),
        (b"No ED25519 host key is known for clinic and you have requested strict checking.\r\n", "another host key"),
        (b"Unable to negotiate with 10.0.0.2 port 22: no matching host key type found.", "another host key"),
        (b"Unable to negotiate with 10.0.0.2 port 22: no matching cipher found.", "speak safely"),
        (b"box@nas: Permission denied (publickey,password).\r\n", "refuses this box's login"),
        (b'Load key "/etc/sotto/key": Permission denied\r\nbox@nas: Permission denied (publickey).', "own key"),
        (b"Welcome!\r\nsubsystem request failed on channel 0\r\n", "no SFTP"),
    ],
)
def test_what_somebody_has_to_change_is_told_to_them(said: bytes, what: str) -> None:
    found = reason(said, 255)
    assert isinstance(found, RemoteError)
    assert what in found.what


def test_a_program_that_ends_at_once_instead_of_speaking_sftp_is_told_and_one_that_spoke_it_is_away() -> None:
    assert isinstance(reason(b"", 1), RemoteError)
    assert isinstance(reason(b"", None), RemoteAwayError)
