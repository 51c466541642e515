"""Every cut of a run that is worth looking at: replays its log, cuts at each call, judges what the box makes of it."""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from device.age.identities import KeyIdentity
from device.recording import ATTACHMENTS_NAME, LEDGER_NAME, SESSION_NAME
from tests.crash.judge import HEADER, Opener, Outcome, beside_of, broken, examine, lay_out
from tests.crash.model import Choice, Disk, State
from tests.crash.promises import Piece, Told
from tests.crash.shim import Call, Kind, read_log, run_on


@contextmanager
def memory() -> Iterator[Path]:
    """A folder in memory where there is some: thousands of recoveries wait for a disk more than for anything else."""
    shared = Path("/dev/shm")  # noqa: S108
    with TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


@dataclass
class Run:
    """A program that ran on the disk: its calls, what was there before the first of them, and what it printed."""

    calls: list[Call]
    before: Path | None = None
    printed: str = ""


@dataclass
class Search:
    """What was looked at so far, of one scenario. ``states`` are distinct; each is recovered once."""

    opener: Opener
    scratch: Path
    told: Told = field(default_factory=Told)  # of a recording that is over: every promise it made
    states: dict[bytes, Outcome] = field(default_factory=dict)
    seed: int = 0
    judged: int = 0
    positions: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    first_wrong: dict[str, str] = field(default_factory=dict)
    samples: list[tuple[State, Told]] = field(default_factory=list)

    def look(
        self, run: Run, *, seed: int = 0, lots: int = 6, most: int | None = None, keep: int = 0, until: str = ""
    ) -> None:
        """Cut at every call; of every ``keep``-th distinct state a copy is kept for a second cut.

        It ends early at so many states, or once something is found to be wrong that is called ``until``.
        """
        chance = random.Random(seed)
        disk = Disk(run.before)
        told = Told(dict(self.told.promises) if run.before else {}, self.told.pieces if run.before else {})
        self.told = told
        final = _final_pieces(run.calls) or told.pieces
        seen: set[tuple[bytes, object]] = set()
        for number, call in enumerate([None, *run.calls]):
            if call is not None and call.kind is Kind.MARK:
                if not told.hear(call.mark):
                    continue
            elif call is not None:
                disk.obey(call)
                self._look_for_room(disk, call)
            self.positions += 1
            for choice in disk.choices(chance, lots=lots):
                digest = disk.digest(choice)
                if (digest, told.key) in seen:
                    continue
                seen.add((digest, told.key))
                if digest not in self.states:
                    self._examine(disk.state(choice), told, final, keep=keep)
                self._judge(digest, told, final, _headers(disk, choice, told), f"after call {number} ({_name(call)})")
                if (most is not None and len(self.states) >= most) or (until and until in str(self.wrong)):
                    return

    def _look_for_room(self, disk: Disk, call: Call) -> None:
        """Once the ledger of a recording is gone nobody looks after it: what is set aside then stays so."""
        folder, _, name = call.path.rpartition("/")
        if call.kind is Kind.UNLINK and name == LEDGER_NAME:
            kept = [path for path in disk.kept_from_others if path.startswith(f"{folder}/")]
            self.wrong.update(f"{path.rpartition('/')[2]} keeps room behind its end" for path in kept)
            self.first_wrong.update({what: f"after {_name(call)}" for what in self.wrong if "keeps room" in what})

    def fill(self, run: Run, *, target: int, keep: int = 0) -> None:
        """Look again, each time by other lots, until so many distinct states were seen or no more are found."""
        while (before := len(self.states)) < target:
            first = self.seed == 0
            self.look(run, seed=self.seed, lots=6 if first else 25, most=None if first else target, keep=keep)
            self.seed += 1
            if len(self.states) == before:
                return

    def _examine(self, state: State, told: Told, final: dict[str, list[Piece]], *, keep: int) -> None:
        self.states[state.digest] = examine(state, self.scratch / "store", final, self.opener)
        if keep and len(self.states) % keep == 0:
            self.samples.append((state, Told(dict(told.promises), dict(final))))

    def _judge(
        self, digest: bytes, told: Told, final: dict[str, list[Piece]], headers: frozenset[str], where: str
    ) -> None:
        self.judged += 1
        for what in broken(self.states[digest], told.promises, final, headers):
            kind = what.partition(": ")[2] or what
            self.wrong[kind] += 1
            self.first_wrong.setdefault(kind, where)

    def tell(self) -> str:
        return "\n".join(f"{times} x {what}, first {self.first_wrong[what]}" for what, times in self.wrong.items())


