"""What an S3 server answers, read with distrust: XML without a doctype, of bounded size, every field checked; pure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device.errors import RemoteAwayError
from device.s3_errors import nonsense

_TEXT_MOST: Final = 4096
_MD5_ETAG: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the server says it holds of an unfinished upload. Its checksums as it says them, or nothing."""

    number: int
    size_bytes: int
    etag: str
    sha256: str | None  # base64

    @property
    def md5(self) -> str | None:
        """The ETag, where it can be an MD5 (hex)."""
        return self.etag if _MD5_ETAG.fullmatch(self.etag) else None


@dataclass(frozen=True, slots=True)
class Listed:
    """Something in a bucket: an object, one version of one (``version``), or an upload under way (``upload``)."""

    key: str
    size_bytes: int = 0
    version: str | None = None
    upload: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and what to ask with for the next; ``None``: it was the last."""

    listed: tuple[Listed, ...]
    following: dict[str, str] | None


def error_code(body: bytes) -> str | None:
    """The code of an ``Error`` document; ``None`` where it is none."""
    try:
        root = _document(body)
    except RemoteAwayError:
        return None
    return root.findtext("Code") if root.tag == "Error" else None


def is_error(body: bytes) -> bool:
    """Whether it is an ``Error`` document, which can come with the status of a success."""
    return _document(body).tag == "Error"


def upload_id(body: bytes) -> str:
    """Of ``InitiateMultipartUploadResult``."""
    return _text(_root(body, "InitiateMultipartUploadResult"), "UploadId")


def is_completed(body: bytes) -> bool:
    """Whether it is all of a ``CompleteMultipartUploadResult``."""
    return _document(body).tag == "CompleteMultipartUploadResult"


def parts(body: bytes) -> tuple[list[Part], dict[str, str] | None]:
    """Of ``ListPartsResult``: the parts, and what to ask with for those that follow."""
    root = _root(body, "ListPartsResult")
    found = [
        Part(
            _number(one, "PartNumber"),
            _number(one, "Size"),
            etag_of(_text(one, "ETag")),
            one.findtext("ChecksumSHA256"),
        )
        for one in root.findall("Part")
    ]
    return found, _next(root, {"part-number-marker": "NextPartNumberMarker"})


def objects(body: bytes) -> Page:
    """Of ``ListObjectsV2``."""
    root = _root(body, "ListBucketResult")
    listed = tuple(Listed(_text(one, "Key"), _number(one, "Size")) for one in root.findall("Contents"))
    return Page(listed, _next(root, {"continuation-token": "NextContinuationToken"}))


def versions(body: bytes) -> Page:
    """Of ``ListObjectVersions``; a mark that says "deleted" is one of them."""
    root = _root(body, "ListVersionsResult")
    both = [*root.findall("Version"), *root.findall("DeleteMarker")]
    listed = tuple(Listed(_text(one, "Key"), version=_text(one, "VersionId")) for one in both)
    return Page(listed, _next(root, {"key-marker": "NextKeyMarker", "version-id-marker": "NextVersionIdMarker"}))


def uploads(body: bytes) -> Page:
    """Of ``ListMultipartUploads``."""
    root = _root(body, "ListMultipartUploadsResult")
    listed = tuple(Listed(_text(one, "Key"), upload=_text(one, "UploadId")) for one in root.findall("Upload"))
    return Page(listed, _next(root, {"key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker"}))


def keeps_versions(body: bytes) -> bool:
    """Of ``GetBucketVersioning``: whether there are, or were once."""
    return _root(body, "VersioningConfiguration").findtext("Status") is not None


def etag_of(text: str) -> str:
    """An ETag without its quotes."""
    return text.strip().strip('"')


def completion(chosen: Iterator[tuple[int, str, str | None]]) -> bytes:
    """``CompleteMultipartUpload``: number, ETag and, where the server told it, the checksum of each part."""
    root = ET.Element("CompleteMultipartUpload", xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
    for number, etag, sha256 in chosen:
        part = ET.SubElement(root, "Part")
        ET.SubElement(part, "PartNumber").text = str(number)
        ET.SubElement(part, "ETag").text = f'"{etag}"'
        if sha256 is not None:
            ET.SubElement(part, "ChecksumSHA256").text = sha256
    return ET.tostring(root)


def _document(body: bytes) -> ET.Element:
    """The root, with the namespace taken off every tag: servers differ in it."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise nonsense()
    try:
        # A server that takes long sends white space first, to show that it is alive.
        root = ET.fromstring(body.strip())  # noqa: S314  # without a doctype the known attacks have no beginning
    except (ET.ParseError, ValueError, LookupError):
        raise nonsense() from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _root(body: bytes, tag: str) -> ET.Element:
    root = _document(body)
    if root.tag != tag:
        raise nonsense()
    return root


def _text(element: ET.Element, tag: str) -> str:
    text = element.findtext(tag)
    if not text or len(text) > _TEXT_MOST:
        raise nonsense()
    return text


def _number(element: ET.Element, tag: str) -> int:
    text = _text(element, tag)
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise nonsense()
    return int(text)


def _next(root: ET.Element, names: dict[str, str]) -> dict[str, str] | None:
    if root.findtext("IsTruncated") != "true":
        return None
    following = {name: root.findtext(tag) or "" for name, tag in names.items()}
    if not any(following.values()):
        raise nonsense()
    return {name: text for name, text in following.items() if text}
