"""A real S3 server: Ceph with its object gateway, from the tree that ``tests/tools/fetch-ceph`` brings.

One monitor, one manager-less store daemon (BlueStore on a file) and one gateway as plain child processes in a folder,
started through the tree's own C library: no root, no chroot, no mount, and nothing that is left when they are ended.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent.parent
TREE: Final = ROOT / ".cache" / "ceph"
PATIENCE_S: Final = 120.0  # a busy machine is slow, not broken
HOST: Final = "127.0.0.1"

_CONF: Final = """
[global]
fsid = {fsid}
mon_initial_members = a
mon_host = [v2:{host}:{mon_port}]
public_addr = {host}
cluster_addr = {host}
ms_bind_msgr1 = false
auth_allow_insecure_global_id_reclaim = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_osd_full_ratio = .98
mon_osd_backfillfull_ratio = .97
mon_osd_nearfull_ratio = .96
mon_cluster_log_file = {folder}/log/cluster.log
mon_data_avail_crit = 1
mon_data_avail_warn = 1
osd_crush_chooseleaf_type = 0
osd_memory_target = 939524096
osd_client_watch_timeout = 3
osd_class_load_list = *
osd_class_default_list = *
osd_class_dir = {libs}/rados-classes
plugin_dir = {libs}/ceph
erasure_code_dir = {libs}/ceph/erasure-code
bluestore_block_size = {disk_bytes}
bluestore_block_create = true
bluestore_block_db_create = false
bluestore_block_wal_create = false
run_dir = {folder}/run
log_file = {folder}/log/$name.log
admin_socket = {folder}/run/$name.asok
pid_file =
crash_dir = {folder}/crash
mon_data = {folder}/mon
osd_data = {folder}/osd
keyring = {folder}/keyring
mgr_initial_modules =
[osd]
keyring = {folder}/osd/keyring
[client.admin]
rgw_data = {folder}/rgw
rgw_frontends = beast ssl_endpoint={host}:{port} ssl_certificate={folder}/gateway.pem tcp_nodelay=1
rgw_thread_pool_size = 64
rgw_dns_name =
rgw_enable_usage_log = false
# Its thread that sums up quotas ends the gateway when a bucket goes at that moment (20.2.4, an assertion in shard_io).
rgw_enable_quota_threads = false
rgw_bucket_quota_ttl = 0
rgw_bucket_quota_soft_threshold = 0
rgw_user_max_buckets = 0
"""


@dataclass(frozen=True)
class User:
    """Somebody whom the gateway knows."""

    name: str
    access_key: str
    secret_key: str


def _are_stopped(process: int) -> bool:
    """Whether each of its threads is: the one that hears the signal may have to wait for a busy machine."""
    states = set()
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended
            states.add((task / "stat").read_text().rpartition(")")[2].split()[0])
    return states == {"T"}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        return int(listening.getsockname()[1])


class Ceph:
    """A cluster of one. ``pem``: certificate and key that the gateway shows."""

    def __init__(self, folder: Path, pem: bytes, *, disk_bytes: int = 6 << 30) -> None:
        self._folder = folder
        self._libs = next((TREE / "usr/lib").glob("*-linux-gnu*"))
        self.port = free_port()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("mon", "osd", "rgw", "log", "run", "crash"):
            (folder / name).mkdir()
        (folder / "gateway.pem").write_bytes(pem)
        facts = {"fsid": uuid.uuid4(), "host": HOST, "mon_port": free_port(), "port": self.port, "libs": self._libs}
        (folder / "ceph.conf").write_text(_CONF.format(**facts, disk_bytes=disk_bytes, folder=folder))

    @property
    def endpoint(self) -> str:
        return f"https://{HOST}:{self.port}"

    def start(self) -> None:
        """Everything from nothing; returns when the gateway answers."""
        conf = self._folder / "ceph.conf"
        fsid = next(line.split()[-1] for line in conf.read_text().splitlines() if line.startswith("fsid"))
        monmap = self._folder / "monmap"
        mon_host = next(line.split()[-1] for line in conf.read_text().splitlines() if line.startswith("mon_host"))
        self._run("monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a", mon_host, str(monmap))
        keyring = str(self._folder / "keyring")
        all_of_it = [word for part in ("mon", "osd", "mgr") for word in ("--cap", part, "allow *")]
        self._run("ceph-authtool", "-C", keyring, "--gen-key", "-n", "client.admin", *all_of_it)
        self._run("ceph-authtool", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", str(monmap), "--keyring", keyring)
        self._daemon("ceph-mon", "-i", "a")
        osd_uuid = str(uuid.uuid4())
        key = self._run("ceph-authtool", "--gen-print-key").strip()
        number = self._ceph("osd", "new", osd_uuid, "-i", "-", given=json.dumps({"cephx_secret": key})).strip()
        osd_keyring = str(self._folder / "osd/keyring")
        self._run("ceph-authtool", "-C", osd_keyring, "-n", f"osd.{number}", "--add-key", key)
        self._run("ceph-osd", "-i", number, "--mkfs", "--osd-uuid", osd_uuid)
        self._daemon("ceph-osd", "-i", number)
        self.start_gateway()

    def start_gateway(self) -> None:
        self._daemon("radosgw", "-n", "client.admin")
        self._until(self._answers, "the gateway does not answer")

    def end_gateway(self, *, how: int = signal.SIGKILL) -> None:
        """As a power cut would, unless told otherwise."""
        gateway = self._running.pop("radosgw")
        gateway.send_signal(how)
        gateway.wait(PATIENCE_S)

    @property
    def gateway_runs(self) -> bool:
        return "radosgw" in self._running

    def signal_gateway(self, number: int) -> None:
        """Stop it or let it go on; when this returns each of its threads has."""
        gateway = self._running["radosgw"]
        gateway.send_signal(number)
        stopped = number == signal.SIGSTOP
        self._until(lambda: _are_stopped(gateway.pid) is stopped, "the gateway heeds no signal")

    def turn_bit(self, bucket: str, key: str, at: int) -> None:
        """Of what a small object holds, where nobody but the cluster itself looks."""
        pool = "default.rgw.buckets.data"
        marker = self.admin("bucket", "stats", f"--bucket={bucket}")["marker"]
        copy = self._folder / "copy"
        self._run("rados", "-p", pool, "get", f"{marker}_{key}", str(copy))
        data = bytearray(copy.read_bytes())
        data[at] ^= 1
        copy.write_bytes(data)
        self._run("rados", "-p", pool, "put", f"{marker}_{key}", str(copy))

    def cpu_s(self) -> float:
        """What all of it has used so far."""
        stats = [Path(f"/proc/{process.pid}/stat").read_text() for process in self._running.values()]
        ticks = sum(int(word) for stat in stats for word in stat.rpartition(")")[2].split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")

    def collect_garbage(self) -> None:
        """Give the room of what was erased back now, instead of within hours."""
        self.admin("gc", "process", "--include-all")

    def stop(self) -> None:
        """End what was started; nobody needs what it holds."""
        for process in reversed(self._running.values()):
            process.kill()
        for process in self._running.values():
            process.wait(PATIENCE_S)
        self._running.clear()

    def user(self, name: str) -> User:
        """A new user, with a key that the gateway made up."""
        made = self.admin("user", "create", f"--uid={name}", f"--display-name={name}")
        key = made["keys"][0]
        return User(name, key["access_key"], key["secret_key"])

    def admin(self, *words: str) -> Any:
        """What ``radosgw-admin`` says, read as JSON where it says anything."""
        said = self._run("radosgw-admin", *words)
        return json.loads(said) if said.strip() else None

    def _answers(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def _until(self, holds: Any, otherwise: str) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while not holds():
            dead = [name for name, process in self._running.items() if process.poll() is not None]
            if dead or time.monotonic() > until_s:
                raise RuntimeError(f"{otherwise}; ended by itself: {dead}; {self._last_words()}")
            time.sleep(0.1)

    def _last_words(self) -> str:
        logs = sorted((self._folder / "log").iterdir())
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in logs)

    def _command(self, program: str, *words: str) -> list[str]:
        loader = next(self._libs.glob("ld-linux-*.so.*"))
        libraries = f"{self._libs}:{self._libs}/ceph"
        return [str(loader), "--library-path", libraries, str(TREE / "usr/bin" / program), *words]

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "PYTHONHOME": str(TREE / "usr"), "LC_ALL": "C"}

    def _daemon(self, program: str, *words: str) -> None:
        command = self._command(program, "-c", str(self._folder / "ceph.conf"), "-f", *words)
        with (self._folder / "log" / f"{program}.said").open("ab") as said:
            self._running[program] = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    def _ceph(self, *words: str, given: str = "") -> str:
        """The cluster's own command, which is a Python program of the tree's Python."""
        return self._run("python3", str(TREE / "usr/bin/ceph"), *words, given=given)

    def _run(self, program: str, *words: str, given: str = "") -> str:
        conf = [] if program == "monmaptool" else ["-c", str(self._folder / "ceph.conf")]
        command = self._command(program, *words, *conf)
        done = subprocess.run(
            command,
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} {words[:2]} failed ({done.returncode}): {done.stderr[-1500:]}")
        return done.stdout
