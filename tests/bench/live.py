"""Rows: what recording costs while it happens, periods of 100 ms in real time; the parts of that; picture beside it.

All that is compared records side by side and is looked at in the same window of time: they sleep nearly always, so none
takes the processor from another, and what disturbs the machine disturbs all of them. ``--alone`` has each record alone,
which takes as many times as long: that is how it was found that side by side does not spoil the ratios.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.bench import parted
from tests.bench.figures import Row
from tests.bench.frames import make_frames, make_packets
from tests.bench.live_parts import Floor, Pipe, Recording, Sotto, Taken, window
from tests.bench.peers import pipes
from tests.bench.setting import Setting

PEERS = {
    "flac | age": ("live/flac-age", 0.75),
    "ffmpeg | age": ("live/ffmpeg-age", 0.6),
    "ffmpeg | gpg": ("live/ffmpeg-gpg", None),
    "floor": ("live/floor", 1.25),
}
_PER_HOUR = "CPU s/h"
_SOTTO, _PACKETS, _PARTED = "sotto", "sotto, ready packets in", "sotto, told apart"
_WARM_S, _WINDOW_S, _SHORT_WINDOW_S = 1.5, 8.0, 5.0


def rows(setting: Setting, *, alone: bool = False) -> Iterator[Row]:
    """All of them."""
    folder, packets = setting.folder(), None
    if not setting.short:
        packets = make_packets(make_frames(folder / "frames", 4), folder / "packets")
    window_s = _SHORT_WINDOW_S if setting.short else _WINDOW_S
    taken: dict[str, list[Taken]] = {}
    told: list[dict[str, float]] = []
    for number in range(setting.pairs):
        setting.say(f"live: {number + 1} of {setting.pairs}")
        out = folder / f"parts-{number}"
        parts = _recordings(setting, packets, out)
        names = list(parts)
        first = number % len(names)
        order = [{name: parts[name]} for name in names[first:] + names[:first]]
        for some in order if alone else [{name: part for one in order for name, part in one.items()}]:
            for name, one in window(some, warm_s=_WARM_S, window_s=window_s).items():
                taken.setdefault(name, []).append(one)
        if _PARTED in parts:
            told.append(_per_hour(json.loads(out.read_text()), parts[_PARTED]))
    yield from _cost(taken)
    if told:
        yield from _parts(told)
        yield from _without(taken, told)
    yield from _held(taken)


def _recordings(setting: Setting, packets: Path | None, out: Path) -> dict[str, Recording]:
    """Who records side by side; in the short form only the box and the floor."""
    material = setting.material
    if packets is None:
        return {_SOTTO: Sotto(material), "floor": Floor(material)}
    return {
        _SOTTO: Sotto(material),
        **{name: Pipe(material, commands) for name, commands in pipes(material).items()},
        "floor": Floor(material),
        _PACKETS: Sotto(material, program=("-m", "tests.bench.with_packets", packets), picture=True),
        _PARTED: Sotto(material, program=("-m", "tests.bench.parted", out)),
    }


def _cost(taken: dict[str, list[Taken]]) -> Iterator[Row]:
    ours = tuple(one.spent.cpu_s_per_h for one in taken[_SOTTO])
    for name, (key, goal) in PEERS.items():
        if name not in taken:
            if _PACKETS in taken:  # in the short form it is left out on purpose
                yield Row(key, "an hour of sound, live", _PER_HOUR, skipped=f"{name}: not installed")
            continue
        theirs = tuple(one.spent.cpu_s_per_h for one in taken[name])
        says = "an hour of sound, live" + (", beside the bare floor in C" if name == "floor" else "")
        yield Row(key, says, _PER_HOUR, ours, theirs, beside=name, at_most=goal)
    if _PACKETS not in taken:
        return
    more = tuple(
        (packets.spent.cpu_s_per_h - alone.spent.cpu_s_per_h) / 36
        for packets, alone in zip(taken[_PACKETS], taken[_SOTTO], strict=True)
    )
    note = "the camera's program counted, which sends what a hardware encoder would"
    yield Row(
        "live/packets", "ready 720p25 packets in: more than sound alone", "% of a core", more, at_most=3, note=note
    )


def _parts(told: list[dict[str, float]]) -> Iterator[Row]:
    """What each part takes of the same program, with a stopwatch in it."""
    words = {
        parted.METERING: ("live/metering", "of that: metering", 1.0, ""),
        parted.LEDGER: ("live/ledger", "of that: ledger and digests", None, ""),
        parted.DURABILITY: (
            "live/durability",
            "of that: durability, two syncs a chunk",
            None,
            "the kernel's own threads left out",
        ),
        parted.SEALING: ("live/sealing", "of that: sealing", None, ""),
        parted.ENCODING: ("live/coding", "of that: coding and container", None, ""),
        "rest": ("live/rest", "of that: all else (threads, service, status)", None, ""),
    }
    for part, (key, says, goal, note) in words.items():
        yield Row(key, says, _PER_HOUR, tuple(one[part] for one in told), at_most=goal, note=note)


def _without(taken: dict[str, list[Taken]], told: list[dict[str, float]]) -> Iterator[Row]:
    """What is left of the whole for what the others do as well: to read, to encode, to seal, to write."""
    parts = (parted.METERING, parted.LEDGER, parted.DURABILITY)
    ours = tuple(
        one.spent.cpu_s_per_h - sum(some[part] for part in parts) for one, some in zip(taken[_SOTTO], told, strict=True)
    )
    says, note = "without metering, ledger and durability", "by subtraction; nobody beside it has any of the three"
    for name in ("flac | age", "floor"):
        if name in taken:
            theirs = tuple(one.spent.cpu_s_per_h for one in taken[name])
            key = f"live/without-{name.replace(' | ', '-')}"
            yield Row(key, says, _PER_HOUR, ours, theirs, beside=name, note=note)


def _per_hour(told: dict[str, dict[str, float]], recording: Recording) -> dict[str, float]:
    """CPU seconds per recorded hour of each part, and of all that is none of them."""
    assert isinstance(recording, Sotto)
    assert recording.box is not None
    hours = recording.box.manifest().duration_us / 3.6e9
    parts = {part: told["parts_s"].get(part, 0.0) / hours for part in parted.PLACES}
    parts["rest"] = recording.spent_s / hours - sum(parts.values())
    return parts


def _held(taken: dict[str, list[Taken]]) -> Iterator[Row]:
    ours = taken[_SOTTO]
    resident = tuple(one.resident_mb for one in ours)
    yield Row("memory/resident", "resident while recording sound", "MB", resident, at_most=40)
    shares = [one.share_mb for one in ours]
    if _PACKETS in taken and None not in shares:  # not in the short form: who else runs is no regression
        note = "pages that others hold too counted in part; it depends on who else runs"
        yield Row("memory/share", "the same, its share of what is shared", "MB", tuple(filter(None, shares)), note=note)
    for name in ("flac | age", "floor"):
        if name not in taken:
            continue
        key, says = f"wakeups/{name.replace(' | ', '-')}", "wake-ups per second while recording"
        theirs = tuple(one.spent.wakeups_per_s for one in taken[name])
        yield Row(key, says, "a second", tuple(one.spent.wakeups_per_s for one in ours), theirs, beside=name)
