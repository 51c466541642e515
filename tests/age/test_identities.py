from datetime import UTC, datetime, timedelta, timezone

import pytest

from device.age import bech32
from device.age.errors import HeaderError, IdentitySyntaxError
from device.age.header import Stanza, decode_base64, encode_base64
from device.age.identities import (
    HybridIdentity,
    KeyIdentity,
    X25519Identity,
    generate_identity,
    identity_file,
    parse_identity,
    parse_identity_file,
)

FILE_KEY = bytes(range(16))
CREATED = datetime(2026, 3, 1, 9, 30, 15, 999999, tzinfo=UTC)


@pytest.fixture(params=["classic", "hybrid"])
def identity(request: pytest.FixtureRequest) -> KeyIdentity:
    return request.getfixturevalue(request.param)


def test_a_new_identity_is_of_the_kind_asked_for_and_never_the_same() -> None:
    assert isinstance(generate_identity(post_quantum=True), HybridIdentity)
    assert isinstance(generate_identity(post_quantum=False), X25519Identity)
    assert len({generate_identity(post_quantum=False).secret_text() for _ in range(5)}) == 5


def test_an_identity_is_read_back_from_its_text(identity: KeyIdentity) -> None:
    again = parse_identity(identity.secret_text())
    assert again.secret_text() == identity.secret_text()
    assert again.recipient() == identity.recipient()


def test_an_identity_does_not_show_itself_by_accident(identity: KeyIdentity) -> None:
    secret = identity.secret_text()[24:40]
    assert secret not in f"{identity} {identity!r} {vars(identity)['_key' if '_key' in vars(identity) else '_mlkem']}"


def test_an_identity_unwraps_what_was_wrapped_for_it_among_others(identity: KeyIdentity) -> None:
    post_quantum = isinstance(identity, HybridIdentity)
    others = [generate_identity(post_quantum=post_quantum).recipient().wrap(FILE_KEY) for _ in range(3)]
    grease = Stanza("grease", ("x",), b"anything")
    assert identity.unwrap([grease, *others, identity.recipient().wrap(FILE_KEY)]) == FILE_KEY
    assert identity.unwrap([grease, *others]) is None
    assert identity.unwrap([grease]) is None


def replaced(identity: KeyIdentity, share: bytes) -> Stanza:
    stanza = identity.recipient().wrap(FILE_KEY)
    enc = decode_base64(stanza.args[0])
    return Stanza(stanza.kind, (encode_base64(enc[:-32] + share),), stanza.body)


@pytest.mark.parametrize("share", [bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"])
def test_a_share_of_low_order_is_refused_and_not_taken_for_a_wrong_key(identity: KeyIdentity, share: bytes) -> None:
    with pytest.raises(HeaderError, match="low order"):
        identity.unwrap([replaced(identity, share)])


def test_a_stanza_that_nobody_could_have_made_honestly_is_refused(identity: KeyIdentity) -> None:
    good = identity.recipient().wrap(FILE_KEY)
    enc = decode_base64(good.args[0])
    for args, body in (
        ((), good.body),
        ((*good.args, "more"), good.body),
        ((encode_base64(enc[:-1]),), good.body),
        ((encode_base64(enc + b"\0"),), good.body),
        ((good.args[0] + "=",), good.body),
        (good.args, good.body[:-1]),
        (good.args, good.body + b"\0"),
        (good.args, b""),
    ):
        with pytest.raises(HeaderError):
            identity.unwrap([Stanza(good.kind, args, body)])


def test_an_altered_stanza_opens_for_nobody(identity: KeyIdentity) -> None:
    good = identity.recipient().wrap(FILE_KEY)
    enc = bytearray(decode_base64(good.args[0]))
    enc[0] ^= 1
    assert identity.unwrap([Stanza(good.kind, (encode_base64(bytes(enc)),), good.body)]) is None
    assert identity.unwrap([Stanza(good.kind, good.args, bytes([good.body[0] ^ 1]) + good.body[1:])]) is None


def test_an_identity_file_is_written_as_age_keygen_does(identity: KeyIdentity) -> None:
    assert identity_file(identity, CREATED) == (
        f"# created: 2026-03-01T09:30:15Z\n# public key: {identity.recipient()}\n{identity.secret_text()}\n"
    )
    there = CREATED.astimezone(timezone(timedelta(hours=2)))
    assert identity_file(identity, there).startswith("# created: 2026-03-01T11:30:15+02:00\n")
    with pytest.raises(ValueError, match="time zone"):
        identity_file(identity, CREATED.replace(tzinfo=None))


def test_an_identity_file_is_read_back_with_comments_blank_lines_and_crlf(
    classic: KeyIdentity, hybrid: KeyIdentity
) -> None:
    text = identity_file(classic, CREATED) + "\n  \n# another\n" + identity_file(hybrid, CREATED)
    for each in (text, text.replace("\n", "\r\n")):
        keys = [identity.secret_text() for identity in parse_identity_file(each)]
        assert keys == [classic.secret_text(), hybrid.secret_text()]


@pytest.mark.parametrize("text", ["", "\n", "# public key: age1…\n"])
def test_a_file_without_an_identity_says_so(text: str) -> None:
    with pytest.raises(IdentitySyntaxError, match="no identity"):
        parse_identity_file(text)


def test_a_broken_identity_is_named_by_its_line_and_never_quoted(identity: KeyIdentity) -> None:
    secret = identity.secret_text()
    with pytest.raises(IdentitySyntaxError, match="Line 3") as caught:
        parse_identity_file(f"# one\n\n{secret[:-1]}\n")
    error: BaseException | None = caught.value
    while error is not None:
        assert secret[25:35] not in str(error)
        assert secret[25:35].lower() not in str(error)
        error = error.__cause__


@pytest.mark.parametrize("prefix", ["age-secret-key-", "AGE-SECRET-KEY-X-", "AGE-PLUGIN-YUBIKEY-"])
def test_an_identity_of_another_kind_or_case_is_refused(prefix: str) -> None:
    with pytest.raises(IdentitySyntaxError):
        parse_identity(bech32.encode(prefix, bytes(32)))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_an_identity_of_the_wrong_length_is_refused(size: int) -> None:
    for prefix in ("AGE-SECRET-KEY-", "AGE-SECRET-KEY-PQ-"):
        with pytest.raises(IdentitySyntaxError):
            parse_identity(bech32.encode(prefix, bytes(size)))


def test_a_recipient_given_as_an_identity_is_called_that(identity: KeyIdentity) -> None:
    with pytest.raises(IdentitySyntaxError, match="public key"):
        parse_identity(str(identity.recipient()))
