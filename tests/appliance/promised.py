"""What a guest had promised (``scripts/keep_promises.py``) is held against what a power cut left of its disk."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from device.age.identities import KeyIdentity
from device.audit import head_of
from device.errors import SottoError
from device.recording import ATTACHMENTS_NAME, SESSION_NAME
from tests.appliance.logreplay import rescue
from tests.appliance.powercut import Instant, LoggedDisk
from tests.crash.judge import HEADER, Opener, beside_of, broken, examine
from tests.crash.model import State
from tests.crash.promises import Told

STORES: Final = "stores"
_AUDITED: Final = "audited"
_HEAD_BYTES: Final = 200
_PAGE_BYTES: Final = 4096
Volatile = Literal["drop", "lot"]
# From the disk as the power left it to its files, as a start of the box would find them.
Boot = Callable[[Path, Path], None]


@dataclass
class Judge:
    """One run of the guest, to be cut as often as wanted. ``wrong``: how often which promise was broken."""

    disk: LoggedDisk
    identity: KeyIdentity
    folder: Path
    wrong: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    cuts: int = 0

    def __post_init__(self) -> None:
        self._marks = self.disk.marks()
        self._touched = self.disk.touched()
        self._opener = Opener(self.identity)
        self._store_of = {mark["id"]: mark["store"] for mark in self._marks.values() if mark["do"] == "hand"}
        self._final = self._told(max(self._marks))
        self._heads: dict[str, bytes] = {}

    @property
    def length(self) -> int:
        """How much the disk saw until all was over."""
        return max(self._marks)

    def learn_headers(self, boot: Boot) -> None:
        """What the header of each recording is, and of what lies beside it, that is going to be erased."""
        for seen, mark in self._marks.items():
            if mark["do"] == "erase":
                try:
                    stores = self._after(seen, boot, volatile="drop", seed=0)
                    place = stores / self._store_of[mark["id"]] / mark["id"]
                    self._heads[mark["id"]] = (place / SESSION_NAME).read_bytes()[:_HEAD_BYTES]
                except (RuntimeError, OSError):
                    self._note("a recording cannot be read just before it is erased", f"{seen} drop 0")
                    continue
                for beside in place.glob(f"{ATTACHMENTS_NAME}/*.age"):
                    self._heads[beside_of(mark["id"])] = beside.read_bytes()[:_HEAD_BYTES]

    def cut(self, seen: int, boot: Boot, *, volatile: Volatile, seed: int) -> None:
        """Cut the power there, and hold what is left against every promise that had been made."""
        self.cuts += 1
        where = f"{seen} {volatile} {seed}"
        try:
            stores = self._after(seen, boot, volatile=volatile, seed=seed)
        except RuntimeError as damaged:
            self._note(str(damaged).splitlines()[0], where)
            return
        headers = self._headers_on(self.folder / "cut.ext4")
        for name, (told, entered) in self._told(seen).items():
            if name.startswith(_AUDITED):
                self._judge_log(stores / name, entered, where)
            elif told.promises:
                state = State(_tree(stores / name), b"")
                outcome = examine(state, self.folder / "store", self._final[name][0].pieces, self._opener)
                for what in broken(outcome, told.promises, self._final[name][0].pieces, headers):
                    self._note(what.partition(": ")[2] or what, where)

    def tell(self) -> str:
        return "\n".join(f"{times} x {what}, first {self.first[what]}" for what, times in self.wrong.items())

    def _after(self, seen: int, boot: Boot, *, volatile: Volatile, seed: int) -> Path:
        image, files = self.folder / "cut.ext4", self.folder / "files"
        shutil.rmtree(files, ignore_errors=True)
        self.disk.cut(Instant(seen, 0), image, volatile=volatile, seed=seed)
        boot(image, files)
        return files / STORES

    def _told(self, seen: int) -> dict[str, tuple[Told, int]]:
        """Of each store what had been promised, and how many entries its audit log had."""
        told: dict[str, tuple[Told, int]] = {}
        for at, mark in self._marks.items():
            if at > seen:
                break
            name = self._store_of.get(mark.get("id", ""), mark["store"])
            if name is not None:
                here, entered = told.setdefault(name, (Told(), 0))
                here.hear(mark)
                told[name] = here, max(entered, int(mark.get("number", 0)))
        return told

    def _judge_log(self, folder: Path, entered: int, where: str) -> None:
        try:
            found = head_of(folder).number
        except (SottoError, OSError) as problem:
            self._note(f"the audit log cannot be read: {problem}", where)
        else:
            if found < entered:
                self._note("audit entries are lost", where)

    def _headers_on(self, image: Path) -> frozenset[str]:
        """Of which recordings that were to be erased the header is anywhere on the disk, under a name or not."""
        found = set[str]()
        with image.open("rb") as disk:
            for block in self._touched:
                disk.seek(block * _PAGE_BYTES)
                head = disk.read(_HEAD_BYTES)
                if head.startswith(HEADER):
                    found.update(name for name, known in self._heads.items() if head.startswith(known))
        return frozenset(found)

    def _note(self, what: str, where: str) -> None:
        self.wrong[what] += 1
        self.first.setdefault(what, where)


def at_random(length: int, count: int, *, seed: int) -> list[tuple[int, Volatile, int]]:
    """So many cuts: where, what becomes of what was on its way, and by which lot."""
    chance = random.Random(seed)
    ways: tuple[Volatile, ...] = ("drop", "lot")
    return [(chance.randint(1, length), ways[number % 2], number) for number in range(count)]


def booted(tree: Path) -> Boot:
    """As a box starts: by its own e2fsck, out of a tree of its Debian that this machine's processor can run."""
    (loader,) = tree.glob("usr/lib64/ld-linux-x86-64.so.2")
    (libraries,) = tree.glob("usr/lib/x86_64-linux-gnu")
    e2fsck = [loader, "--library-path", libraries, tree / "usr" / "sbin" / "e2fsck"]
    return lambda image, files: rescue(image, files, e2fsck=e2fsck)


def _tree(store: Path) -> dict[str, bytes | None]:
    entries: list[Any] = sorted(store.rglob("*"))
    return {str(one.relative_to(store)): None if one.is_dir() else one.read_bytes() for one in entries}
