"""Making an age file. Needs public keys only; everything that opens one is in ``opening``."""

from __future__ import annotations

import os
from collections.abc import Sequence

from device.age.chunks import CHUNK_BYTES, NONCE_BYTES, ChunkCipher, payload_key
from device.age.header import FILE_KEY_BYTES, encode_header
from device.age.recipients import Recipient, check_company
from device.age.stream import Sink, Source, Writer


def new_header(recipients: Sequence[Recipient]) -> tuple[bytes, ChunkCipher]:
    """Begin a file: all the bytes before its first chunk (header and nonce), and what seals its chunks.

    The file key is forgotten on return; what stays in the cipher is the payload's key, for as long as it is kept.
    Raises NoRecipientError, MixedRecipientsError, or RecipientSetError if there are too many recipients.
    """
    check_company(recipients)
    file_key = os.urandom(FILE_KEY_BYTES)
    nonce = os.urandom(NONCE_BYTES)
    header = encode_header([recipient.wrap(file_key) for recipient in recipients], file_key)
    return header + nonce, ChunkCipher(payload_key(file_key, nonce))


def encrypt(source: Source, sink: Sink, recipients: Sequence[Recipient]) -> None:
    """Seal all of ``source`` into ``sink`` as one age file. Neither is closed; raises as ``new_header`` and they do."""
    head, cipher = new_header(recipients)
    sink.write(head)
    writer = Writer(sink, cipher)
    while data := source.read(CHUNK_BYTES):
        writer.write(data)
    writer.close()
