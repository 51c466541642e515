"""A copy for a client: one file sealed by a passphrase, the reader that opens it, and a note of who agreed to it.

FOLDER/recording.mp4.age    an age file; opens with the reader, with `sotto-clinic open`, and with stock age
       reader.html          where this version of Sotto has one
       release.json         who agreed, when, what is in it: the same as
       RELEASE.txt          which is for people
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from device.age.identities import KeyIdentity
from device.age.passphrase import PassphraseRecipient
from device.age.recipients import Recipient
from provisioning.beside import must_be_known, read_beside
from provisioning.clipping import clip_of
from provisioning.clips import Sealing
from provisioning.errors import UnreachableError
from provisioning.opener import Request, open_recording
from provisioning.opening import Progress
from provisioning.output import FileOutput
from provisioning.place import Place, let_be_if_withdrawn
from provisioning.report import Opened
from provisioning.times import format_time

COPY_NAME: Final = "recording.mp4.age"
READER: Final = Path(__file__).parent / "reader" / "reader.html"
_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Release:
    """Under what a copy is handed out. ``agreed``: who did, ``agreed_on``: the day; ``at``: UTC."""

    agreed: str
    agreed_on: str
    revocable: str
    by: str
    at: str


class SealedFile:
    """An output that seals what it is given (``output.Output``)."""

    def __init__(self, output: FileOutput, recipients: Sequence[Recipient]) -> None:
        self._output = output
        self._recipients = recipients
        self._sealing: Sealing | None = None

    def __enter__(self) -> SealedFile:
        self._output.__enter__()
        try:
            self._sealing = Sealing(self._output, self._recipients)
        except BaseException as problem:
            self._output.__exit__(type(problem), problem, problem.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._output.__exit__(kind, error, trace)

    def write(self, data: bytes, /) -> None:
        self._open().write(data)

    def keep(self) -> None:
        self._open().close()
        self._output.keep()

    def _open(self) -> Sealing:
        if self._sealing is None:
            raise ValueError("the output is not open")
        return self._sealing


def copy_of(
    place: Place,
    request: Request,
    identities: Sequence[KeyIdentity],
    recipient: PassphraseRecipient,
    folder: Path,
    *,
    device_keys: frozenset[str],
    progress: Progress,
    force: bool,
    sound_only: bool,
) -> Opened:
    """Seal a recording anew for a passphrase, into ``folder``; what it was.

    Raises:
        OrderedErasedError: its client has withdrawn it.
        SottoError, AgeError: it failed, and no copy was kept.
    """
    let_be_if_withdrawn(place)
    to = folder / COPY_NAME
    if request.is_slice or sound_only:
        return clip_of(
            place,
            request,
            identities,
            [recipient],
            to,
            device_keys=device_keys,
            progress=progress,
            force=force,
            sound_only=sound_only,
        )
    document = place.read_manifest()
    must_be_known(None if document is None else read_beside(document), device_keys)
    output = SealedFile(FileOutput(to, force=force), [recipient])
    return open_recording(request, place, identities, output, str(to), progress=progress)


def write_release(folder: Path, release: Release, opened: Opened, *, force: bool) -> bool:
    """Put the reader and the release note beside a copy; whether there is a reader.

    Raises:
        OutputError, UsageError: they cannot be written, or something is there already.
    """
    has_reader = READER.exists()
    if has_reader:
        _write(folder / READER.name, READER.read_bytes(), force=force)
    files = {name: _facts(folder / name) for name in (COPY_NAME, *([READER.name] if has_reader else ()))}
    facts: dict[str, Any] = {
        "sotto_release": 1,
        "recording": opened.name,
        "sound_only": not opened.has_picture,
        "part": None if opened.span is None else {"start_us": opened.span.start_us, "end_us": opened.span.end_us},
        "agreed": {"who": release.agreed, "on": release.agreed_on},
        "released": {"by": release.by, "at": release.at},
        "revocable": release.revocable,
        "files": files,
    }
    _write(folder / "RELEASE.txt", ("\n".join(_lines(release, opened)) + "\n").encode(), force=force)
    _write(folder / "release.json", (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode(), force=force)
    return has_reader


def _lines(release: Release, opened: Opened) -> Iterator[str]:
    what = "sound and picture" if opened.has_picture else "sound only"
    yield "A copy of a recorded session"
    yield ""
    yield f"Recording:   {opened.name}, {what}"
    if opened.span is not None:
        yield f"Part:        {format_time(opened.span.start_us)} to {format_time(opened.span.end_us)}"
    yield f"Agreed by:   {release.agreed}, on {release.agreed_on}"
    yield f"Handed out:  by {release.by}, {release.at}"
    yield f"Revocable:   {release.revocable}"
    yield ""
    yield f"{COPY_NAME} opens with the passphrase that you were given, and with nothing else. Nobody can make"
    yield "a new one: keep it in another place than this copy. Whoever has both can hear the session."
    yield ""
    if READER.exists():
        yield f"To play it, open {READER.name} in a browser and choose {COPY_NAME}. Nothing leaves your computer."
    yield f"It opens with age as well (age-encryption.org): age -d -o session.mp4 {COPY_NAME}"


def _write(path: Path, data: bytes, *, force: bool) -> None:
    with FileOutput(path, force=force) as output:
        output.write(data)
        output.keep()


def _facts(path: Path) -> dict[str, Any]:
    digest, size_bytes = sha256(), 0
    try:
        with path.open("rb") as file:
            while data := file.read(_READ_BYTES):
                digest.update(data)
                size_bytes += len(data)
    except OSError as problem:
        raise UnreachableError(f"{path} cannot be read: {problem.strerror}", "look at the disk") from problem
    return {"size_bytes": size_bytes, "sha256": digest.hexdigest()}