def _headers(disk: Disk, choice: Choice, told: Told) -> frozenset[str]:
    """The recordings whose header is somewhere on the disk; looked for only where one is being erased."""
    if not any(promise.erasing for promise in told.promises.values()):
        return frozenset()
    heads = [path for path, head in disk.below(choice) if head.startswith(HEADER)]
    sealed = {path.split("/")[0] for path in heads if SESSION_NAME in path}
    return frozenset(sealed | {beside_of(path.split("/")[0]) for path in heads if f"/{ATTACHMENTS_NAME}/" in path})


def _name(call: Call | None) -> str:
    if call is None:
        return "the beginning"
    return str(call.mark) if call.kind is Kind.MARK else f"{call.kind.name} {call.path}"


def _final_pieces(calls: list[Call]) -> dict[str, list[Piece]]:
    told = Told()
    for call in calls:
        if call.kind is Kind.MARK:
            told.hear(call.mark)
    return told.pieces


def play(
    library: Path, folder: Path, identity: KeyIdentity, job: dict[str, object], *, store: Path | None = None
) -> Run:
    """Run ``play.py`` on the disk, in a store of its own unless it is given one."""
    folder.mkdir(parents=True, exist_ok=True)
    place = store or folder / "played"
    place.mkdir(exist_ok=True)
    log = folder / "disk.log"
    log.unlink(missing_ok=True)
    whole = {**job, "store": str(place), "recipient": str(identity.recipient()), "folder": str(folder)}
    printed = run_on(library, place, log, [sys.executable, "-m", "tests.crash.play", json.dumps(whole)])
    return Run(read_log(log, place), printed=printed)


def recoveries(library: Path, folder: Path, identity: KeyIdentity, samples: list[tuple[State, Told]]) -> list[Run]:
    """What recovery itself does to each of the sampled states, to be cut in its turn."""
    place = folder / "second"
    place.mkdir(parents=True)
    kept = folder / "kept"
    disks = []
    for number, (state, _) in enumerate(samples):
        lay_out(state, place / str(number))
        lay_out(state, kept / str(number))
        disks.append({entry: entry.stat().st_ino for entry in sorted((place / str(number)).rglob("*"))})
    run = play(library, folder / "run", identity, {"do": "recover", "count": len(samples)}, store=place)
    return [
        Run(_own(run.calls, f"{number}", disks[number], kept / str(number), place / str(number)), kept / str(number))
        for number in range(len(samples))
    ]


def _own(calls: list[Call], name: str, inodes: dict[Path, int], kept: Path, played: Path) -> list[Call]:
    """The calls on one of several stores, with its paths, and the inodes of the copy that was kept."""
    again = {number: (kept / path.relative_to(played)).stat().st_ino for path, number in inodes.items()}
    return calls_on(calls, name, again)


def rounds(calls: list[Call]) -> dict[str, list[Call]]:
    """The calls of a program that played several rounds, each on a store of its own, by the name of that store."""
    parts: dict[str, list[Call]] = {}
    name = ""
    for call in calls:
        if call.kind is Kind.MARK and call.mark["do"] == "round":
            name = call.mark["store"]
        parts.setdefault(name, []).extend([call] if call.kind is Kind.MARK else calls_on([call], name, {}))
    return parts


def calls_on(calls: list[Call], name: str, again: dict[int, int]) -> list[Call]:
    """The calls on the store of that name among several, as if it were the only one; ``again``: its inodes, anew."""
    mine = []
    for call in calls:
        if call.path == name or call.path.startswith(f"{name}/"):
            data = call.data
            if call.kind in (Kind.RENAME, Kind.LINK):
                data = call.target.removeprefix(f"{name}/").encode()
            path = call.path.removeprefix(name).removeprefix("/")
            mine.append(Call(call.kind, path, again.get(call.inode, call.inode), call.at, data, call.error))
    return mine
