"""``sotto-clinic note``: write a review of a recording, or read what lies beside it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from device.age.errors import AgeError
from device.age.identities import KeyIdentity
from device.age.recipients import Recipient
from device.clock import SystemClock
from device.errors import SottoError
from device.recording.beside import Kind, kind_of
from provisioning.access import Access
from provisioning.beside import read_beside
from provisioning.clip_verb import add_readers
from provisioning.errors import UsageError
from provisioning.exits import DONE, words_of
from provisioning.kit import Kit
from provisioning.open_verb import add_recording
from provisioning.output import FileOutput
from provisioning.place import Place
from provisioning.review import Review, open_review, seal_review
from provisioning.review_text import lines_of, parse_text

_STANDARD_INPUT = "-"
_MOST_TYPED_BYTES = 256 * 1024


def add_note(verb: argparse.ArgumentParser) -> None:
    """What ``note`` takes."""
    verb.description = (
        "Read the reviews that lie beside a recording; or with --write put one there, sealed: to you, to the "
        "recording's therapist if your kit knows them, and to whoever is named. What is written comes from a file or "
        "standard input, a note a line: 10:00 here you waited #repair. docs/clinic.md says what else a line can be."
    )
    add_recording(verb)
    add = verb.add_argument
    add("--write", metavar="FILE", help="write the review that stands in this file, - for standard input")
    add_readers(verb, "who else is to read it")
    add("--by", metavar="MARK", help="whose review it is (default: the kit's person)")
    add("-o", "--output", metavar="FILE", type=Path, help="write it there, and not beside the recording")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_note)


def run_note(arguments: argparse.Namespace) -> int:
    """Read or write.

    Raises:
        SottoError, AgeError: it failed, and nothing was written.
    """
    access = Access.of(arguments)
    typed = None if arguments.write is None else _typed(arguments.write)
    identities = access.identities()
    with access.place(arguments.recording) as place:
        told = _read(place, identities) if typed is None else _write(place, typed, access, arguments)
    if arguments.json:
        print(json.dumps(told))
    elif typed is None:
        _tell(told, access.kit)
    else:
        print(f"sealed to {told['readers']} and put at {told['output']}")
    return DONE


def _read(place: Place, identities: Sequence[KeyIdentity]) -> dict[str, Any]:
    """Every review that is there, and why some do not open."""
    reviews, shut = [], []
    for name in (name for name in place.attachments() if kind_of(name) is Kind.REVIEW):
        try:
            review = open_review(place.read_attachment(name), identities)
        except (SottoError, AgeError) as problem:
            shut.append({"name": name, "error": words_of(problem)[0]})
        else:
            reviews.append({"name": name, "review": json.loads(review.model_dump_json())})
    return {"recording": place.name, "reviews": reviews, "shut": shut}


def _write(place: Place, typed: str, access: Access, arguments: argparse.Namespace) -> dict[str, Any]:
    by = arguments.by or (None if access.kit is None else access.kit.person.mark)
    if by is None:
        raise UsageError("it was not said whose review it is", "give --by with a mark, or a --kit")
    at = SystemClock().utc().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    review = parse_text(typed, recording=place.name, by=by, at=at, kit=access.kit)
    readers = _readers(place, access, arguments)
    sealed = seal_review(review, readers)
    if arguments.output is None:
        where = place.put_review(sealed)
    else:
        where = str(arguments.output)
        with FileOutput(arguments.output, force=False) as output:
            output.write(sealed)
            output.keep()
    return {"recording": place.name, "output": where, "readers": len(readers)}


def _readers(place: Place, access: Access, arguments: argparse.Namespace) -> list[Recipient]:
    """Whoever writes it, the therapist whose recording it is, and those who were named; each once."""
    texts = [str(access.identities()[0].recipient())]
    document = place.read_manifest()
    therapist = None if document is None else read_beside(document).manifest.therapist
    if access.kit is not None:
        texts += [one.recipient for one in access.kit.people if one.mark == therapist]
    named = [str(recipient) for recipient in access.recipients(arguments.readers, arguments.recipient)]
    return access.recipients((), [*texts, *named])


def _typed(file: str) -> str:
    try:
        if file == _STANDARD_INPUT:
            data = sys.stdin.buffer.read(_MOST_TYPED_BYTES)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(_MOST_TYPED_BYTES)
        return data.decode("utf-8")
    except OSError as problem:
        raise UsageError(f"{file} cannot be read: {problem.strerror}", "check the name") from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"{file} is not text", "save it as UTF-8") from problem


def _tell(told: dict[str, Any], kit: Kit | None) -> None:
    names = {} if kit is None else {one.mark: one.name for one in kit.people} | {kit.person.mark: kit.person.name}
    for one in told["reviews"]:
        review = Review.model_validate_json(json.dumps(one["review"]))
        about = "" if review.recording == told["recording"] else f" (of another recording, {review.recording})"
        print(f"{one['name']}{about}: ", end="")
        print(*lines_of(review, who=names.get(review.by, review.by)), sep="\n")
    for one in told["shut"]:
        print(f"{one['name']}: {one['error']}")
    if not told["reviews"] and not told["shut"]:
        print("there is no review beside it")
