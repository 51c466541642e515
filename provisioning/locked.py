"""What a passphrase locks: a small secret as an armored age file (scrypt), which stock age opens, too."""

from __future__ import annotations

import io

from device.age.armor import armor, dearmor
from device.age.errors import WrongKeyError
from device.age.opening import decrypt
from device.age.passphrase import WRITE_LOG_N, PassphraseIdentity, PassphraseRecipient
from device.age.sealing import encrypt


def lock(secret: bytes, passphrase: str, *, log_n: int = WRITE_LOG_N) -> str:
    """Seal it; each try of a passphrase then costs 2**log_n KiB and, as things are, about a second."""
    sealed = io.BytesIO()
    encrypt(io.BytesIO(secret), sealed, [PassphraseRecipient(passphrase, log_n=log_n)])
    return armor(sealed.getvalue())


def unlock(text: str, passphrase: str, *, what: str) -> bytes:
    """Open it again.

    Raises:
        WrongKeyError: that is not its passphrase.
        AgeError: what is there was damaged, or was never locked.
    """
    opened = io.BytesIO()
    try:
        decrypt(io.BytesIO(dearmor(text)), opened, [PassphraseIdentity(passphrase)])
    except WrongKeyError as problem:
        raise WrongKeyError(f"This is not the passphrase of {what}.", "Type it again.") from problem
    return opened.getvalue()
