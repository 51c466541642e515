"""Why OpenSSH's ``ssh`` ended, from what it said; pure.

It tells by its exit code only that it did not work, so its words are looked at, in the C locale, and never passed on:
they hold names of hosts and users, and between them stands what the server wanted to say. The words are
OpenSSH 9's; what is not known here counts as a server that is away, because trying again harms nobody.
"""

from __future__ import annotations

import re
from typing import Final

from device.errors import RemoteAwayError, RemoteError, SottoError

_Why = tuple[type[RemoteError] | type[RemoteAwayError], str, str]

_CHANGED: Final[_Why] = (
    RemoteError,
    "the remote shows another host key than the one that was agreed on",
    "send nothing; ask whoever runs the server: if it was set up anew, compare its key and change host_key in [remote]",
)
_REFUSED: Final[_Why] = (
    RemoteError,
    "the remote refuses this box's login",
    "add the box's public key to authorized_keys there; see that user is right and that the key has no passphrase",
)
_KEY: Final[_Why] = (
    RemoteError,
    "the box's own key for the remote cannot be used",
    "key in [remote] has to name a private key without a passphrase that Sotto alone may read (chmod 600)",
)
_NO_SFTP: Final[_Why] = (
    RemoteError,
    "the remote let the box in, but offers it no SFTP",
    "switch SFTP on at the server for that account (Subsystem sftp), with nothing else that prints at login",
)
_NO_CIPHER: Final[_Why] = (
    RemoteError,
    "the remote and the box have no way to speak safely in common",
    "bring the server's SSH up to date",
)
_AWAY: Final[_Why] = RemoteAwayError, "the remote does not answer", "it is tried again by itself"

# Each stands where ssh begins a line with it, so that a server's banner with such words in it is not taken for them.
_REASONS: Final = (
    (rb"Host key verification failed|No \S+ host key is known for|.*: no matching host key type found", _CHANGED),
    (rb"Permissions \d+ for '.*' are too open|Load key |Warning: Identity file .* not accessible", _KEY),
    (rb"\S+@\S+: Permission denied \(|.*Too many authentication failures", _REFUSED),
    (rb"subsystem request failed on channel|channel \d+: open failed", _NO_SFTP),
    (rb"Unable to negotiate with ", _NO_CIPHER),
)


def reason(said: bytes, exit_code: int | None) -> SottoError:
    """The error for what ``ssh`` said before it ended; ``exit_code``: its own, if the server never answered as SFTP.

    It ends with 255 for all of its own troubles, and with anything else where the server ran a program that ended.
    """
    if exit_code is not None and 0 <= exit_code < 255:
        return no_sftp()
    kind, what, hint = next((why for words, why in _REASONS if re.search(rb"^(" + words + rb")", said, re.M)), _AWAY)
    return kind(what, hint)


def no_sftp() -> RemoteError:
    """Something else than SFTP came from the server: a login that prints, or no SFTP server."""
    _, what, hint = _NO_SFTP
    return RemoteError(what, hint)


def fell_silent() -> RemoteAwayError:
    """It was waited for as long as anybody is waited for."""
    return RemoteAwayError("the remote fell silent", "it is tried again by itself")
