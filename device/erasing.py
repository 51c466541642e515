"""Erasing a recording, as one row of durable steps that a cut anywhere leaves to be taken up again.

    mark  →  header  →  all else  →  certificate  →  order  →  told  →  manifest, mark, folder

The mark comes first and goes last. The certificate and the order come after the file is gone, which makes room for them
in a store that is full, and before the manifest goes, which knows the digest. So there is never a recording erased
without them, and never one kept that was to be erased.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device.clock import Stamp
from device.durable import sync_folder, write_whole
from device.errors import DamagedError
from device.overwriting import GoOn, mark, overwrite_header, overwrite_rest, remove
from device.recording import ERASE_ORDERS_NAME, ERASED_NAME
from device.recording.erasure import CERTIFICATE_KIND, ORDER_KIND, EraseCertificate, How, order_of
from device.recording.manifest import Manifest
from device.recording.signing import verify
from device.shapes import Shape, ShapeError
from device.words import By


class Erasing:
    """The erasures of one store, one after the other: two at one recording would find each other's half."""

    def __init__(
        self,
        store: Path,
        *,
        sign: Callable[[str, dict[str, Any]], bytes],
        manifest_of: Callable[[Path], Manifest | None],
    ) -> None:
        """``sign``: makes a signed document of a kind and facts; ``manifest_of``: what a folder's says, if it holds."""
        # What was asked to be erased and is not: to be asked again, also where not even its mark could be made.
        self.owed: dict[str, By] = {}
        # Told of each erasure once its certificate is durable and before its mark goes: a cut in between tells it
        # twice, never not at all. A StoreError that it raises leaves the erasure to be taken up again.
        self.on_erased: Callable[[EraseCertificate], None] = lambda _certificate: None
        self._store = store
        self._sign = sign
        self._manifest_of = manifest_of
        self._one_at_a_time = threading.Lock()

    def undisturbed(self) -> threading.Lock:
        """To be held by whoever writes beside a recording: no erasure begins meanwhile, and none is under way."""
        return self._one_at_a_time

    def erase(self, folder: Path, *, by: By, at: Stamp, go_on: GoOn) -> bool:
        """Erase the recording in a folder; keep a certificate and, but for retention, an order for the remote.

        ``go_on`` is asked before each piece of the file; where it says no, the header is gone, the mark stands and the
        answer is ``False``.

        Raises:
            OSError: it is not done, and owed. The header was overwritten all the same, where the disk let that be.
        """
        self.owed[folder.name] = by
        with self._one_at_a_time:
            if done := self._erase(folder, by=by, at=at, go_on=go_on):
                self.owed.pop(folder.name, None)
        return done

    def _erase(self, folder: Path, *, by: By, at: Stamp, go_on: GoOn) -> bool:
        if not folder.exists():
            sync_folder(self._store)  # which is all that can be left to do
            self.owed.pop(folder.name, None)
            if not (self._store / ERASED_NAME / f"{folder.name}.json").exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return True
        try:
            mark(folder, by)
        except OSError:
            overwrite_header(folder)  # a disk that takes no new name may still take zeros
            mark(folder, by)
        header = overwrite_header(folder)
        rest = overwrite_rest(folder, go_on=go_on)
        if rest is None:
            return False
        certificate = self._certificate(folder, by=by, at=at, header=header, rest=rest)
        self.on_erased(self._keep_proof(certificate))
        remove(folder)
        return True

    def _certificate(self, folder: Path, *, by: By, at: Stamp, header: How, rest: How) -> EraseCertificate:
        manifest = self._manifest_of(folder)
        return EraseCertificate(
            recording=folder.name,
            erased=at.wall,
            clock_trusted=at.trusted,
            boot=at.boot,
            monotonic_us=at.monotonic_us,
            by=by,
            digest=None if manifest is None else manifest.digest,
            started=None if manifest is None else manifest.started,
            header=header,
            rest=rest,
        )

    def _keep_proof(self, certificate: EraseCertificate) -> EraseCertificate:
        """Write certificate and order, durably. One that is there is of this erasure, cut short, and knows more."""
        name = f"{certificate.recording}.json"
        path = self._store / ERASED_NAME / name
        try:
            known = verify(CERTIFICATE_KIND, path.read_bytes())
            certificate = EraseCertificate.model_validate(known.payload)
            sync_folder(path.parent)  # its name may be all that did not become durable then
        except (DamagedError, FileNotFoundError, ShapeError):
            self._write(path, CERTIFICATE_KIND, certificate)
        if (order := order_of(certificate)) is not None:
            self._write(self._store / ERASE_ORDERS_NAME / name, ORDER_KIND, order)
        return certificate

    def _write(self, path: Path, kind: str, facts: Shape) -> None:
        path.parent.mkdir(mode=0o750, exist_ok=True)
        sync_folder(self._store)
        write_whole(path, self._sign(kind, facts.model_dump(mode="json")))
