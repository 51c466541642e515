"""`sotto-clinic policy`: what a box may do in a bucket, and what not."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import pytest

from tests.provisioning.boxes import DESK, call

BOX = ("policy", "--bucket", "sotto", "--clinic", "practice", "--room", "room-3")


def test_a_box_may_put_and_read_beneath_its_own_prefix_and_nothing_else() -> None:
    (statement,) = call(*BOX).told["Statement"]
    assert (statement["Effect"], "Principal" in statement) == ("Allow", False)
    assert sorted(statement["Action"]) == [
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
    ]
    (resource,) = statement["Resource"]
    for name, allowed in (
        (f"{DESK.recording('000042-8k2ja63cjm', None)}/session.mp4.age", True),
        (DESK.audit(5), True),
        ("practice/room-30/x", False),
        ("practice/room-4/x", False),
        ("other/room-3/x", False),
    ):
        assert fnmatchcase(f"arn:aws:s3:::sotto/{name}", resource) is allowed


def test_for_the_bucket_itself_it_names_whom_it_is_for() -> None:
    (statement,) = call(*BOX, "--principal", "arn:aws:iam:::user/room-3").told["Statement"]
    assert statement["Principal"] == {"AWS": ["arn:aws:iam:::user/room-3"]}


def test_the_desk_may_list_and_erase_every_version() -> None:
    told = json.loads(call("policy", "--bucket", "sotto", "--desk").out)
    actions = {action: statement["Resource"] for statement in told["Statement"] for action in statement["Action"]}
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"} <= set(actions)
    assert actions["s3:ListBucket"] == actions["s3:ListBucketVersions"] == ["arn:aws:s3:::sotto"]
    assert actions["s3:DeleteObject"] == ["arn:aws:s3:::sotto/*"]


@pytest.mark.parametrize(
    "words",
    [
        BOX[:5],
        BOX[:3],
        (*BOX, "--desk"),
        (*BOX[:6], "*"),
        ("policy", "--bucket", "s*", "--desk"),
        (*BOX, "--principal", "*"),
    ],
)
def test_what_would_allow_more_or_makes_no_sense_is_refused(words: tuple[str, ...]) -> None:
    said = call(*words)
    assert (said.code, said.out) == (2, "")
