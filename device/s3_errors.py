"""What an S3 server's refusals, and a connection that breaks, mean for who has to act; pure.

Nothing that the server wrote is repeated: its codes are compared with those that are known here, and no others exist.
Source: "Error Responses" of the Amazon S3 API Reference, and what Ceph and MinIO say in their own way.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from device.errors import RemoteAbsentError, RemoteAwayError, RemoteError, RemoteFullError, SottoError

_LONGEST_WAIT_S: Final = 86_400.0
_ITSELF: Final = "it is tried again by itself"
_CLOCK: Final = "set this box's clock (NTP), and the server's: they have to agree to a few minutes"


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: type[SottoError]
    what: str
    hint: str


_KEYS: Final = _Meaning(
    RemoteError,
    "the remote does not know these credentials",
    "see that access_key and secret_key in the file that remote.credentials names are right and still in force",
)
_RIGHTS: Final = _Meaning(
    RemoteError,
    "the remote does not allow this with these credentials, or has locked it",
    "give these credentials the right to it in the bucket's policy (docs/clinic-server.md); a lock ends by itself",
)
_ELSEWHERE: Final = _Meaning(
    RemoteError,
    "the remote says that the bucket is elsewhere",
    "set remote.endpoint and remote.region to those of the bucket: no redirect is followed",
)
_NO_BUCKET: Final = _Meaning(
    RemoteError,
    "there is no such bucket at the remote",
    "make it, or set remote.bucket to the one that is there",
)
_REGION: Final = _Meaning(
    RemoteError,
    "the remote expects another region",
    "set remote.region to the bucket's (us-east-1 at many servers)",
)
_WRONG_CLOCK: Final = _Meaning(RemoteError, "the box's clock and the remote's differ too much", _CLOCK)
_FULL: Final = _Meaning(
    RemoteFullError, "there is no room at the remote", "make room there, or raise the quota of bucket or user"
)
_ABSENT: Final = _Meaning(
    RemoteAbsentError, "there is nothing under that name at the clinic", "it may not have been sent yet"
)
_DAMAGED: Final = _Meaning(RemoteAwayError, "what arrived at the remote was not what was sent", _ITSELF)
_LATER: Final = _Meaning(RemoteAwayError, "the remote cannot do it now", _ITSELF)

_CODES: Final[Mapping[str, _Meaning]] = {
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"), _KEYS),
    **dict.fromkeys(("AccessDenied", "AccountProblem", "AllAccessDisabled", "MethodNotAllowed"), _RIGHTS),
    **dict.fromkeys(("ObjectLocked", "InvalidObjectState", "InvalidRetentionPeriod", "UserSuspended"), _RIGHTS),
    **dict.fromkeys(("PermanentRedirect", "TemporaryRedirect", "Redirect"), _ELSEWHERE),
    **dict.fromkeys(("QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "StorageFull"), _FULL),
    **dict.fromkeys(("BadDigest", "InvalidDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"), _DAMAGED),
    **dict.fromkeys(("XAmzContentChecksumMismatch", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"), _DAMAGED),
    **dict.fromkeys(("SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling"), _LATER),
    **dict.fromkeys(("OperationAborted", "RequestLimitExceeded", "ConditionalRequestConflict", "Busy"), _LATER),
    "NoSuchBucket": _NO_BUCKET,
    "AuthorizationHeaderMalformed": _REGION,
    "RequestTimeTooSkewed": _WRONG_CLOCK,
}
_STATUSES: Final[Mapping[int, _Meaning]] = {
    **dict.fromkeys((200, 408, 409, 425, 429, 500, 502, 503, 504), _LATER),
    **dict.fromkeys(range(300, 400), _ELSEWHERE),
    **dict.fromkeys((401, 403), _RIGHTS),
    404: _ABSENT,
    507: _FULL,
}

# Of OpenSSL's reasons why a certificate does not hold (x509_vfy.h), those that a clock can be the cause of.
_TIME_REASONS: Final = {9, 10}


def refusal(status: int, code: str | None, retry_after: str | None = None) -> SottoError:
    """What an answer means that is not the one that was asked for. ``retry_after``: its header of that name."""
    meaning = _CODES.get(code or "") or _STATUSES.get(status)
    if meaning is None:
        return RemoteError(
            f"the remote refuses in a way that is not known here (HTTP {status})",
            "see that remote.endpoint is an S3 server, and look into its log",
        )
    if meaning.kind is RemoteAwayError:
        return RemoteAwayError(meaning.what, meaning.hint, retry_after_s=_seconds(retry_after))
    return meaning.kind(meaning.what, meaning.hint)


def nonsense() -> RemoteAwayError:
    """What to say of an answer that no S3 server gives."""
    return RemoteAwayError(
        "something answers in the remote's place, or it answers nonsense",
        "if this stays, see that remote.endpoint is an S3 server and that nothing between changes what it says",
    )


def _seconds(retry_after: str | None) -> float | None:
    """RFC 9110, section 10.2.3; its form as a date is not used by those who ask for patience."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return min(float(retry_after[:9]), _LONGEST_WAIT_S)


@contextmanager
def told_as_ours() -> Iterator[None]:
    """Around all that touches the connection: what breaks there is told in our words.

    Only a certificate that does not hold is one: a server that dies inside TLS looks much alike.
    """
    try:
        yield
    except ssl.SSLCertVerificationError as problem:
        raise _certificate(problem) from None
    except (OSError, http.client.HTTPException, ValueError) as problem:
        silent = isinstance(problem, TimeoutError)
        what = "the remote fell silent" if silent else "the connection to the remote cannot be made, or broke"
        raise RemoteAwayError(what, _ITSELF) from None


def _certificate(problem: ssl.SSLCertVerificationError) -> RemoteError:
    if problem.verify_code in _TIME_REASONS:
        return RemoteError("the certificate of the remote has expired, or holds only later", f"renew it; or {_CLOCK}")
    return RemoteError(
        "the certificate of the remote is not to be trusted: its name or its issuer is wrong",
        "set remote.ca to the certificate of whoever issued it, and remote.endpoint to the name that it is made out to",
    )
