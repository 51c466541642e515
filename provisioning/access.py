"""What every verb takes to reach recordings and to open them: where, whose kit, which keys.

--at PLACE     where RECORDING is: a folder, a TOML file, a box of the kit, a box's address (``keeping``)
--kit FILE     a person's kit: boxes, colleagues, and their identity, locked (docs/kit.md)
-i IDENTITY    an identity file; with a kit its own identity serves
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from device.age.identities import KeyIdentity
from device.age.recipients import Recipient, parse_recipient
from device.remote_folder import MARK_NAME
from provisioning import place
from provisioning.box import INTERFACE, Box
from provisioning.box_login import sign_in
from provisioning.connections import Connections
from provisioning.device_keys import read_device_keys
from provisioning.errors import UsageError
from provisioning.keeping import Keeping
from provisioning.kept_folder import KeptFolder, holds_recordings
from provisioning.keys import read_identities
from provisioning.kit import Kit, origin_of, read_kit
from provisioning.passphrases import passphrase_of
from provisioning.place import Place
from provisioning.remote_place import one_at
from provisioning.remotes import remote_at

PLACE_HELP = "a folder of recordings, one that boxes send to, a TOML file with a [remote] section, or a box"


def add_access(verb: argparse.ArgumentParser, *, at: bool = True) -> None:
    """What a verb takes. ``at``: whether RECORDING may be somewhere; else the verb names that place itself."""
    add = verb.add_argument
    where = f"where it is: {PLACE_HELP}" + ("; RECORDING is then an id, or a path there" if at else "")
    add("--at", "--remote", "--box", metavar="PLACE", dest="at", help=where)
    add("--kit", metavar="FILE", type=Path, help="your kit: its boxes can be named, and its identity serves")
    add("--passphrase-file", metavar="FILE", type=Path, help="the kit's passphrase, instead of being asked")
    add("-i", "--identity", metavar="IDENTITY", type=Path, action="append", default=[], help="identity file")
    add("--login", metavar="NAME", help="sign in to the box with the identity; a kit knows it")
    add(
        "--device-key",
        metavar="KEY",
        action="append",
        default=[],
        help="a box's key that you know: its fingerprint, or a file with one key a line (default: the kit's)",
    )


@dataclass(slots=True)
class Access:
    """How somebody reaches recordings. ``at`` may be ``None``: what is named is then a path, or an address."""

    at: str | None
    kit: Kit | None
    login: str | None
    given_keys: frozenset[str]
    identity_files: Sequence[Path]
    passphrase_file: Path | None
    _identities: list[KeyIdentity] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Access:
        """What was said on the command line. Raises ``UsageError``."""
        return cls(
            at=arguments.at,
            kit=None if arguments.kit is None else read_kit(arguments.kit),
            login=arguments.login,
            given_keys=read_device_keys(arguments.device_key),
            identity_files=arguments.identity,
            passphrase_file=arguments.passphrase_file,
        )

    def identities(self) -> list[KeyIdentity]:
        """Those that open; a kit's passphrase is asked for once.

        Raises:
            UsageError: there are none.
            AgeError: that is not the passphrase.
        """
        if not self._identities:
            self._identities = read_identities(self.identity_files)
            if not self._identities and self.kit is not None:
                self._identities = self.kit.unlock(passphrase_of(self.passphrase_file, what="the kit"))
            if not self._identities:
                raise UsageError("no identity was given", "give one with -i, or a --kit")
        return self._identities

    def identities_if_any(self) -> list[KeyIdentity]:
        """The same, or none, where nothing was given that has any."""
        return self.identities() if self.identity_files or self.kit is not None else []

    def device_keys(self) -> frozenset[str]:
        """The keys of boxes that are known."""
        if self.given_keys or self.kit is None:
            return self.given_keys
        return self.kit.device_keys()

    def former_told(self, key: str | None) -> list[str]:
        """A line for a person where a box that was replaced signed with that key."""
        was = None if self.kit is None or key is None else self.kit.former(key)
        return [] if was is None else [f"note: it was signed by {was} (key {key})"]

    def recipients(self, names: Sequence[str], texts: Sequence[str]) -> list[Recipient]:
        """Those of people in the kit, by name, and those that were given.

        Raises:
            UsageError: the kit does not know somebody, or there is none.
            AgeError: that is no recipient.
        """
        if names and self.kit is None:
            raise UsageError("names stand in a kit", "give your --kit, or somebody's --recipient")
        known = [self.kit.colleague(name).recipient for name in names] if self.kit is not None else []
        return [parse_recipient(text) for text in dict.fromkeys((*known, *texts))]

    @contextmanager
    def keeping(self, text: str | None) -> Iterator[Keeping]:
        """Where recordings are kept: ``text``, or what ``--at`` says. Let go in the end.

        Raises:
            UsageError: nothing was named, or there is no such place.
        """
        where = self.at if text is None else text
        if where is None:
            raise UsageError("it was not said where the recordings are", f"name {PLACE_HELP}")
        box = self._box(where)
        if box is not None:
            with closing(box):
                yield Keeping(box)
            return
        if self.login is not None:
            raise UsageError("--login is for a box, and --remote for a clinic's server", "give one or the other")
        path = Path(where)
        if path.is_dir() and not (path / MARK_NAME).exists() and holds_recordings(path):
            yield Keeping(KeptFolder(path))
            return
        with remote_at(where) as remote:
            yield Keeping(remote)

    @contextmanager
    def place(self, text: str) -> Iterator[Place]:
        """One recording: where ``--at`` says, or else a folder, a file or an address.

        Raises:
            SottoError, AgeError: there is none, or it is not to be opened.
        """
        if self.at is None:
            yield place.find(text, token=self._token(text))
            return
        with self.keeping(None) as keeping:
            found = keeping.place(one_at(keeping.remote, text))
            found.let_be_if_ordered_erased()
            yield found

    def _box(self, where: str) -> Box | None:
        """The box that is meant, if one is."""
        known = {} if self.kit is None else {box.name: box for box in self.kit.boxes}
        if where in known:
            return self._box_at(known[where].address, known[where].device_key)
        if not where.startswith(("https://", "http://")):
            return None
        address = origin_of(where)
        keys = [box.device_key for box in known.values() if box.address == address]
        return self._box_at(address, keys[0] if keys and not self.given_keys else self._only_key())

    def _box_at(self, address: str, device_key: str) -> Box:
        connections = Connections()
        return Box(address, self._signing_in(device_key, connections), connections=connections)

    def _signing_in(self, device_key: str, connections: Connections | None = None) -> partial[str]:
        login = self.login or (None if self.kit is None else self.kit.person.login)
        if login is None:
            raise UsageError("nobody is named who signs in to the box", "give --login, or a --kit")
        return partial(self._sign_in, login=login, device=device_key, connections=connections)

    def _sign_in(self, address: str, *, login: str, device: str, connections: Connections | None) -> str:
        return sign_in(address, login, self.identities(), device=device, connections=connections)

    def _token(self, address: str) -> str | None:
        """What signs requests to an address, if that is on a box: one of the kit's, or one with a ``--login``."""
        boxes = () if self.kit is None else self.kit.boxes
        keys = [box.device_key for box in boxes if address.startswith(f"{box.address}{INTERFACE}/")]
        if not keys and self.login is None:
            return None
        return self._signing_in(keys[0] if keys and not self.given_keys else self._only_key())(address)

    def _only_key(self) -> str:
        if len(self.given_keys) != 1:
            hint = "give its fingerprint with --device-key; your admin has it"
            raise UsageError("to sign in to a box its key has to be known", hint)
        return next(iter(self.given_keys))
