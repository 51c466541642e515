"""Which keys of the configuration have changed, told without telling what they are set to.

The audit log names the keys that changed since the box started last. It keeps a mark of each value for that, made with
the device key: the same value has the same mark on the same box, and nobody else can find out a value by trying.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from device.config import Config
from device.digests import hmac_sha256, sha256
from device.recording.audited import Happened, Plain, What, Who

_MARK_LETTERS = 12


def digest_of_config(config: Config) -> str:
    """The SHA-256 of the effective configuration, as canonical JSON (hex): the same for the same values."""
    return sha256(_canonical(config.model_dump(mode="json"))).hexdigest()


def marks_of(config: Config, secret: bytes) -> dict[str, str]:
    """A mark for each key of the configuration."""
    key = sha256(b"sotto config marks\n" + secret).digest()
    return {
        name: hmac_sha256(key, name.encode() + b"\n" + _canonical(value)).hex()[:_MARK_LETTERS]
        for name, value in _values(config)
    }


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """The keys whose marks differ, or that only one of both has."""
    return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))


def start_of(config: Config, secret: bytes, entries: Iterable[Mapping[str, Any]]) -> list[Happened]:
    """What the log is told when the box starts; ``entries`` are what it holds so far, the newest first."""
    marks, digest = marks_of(config, secret), digest_of_config(config)
    told: dict[str, Plain] = {"version": _version(), "config": digest, "settings": marks}
    started = Happened(What.BOX_STARTED, by=Who.BOX, facts=told)
    last = next((_settings(entry) for entry in entries if entry.get("what") == What.BOX_STARTED), None)
    keys = () if last is None else changed(last, marks)
    if not keys:
        return [started]
    return [started, Happened(What.CONFIG_CHANGED, facts={"config": digest, "keys": keys})]


def _settings(entry: Mapping[str, Any]) -> dict[str, str]:
    facts = entry.get("facts")
    settings = facts.get("settings") if isinstance(facts, dict) else None
    return {str(k): str(v) for k, v in settings.items()} if isinstance(settings, dict) else {}


def _values(config: Config) -> Iterator[tuple[str, Any]]:
    for section, values in config.model_dump(mode="json").items():
        for name, value in (values or {}).items():  # a section may be left out
            yield f"{section}.{name}", value


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _version() -> str:
    """What is installed, by the folder that says so: ``importlib.metadata`` would find it, too, for a megabyte."""
    for place in filter(None, sys.path):
        for found in Path(place).glob("sotto-*.dist-info"):
            return found.stem.removeprefix("sotto-")
    return "0.0"
