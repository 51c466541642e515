import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.age import bech32

# BIP-173, "Test vectors".
VALID = [
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11" + "q" * 82 + "c8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
]
INVALID = [
    "\x201nwldj5",
    "\x7f1axkwrx",
    "\x801eym55h",
    "pzry9x0s0muk",
    "1pzry9x0s0muk",
    "x1b4n0q5v",
    "li1dgmt3",
    "de1lg7wt\xff",
    "A1G7SGD8",
    "10a06t8",
    "1qzzfhee",
    "",
    "1",
]

prefixes = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1).map(str.lower)


@given(prefixes, st.binary(max_size=200))
def test_what_was_spelled_is_read_back_in_either_case(prefix: str, data: bytes) -> None:
    assert bech32.decode(bech32.encode(prefix, data)) == (prefix, data)
    assert bech32.decode(bech32.encode(prefix, data).upper()) == (prefix.upper(), data)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_one_wrong_letter_is_always_noticed(data: bytes, draw: st.DataObject) -> None:
    text = bech32.encode("age", data)
    place = draw.draw(st.integers(4, len(text) - 1))
    letter = draw.draw(st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l").filter(lambda one: one != text[place]))
    with pytest.raises(ValueError, match="checksum"):
        bech32.decode(text[:place] + letter + text[place + 1 :])


@pytest.mark.parametrize("text", VALID)
def test_the_valid_texts_of_the_standard_are_read(text: str) -> None:
    prefix, _ = bech32.decode(text)
    assert prefix == text.rpartition("1")[0]


@pytest.mark.parametrize("text", INVALID)
def test_the_invalid_texts_of_the_standard_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        bech32.decode(text)


def test_mixed_case_is_refused_both_ways() -> None:
    text = bech32.encode("age", b"key")
    for mixed in ("AGE" + text[3:], "age" + text[3:].upper(), "aGe" + text[3:]):
        with pytest.raises(ValueError, match="mixed"):
            bech32.decode(mixed)
    with pytest.raises(ValueError, match="mixed"):
        bech32.encode("Age", b"key")


def test_a_letter_whose_lower_case_is_ascii_does_not_pass_for_it() -> None:
    texts = (bech32.encode("AGE", bytes([byte])) for byte in range(256))
    text = next(text for text in texts if "K" in text)
    with pytest.raises(ValueError, match="letter"):
        bech32.decode(text.replace("K", "\N{KELVIN SIGN}"))


def test_a_second_spelling_of_the_same_bytes_is_refused() -> None:
    # One byte takes two letters, ten bits: the two bits of filling must be zero, and a third letter must not follow.
    for values in ([0, 1], [0, 0, 0]):
        letters = "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in [*values, *checksum(values)])
        with pytest.raises(ValueError, match="filling"):
            bech32.decode("age1" + letters)


def checksum(values: list[int]) -> list[int]:
    return bech32._checksum("age", values)


def test_there_is_no_limit_to_the_length() -> None:
    assert bech32.decode(bech32.encode("age1pq", bytes(1216))) == ("age1pq", bytes(1216))


@pytest.mark.parametrize("prefix", ["", "a b", "ä"])
def test_an_impossible_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        bech32.encode(prefix, b"")
