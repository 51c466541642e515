"""The clinic's side of a fleet: a real server, an account for each box, and what the server says of its own work."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from device.remote import Remote
from device.remote_folder import MARK_NAME
from device.remote_folder import FolderRemote as Folder
from device.remote_s3 import S3Remote
from device.s3_http import Body, Place, S3Http
from tests.remote.ceph import HOST, Ceph
from tests.remote.certificates import Authority

# A gateway reads a bucket's policy for each request: with a statement for each of 50 boxes a small file costs it three
# times as much as with one. It knows no policy that is written once for all: it refuses "${aws:username}".
BOXES_TO_A_BUCKET: Final = 10
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Asked:
    """What a server was asked, by its own log: when (seconds since 1970), by which method, and what it answered."""

    moments: tuple[float, ...] = ()
    methods: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


class Clinic(Protocol):
    """A real server that can be ended, filled and counted."""

    def places(self, boxes: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What ``[remote]`` says for each of these boxes, with credentials of its own where the server has any."""

    def remotes(self) -> Iterator[Remote]:
        """With the clinic's own credentials: all that is held."""

    def end(self) -> None:
        """End the server, as a power cut would."""

    def start(self) -> None:
        """Start it again; returns once it answers."""

    def mend(self) -> int:
        """Start the server again where it ended by itself, as a clinic's init would; how many did."""

    def fill(self) -> None:
        """Leave no room for anything."""

    def make_room(self) -> None:
        """Make room again."""

    def asked(self, since_s: float) -> Asked:
        """All requests of boxes since then (seconds since 1970)."""

    def cpu_s(self) -> float:
        """What the server's processes have used of the CPU so far."""

    def close(self) -> None:
        """Leave nothing behind."""


def clinic_of(box: str) -> str:
    """Which clinic a box belongs to: it has a bucket of its own."""
    return f"clinic-{int(box.rpartition('-')[2]) // BOXES_TO_A_BUCKET:03d}"


class FolderClinic:
    """A disk of the clinic. It has neither accounts nor a log; it serves to try the fleet itself out."""

    def __init__(self, folder: Path) -> None:
        self._disk, self._away = folder / "disk", folder / "away"
        self._disk.mkdir(parents=True)
        (self._disk / MARK_NAME).touch()

    def places(self, boxes: Sequence[str]) -> dict[str, dict[str, Any]]:
        def place(box: str) -> dict[str, Any]:
            return {
                "driver": "folder",
                "name": "clinic",
                "clinic": clinic_of(box),
                "room": box,
                "path": str(self._disk),
            }

        return {box: place(box) for box in boxes}

    def remotes(self) -> Iterator[Remote]:
        yield Folder(self._disk)

    def end(self) -> None:
        self._disk.rename(self._away)

    def start(self) -> None:
        if self._away.exists():
            self._away.rename(self._disk)

    def mend(self) -> int:
        return 0

    def fill(self) -> None:
        raise RuntimeError("a folder is not filled here")

    make_room = fill

    def asked(self, since_s: float) -> Asked:
        return Asked()

    def cpu_s(self) -> float:
        return 0.0

    def close(self) -> None:
        self.start()


# Only what boxes ask: the fleet's own questions come as owner and admin.
_LINE: Final = re.compile(rb'beast: 0x[0-9a-f]+: \S+ - box-\d+ \[([^\]]+)\] "([A-Z]+) [^"]*" (\d{3}) ')


