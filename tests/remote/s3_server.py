"""A bucket of a real Ceph gateway, harmed by its process, and looked at with rclone."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from device.remote import SILENCE_S, Remote
from device.remote_s3 import S3Remote
from tests.remote.ceph import HOST, PATIENCE_S, Ceph, User, free_port
from tests.remote.certificates import Authority

RCLONE = Path(sys.executable).parent / "rclone"


@dataclass(frozen=True)
class S3Maker:
    """``clock_is_off``: by how much the box's clock is wrong."""

    endpoint: str
    bucket: str
    credentials: Path = field(repr=False)
    ca: Path
    notes: Path | None
    clock_is_off: timedelta = timedelta()

    def __call__(self, *, silence_s: float = SILENCE_S) -> S3Remote:
        return S3Remote(
            endpoint=self.endpoint,
            region="us-east-1",
            bucket=self.bucket,
            credentials=self.credentials,
            ca=self.ca,
            notes=self.notes,
            utc=lambda: datetime.now(UTC) + self.clock_is_off,
            silence_s=silence_s,
        )


def write_credentials(path: Path, user: User) -> Path:
    path.write_text(f'access_key = "{user.access_key}"\nsecret_key = "{user.secret_key}"\n')
    path.chmod(0o600)
    return path


class Rclone:
    """Somebody else's S3 client: what really is in a bucket, and what does not go through our own.

    One process that listens on this machine, because starting one for each look takes longer than looking.
    """

    def __init__(self, endpoint: str, user: User, ca: Path) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_S3_TYPE": "s3",
            "RCLONE_CONFIG_S3_PROVIDER": "Ceph",
            "RCLONE_CONFIG_S3_ENDPOINT": endpoint,
            "RCLONE_CONFIG_S3_ACCESS_KEY_ID": user.access_key,
            "RCLONE_CONFIG_S3_SECRET_ACCESS_KEY": user.secret_key,
            "RCLONE_CA_CERT": str(ca),
        }
        self._port = free_port()
        words = [RCLONE, "rcd", "--rc-no-auth", "--rc-addr", f"{HOST}:{self._port}"]
        self._process = subprocess.Popen(words, env=self.environment, stderr=subprocess.DEVNULL)

    def __call__(self, verb: str, /, **words: object) -> dict[str, Any]:
        body = json.dumps(words).encode()
        with closing(http.client.HTTPConnection(HOST, self._port, timeout=PATIENCE_S)) as connection:
            self._connect(connection)
            connection.request("POST", f"/{verb}", body, {"content-type": "application/json"})
            response = connection.getresponse()
            said: dict[str, Any] = json.loads(response.read())
        assert response.status == 200, said
        return said

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                return connection.connect()
            except ConnectionRefusedError:
                assert time.monotonic() < until_s, "rclone does not listen"
                assert self._process.poll() is None, "rclone ended"
                time.sleep(0.05)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class S3Server:
    freezes = True

    def __init__(self, ceph: Ceph, authority: Authority, folder: Path) -> None:
        self.ceph, self._folder = ceph, folder
        self.bucket = f"b{os.urandom(5).hex()}"
        self.user = ceph.user(self.bucket)
        self._ca, notes = folder / "ca.pem", folder / "notes"
        self._ca.write_bytes(authority.pem)
        credentials = write_credentials(folder / "credentials.toml", self.user)
        self.maker = S3Maker(ceph.endpoint, self.bucket, credentials, self._ca, notes)
        self.rclone = Rclone(ceph.endpoint, self.user, self._ca)
        self.secrets = (self.user.access_key, self.user.secret_key, "NoSuchKey", "AccessDenied", "RequestId", "HostId")
        self.start()
        self.rclone("operations/mkdir", fs=f"s3:{self.bucket}", remote="")

    def start(self) -> None:
        if not self.ceph.gateway_runs:
            self.ceph.start_gateway()

    def kill(self) -> None:
        if self.ceph.gateway_runs:
            self.ceph.end_gateway()

    def end_and_start(self) -> None:
        """Have it forget what it only remembers."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        self.ceph.signal_gateway(signal.SIGSTOP)

    def thaw(self) -> None:
        self.ceph.signal_gateway(signal.SIGCONT)

    def held(self) -> dict[str, str]:
        place = f"s3:{self.bucket}"
        listed = self.rclone("operations/list", fs=place, remote="", opt={"recurse": True, "filesOnly": True})["list"]
        sizes = {one["Path"]: one["Size"] for one in listed or ()}
        said = self.rclone("operations/hashsum", fs=place, hashType="sha256", download=True)["hashsum"] if sizes else []
        sums = {name: digest for digest, _, name in (line.partition("  ") for line in said)}
        return {name: f"{size} bytes, {sums.get(name)}" for name, size in sizes.items()}

    def unfinished(self) -> int:
        said = self.rclone("backend/command", command="list-multipart-uploads", fs=f"s3:{self.bucket}")
        return sum(len(uploads) for uploads in said["result"].values())

    def damage(self, name: str, at: int) -> None:
        """Behind the gateway's back; the file has to be small enough to be one object of the cluster."""
        self.ceph.turn_bit(self.bucket, name, at)

    def strangers(self) -> Iterator[tuple[str, Remote]]:
        folder = self._folder
        stranger = replace(self.user, access_key="AKNOBODYKNOWSTHISONE")
        unknown = write_credentials(folder / "unknown.toml", stranger)
        yield "access_key", replace(self.maker, credentials=unknown)()
        guess = write_credentials(folder / "guess.toml", replace(self.user, secret_key="s" * 40))
        yield "secret_key", replace(self.maker, credentials=guess)()
        beside = write_credentials(folder / "beside.toml", self.ceph.user(f"{self.bucket}x"))
        yield "policy", replace(self.maker, credentials=beside)()
        yield "credentials names", replace(self.maker, credentials=folder / "absent.toml")()
        other = folder / "other.pem"
        other.write_bytes(Authority().pem)
        yield "remote.ca", replace(self.maker, ca=other)()
        yield "remote.ca", replace(self.maker, ca=folder / "absent.pem")()
        yield "clock", replace(self.maker, clock_is_off=timedelta(minutes=20))()
        yield "clock", replace(self.maker, clock_is_off=timedelta(minutes=-20))()
        yield "remote.bucket", replace(self.maker, bucket=f"{self.bucket}-absent")()

    def close(self) -> None:
        self.start()
        self.rclone.close()
