"""Signed facts: not a byte of them can be changed, and no unknown fact be added."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import DamagedError
from device.recording.manifest import GapFact, Manifest, MicrophoneFact, RecordingState, SoundFacts
from device.recording.signing import fingerprint, sign, verify
from device.shapes import ShapeError
from device.words import Consent

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
MANIFEST = Manifest(
    id="000001-abcdefghij",
    box="Zimmer für Gespräche 3",
    state=RecordingState.COMPLETE,
    started="2026-03-01T09:00:00.000Z",
    clock_trusted=True,
    boot="b",
    started_monotonic_us=1,
    consent=Consent.SOUND,
    consent_events=(),
    sound=SoundFacts(rate_hz=48_000, channels=2, bits=24, microphones=(MicrophoneFact(at_us=0, name="simulated"),)),
    gaps=(GapFact(start_sample=1, samples=2, cause="gone"),),
    recipients=("age1",),
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 60), 1 << 60) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def document() -> bytes:
    return sign("manifest", MANIFEST.model_dump(mode="json"), KEY)


@given(payload=st.dictionaries(st.text(max_size=5), plain, max_size=4))
def test_what_was_signed_is_read_back(payload: dict[str, Any]) -> None:
    signed = verify("manifest", sign("manifest", payload, KEY))
    assert signed.payload == payload
    assert signed.key == KEY.public_key().public_bytes_raw()


def test_a_manifest_survives_its_signature() -> None:
    assert Manifest.model_validate(verify("manifest", document()).payload) == MANIFEST


def test_a_document_can_be_laid_out_anew_and_still_holds() -> None:
    """The signature is over what it says, not over how an editor saved it."""
    again = json.dumps(json.loads(document()), indent=4, sort_keys=True).encode()
    assert verify("manifest", again).payload == MANIFEST.model_dump(mode="json")


def test_no_byte_can_be_changed_without_being_found_out() -> None:
    whole = document()
    said = json.loads(whole)["payload"]
    for place in range(len(whole)):
        for other in {whole[place] ^ 1, ord("0"), ord(" ")} - {whole[place]}:
            changed = whole[:place] + bytes([other]) + whole[place + 1 :]
            try:
                assert verify("manifest", changed).payload == said
            except DamagedError as problem:
                assert problem.hint


@settings(max_examples=300)
@given(path=st.sampled_from(sorted(MANIFEST.model_dump(mode="json"))), value=plain)
def test_no_fact_can_be_changed(path: str, value: Any) -> None:
    parsed = json.loads(document())
    same = json.dumps(parsed["payload"][path]) == json.dumps(value)
    parsed["payload"][path] = value
    if not same:
        with pytest.raises(DamagedError):
            verify("manifest", json.dumps(parsed).encode())


def test_a_fact_can_neither_be_added_nor_left_out() -> None:
    for change in ({"new": 1}, None):
        parsed = json.loads(document())
        if change:
            parsed["payload"].update(change)
        else:
            del parsed["payload"]["gaps"]
        with pytest.raises(DamagedError, match="changed"):
            verify("manifest", json.dumps(parsed).encode())


def test_a_signature_for_one_kind_does_not_hold_for_another() -> None:
    with pytest.raises(DamagedError):
        verify("receipt", document())


def test_another_key_beside_the_facts_does_not_hold() -> None:
    parsed = json.loads(document())
    parsed["key"] = b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    with pytest.raises(DamagedError):
        verify("manifest", json.dumps(parsed).encode())


@pytest.mark.parametrize(
    "wrong",
    [b"", b"{", b"[]", b"1", b"null", b'"text"', b"{}", b'{"payload": {}, "key": 1, "signature": "x"}', b"\xff"],
)
def test_what_is_no_signed_document_is_refused_in_words(wrong: bytes) -> None:
    with pytest.raises(DamagedError) as caught:
        verify("manifest", wrong)
    assert "manifest" in caught.value.what
    assert caught.value.hint


def test_a_document_cut_anywhere_is_refused() -> None:
    whole = document().rstrip()
    for cut in range(len(whole)):
        with pytest.raises(DamagedError):
            verify("manifest", whole[:cut])


@pytest.mark.parametrize("where", [(), ("sound",), ("gaps", 0), ("report",)])
def test_an_unknown_fact_is_an_error_wherever_it_stands(where: tuple[str | int, ...]) -> None:
    payload = MANIFEST.model_dump(mode="json")
    place: Any = payload
    for step in where:
        place = place[step]
    place["client"] = "somebody"
    with pytest.raises(ShapeError, match="client"):
        Manifest.model_validate(payload)


def test_a_negative_count_is_an_error() -> None:
    with pytest.raises(ShapeError, match="chunks"):
        Manifest.model_validate(MANIFEST.model_dump(mode="json") | {"chunks": -1})


def test_a_fingerprint_is_short_and_each_keys_own() -> None:
    keys = [Ed25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(20)]
    assert len({fingerprint(key) for key in keys}) == 20
    assert all(len(fingerprint(key)) == 16 for key in keys)
