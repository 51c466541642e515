"""What a bucket allows: a box to put and to read beneath its own prefix, the clinic's desk to list and to erase; pure.

Written in the language of AWS policies, which Ceph RGW and MinIO read, too.
"""

from __future__ import annotations

from typing import Any, Final

# ListMultipartUploadParts and AbortMultipartUpload: to go on after a cut, and to take back what will not be ended.
BOX: Final = ("s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload")
DESK_OBJECTS: Final = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
DESK_BUCKET: Final = ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads")


def box_policy(bucket: str, prefix: str, *, principal: str | None = None) -> dict[str, Any]:
    """What a box needs, beneath ``prefix`` (``practice/room-3``); with a principal as the bucket's own policy."""
    return _policy([_statement(BOX, f"{bucket}/{prefix}/*", principal)])


def desk_policy(bucket: str, *, principal: str | None = None) -> dict[str, Any]:
    """What `sotto-clinic` needs: to read, to list, to erase, and to keep the orders that it carried out."""
    return _policy([_statement(DESK_OBJECTS, f"{bucket}/*", principal), _statement(DESK_BUCKET, bucket, principal)])


def _policy(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(actions: tuple[str, ...], resource: str, principal: str | None) -> dict[str, Any]:
    whose = {} if principal is None else {"Principal": {"AWS": [principal]}}
    allowed = {"Action": list(actions), "Resource": [f"arn:aws:s3:::{resource}"]}
    return {"Effect": "Allow", **whose, **allowed}  # no Sid: statements of many boxes fit into one policy
