"""What the lists of the page cost, of so many recordings, through nginx and to the last byte.

Each recording has a label and a measure beside it and a receipt of the clinic's server, so that nothing is simpler than
at a clinic. Each list is asked for

- as the first thing at all after the page was started, as soon as it answers (within a tenth of a second);
- as the first thing once the page has read ahead what it reads ahead (``device/web/ahead.py``): it then stands still;
- again and again; and beside it the same bytes, as a file from nginx alone.

Milliseconds until the last byte, and of the processor's time that the page used meanwhile; that comes in hundredths of
a second from the kernel, so it is a mean over all where there are many.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, median

from device.attachments import attach
from device.recording.beside import Kind
from device.recording.receipt import Receipt
from device.retaining import digests_beside
from device.store import Store
from tests.front.beside import WALL, cpu_s, read_all
from tests.front.nginx_server import Nginx
from tests.front.whole_box import WholeBox
from tests.web.published import add_recording

STILL_S = 1.0


@dataclass(frozen=True)
class Asked:
    """A list: its address, and who asks for it."""

    name: str
    path: str
    admin: bool = False


LISTS = (
    Asked("list", "/"),
    Asked("list of those without measures", "/?open=1"),
    Asked("sync", "/box/sync", admin=True),
    Asked("retention", "/box/retention", admin=True),
    Asked("/api/v1/recordings", "/api/v1/recordings?limit=2000"),
)


def add_whole(store: Store, mark: str) -> None:
    """A recording of that therapist with all that lies beside one."""
    recording_id = add_recording(store, sealed=b"sealed", therapist=mark)
    folder = store.folder(recording_id)
    for kind in (Kind.LABEL, Kind.MEASURE):
        attach(folder, kind, kind.encode() * 200)
    listed, beside = store.find(recording_id), digests_beside(folder)
    assert listed is not None
    assert beside is not None
    facts = {"digest": listed.manifest.digest, "size_bytes": listed.manifest.size_bytes, "verified_at": "x"}
    store.write_receipt(recording_id, Receipt.model_validate({"remote": "clinic", "beside": beside, **facts}))


def lists(whole: WholeBox, beside: Nginx, number: int, *, starts: int) -> dict[str, object]:
    """Each of them, so often, and after so many starts."""
    told: dict[str, object] = {"recordings": len(whole.box.store.ids())}
    read_ahead: list[tuple[float, float]] = []
    for asked in LISTS:
        told[asked.name] = {
            "first, at once": _firsts(whole, asked, starts, lambda: None),
            "first, read ahead": _firsts(whole, asked, starts, lambda: read_ahead.append(_until_still(whole.page.pid))),
            **_again(whole, beside, asked, number),
        }
    told["read ahead"] = {
        "wall_ms": _ms(median(wall_s for wall_s, _ in read_ahead)),
        "page_cpu_ms": _ms(median(cpu for _, cpu in read_ahead)),
    }
    return told


def _firsts(whole: WholeBox, asked: Asked, number: int, wait: Callable[[], object]) -> dict[str, object]:
    """As the first thing after the page was started; every one of them, because each counts."""
    took = []
    for _ in range(number):
        whole.restart_page()
        wait()
        took.append(_once(whole, asked))
    return {"wall_ms": [_ms(wall_s) for wall_s, _ in took], "page_cpu_ms": [_ms(cpu) for _, cpu in took]}


def _once(whole: WholeBox, asked: Asked) -> tuple[float, float]:
    """Seconds until the last byte, and of the page's CPU."""
    before_s = cpu_s(whole.page.pid)
    wall_s, _ = read_all(whole.nginx, asked.path, whole.admin if asked.admin else whole.known)
    return wall_s, cpu_s(whole.page.pid) - before_s


def _until_still(pid: int) -> tuple[float, float]:
    """Wait until the page uses no more CPU: seconds until it did so last, and of its CPU meanwhile."""
    began_s, began_cpu_s = time.monotonic(), cpu_s(pid)
    last_s, last_cpu_s = began_s, began_cpu_s
    while time.monotonic() - last_s < STILL_S:
        time.sleep(0.02)
        if cpu_s(pid) != last_cpu_s:
            last_s, last_cpu_s = time.monotonic(), cpu_s(pid)
    return last_s - began_s, last_cpu_s - began_cpu_s


def _again(whole: WholeBox, beside: Nginx, asked: Asked, number: int) -> dict[str, object]:
    """Again and again, and the same bytes from nginx alone in between."""
    headers, name = whole.admin if asked.admin else whole.known, "bench-list.bytes"
    status, _, body = whole.nginx.ask(asked.path, **headers)
    assert status == 200, body
    (whole.box.store.path / name).write_bytes(body)
    took = [(_once(whole, asked), read_all(beside, WALL + name, {})[0]) for _ in range(number)]
    ours_s, nginx_s = median(wall_s for (wall_s, _), _ in took), median(wall_s for _, wall_s in took)
    return {
        "again": {
            "wall_ms": _ms(ours_s),
            "most_wall_ms": _ms(max(wall_s for (wall_s, _), _ in took)),
            "page_cpu_ms": _ms(mean(cpu for (_, cpu), _ in took)),
        },
        "nginx alone": {"wall_ms": _ms(nginx_s), "bytes": len(body), "times as fast": round(ours_s / nginx_s, 1)},
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 1)
