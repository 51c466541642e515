"""Why OpenSSH's ``ssh`` ended, from what it said; pure.

It tells by its exit code only that it did not work, so its words are looked at, in the C locale, and never passed on:
they hold names of hosts and users, and between them stands what the server wanted to say. The words are those of
OpenSSH 7.9 to 10; what is not known here counts as a server that is away, because trying again harms nobody.
"""

from __future__ import annotations

import re
from typing import Final

from device.errors import RemoteAwayError, RemoteError, SottoError

_CHANGED: Final = (
    RemoteError,
    (
        "the clinic server shows another host key than the one that was agreed on",
        "do not send anything; ask whoever runs the server: if it was set up anew, compare its key and change host_key",
    ),
)
_REFUSED: Final = (
    RemoteError,
    (
        "the clinic server refuses this box's login",
        "add the box's public key to authorized_keys of that account, and compare the user in [remote]",
    ),
)
_KEY: Final = (
    RemoteError,
    (
        "the box's own key for the clinic server cannot be used",
        "key in [remote] has to name a private key without a passphrase that Sotto alone may read (chmod 600)",
    ),
)
_NO_SFTP: Final = (
    RemoteError,
    (
        "the clinic server let the box in, but offers it no SFTP",
        "switch SFTP on at the server for that account (Subsystem sftp), with nothing else that prints at login",
    ),
)
_NO_CIPHER: Final = (
    RemoteError,
    (
        "the clinic server and the box have no way to speak safely in common",
        "bring the server's SSH up to date, or give host_key in a newer form such as ssh-ed25519",
    ),
)
_AWAY: Final = RemoteAwayError, ("the clinic server does not answer", "it is tried again by itself")

_REASONS: Final = (
    (re.compile(rb"Host key verification failed|HOST IDENTIFICATION HAS CHANGED|host key is known for"), _CHANGED),
    (re.compile(rb"UNPROTECTED PRIVATE KEY|Load key |Identity file .* not accessible|no such identity"), _KEY),
    (
        re.compile(rb"Permission denied \(|Too many authentication failures|sign_and_send_pubkey|No user exists"),
        _REFUSED,
    ),
    (re.compile(rb"subsystem request failed|This service allows sftp connections only|administratively pro"), _NO_SFTP),
    (
        re.compile(rb"Unable to negotiate|no matching |no mutual signature|Bad server host key|Bad key types"),
        _NO_CIPHER,
    ),
)


def reason(said: bytes) -> SottoError:
    """The error for what ``ssh`` said before it ended."""
    kind, (what, hint) = next((why for pattern, why in _REASONS if pattern.search(said)), _AWAY)
    return kind(what, hint)


def no_sftp() -> RemoteError:
    """Something else than SFTP came from the server: a login that prints, or no SFTP server."""
    kind, (what, hint) = _NO_SFTP
    return kind(what, hint)


def fell_silent() -> RemoteAwayError:
    """It was waited for as long as anybody is waited for."""
    return RemoteAwayError("the clinic server fell silent", "it is tried again by itself")
