"""What an S3 client decides from its arguments alone: signatures, what an answer means, what is believed of it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.errors import RemoteAbsentError, RemoteAwayError, RemoteError, RemoteFullError
from device.s3_answers import error_code, is_completed, objects, parts, upload_id, versions
from device.s3_credentials import read_credentials
from device.s3_errors import refusal, told_as_ours
from device.s3_notebook import Notebook, Underway
from device.s3_signing import Credentials, Request, signed
from device.s3_source import Source

# -- signatures: the examples of "Using the Authorization Header" in the Amazon S3 API Reference ---------------------

EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = {"host": "examplebucket.s3.amazonaws.com"}
EXAMPLES = {
    "an object, in part": (
        Request("GET", "/test.txt", {}, {**HOST, "range": "bytes=0-9"}),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "an object to keep": (
        Request(
            "PUT",
            "/test$file.text",
            {},
            {**HOST, "date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        ),
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    "a question without an answer of its own": (
        Request("GET", "/", {"lifecycle": ""}, HOST),
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "a list": (
        Request("GET", "/", {"prefix": "J", "max-keys": "2"}, HOST),
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_request_is_signed_as_amazon_signs_its_examples(example: str) -> None:
    request, signature = EXAMPLES[example]
    headers = signed(request, EXAMPLE, region="us-east-1", now=datetime(2013, 5, 24, tzinfo=UTC))
    assert headers["authorization"].endswith(f"Signature={signature}")
    assert EXAMPLE.secret_key not in "".join(headers.values())


def test_credentials_do_not_show_themselves() -> None:
    assert "EXAMPLE" not in repr(EXAMPLE)


# -- the file with the credentials ------------------------------------------------------------------------------------


def written(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_credentials_are_read_from_their_file(tmp_path: Path) -> None:
    path = written(tmp_path / "c", 'access_key = "A1"\nsecret_key = "s/+="\n', 0o640)
    assert read_credentials(path) == Credentials("A1", "s/+=")


@pytest.mark.parametrize(
    "text",
    [
        *("", "SECRETSECRET", "secret_key = SECRETSECRET", 'secret_key = "SECRETSECRET', b"\xffSECRETSECRET"),
        *('secret_key = "SECRETSECRET"', 'access_key = "A"\nsecret_key = "SECRETSECRET"\nsession_token = "x"'),
        *('access_key = "A"\nsecret_key = ["SECRETSECRET"]', 'access_key = ""\nsecret_key = "SECRETSECRET"'),
        'access_key = "A"\nsecret_key = "SECRETSECRET\\r\\nx-evil: 1"',
        "secret_key = " + "[" * 9000,
    ],
)
def test_an_odd_file_of_credentials_is_refused_without_a_word_of_what_is_in_it(
    tmp_path: Path, text: str | bytes
) -> None:
    with pytest.raises(RemoteError) as told:
        read_credentials(written(tmp_path / "c", text))
    assert "secret_key =" in told.value.hint
    assert "SECRETSECRET" not in f"{told.value.what}{told.value.hint}{told.value.__cause__!r}"


def test_credentials_that_everybody_may_read_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "c", 'access_key = "A1"\nsecret_key = "s"\n', 0o644)
    with pytest.raises(RemoteError, match="everybody"):
        read_credentials(path)


def test_credentials_that_are_not_there_are_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(RemoteError) as told:
        read_credentials(tmp_path / "absent")
    assert str(tmp_path) not in f"{told.value.what}{told.value.hint}"


# -- what a refusal means ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "InvalidAccessKeyId", RemoteError),
        (403, "SignatureDoesNotMatch", RemoteError),
        (403, "RequestTimeTooSkewed", RemoteError),
        (403, "AccessDenied", RemoteError),
        (403, None, RemoteError),
        (403, "QuotaExceeded", RemoteFullError),
        (507, "XMinioStorageFull", RemoteFullError),
        (507, None, RemoteFullError),
        (301, "PermanentRedirect", RemoteError),
        (307, None, RemoteError),
        (404, "NoSuchBucket", RemoteError),
        (404, "NoSuchKey", RemoteAbsentError),
        (404, None, RemoteAbsentError),
        (400, "BadDigest", RemoteAwayError),
        (400, "XAmzContentSHA256Mismatch", RemoteAwayError),
        (400, "RequestTimeout", RemoteAwayError),
        (409, "OperationAborted", RemoteAwayError),
        (429, None, RemoteAwayError),
        (500, "InternalError", RemoteAwayError),
        (503, "SlowDown", RemoteAwayError),
        (502, None, RemoteAwayError),
        (200, "InternalError", RemoteAwayError),
        (200, "AccessDenied", RemoteError),
        (418, "SomethingNew", RemoteError),
    ],
)
def test_each_refusal_is_told_to_whoever_has_to_act(status: int, code: str | None, kind: type[Exception]) -> None:
    told = refusal(status, code)
    assert type(told) is kind
    assert told.hint
    assert not code or code not in told.what + told.hint


@pytest.mark.parametrize(
    ("said", "retry_after_s"),
    [(None, None), ("7", 7.0), ("0", 0.0), ("soon", None), ("-1", None), ("9" * 40, 86_400.0), ("1.5", None)],
)
def test_a_server_that_asks_for_patience_gets_it_within_reason(said: str | None, retry_after_s: float | None) -> None:
    told = refusal(503, "SlowDown", said)
    assert isinstance(told, RemoteAwayError)
    assert told.retry_after_s == retry_after_s


@pytest.mark.parametrize(
    "broken", [ssl.SSLEOFError(8, "EOF"), ssl.SSLError(1, "WRONG_VERSION"), TimeoutError(), ConnectionResetError()]
)
def test_only_a_certificate_that_does_not_hold_counts_as_one(broken: Exception) -> None:
    with pytest.raises(RemoteAwayError), told_as_ours():
        raise broken


# -- what is believed of an answer ------------------------------------------------------------------------------------

NONSENSE = [
    *(b"", b"<", b"\0", b"<html><body>Please log in</body></html>", b"\xff\xfe", b"<Error><Code>InternalError</Code>"),
    b'<?xml version="1.0" encoding="no-such"?><a/>',
    b'<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><ListPartsResult>&c;</ListPartsResult>',
    b"<ListPartsResult><Part><PartNumber>-1</PartNumber></Part></ListPartsResult>",
    b"<ListPartsResult><Part><PartNumber>1</PartNumber><Size>x</Size><ETag>e</ETag></Part></ListPartsResult>",
    b"<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>",
    b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
    b"<ListBucketResult><Contents><Key></Key></Contents></ListBucketResult>",
    b"<InitiateMultipartUploadResult><UploadId/></InitiateMultipartUploadResult>",
]


@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_is_believed_by_nobody(body: bytes) -> None:
    assert error_code(body) is None
    for read in (parts, objects, versions, upload_id):
        with pytest.raises(RemoteAwayError):
            read(body)


def test_an_answer_is_read_with_a_name_space_and_without_and_after_white_space() -> None:
    plain = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
    assert is_completed(plain)
    assert is_completed(
        b"\n  \n" + plain.replace(b"Result>", b'Result xmlns="http://s3.amazonaws.com/doc/2006-03-01/">', 1)
    )
    assert error_code(b"<Error><Code>SlowDown</Code></Error>") == "SlowDown"


# -- the notebook -----------------------------------------------------------------------------------------------------

NOTE = Underway("clinic/room/a", 100, 10, "upload-1")


def test_what_is_noted_is_found_under_its_name_alone_and_forgotten_when_dropped(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "notes")
    assert notebook.read(NOTE.name) is None
    notebook.write(NOTE)
    assert Notebook(tmp_path / "notes").read(NOTE.name) == NOTE
    assert notebook.read("clinic/room/b") is None
    assert list(notebook.beneath("clinic/room/")) == [NOTE]
    assert list(notebook.beneath("clinic/other/")) == []
    notebook.drop(NOTE.name)
    notebook.drop(NOTE.name)
    assert notebook.read(NOTE.name) is None


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"name": "clinic/room/a"}', "[" * 9000, '"x"', b"\xff", b"\0" * 90]
)
def test_a_note_that_a_cut_or_a_hand_spoiled_counts_as_none(tmp_path: Path, text: str | bytes) -> None:
    notebook = Notebook(tmp_path)
    notebook.write(NOTE)
    (path,) = tmp_path.iterdir()
    written(path, text)
    assert notebook.read(NOTE.name) is None
    assert list(notebook.beneath("")) == []
    notebook.write(NOTE)
    assert notebook.read(NOTE.name) == NOTE


@pytest.mark.parametrize("wrong", ['"size_bytes": 0', '"size_bytes": true', '"size_bytes": "100"', '"upload": ""'])
def test_a_note_with_odd_values_counts_as_none(tmp_path: Path, wrong: str) -> None:
    notebook = Notebook(tmp_path)
    notebook.write(NOTE)
    (path,) = tmp_path.iterdir()
    right = '"upload": "upload-1"' if "upload" in wrong else '"size_bytes": 100'
    path.write_text(path.read_text().replace(right, wrong))
    assert notebook.read(NOTE.name) is None


def test_a_notebook_that_cannot_be_written_keeps_nothing_from_being_sent(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("in the way")
    notebook = Notebook(tmp_path / "notes")
    notebook.write(NOTE)
    notebook.drop(NOTE.name)
    assert notebook.read(NOTE.name) is None
    assert list(notebook.beneath("")) == []


# -- parts ------------------------------------------------------------------------------------------------------------


M = 1 << 20


@pytest.mark.parametrize(("size", "lengths"), [(0, [0]), (1, [1]), (M, [M]), (M + 1, [M, 1]), (3 * M, [M, M, M])])
def test_a_file_is_cut_into_parts(tmp_path: Path, size: int, lengths: list[int]) -> None:
    with (tmp_path / "f").open("w+b") as file:
        file.truncate(size)
        source = Source(file, part_bytes=M)
        assert [source.length(number) for number in source.parts] == lengths


def test_a_file_that_is_too_long_for_ten_thousand_parts_gets_larger_ones(tmp_path: Path) -> None:
    with (tmp_path / "f").open("w+b") as file:
        file.truncate(100_000 << 20)
        source = Source(file, part_bytes=8 << 20)
        assert source.part_bytes == 10 << 20
        assert len(source.parts) == 10_000
