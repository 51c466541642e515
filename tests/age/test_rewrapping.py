"""A new header over an old payload: stock age opens it with each key, and nothing is weakened on the way."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.age.errors import HeaderError, MixedRecipientsError, NotAgeError, RecipientSetError, WrongKeyError
from device.age.header import Stanza, encode_header, read_header
from device.age.identities import KeyIdentity, generate_identity, identity_file
from device.age.passphrase import PassphraseRecipient
from device.age.rewrapping import rewrap
from tests.age.test_interop import NOW, run, seal, unseal

CLASSIC = [generate_identity(post_quantum=False) for _ in range(3)]
HYBRID = [generate_identity(post_quantum=True) for _ in range(3)]
DATA = bytes(range(256)) * 700


def rewrapped(sealed: bytes, identity: KeyIdentity, **to: list[KeyIdentity]) -> bytes:
    """The same file with another header; its payload is looked at on the way."""
    made = rewrap(
        io.BytesIO(sealed), [identity], **{how: [one.recipient() for one in whom] for how, whom in to.items()}
    )
    assert sealed.startswith(made.old)
    assert made.new != made.old
    return made.new + sealed[len(made.old) :]


@pytest.mark.parametrize("keys", [CLASSIC, HYBRID], ids=["classic", "post-quantum"])
def test_who_was_added_opens_it_and_so_does_everybody_else(keys: list[KeyIdentity]) -> None:
    old, new, stranger = keys
    made = rewrapped(seal(DATA, old.recipient()), old, add=[new])
    assert unseal(made, new) == unseal(made, old) == DATA
    with pytest.raises(WrongKeyError):
        unseal(made, stranger)


@pytest.mark.parametrize("keys", [CLASSIC, HYBRID], ids=["classic", "post-quantum"])
def test_who_alone_remains_opens_it_and_nobody_else_does(keys: list[KeyIdentity]) -> None:
    old, new, _ = keys
    made = rewrapped(seal(DATA, old.recipient()), old, only=[new])
    assert unseal(made, new) == DATA
    with pytest.raises(WrongKeyError):
        unseal(made, old)


def test_stock_age_opens_it_with_each_classic_key(age: Path, tmp_path: Path) -> None:
    made = rewrapped(seal(DATA, CLASSIC[0].recipient()), CLASSIC[0], add=CLASSIC[1:])
    for identity in CLASSIC:
        (tmp_path / "key").write_text(identity_file(identity, NOW))
        assert run(age, "-d", "-i", str(tmp_path / "key"), stdin=made) == DATA


def test_stock_age_opens_it_with_each_post_quantum_key(age_pq: Path, tmp_path: Path) -> None:
    made = rewrapped(seal(DATA, HYBRID[0].recipient()), HYBRID[0], add=HYBRID[1:])
    for identity in HYBRID:
        (tmp_path / "key").write_text(identity_file(identity, NOW))
        assert run(age_pq, "-d", "-i", str(tmp_path / "key"), stdin=made) == DATA


def test_a_file_that_stock_age_sealed_can_be_opened_to_others(age: Path) -> None:
    theirs = run(age, "-r", str(CLASSIC[0].recipient()), stdin=DATA)
    assert unseal(rewrapped(theirs, CLASSIC[0], add=[CLASSIC[1]]), CLASSIC[1]) == DATA


def test_the_stanzas_that_are_there_stay_to_the_letter() -> None:
    sealed = seal(DATA, *(one.recipient() for one in HYBRID[:2]))
    made = rewrapped(sealed, HYBRID[1], add=[HYBRID[2]])
    before, after = (read_header(io.BytesIO(one)).stanzas for one in (sealed, made))
    assert after[:2] == before
    assert len(after) == 3


@pytest.mark.parametrize(
    ("sealed_to", "to"),
    [
        (HYBRID[0], {"add": [CLASSIC[0]]}),
        (HYBRID[0], {"only": [CLASSIC[0]]}),
        (CLASSIC[0], {"add": [HYBRID[0]]}),
        (HYBRID[0], {"add": [HYBRID[1], CLASSIC[0]]}),
        (CLASSIC[0], {"only": [HYBRID[1], CLASSIC[0]]}),
    ],
)
def test_post_quantum_and_classic_never_meet_in_one_file(
    sealed_to: KeyIdentity, to: dict[str, list[KeyIdentity]]
) -> None:
    with pytest.raises(MixedRecipientsError) as refused:
        rewrapped(seal(DATA, sealed_to.recipient()), sealed_to, **to)
    assert refused.value.what
    assert refused.value.hint


def test_a_classic_file_can_be_turned_over_to_post_quantum_keys_alone() -> None:
    made = rewrapped(seal(DATA, CLASSIC[0].recipient()), CLASSIC[0], only=[HYBRID[0]])
    assert unseal(made, HYBRID[0]) == DATA


def test_who_is_of_no_known_kind_is_not_kept_blindly() -> None:
    key = bytes(16)
    header = encode_header([CLASSIC[0].recipient().wrap(key), Stanza("somebody", (), b"x" * 32)], key) + bytes(16)
    with pytest.raises(RecipientSetError):
        rewrap(io.BytesIO(header), [CLASSIC[0]], add=[CLASSIC[1].recipient()])


def test_a_file_with_a_passphrase_is_not_opened_to_keys() -> None:
    with pytest.raises(WrongKeyError):
        rewrapped(seal(DATA, PassphraseRecipient("words", log_n=10)), CLASSIC[0], add=[CLASSIC[1]])


@pytest.mark.parametrize("to", [{}, {"add": [CLASSIC[1]], "only": [CLASSIC[1]]}])
def test_one_of_the_two_has_to_be_said(to: dict[str, list[KeyIdentity]]) -> None:
    with pytest.raises(ValueError, match="alone"):
        rewrapped(seal(DATA, CLASSIC[0].recipient()), CLASSIC[0], **to)


@settings(max_examples=60)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_header_that_was_altered_is_never_made_anew(place: int, bit: int) -> None:
    sealed = bytearray(seal(b"", *(one.recipient() for one in CLASSIC[:2])))
    head = read_header(io.BytesIO(bytes(sealed))).size_bytes
    sealed[place % head] ^= 1 << bit
    with pytest.raises((HeaderError, NotAgeError, WrongKeyError)):
        rewrap(io.BytesIO(bytes(sealed)), CLASSIC[:1], add=[CLASSIC[2].recipient()])


def test_a_file_that_ends_behind_its_header_is_refused() -> None:
    sealed = seal(b"", CLASSIC[0].recipient())
    head = read_header(io.BytesIO(sealed)).size_bytes
    for size in range(head, head + 16):
        with pytest.raises(HeaderError):
            rewrap(io.BytesIO(sealed[:size]), CLASSIC[:1], add=[CLASSIC[1].recipient()])