class CephClinic:
    """Ceph's object gateway: a bucket for each clinic, an account for each box, with rights to its own folder alone."""

    def __init__(self, folder: Path, *, ceph: Ceph | None = None, authority: Authority | None = None) -> None:
        """``ceph``: one that runs already, with a certificate of this ``authority``; else one of its own is started."""
        self._folder = folder
        folder.mkdir(parents=True)
        authority = authority or Authority()
        self._ca = folder / "ca.pem"
        self._ca.write_bytes(authority.pem)
        self._own = None
        if ceph is None:
            (folder / "cluster").mkdir()
            ceph = self._own = Ceph(folder / "cluster", authority.issue(HOST))
            ceph.start()
        self._ceph = ceph
        self._clinic = self._account("sotto-clinic")
        self._has: dict[str, Path] = {}
        self._owner = self._credentials("owner", self._clinic)
        self._made_buckets: set[str] = set()
        self._admin = self._credentials("admin", self._account("fleet-admin"))
        self._ceph.admin("caps", "add", "--uid=fleet-admin", "--caps=users=*")
        self._gone_cpu_s = 0.0

    def _account(self, name: str) -> tuple[str, str]:
        user = self._ceph.user(name)
        return user.access_key, user.secret_key

    def _credentials(self, name: str, keys: tuple[str, str]) -> Path:
        path = self._folder / f"{name}.toml"
        path.write_text(f'access_key = "{keys[0]}"\nsecret_key = "{keys[1]}"\n')
        path.chmod(0o600)
        return path

    def _http(self, bucket: str, credentials: Path) -> S3Http:
        place = Place(HOST, self._ceph.port, "us-east-1", bucket, credentials, self._ca)
        return S3Http(place, silence_s=120.0, utc=lambda: datetime.now(UTC))

    def places(self, boxes: Sequence[str]) -> dict[str, dict[str, Any]]:
        http = self._http("admin", self._admin)
        new = [box for box in boxes if box not in self._has]
        for box in new:
            told = http.ask("PUT", "user", query={"uid": box, "display-name": box, "format": "json"})
            keys = json.loads(told.body)["keys"][0]
            self._has[box] = self._credentials(box, (keys["access_key"], keys["secret_key"]))
        http.close()
        for clinic in sorted({clinic_of(box) for box in new}):
            self._allow(clinic, [box for box in self._has if clinic_of(box) == clinic])
        return {box: self._place(box) for box in boxes}

    def _place(self, box: str) -> dict[str, Any]:
        facts = {"driver": "s3", "name": "clinic", "clinic": clinic_of(box), "room": box, "region": "us-east-1"}
        where = {"endpoint": self._ceph.endpoint, "bucket": clinic_of(box)}
        return {**facts, **where, "credentials": str(self._has[box]), "ca": str(self._ca)}

    def _allow(self, clinic: str, boxes: Sequence[str]) -> None:
        """Each box may write and read again what is beneath its own folder, and neither list nor delete."""
        http = self._http(clinic, self._owner)
        if clinic not in self._made_buckets:
            http.ask("PUT")
            self._made_buckets.add(clinic)
        does = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        # What a box puts belongs to the box: without this the owner of the bucket could not read it (nor in AWS's older
        # buckets).
        owner = {"Principal": {"AWS": ["arn:aws:iam:::user/sotto-clinic"]}, "Action": ["s3:*"]}
        rights = [{"Effect": "Allow", **owner, "Resource": [f"arn:aws:s3:::{clinic}", f"arn:aws:s3:::{clinic}/*"]}] + [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam:::user/{box}"]},
                "Action": does,
                "Resource": [f"arn:aws:s3:::{clinic}/{clinic}/{box}/*"],
            }
            for box in boxes
        ]
        text = json.dumps({"Version": "2012-10-17", "Statement": rights}).encode()
        body = Body(len(text), hashlib.sha256(text).hexdigest(), lambda: [text])
        http.ask("PUT", query={"policy": ""}, body=body)
        http.close()

    def remotes(self) -> Iterator[Remote]:
        for clinic in sorted(self._made_buckets):
            yield S3Remote(
                endpoint=self._ceph.endpoint,
                region="us-east-1",
                bucket=clinic,
                credentials=self._owner,
                ca=self._ca,
                notes=None,
                utc=lambda: datetime.now(UTC),
            )

    def end(self) -> None:
        self._gone_cpu_s += self._cpu_s("radosgw")
        self._ceph.end_gateway(how=signal.SIGKILL)

    def start(self) -> None:
        self._ceph.start_gateway()

    def mend(self) -> int:
        gateway = self._ceph._running.get("radosgw")
        if gateway is None or gateway.poll() is None:
            return 0
        self._ceph.start_gateway()
        return 1

    def fill(self) -> None:
        for clinic in sorted(self._made_buckets):
            self._quota(clinic, "set", "--max-size=1")
            self._quota(clinic, "enable")

    def make_room(self) -> None:
        for clinic in sorted(self._made_buckets):
            self._quota(clinic, "disable")

    def _quota(self, clinic: str, *words: str) -> None:
        self._ceph.admin("quota", words[0], "--quota-scope=bucket", f"--bucket={clinic}", *words[1:])

    def asked(self, since_s: float) -> Asked:
        moments: list[float] = []
        methods: Counter[str] = Counter()
        statuses: Counter[int] = Counter()
        for log in (self._ceph._folder / "log").glob("client.admin*.log"):
            for line in log.read_bytes().splitlines():
                if (found := _LINE.search(line)) is None:
                    continue
                at_s = datetime.strptime(found[1].decode(), "%d/%b/%Y:%H:%M:%S.%f %z").timestamp()
                if at_s >= since_s:
                    moments.append(at_s)
                    methods[found[2].decode()] += 1
                    statuses[int(found[3])] += 1
        return Asked(tuple(moments), methods, statuses)

    def cpu_s(self) -> float:
        return self._gone_cpu_s + sum(self._cpu_s(name) for name in ("ceph-mon", "ceph-osd", "radosgw"))

    def _cpu_s(self, name: str) -> float:
        process = self._ceph._running.get(name)
        if process is None:
            return 0.0
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def close(self) -> None:
        if self._own is not None:
            self._own.stop()
        elif "radosgw" not in self._ceph._running:
            self._ceph.start_gateway()
