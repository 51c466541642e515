"""A model of a disk: what is durable, what is not yet, and every state that a power cut can make of that.

README.md says in words what is modelled and what is not. Nothing here knows of recordings.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count, product
from pathlib import Path

from tests.crash.shim import Call, Kind

SECTOR_BYTES = 512
LINK = b"-> "  # what a symbolic link holds here begins with that
PAGE_BYTES = 4096
_MOST_VECTORS = 48


@dataclass(frozen=True, slots=True)
class Write:
    """Data on its way to the disk. ``doomed``: a sync of it failed, and no later one will write it again."""

    at: int
    data: bytes
    doomed: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """A new size on its way to the disk."""

    size_bytes: int
    cuts: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a file reached the disk: of its changes of size the first ``sizes``, of each sector so many versions."""

    sizes: int
    sectors: bytes  # one number for each sector that waits, in the order of ``File.waiting``


@dataclass
class File:
    """A file: what is durable of it, and what was done since."""

    number: int
    durable: bytes = b""
    since: list[Write | Size] = field(default_factory=list)
    now: bytearray = field(default_factory=bytearray)
    first_path: str = ""
    aside: int = 0  # room is set aside up to there, and reads as nothing
    _waiting: dict[int, int] | None = None
    _steps: list[tuple[int, Write] | Size] | None = None
    _digests: dict[Kept, bytes] = field(default_factory=dict)
    _heads: dict[Kept, bytes] = field(default_factory=dict)

    def _change(self) -> None:
        self._waiting = self._steps = None
        self._digests.clear()
        self._heads.clear()

    def write(self, at: int, data: bytes) -> None:
        self._change()
        self.since.append(Write(at, data))
        end = at + len(data)
        if end > len(self.now):
            self.now += bytes(end - len(self.now))
            self.since.append(Size(end, cuts=False))
        self.now[at:end] = data

    def resize(self, size_bytes: int) -> None:
        self._change()
        self.aside = 0  # also where it had that size already (truncate(2) of every file system that sets aside)
        cuts = size_bytes < len(self.now)
        self.since.append(Size(size_bytes, cuts))
        self.now = self.now[:size_bytes] + bytes(max(0, size_bytes - len(self.now)))

    def sync(self, *, failed: bool) -> None:
        self._change()
        if failed:
            self.since = [Write(e.at, e.data, doomed=True) if isinstance(e, Write) else e for e in self.since]
            return
        lost = self._lost_pages()
        lost_writes = [piece for e in self.since if isinstance(e, Write) and e.doomed for piece in _in_pages(e, lost)]
        kept = bytearray(self.durable)
        for event in self.since:
            if isinstance(event, Size):
                kept = kept[: event.size_bytes] if event.cuts else kept + bytes(max(0, event.size_bytes - len(kept)))
                continue
            for piece in _split(event, PAGE_BYTES):
                if piece.at // PAGE_BYTES not in lost:
                    kept += bytes(max(0, piece.at + len(piece.data) - len(kept)))
                    kept[piece.at : piece.at + len(piece.data)] = piece.data
        size_bytes = len(self.now)
        self.durable = bytes(kept[:size_bytes]) + bytes(max(0, size_bytes - len(kept)))
        self.since = [Write(w.at, w.data[: size_bytes - w.at], doomed=True) for w in lost_writes if w.at < size_bytes]

    def _lost_pages(self) -> set[int]:
        """Pages that a failed sync let go, and that nobody wrote to since: the next sync does not write them either."""
        lost: set[int] = set()
        for event in self.since:
            if isinstance(event, Write):
                pages = {piece.at // PAGE_BYTES for piece in _split(event, PAGE_BYTES)}
                lost = lost | pages if event.doomed else lost - pages
        return lost

    @property
    def waiting(self) -> dict[int, int]:
        """The sectors that wait, and how many versions of each."""
        if self._waiting is None:
            found: dict[int, int] = {}
            for event in self.since:
                if isinstance(event, Write):
                    for piece in _split(event, SECTOR_BYTES):
                        found[piece.at // SECTOR_BYTES] = found.get(piece.at // SECTOR_BYTES, 0) + 1
            self._waiting = dict(sorted(found.items()))
        return self._waiting

    @property
    def _in_sectors(self) -> list[tuple[int, Write] | Size]:
        """What was done, sector by sector: the place of each in ``waiting``, and what was written."""
        if self._steps is None:
            places = {sector: place for place, sector in enumerate(self.waiting)}
            self._steps = []
            for event in self.since:
                if isinstance(event, Size):
                    self._steps.append(event)
                else:
                    self._steps += [(places[p.at // SECTOR_BYTES], p) for p in _split(event, SECTOR_BYTES)]
        return self._steps

    @property
    def sizes(self) -> int:
        """How many changes of size wait."""
        return sum(isinstance(event, Size) for event in self.since)

    @property
    def nothing(self) -> Kept:
        return Kept(0, bytes(len(self.waiting)))

    @property
    def everything(self) -> Kept:
        return Kept(self.sizes, bytes(self.waiting.values()))

    def content(self, kept: Kept) -> bytes:
        """What the file reads as when that much of it is on the disk."""
        if not self.since:
            return self.durable
        left = bytearray(kept.sectors)
        size_bytes, sizes = len(self.durable), 0
        data = bytearray(self.durable)
        data += bytes(max(0, max(map(_reach, self.since)) - size_bytes))
        for step in self._in_sectors:
            if isinstance(step, Size):
                sizes += 1
                if sizes <= kept.sizes:
                    size_bytes = step.size_bytes
                    if step.cuts:
                        data[size_bytes:] = bytes(len(data) - size_bytes)
            elif left[step[0]]:
                left[step[0]] -= 1
                piece = step[1]
                data[piece.at : piece.at + len(piece.data)] = piece.data
        return bytes(data[:size_bytes])

    def head(self, kept: Kept) -> bytes:
        """The first page of that."""
        if kept not in self._heads:
            self._heads[kept] = self.content(kept)[:PAGE_BYTES]
        return self._heads[kept]

    def digest(self, kept: Kept) -> bytes:
        """What tells that from other contents."""
        if kept not in self._digests:
            self._digests[kept] = blake2b(self.content(kept), digest_size=16).digest()
        return self._digests[kept]


def _reach(event: Write | Size) -> int:
    return event.size_bytes if isinstance(event, Size) else event.at + len(event.data)


def _split(write: Write, unit_bytes: int) -> Iterator[Write]:
    at, end = write.at, write.at + len(write.data)
    while at < end:
        to = min(end, (at // unit_bytes + 1) * unit_bytes)
        yield Write(at, write.data[at - write.at : to - write.at], write.doomed)
        at = to


def _in_pages(write: Write, pages: set[int]) -> Iterator[Write]:
    return (piece for piece in _split(write, PAGE_BYTES) if piece.at // PAGE_BYTES in pages)


@dataclass(frozen=True, slots=True)
class Naming:
    """One change of the names in a folder: ``name`` now means ``node`` (or nothing), and ``gone`` means nothing."""

    order: int
    name: str
    node: File | Folder | None
    gone: str | None = None


@dataclass
class Folder:
    """A folder: the names in it that are durable, and what was done to them since."""

    number: int
    durable: dict[str, File | Folder] = field(default_factory=dict)
    since: list[Naming] = field(default_factory=list)

    def names(self, kept: int | None = None) -> dict[str, File | Folder]:
        """The names after the first ``kept`` changes; after all of them by default."""
        names = dict(self.durable)
        for naming in self.since[:kept]:
            names.pop(naming.name, None)
            if naming.gone is not None:
                names.pop(naming.gone, None)
            if naming.node is not None:
                names[naming.name] = naming.node
        return names

    def sync(self) -> None:
        self.durable, self.since = self.names(), []


@dataclass(frozen=True, slots=True)
class Choice:
    """One way a power cut can go: how much of each folder and file that waits is on the disk (by number)."""

    folders: dict[int, int]
    files: dict[int, Kept]


@dataclass(frozen=True, slots=True)
class State:
    """What a disk holds after a cut: every path with its content, ``None`` for a folder."""

    tree: dict[str, bytes | None]
    digest: bytes


class Disk:
    """All of it; ``obey`` does what a program asked for."""

    def __init__(self, store: Path | None = None) -> None:
        """``store``: what there was before the first call, durable."""
        self._numbers = count()
        self._orders = count()
        self.root = Folder(next(self._numbers))
        self.folders: list[Folder] = [self.root]
        self.files: list[File] = []
        self._by_inode: dict[int, File] = {}
        if store is not None:
            self._load(self.root, store, "")

    def _load(self, folder: Folder, path: Path, inside: str) -> None:
        for entry in sorted(path.iterdir()):
            place = f"{inside}{entry.name}"
            if entry.is_symlink():
                folder.durable[entry.name] = self._new_link(place, str(entry.readlink()).encode())
            elif entry.is_dir():
                below = self._new_folder()
                folder.durable[entry.name] = below
                self._load(below, entry, f"{place}/")
            else:
                file = self._new_file(entry.stat().st_ino, place)
                file.durable = entry.read_bytes()
                file.now = bytearray(file.durable)
                folder.durable[entry.name] = file

    def _new_folder(self) -> Folder:
        self.folders.append(Folder(next(self._numbers)))
        return self.folders[-1]

    def _new_file(self, inode: int, path: str) -> File:
        file = File(next(self._numbers), first_path=path)
        self.files.append(file)
        self._by_inode[inode] = file
        return file

    def _new_link(self, path: str, target: bytes) -> File:
        """A symbolic link says what it says from its name on: it has no data that could come later."""
        file = File(next(self._numbers), durable=LINK + target, now=bytearray(LINK + target), first_path=path)
        self.files.append(file)
        return file

    def _find(self, path: str) -> File | Folder | None:
        node: File | Folder | None = self.root
        for name in filter(None, path.split("/")):
            node = node.names().get(name) if isinstance(node, Folder) else None
        return node

    def _above(self, path: str) -> tuple[Folder, str]:
        above, _, name = path.rpartition("/")
        folder = self._find(above)
        assert isinstance(folder, Folder), f"the log names {path}, and there is no folder for it"
        return folder, name

    def _name(self, path: str, node: File | Folder | None, *, gone: str | None = None) -> None:
        folder, name = self._above(path)
        folder.since.append(Naming(next(self._orders), name, node, gone))

    def obey(self, call: Call) -> None:
        """Do as the kernel did. Nothing becomes durable but by a sync."""
        match call.kind:
            case Kind.CREATE:
                self._name(call.path, self._new_file(call.inode, call.path))
            case Kind.SYMLINK:
                self._name(call.path, self._new_link(call.path, call.data))
            case Kind.MKDIR:
                self._name(call.path, self._new_folder())
            case Kind.WRITE:
                self._by_inode[call.inode].write(call.at, call.data)
            case Kind.SIZE:
                self._by_inode[call.inode].resize(call.at)
            case Kind.ASIDE:
                self._by_inode[call.inode].aside = call.at
            case Kind.SYNC:
                self._by_inode[call.inode].sync(failed=call.error != 0)
            case Kind.SYNC_FOLDER:
                folder = self._find(call.path)
                if isinstance(folder, Folder) and not call.error:
                    folder.sync()
            case _:
                self._rename(call)

    def _rename(self, call: Call) -> None:
        match call.kind:
            case Kind.UNLINK | Kind.RMDIR:
                self._name(call.path, None)
            case Kind.LINK:
                self._name(call.target, self._find(call.path))
            case Kind.RENAME:
                (old, old_name), (new, _) = self._above(call.path), self._above(call.target)
                assert old is new, "the model knows no rename from one folder to another"
                self._name(call.target, self._find(call.path), gone=old_name)
            case _:
                pass

    @property
    def kept_from_others(self) -> dict[str, int]:
        """The files behind whose end room is set aside, and how many bytes."""
        return {f.first_path: f.aside - len(f.now) for f in self.files if f.aside > len(f.now)}

    # -- cuts ---------------------------------------------------------------------------------------------------------

    @property
    def waiting_folders(self) -> list[Folder]:
        return [folder for folder in self.folders if folder.since]

    @property
    def waiting_files(self) -> list[File]:
        return [file for file in self.files if file.since]

    def _walk(self, choice: Choice) -> Iterator[tuple[str, File | Folder]]:
        def walk(folder: Folder, inside: str) -> Iterator[tuple[str, File | Folder]]:
            for name, node in sorted(folder.names(choice.folders.get(folder.number, 0)).items()):
                yield inside + name, node
                if isinstance(node, Folder):
                    yield from walk(node, f"{inside}{name}/")

        return walk(self.root, "")

    def digest(self, choice: Choice) -> bytes:
        """What the state that ``choice`` leads to has in common with no other."""
        whole = blake2b(digest_size=16)
        for path, node in self._walk(choice):
            whole.update(path.encode() + b"\0")
            whole.update(b"/" if isinstance(node, Folder) else node.digest(_kept(node, choice)))
        return whole.digest()

    def state(self, choice: Choice) -> State:
        """What is there after the cut that ``choice`` describes."""
        tree = {
            path: None if isinstance(node, Folder) else node.content(_kept(node, choice))
            for path, node in self._walk(choice)
        }
        return State(tree, self.digest(choice))

    def below(self, choice: Choice) -> Iterator[tuple[str, bytes]]:
        """What somebody finds who reads the disk below its file system: the beginning of every file that ever was, by
        the path it was made under, whether a name still leads to it or not.
        """
        for file in self.files:
            yield file.first_path, file.head(_kept(file, choice))

    def choices(self, chance: random.Random, *, lots: int) -> Iterator[Choice]:
        """Ways a cut can go now: the systematic ones, then ``lots`` at random."""
        folders, files = self.waiting_folders, self.waiting_files
        nothing, everything = {f.number: f.nothing for f in files}, {f.number: f.everything for f in files}
        vectors = list(_vectors(folders))
        for vector in vectors:
            yield Choice(vector, nothing)
            if files:
                yield Choice(vector, everything)
        for file in files:
            for kept in _systematic(file, chance):
                for others in (nothing, everything) if len(files) > 1 else (nothing,):
                    for vector in vectors[:: max(1, len(vectors) - 1)]:
                        yield Choice(vector, {**others, file.number: kept})
        for _ in range(lots if files else 0):
            yield Choice(chance.choice(vectors), {f.number: _at_random(f, chance) for f in files})


def _kept(file: File, choice: Choice) -> Kept:
    return choice.files.get(file.number) or file.nothing


def _vectors(folders: list[Folder]) -> Iterator[dict[int, int]]:
    """How many of the changes of each folder are kept: any number of each; where those are many, prefixes of all."""
    numbers = [folder.number for folder in folders]
    ways = [range(len(folder.since) + 1) for folder in folders]
    size = 1
    for way in ways:
        size *= len(way)
    if size <= _MOST_VECTORS:
        yield from (dict(zip(numbers, vector, strict=True)) for vector in product(*ways))
        return
    orders = sorted(naming.order for folder in folders for naming in folder.since)
    for last in [-1, *orders]:
        yield {f.number: sum(naming.order <= last for naming in f.since) for f in folders}


def _systematic(file: File, chance: random.Random) -> Iterator[Kept]:
    versions = bytes(file.waiting.values())
    sectors, sizes = len(versions), file.sizes
    for size in range(sizes + 1):
        yield Kept(size, bytes(sectors))
        yield Kept(size, versions)
    some = sorted({0, 1, sectors // 2, sectors - 2, sectors - 1} | {chance.randrange(sectors or 1) for _ in range(5)})
    for at in (at for at in some if 0 <= at < sectors):
        rest = bytes(sectors - at)
        one, hole = bytearray(sectors), bytearray(versions)
        one[at], hole[at] = versions[at], 0
        for picked in (versions[:at] + rest, bytes(at) + versions[at:], bytes(one), bytes(hole)):
            yield Kept(sizes, picked)


def _at_random(file: File, chance: random.Random) -> Kept:
    sizes = chance.choice([0, file.sizes, file.sizes, chance.randint(0, file.sizes)])
    likely = chance.choice([0.03, 0.5, 0.97])
    picked = bytes(chance.randint(1, v) if chance.random() < likely else 0 for v in file.waiting.values())
    return Kept(sizes, picked)
