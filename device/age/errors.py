"""Why an age file, a key or a set of recipients was refused.

    AgeError
    ├── NotAgeError            the bytes are not an age file at all
    ├── HeaderError            an age file whose header is malformed, altered, or asks for too much
    ├── WrongKeyError          a sound header, but none of the identities given opens it
    ├── DamagedChunkError      a chunk of the payload is not what was sealed, or is missing
    ├── RecipientSyntaxError   a text is not a recipient (public key)
    ├── IdentitySyntaxError    a text is not an identity (private key)
    └── RecipientSetError      these recipients cannot be served by one file
        ├── NoRecipientError       there are none
        └── MixedRecipientsError   they are of kinds that weaken each other

No message ever holds a key, a passphrase, or any part of the text that failed to parse as one.
"""

from __future__ import annotations


class AgeError(Exception):
    """Something about an age file or key was refused; ``what`` happened, and what to do now (``hint``, maybe empty)."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class NotAgeError(AgeError):
    """The bytes are not an age file."""


class HeaderError(AgeError):
    """The header is malformed, was altered (its MAC does not hold), or asks for more work than allowed."""


class WrongKeyError(AgeError):
    """None of the identities given is one the file was sealed to."""


class DamagedChunkError(AgeError):
    """Chunk ``index`` (0 is the first) failed authentication, or the file ends before it does."""

    def __init__(self, index: int, what: str = "") -> None:
        super().__init__(
            what or f"Chunk {index} of the file is not what was sealed.",
            "The file was damaged or changed after it was sealed; fetch another copy.",
        )
        self.index = index


class RecipientSyntaxError(AgeError):
    """The text is not a recipient."""


class IdentitySyntaxError(AgeError):
    """The text is not an identity."""


class RecipientSetError(AgeError):
    """These recipients cannot be served by one file."""


class NoRecipientError(RecipientSetError):
    """There is no recipient: whatever was sealed could never be opened."""


class MixedRecipientsError(RecipientSetError):
    """The recipients are of kinds that weaken each other in one file."""
