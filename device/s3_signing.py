"""Who asks an S3 server, and for what, signed so that it can tell: AWS Signature Version 4; pure.

Source: "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API Reference; tests hold it to the
examples that stand there. The whole of what is sent is signed with its own SHA-256, so even a server that knows no
checksums refuses bytes that changed on the way.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

NOTHING_SHA256: Final = hashlib.sha256(b"").hexdigest()
_ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks. Neither half is ever shown."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: ``path`` and ``query`` as they are, not yet encoded; ``headers`` in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    payload_sha256: str = NOTHING_SHA256

    @property
    def encoded_path(self) -> str:
        return quote(self.path, safe="/-_.~")

    @property
    def encoded_query(self) -> str:
        pairs = sorted((quote(key, safe="-_.~"), quote(value, safe="-_.~")) for key, value in self.query.items())
        return "&".join(f"{key}={value}" for key, value in pairs)

    @property
    def target(self) -> str:
        """As it stands in the first line of HTTP."""
        return f"{self.encoded_path}?{self.encoded_query}" if self.query else self.encoded_path


def signed(request: Request, who: Credentials, *, region: str, now: datetime) -> dict[str, str]:
    """The headers of ``request`` (``host`` has to be one of them) together with those that sign it, at that time."""
    at = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {**request.headers, "x-amz-content-sha256": request.payload_sha256, "x-amz-date": at}
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        (
            *(request.method, request.encoded_path, request.encoded_query),
            *(f"{name}:{headers[name].strip()}" for name in sorted(headers)),
            *("", names, request.payload_sha256),
        )
    )
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    said = "\n".join((_ALGORITHM, at, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{who.secret_key}".encode()
    for word in (*scope.split("/"), said):
        key = hmac.digest(key, word.encode(), "sha256")
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={who.access_key}/{scope},SignedHeaders={names},Signature={key.hex()}"
    )
    return headers
