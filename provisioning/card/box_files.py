"""What one box gets of the clinic's: ``sotto.toml``, and every file that it names, each for the one who reads it.

BOX/sotto.toml      the configuration (docs/configuration.md); what it names under /etc/sotto lies in
    etc/…           under the same name: /etc/sotto/tls/page.key is BOX/etc/tls/page.key
    machine.toml    what the machine is called, and its network
    ssh.pub         only where SSH is asked for: whose keys are taken
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from device.config import Config, parse_config
from device.shapes import Shape
from provisioning.errors import UsageError

ETC: Final = PurePosixPath("/etc/sotto")
_MOST_BYTES: Final = 1 << 20
_KEY_TYPES: Final = ("ssh-ed25519 ", "sk-ssh-ed25519@openssh.com ", "ecdsa-sha2-nistp256 ", "ssh-rsa ")
# Who reads what is not everybody's: owner, group and mode. What is named nowhere here holds no secret.
_SECRETS: Final = {
    ("web", "nginx", "key"): ("root", "sotto-nginx", "0640"),
    ("people", "file"): ("sotto-web", "sotto", "0600"),  # names: the page's alone
    ("web", "first_admin"): ("sotto-web", "sotto", "0600"),
    ("remote", "key"): ("sotto-sync", "sotto", "0600"),
    ("remote", "credentials"): ("sotto-sync", "sotto", "0600"),
}
_OPEN: Final = ("root", "root", "0644")


@dataclass(frozen=True)
class BoxFile:
    """A file below /etc/sotto, with its owner, group and mode there."""

    name: str
    data: bytes
    owner: str
    group: str
    mode: str

    @property
    def is_secret(self) -> bool:
        """Whether it may not stay where anybody can read it."""
        return (self.owner, self.group, self.mode) != _OPEN


@dataclass(frozen=True)
class BoxFiles:
    """All of them, and who may come in over SSH."""

    config: Config
    files: tuple[BoxFile, ...]
    ssh_keys: tuple[str, ...]


def read_box(folder: Path, made: Mapping[str, bytes] | None = None) -> BoxFiles:
    """The files of a box. ``made``: what is made for this one card, by names below /etc/sotto, and not in the folder.

    Raises:
        ConfigError: sotto.toml does not hold.
        UsageError: something that it names is not there, or is not what it should be.
    """
    text = _read(folder / "sotto.toml")
    try:
        config = parse_config(text.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise UsageError("sotto.toml is not UTF-8", "write it anew") from problem
    ssh_keys = _ssh_keys(folder / "ssh.pub")
    files = [BoxFile("sotto.toml", text, *_OPEN)]
    for where, path in sorted(_named(config, ())):
        files += _files_of(where, path, folder / "etc", made or {})
    if ssh_keys:
        files.append(BoxFile("ssh", b"tcp dport 22 accept\n", *_OPEN))
    names = [file.name for file in files]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{ETC / twice[0]} is named for two things", "give each a file of its own in sotto.toml")
    return BoxFiles(config, tuple(files), ssh_keys)


def _named(part: Shape, where: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], PurePosixPath]]:
    """Every path below /etc/sotto in a configuration, and the key that names it."""
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if isinstance(value, Shape):
            yield from _named(value, (*where, name))
        elif isinstance(value, Path) and value.is_relative_to(ETC):
            yield (*where, name), PurePosixPath(value)


def _files_of(where: tuple[str, ...], path: PurePosixPath, etc: Path, made: Mapping[str, bytes]) -> Iterator[BoxFile]:
    name = path.relative_to(ETC)
    if ".." in name.parts:
        raise UsageError(f"{'.'.join(where)} leads out of {ETC}", "give a plain path in sotto.toml")
    source = etc / name
    owner = _SECRETS.get(where, _OPEN)
    if fresh := {one: data for one, data in made.items() if PurePosixPath(one).is_relative_to(name)}:
        yield from (BoxFile(one, data, *owner) for one, data in sorted(fresh.items()))
        return
    if source.is_dir():
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            yield BoxFile(str(name / file.relative_to(source)), _read(file), *owner)
        return
    yield BoxFile(str(name), _read(source), *owner)


def _ssh_keys(path: Path) -> tuple[str, ...]:
    if not path.exists():
        return ()
    lines = [line.strip() for line in _read(path).decode("utf-8", errors="replace").splitlines()]
    keys = tuple(line for line in lines if line and not line.startswith("#"))
    if not keys or not all(key.startswith(_KEY_TYPES) for key in keys):
        raise UsageError(
            f"{path.name} holds no public keys of SSH", "one a line, as in id_ed25519.pub; or take it away"
        )
    return keys


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {problem.strerror}", "docs/card.md shows a box's folder") from problem
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{path} is too large for a box's configuration", "is it the right file?")
    return data
