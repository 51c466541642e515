"""S3 for ``make bench-sync``: our ``put`` beside ``rclone copyto``, both over TLS to the same Ceph on loopback."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench_sync import NAME, Pair
from tests.remote.ceph import HOST, Ceph
from tests.remote.certificates import Authority
from tests.remote.s3_server import RCLONE, S3Server

# The measured program, which loads nothing of the tests.
PUT = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from device.remote_s3 import S3Remote
place, (name, file) = json.loads(sys.argv[1]), sys.argv[2:]
for one in ("credentials", "ca", "notes"):
    place[one] = Path(place[one])
remote = S3Remote(**place, region="us-east-1", utc=lambda: datetime.now(UTC))
with open(file, "rb") as source:
    assert remote.put(name, source)
"""
CONFIG = """
[s3]
type = s3
provider = Ceph
endpoint = {endpoint}
access_key_id = {access}
secret_access_key = {secret}
"""


@contextmanager
def s3(folder: Path, file: Path) -> Iterator[Pair]:
    """``rclone copyto`` with its own defaults beside ours."""
    authority = Authority()
    (folder / "ceph").mkdir()
    (folder / "s3").mkdir()
    ceph = Ceph(folder / "ceph", authority.issue(HOST), disk_bytes=16 << 30)
    try:
        ceph.start()
        server = S3Server(ceph, authority, folder / "s3")
        try:
            yield _pair(server, folder, file)
        finally:
            server.close()
    finally:
        ceph.stop()


def _pair(server: S3Server, folder: Path, file: Path) -> Pair:
    maker, config = server.maker, folder / "rclone.conf"
    user = server.user
    config.write_text(CONFIG.format(endpoint=maker.endpoint, access=user.access_key, secret=user.secret_key))
    place = {"endpoint": maker.endpoint, "bucket": maker.bucket}
    place |= {name: str(getattr(maker, name)) for name in ("credentials", "ca", "notes")}
    copy = [str(RCLONE), "--config", str(config), "--ca-cert", str(maker.ca), "copyto", str(file)]

    def forget() -> None:
        remote = maker()
        remote.erase("clinic")
        remote.close()
        server.ceph.collect_garbage()

    return Pair(
        kind="S3",
        peer="rclone copyto",
        ours=[sys.executable, "-c", PUT, json.dumps(place), NAME, str(file)],
        theirs=[*copy, f"s3:{maker.bucket}/{NAME}"],
        server_cpu_s=server.ceph.cpu_s,
        held=server.held,
        forget=forget,
    )
