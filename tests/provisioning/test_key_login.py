"""What a program answers when a box asks whose it is, and above all what it never answers."""

from __future__ import annotations

import io
import secrets
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.age.errors import AgeError
from device.age.identities import HybridIdentity, KeyIdentity, X25519Identity
from device.age.sealing import encrypt
from provisioning.errors import ChallengeError
from provisioning.exits import exit_of
from provisioning.key_login import MOST_SEALED_BYTES, answer_challenge

ME, SOMEBODY = X25519Identity(bytes(range(32))), X25519Identity(bytes(range(1, 33)))
BOX = "0123456789abcdef"


def sealed_to(identity: KeyIdentity, plaintext: bytes) -> bytes:
    sink = io.BytesIO()
    encrypt(io.BytesIO(plaintext), sink, [identity.recipient()])
    return sink.getvalue()


def challenge(*, device: str = BOX) -> bytes:
    return f"sotto-login:v1:{device}:{secrets.token_urlsafe(32)}".encode()


@pytest.mark.parametrize("identity", [ME, HybridIdentity(bytes(range(32)))], ids=["classic", "post-quantum"])
def test_a_challenge_of_the_box_that_was_meant_is_answered_with_its_digest(identity: KeyIdentity) -> None:
    asked = challenge()
    assert answer_challenge(sealed_to(identity, asked), [SOMEBODY, identity], device=BOX) == sha256(asked).hexdigest()


def test_a_fingerprint_counts_however_it_is_written() -> None:
    asked = challenge()
    assert answer_challenge(sealed_to(ME, asked), [ME], device=BOX.upper()) == sha256(asked).hexdigest()


@given(st.binary(max_size=200))
@example(b"")
def test_nothing_that_was_sealed_for_another_purpose_is_answered(plaintext: bytes) -> None:
    with pytest.raises(ChallengeError):
        answer_challenge(sealed_to(ME, plaintext), [ME], device=BOX)


def test_what_was_opened_by_mistake_is_told_to_nobody() -> None:
    with pytest.raises(ChallengeError) as refused:
        answer_challenge(sealed_to(ME, b"what a client said"), [ME], device=BOX)
    assert "client" not in refused.value.what + refused.value.hint


NEARLY = [
    "sotto-login:v2:{device}:{random}",
    "sotto-login:v1:{device}:",
    "sotto-login:v1:{device}:short",
    "sotto-login:v1:{device}:{random}\n",
    "sotto-login:v1:{device}:{random} and more",
    "sotto-login:v1:{device}:{random}:{random}",
    " sotto-login:v1:{device}:{random}",
    "sotto-login:v1:{device}0:{random}",
    "sotto-login:v1::{random}",
    "SOTTO-LOGIN:v1:{device}:{random}",
    "sotto-login:v1:{device}:{random}\x00",
    "sotto-login:v1:{device}:{random}é",
    "sotto-login:v1:{device}:" + "a" * 200,
]


@pytest.mark.parametrize("shape", NEARLY)
def test_what_only_looks_like_a_challenge_is_not_answered(shape: str) -> None:
    plaintext = shape.format(device=BOX, random="r" * 43).encode()
    with pytest.raises(ChallengeError, match="no challenge"):
        answer_challenge(sealed_to(ME, plaintext), [ME], device=BOX)


def test_the_challenge_of_another_box_is_not_answered() -> None:
    """Else a box could sign in to another one, as whoever signs in to it."""
    with pytest.raises(ChallengeError, match="another box"):
        answer_challenge(sealed_to(ME, challenge(device="f" * 16)), [ME], device=BOX)


def test_a_recording_in_the_place_of_a_challenge_is_not_even_opened() -> None:
    with pytest.raises(ChallengeError, match="far too long"):
        answer_challenge(sealed_to(ME, bytes(MOST_SEALED_BYTES)), [ME], device=BOX)


@pytest.mark.parametrize("sealed", [b"", b"age-encryption.org/v1\n", sealed_to(SOMEBODY, challenge())])
def test_what_these_identities_do_not_open_is_told_as_that(sealed: bytes) -> None:
    with pytest.raises(AgeError):
        answer_challenge(sealed, [ME], device=BOX)


def test_a_changed_challenge_is_not_answered() -> None:
    sealed = bytearray(sealed_to(ME, challenge()))
    sealed[-1] ^= 1
    with pytest.raises(AgeError):
        answer_challenge(bytes(sealed), [ME], device=BOX)


def test_a_refused_challenge_is_a_plain_failure() -> None:
    assert exit_of(ChallengeError("x", "y")) == 1
