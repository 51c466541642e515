"""What is made for one card and is on that card alone: the page's key, its certificates, an account's key, a code.

Nothing secret of it stays in the clinic's folder: a card that is made again gets all of it anew.
"""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from device.config import Config, S3Remote, SftpRemote
from device.people.first_admin import new_code_of_card
from device.tls_certificate import key_id_of
from provisioning.clinic.authority import Address, open_authority
from provisioning.clinic.box_folders import BoxFolder
from provisioning.clinic.box_texts import (
    AUTHORITY,
    CERTIFICATES,
    FIRST_ADMIN,
    PAGE_KEY,
    PEOPLE,
    REMOTE_CREDENTIALS,
    REMOTE_KEY,
    ROSTER,
)
from provisioning.clinic.folder import Folder
from provisioning.clinic.series import Dated, as_pem, issue_series, new_page_key
from provisioning.errors import UsageError

ACCOUNT_NAME: Final = "remote.pub"
_MOST_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Made:
    """``files``: by their names below /etc/sotto. ``key_id``: of the page's key.

    ``account``: the public half of the key to the remote, where one was made. ``code``: with which the first admin
    comes in.
    """

    files: dict[str, bytes] = field(repr=False)
    certificates: tuple[Dated, ...]
    key_id: str
    account: str | None
    code: str = field(repr=False)


def make_for_card(box: BoxFolder, config: Config, *, passphrase: str, now: datetime, remote: Path | None) -> Made:
    """Make all of it. ``remote``: a file with the box's own way in to the remote, where it is not to be made here.

    Raises:
        WrongKeyError: that is not the folder's passphrase.
        AgeError, UsageError, RecipientError: something of the clinic's folder is missing, or was changed.
    """
    if config.web.nginx is None:
        raise UsageError(f"{box.settings} has no [web.nginx]", "a box of the clinic's is reached by TLS alone")
    roster = _roster(box.clinic, room=config.box.name)
    names, addresses = _parted(config.web.nginx.names)
    authority, key = box.clinic.ca.read_bytes(), new_page_key()
    certificates = issue_series(
        authority,
        open_authority(box.clinic.ca_key.read_text("ascii"), passphrase),
        names=names,
        addresses=addresses,
        public_key=key.public_key(),
        now=now,
    )
    code, digest = new_code_of_card()
    way_in, account = _way_in(config, box.name, remote)
    files = {f"{CERTIFICATES}/{one.name}": one.pem for one in certificates}
    if config.people is not None:
        files[PEOPLE] = _people(box.clinic)
    files |= {PAGE_KEY: as_pem(key), AUTHORITY: authority, ROSTER: roster, FIRST_ADMIN: digest, **way_in}
    return Made(files, certificates, key_id_of(as_pem(key)), account, code)


def _roster(folder: Folder, *, room: str) -> bytes:
    """The newest roster, as boxes take it; only one that is for this room, and that nobody changed."""
    roster = folder.read_roster()
    if roster is None:
        raise UsageError(
            "no roster was signed yet, so the box would record nothing", "`sotto-clinic init` says what is left"
        )
    if room not in roster.boxes:
        raise UsageError(
            f"the newest roster is not for {room}",
            "see with `sotto-clinic roster CLINIC --sign --dry-run`, then sign it",
        )
    return folder.roster.read_bytes()


def _people(folder: Folder) -> bytes:
    """The newest list of people, as boxes take it; only one that nobody changed."""
    if folder.read_people_list() is None:
        raise UsageError("no list of people was signed yet", "sign it: `sotto-clinic roster CLINIC --sign`")
    return folder.people_list.read_bytes()


def _parted(all_names: tuple[str, ...]) -> tuple[list[str], list[Address]]:
    """DNS names, and addresses."""
    names: list[str] = []
    addresses: list[Address] = []
    for one in all_names:
        try:
            addresses.append(ipaddress.ip_address(one.strip("[]")))
        except ValueError:
            names.append(one)
    return names, addresses


def _way_in(config: Config, name: str, given: Path | None) -> tuple[dict[str, bytes], str | None]:
    """The box's own secret for the remote; and where it was made here, its public half for the server."""
    remote = config.remote
    if isinstance(remote, S3Remote):
        if given is None:
            raise UsageError(
                "the box has no credentials for the remote", "give a file with access_key and secret_key: --credentials"
            )
        return {REMOTE_CREDENTIALS: _credentials(given)}, None
    if not isinstance(remote, SftpRemote):
        if given is not None:
            raise UsageError("this box's remote takes no credentials", "leave --credentials out")
        return {}, None
    if given is not None:
        return {REMOTE_KEY: _read(given)}, None
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
    return {REMOTE_KEY: key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())}, f"{public} {name}"


def _credentials(path: Path) -> bytes:
    data = _read(path)
    try:
        named = set(tomllib.loads(data.decode("utf-8")))
    except ValueError:
        named = set()
    if named != {"access_key", "secret_key"}:
        raise UsageError(f"{path} holds no credentials", "access_key and secret_key, and nothing else")
    return data


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {problem.strerror}", "check the name") from problem
