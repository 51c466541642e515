import io
import subprocess
import sys

import pytest

from device.age.errors import MixedRecipientsError, NoRecipientError, RecipientSetError
from device.age.identities import KeyIdentity
from device.age.opening import decrypt, open_header
from device.age.sealing import encrypt, new_header
from device.age.stream import CHUNK_BYTES


def test_a_file_put_together_by_hand_is_an_age_file(hybrid: KeyIdentity) -> None:
    head, cipher = new_header([hybrid.recipient()])
    parts = [head, cipher.seal(0, bytes(CHUNK_BYTES), last=False), cipher.seal(1, b"end", last=True)]
    opened = io.BytesIO()
    decrypt(io.BytesIO(b"".join(parts)), opened, [hybrid])
    assert opened.getvalue() == bytes(CHUNK_BYTES) + b"end"


def test_the_head_ends_where_the_first_chunk_begins(classic: KeyIdentity) -> None:
    head, _ = new_header([classic.recipient()])
    _, payload_offset = open_header(io.BytesIO(head), [classic])
    assert payload_offset == len(head)


def test_two_files_share_neither_key_nor_nonce(classic: KeyIdentity) -> None:
    (one, one_cipher), (other, other_cipher) = (new_header([classic.recipient()]) for _ in range(2))
    assert one[-16:] != other[-16:]
    assert one_cipher.seal(0, b"same", last=True) != other_cipher.seal(0, b"same", last=True)


def test_each_of_several_recipients_can_open(classic: KeyIdentity) -> None:
    head, _ = new_header([classic.recipient()] * 20)
    open_header(io.BytesIO(head), [classic])


def test_a_file_for_nobody_for_a_mixture_or_for_too_many_is_not_begun(
    classic: KeyIdentity, hybrid: KeyIdentity
) -> None:
    with pytest.raises(NoRecipientError):
        new_header([])
    sink = io.BytesIO()
    with pytest.raises(MixedRecipientsError):
        encrypt(io.BytesIO(b"data"), sink, [classic.recipient(), hybrid.recipient()])
    assert sink.getvalue() == b""
    with pytest.raises(RecipientSetError):
        new_header([hybrid.recipient()] * 200)


def test_the_sealing_side_loads_nothing_that_opens() -> None:
    code = "import sys, device.age.sealing; print(*(name for name in sys.modules if name.startswith('device.age.')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "device.age.sealing" in loaded
    assert not {"device.age.identities", "device.age.opening", "device.age.passphrase"} & set(loaded)
