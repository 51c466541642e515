import io

import pytest

from device.age.errors import HeaderError, MixedRecipientsError, WrongKeyError
from device.age.header import Stanza, encode_base64
from device.age.identities import KeyIdentity
from device.age.opening import decrypt
from device.age.passphrase import READ_LOG_N_LIMIT, PassphraseIdentity, PassphraseRecipient
from device.age.sealing import encrypt, new_header

CHEAP = 4
FILE_KEY = bytes(range(16))


def wrapped() -> Stanza:
    return PassphraseRecipient("open sesame", log_n=CHEAP).wrap(FILE_KEY)


def test_a_file_sealed_to_a_passphrase_opens_with_it_and_no_other() -> None:
    sealed, opened = io.BytesIO(), io.BytesIO()
    encrypt(io.BytesIO(b"hello"), sealed, [PassphraseRecipient("öpen sesame", log_n=CHEAP)])
    decrypt(io.BytesIO(sealed.getvalue()), opened, [PassphraseIdentity("wrong"), PassphraseIdentity("öpen sesame")])
    assert opened.getvalue() == b"hello"
    with pytest.raises(WrongKeyError):
        decrypt(io.BytesIO(sealed.getvalue()), io.BytesIO(), [PassphraseIdentity("open sesame")])


def test_a_passphrase_is_never_written_beside_other_recipients(classic: KeyIdentity) -> None:
    with pytest.raises(MixedRecipientsError):
        new_header([PassphraseRecipient("open sesame", log_n=CHEAP), classic.recipient()])


def test_a_passphrase_beside_other_recipients_is_refused_on_reading(classic: KeyIdentity) -> None:
    identity = PassphraseIdentity("open sesame")
    other = classic.recipient().wrap(FILE_KEY)
    for stanzas in ([wrapped(), wrapped()], [wrapped(), other], [other, wrapped()]):
        with pytest.raises(HeaderError, match="beside"):
            identity.unwrap(stanzas)
    assert identity.unwrap([other]) is None


def test_a_file_that_asks_for_too_much_work_is_refused_before_the_work_is_done() -> None:
    salt, _ = wrapped().args
    for log_n in (READ_LOG_N_LIMIT + 1, 30, 99):
        with pytest.raises(HeaderError, match=rf"2\*\*{log_n} KiB"):
            PassphraseIdentity("open sesame").unwrap([Stanza("scrypt", (salt, str(log_n)), bytes(32))])
    with pytest.raises(HeaderError):
        PassphraseIdentity("open sesame", log_n_limit=CHEAP - 1).unwrap([wrapped()])


@pytest.mark.parametrize("log_n", ["", "0", "04", "+4", "-4", "0x4", "4 ", "4.0", "100", "٤", "four"])
def test_a_work_factor_has_one_spelling(log_n: str) -> None:
    salt, _ = wrapped().args
    with pytest.raises(HeaderError):
        PassphraseIdentity("open sesame").unwrap([Stanza("scrypt", (salt, log_n), bytes(32))])


def test_a_malformed_stanza_is_refused() -> None:
    good = wrapped()
    salt, log_n = good.args
    for args, body in (
        ((salt,), good.body),
        ((salt, log_n, "more"), good.body),
        ((encode_base64(bytes(15)), log_n), good.body),
        ((encode_base64(bytes(17)), log_n), good.body),
        ((salt + "==", log_n), good.body),
        (good.args, good.body + b"\0"),
    ):
        with pytest.raises(HeaderError):
            PassphraseIdentity("open sesame").unwrap([Stanza("scrypt", args, body)])


@pytest.mark.parametrize("half", [PassphraseRecipient, PassphraseIdentity])
def test_an_empty_passphrase_is_a_mistake_of_the_caller(half: type) -> None:
    with pytest.raises(ValueError, match="empty"):
        half("")


@pytest.mark.parametrize("log_n", [0, -1, 31])
def test_an_impossible_work_factor_is_a_mistake_of_the_caller(log_n: int) -> None:
    with pytest.raises(ValueError, match="work factor"):
        PassphraseRecipient("open sesame", log_n=log_n)
    with pytest.raises(ValueError, match="work factor"):
        PassphraseIdentity("open sesame", log_n_limit=log_n)
