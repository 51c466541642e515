import hashlib

import pytest

from device.age import bech32
from device.age.errors import MixedRecipientsError, NoRecipientError, RecipientSyntaxError
from device.age.header import decode_base64
from device.age.identities import KeyIdentity, parse_identity
from device.age.passphrase import PassphraseRecipient
from device.age.recipients import HybridRecipient, X25519Recipient, check_company, fingerprint, parse_recipient

# c2sp.org/age gives these pairs; the post-quantum recipient has 1,959 letters, so here is its digest.
X25519_PAIR = (
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
)
HYBRID_PAIR = ("AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR", "a091dd7e0ee9d62b")

# The points of small order on Curve25519 and its twist, with their non-canonical spellings (cr.yp.to/ecdh.html).
LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]


def test_the_keys_of_the_specification_belong_together() -> None:
    assert str(parse_identity(X25519_PAIR[0]).recipient()) == X25519_PAIR[1]
    hybrid = parse_identity(HYBRID_PAIR[0]).recipient()
    assert fingerprint(hybrid) == HYBRID_PAIR[1]
    assert len(str(hybrid)) == 1959


def test_a_recipient_is_read_back_from_its_text(classic: KeyIdentity, hybrid: KeyIdentity) -> None:
    for identity, kind in ((classic, X25519Recipient), (hybrid, HybridRecipient)):
        recipient = parse_recipient(str(identity.recipient()))
        assert isinstance(recipient, kind)
        assert recipient == identity.recipient()


def test_a_fingerprint_is_the_start_of_the_digest_of_the_text(classic: KeyIdentity) -> None:
    recipient = classic.recipient()
    assert fingerprint(recipient) == hashlib.sha256(str(recipient).encode()).hexdigest()[:16]


@pytest.mark.parametrize("point", LOW_ORDER)
def test_a_point_of_low_order_is_never_a_recipient(point: str, hybrid: KeyIdentity) -> None:
    mlkem = hybrid.recipient().public_key[:1184]
    for text in (bech32.encode("age", bytes.fromhex(point)), bech32.encode("age1pq", mlkem + bytes.fromhex(point))):
        with pytest.raises(RecipientSyntaxError, match="low order"):
            parse_recipient(text)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_the_wrong_length_is_refused(size: int, hybrid: KeyIdentity) -> None:
    for text in (
        bech32.encode("age", b"\x09" * size),
        bech32.encode("age1pq", hybrid.recipient().public_key[:1184] + b"\x09" * size),
    ):
        with pytest.raises(RecipientSyntaxError):
            parse_recipient(text)


def test_an_mlkem_key_with_coefficients_out_of_range_is_refused() -> None:
    with pytest.raises(RecipientSyntaxError):
        parse_recipient(bech32.encode("age1pq", b"\xff" * 1184 + b"\x09" + bytes(31)))


@pytest.mark.parametrize(
    "text",
    ["", "age1", X25519_PAIR[1].upper(), X25519_PAIR[1][:-1], X25519_PAIR[1] + " ", "ssh-ed25519 AAAA", "age1yubikey1"],
)
def test_what_is_not_a_recipient_is_refused(text: str) -> None:
    with pytest.raises(RecipientSyntaxError) as caught:
        parse_recipient(text)
    assert caught.value.hint


@pytest.mark.parametrize("pair", [X25519_PAIR, HYBRID_PAIR])
def test_an_identity_given_as_a_recipient_is_named_but_not_repeated(pair: tuple[str, str]) -> None:
    with pytest.raises(RecipientSyntaxError, match="private key") as caught:
        parse_recipient(pair[0])
    assert pair[0][20:] not in caught.value.what + caught.value.hint


def test_stanzas_have_the_shape_of_the_specification(classic: KeyIdentity, hybrid: KeyIdentity) -> None:
    for identity, kind, size in ((classic, "X25519", 32), (hybrid, "mlkem768x25519", 1120)):
        stanza = identity.recipient().wrap(bytes(16))
        assert (stanza.kind, len(decode_base64(*stanza.args)), len(stanza.body)) == (kind, size, 32)


def test_the_same_key_wrapped_twice_looks_different(classic: KeyIdentity, hybrid: KeyIdentity) -> None:
    for recipient in (classic.recipient(), hybrid.recipient()):
        assert recipient.wrap(bytes(16)) != recipient.wrap(bytes(16))


def test_nobody_is_not_a_set_of_recipients() -> None:
    with pytest.raises(NoRecipientError):
        check_company([])


def test_kinds_that_weaken_each_other_do_not_mix(classic: KeyIdentity, hybrid: KeyIdentity) -> None:
    passphrase = PassphraseRecipient("open sesame")
    check_company([classic.recipient(), classic.recipient()])
    check_company([hybrid.recipient(), hybrid.recipient()])
    check_company([passphrase])
    for one, other in (
        (classic.recipient(), hybrid.recipient()),
        (passphrase, passphrase),
        (passphrase, classic.recipient()),
        (hybrid.recipient(), passphrase),
    ):
        with pytest.raises(MixedRecipientsError):
            check_company([one, other])
