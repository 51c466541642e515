"""``sotto-clinic policy``: what to give an S3-compatible store so that a box may send, and the clinic may erase."""

from __future__ import annotations

import argparse
import json
import re
from typing import Final

from provisioning.errors import UsageError
from provisioning.exits import DONE
from provisioning.policies import box_policy, desk_policy

_SLUG: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}")  # as in a box's configuration: no * and no ?
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PRINCIPAL: Final = re.compile(r"arn:[A-Za-z0-9:/._@+=,-]+")


def add_policy(verb: argparse.ArgumentParser) -> None:
    """What ``policy`` takes."""
    verb.description = (
        "Print the policy of an S3-compatible store: for a box, which may put and read beneath its own prefix, and "
        "neither list nor delete; or for the clinic's desk. docs/clinic-server.md says where it goes."
    )
    add = verb.add_argument
    add("--bucket", metavar="BUCKET", required=True, help="the bucket")
    add("--clinic", metavar="CLINIC", help="as in the box's [remote]")
    add("--room", metavar="ROOM", help="as in the box's [remote]")
    add("--desk", action="store_true", help="for the clinic's own user instead of a box")
    add("--principal", metavar="ARN", help="whom it is for, where it becomes the bucket's own policy")
    verb.set_defaults(run=run_policy)


def run_policy(arguments: argparse.Namespace) -> int:
    """Print it.

    Raises:
        UsageError: something is missing, or can be no name.
    """
    place = (arguments.clinic, arguments.room)
    if arguments.desk != (place == (None, None)) or (None in place and not arguments.desk):
        raise UsageError("say whom the policy is for", "give --clinic and --room for a box, or --desk")
    for text, rule in (
        (arguments.bucket, _BUCKET),
        (arguments.principal, _PRINCIPAL),
        *((one, _SLUG) for one in place),
    ):
        if text is not None and not rule.fullmatch(text):
            raise UsageError(
                f"{text[:80]!r} can be no such name", "write it as in the configuration: letters, digits, ._-"
            )
    if arguments.desk:
        policy = desk_policy(arguments.bucket, principal=arguments.principal)
    else:
        policy = box_policy(arguments.bucket, "/".join(place), principal=arguments.principal)
    print(json.dumps(policy, indent=2))
    return DONE
