"""What is S3's own: rights, locks, versions and quotas at a real gateway, and somebody between who changes words."""

from __future__ import annotations

import io
import json
import logging
import os
import random
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from device.errors import PutOffError, RemoteAbsentError, RemoteAwayError, RemoteError, RemoteFullError, SottoError
from device.recording import SESSION_NAME
from device.remote import MOST_AGAIN_BYTES, Held
from device.remote_s3 import S3Remote
from device.s3_http import Body
from device.s3_listing import list_versions
from tests.remote.ceph import HOST, Ceph
from tests.remote.certificates import DAY, Authority
from tests.remote.s3_between import Between, Heard, PassOn, Reply, between
from tests.remote.s3_server import S3Maker, S3Server, write_credentials
from tests.remote.servers import MIB, known, some_bytes
from tests.remote.uploader import Job, upload

FOLDER = "clinic/room-3/2026/11/000042-8k2ja63cjm"
NAME = f"{FOLDER}/{SESSION_NAME}"
LONG = 24 * MIB
CUT = 20 * MIB  # more than is ever sent again, and not all of it


@pytest.fixture(scope="module")
def server(ceph: Ceph, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    made = S3Server(ceph, authority, tmp_path_factory.mktemp("s3"))
    yield made
    made.close()


@pytest.fixture
def remote(server: S3Server) -> Iterator[S3Remote]:
    """The bucket, empty."""
    with closing(server.maker()) as made:
        made.erase("clinic")
        yield made


@pytest.fixture
def liar(server: S3Server, authority: Authority, tmp_path: Path) -> Iterator[Between]:
    with between(server.ceph.port, authority.issue(HOST), tmp_path) as made:
        yield made


@pytest.fixture
def through(server: S3Server, remote: S3Remote, liar: Between) -> Iterator[S3Remote]:
    """The same bucket, with somebody between."""
    with closing(maker_through(server, liar)()) as made:
        yield made


def maker_through(server: S3Server, liar: Between) -> S3Maker:
    return replace(server.maker, endpoint=liar.endpoint)


def put(remote: S3Remote, data: bytes, name: str = NAME, *, replace: bool = False) -> bool:
    return remote.put(name, io.BytesIO(data), replace=replace)


def read(remote: S3Remote, name: str = NAME) -> str:
    return known(b"".join(remote.read(name)))


def shown(problem: SottoError) -> str:
    return "".join(traceback.format_exception(problem)) + problem.what + problem.hint


class Moved:
    """A pace that counts."""

    def __init__(self) -> None:
        self.bytes = 0

    def __call__(self, length: int) -> None:
        self.bytes += length


# -- rights -----------------------------------------------------------------------------------------------------------


def allow(maker: S3Maker, *statements: dict[str, object]) -> None:
    """Give a bucket its policy, as its owner does."""
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()
    with closing(maker()) as owner:
        owner._http.ask("PUT", query={"policy": ""}, body=Body.of(text))


@pytest.fixture
def box(server: S3Server, remote: S3Remote, tmp_path: Path) -> Iterator[S3Remote]:
    """Somebody who may only write into one room, and read again what is there (docs/clinic-server.md)."""
    user = server.ceph.user(f"box{os.urandom(4).hex()}")
    writes = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:GetObject"]
    owner = {"Principal": {"AWS": [f"arn:aws:iam:::user/{server.user.name}"]}, "Action": ["s3:*"]}
    allow(
        server.maker,
        # What a box puts belongs to the box's user: without this the owner of the bucket could not read it.
        {"Effect": "Allow", **owner, "Resource": [f"arn:aws:s3:::{server.bucket}/*"]},
        {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam:::user/{user.name}"]},
            "Action": writes,
            "Resource": [f"arn:aws:s3:::{server.bucket}/clinic/room-3/*"],
        },
    )
    credentials = write_credentials(tmp_path / "box.toml", user)
    with closing(replace(server.maker, credentials=credentials, notes=tmp_path / "notes")()) as made:
        yield made


def put_off_at(at_bytes: int) -> Callable[[int], None]:
    moved = Moved()

    def pace(length: int) -> None:
        if moved.bytes >= at_bytes:
            raise PutOffError("somebody paused", "it goes on by itself")
        moved(length)

    return pace


def test_a_box_that_may_only_write_its_own_sends_goes_on_and_reads_again(server: S3Server, box: S3Remote) -> None:
    data, moved = some_bytes(LONG), Moved()
    with pytest.raises(PutOffError):
        box.put(NAME, io.BytesIO(data), pace=put_off_at(CUT))
    assert box.put(NAME, io.BytesIO(data), pace=moved) is True
    assert moved.bytes <= LONG - CUT + MOST_AGAIN_BYTES
    assert read(box) == known(data)
    assert put(box, b"another") is False
    assert put(box, b"small", f"{FOLDER}/manifest.json") is True
    assert server.held() == {NAME: known(data), f"{FOLDER}/manifest.json": known(b"small")}


def test_a_box_that_may_only_write_its_own_is_refused_all_else(server: S3Server, box: S3Remote) -> None:
    put(box, b"mine")
    with closing(server.maker()) as clinic:
        put(clinic, b"theirs", "clinic/room-4/x")
        for refused in (
            lambda: put(box, b"x", "clinic/room-4/y"),
            lambda: put(box, some_bytes(9 * MIB), "clinic/room-4/y"),
            lambda: read(box, "clinic/room-4/x"),
            lambda: list(box.names("")),
            lambda: list(box.names("clinic/room-3")),
            lambda: box.erase(FOLDER),
            lambda: box.erase("clinic/room-4"),
        ):
            with pytest.raises(RemoteError, match="does not allow") as told:
                refused()
            assert not isinstance(told.value, RemoteAbsentError)
    assert server.held() == {NAME: known(b"mine"), "clinic/room-4/x": known(b"theirs")}


def test_a_box_that_may_not_erase_still_takes_back_what_it_had_begun(server: S3Server, box: S3Remote) -> None:
    with pytest.raises(PutOffError):
        box.put(NAME, io.BytesIO(some_bytes(LONG)), pace=put_off_at(CUT))
    assert server.unfinished() == 1
    with pytest.raises(RemoteError, match="does not allow"):
        box.erase(FOLDER)
    assert server.unfinished() == 0


def test_a_desk_needs_no_right_to_see_uploads_to_erase(server: S3Server, remote: S3Remote, tmp_path: Path) -> None:
    user = server.ceph.user(f"desk{os.urandom(4).hex()}")
    desk = {"Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{user.name}"]}}
    actions = ["s3:ListBucket", "s3:ListBucketVersions"]
    erases = ["s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion"]
    allow(
        server.maker,
        {**desk, "Action": actions, "Resource": [f"arn:aws:s3:::{server.bucket}"]},
        {**desk, "Action": erases, "Resource": [f"arn:aws:s3:::{server.bucket}/*"]},
    )
    put(remote, b"1")
    put(remote, b"2", f"{FOLDER}/manifest.json")
    credentials = write_credentials(tmp_path / "desk.toml", user)
    with closing(replace(server.maker, credentials=credentials, notes=None)()) as clinic:
        assert len(list(clinic.names("clinic"))) == 2
        clinic.erase(FOLDER)
    assert server.held() == {}


# -- locks, versions, quotas ------------------------------------------------------------------------------------------


def bucket_beside(server: S3Server, tmp_path: Path, *, headers: dict[str, str], **settings: bytes) -> S3Maker:
    """Another bucket of the same owner, with settings of its own."""
    maker = replace(server.maker, bucket=f"b{os.urandom(5).hex()}", notes=tmp_path / "beside")
    with closing(maker()) as owner:
        owner._http.ask("PUT", headers=headers)
        for setting, text in settings.items():
            owner._http.ask("PUT", query={setting.replace("_", "-"): ""}, body=Body.of(text))
    return maker


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_what_the_clinic_locked_is_not_erased_and_that_is_told(server: S3Server, tmp_path: Path, mode: str) -> None:
    rule = f"<Rule><DefaultRetention><Mode>{mode}</Mode><Days>1</Days></DefaultRetention></Rule>"
    lock = f"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>"
    maker = bucket_beside(
        server, tmp_path, headers={"x-amz-bucket-object-lock-enabled": "true"}, object_lock=lock.encode()
    )
    data = some_bytes(9 * MIB)
    with closing(maker()) as remote:
        assert put(remote, data) is True
        assert put(remote, b"2") is False
        with pytest.raises(RemoteError, match="locked"):
            remote.erase(FOLDER)
        assert read(remote) == known(data)


def test_of_a_bucket_that_keeps_versions_every_one_is_erased(server: S3Server, tmp_path: Path) -> None:
    maker = bucket_beside(
        server,
        tmp_path,
        headers={},
        versioning=b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    )
    with closing(maker()) as remote:
        for data in (b"first", some_bytes(9 * MIB), b"third"):
            assert put(remote, data, replace=True) is True
        put(remote, b"stays", "clinic/room-3/2026/11/000043-x/manifest.json")
        assert len(list(list_versions(remote._http, FOLDER))) == 3
        remote.erase(FOLDER)
        assert list(list_versions(remote._http, f"{FOLDER}/")) == []
        assert [held.name for held in remote.names("")] == ["clinic/room-3/2026/11/000043-x/manifest.json"]


def test_whoever_cannot_see_versions_is_told_so_and_never_that_all_is_gone(server: S3Server, tmp_path: Path) -> None:
    user = server.ceph.user(f"blind{os.urandom(4).hex()}")
    maker = bucket_beside(
        server,
        tmp_path,
        headers={},
        versioning=b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    )
    blind = {"Effect": "Allow", "Principal": {"AWS": [f"arn:aws:iam:::user/{user.name}"]}}
    sees = ["s3:ListBucket", "s3:GetBucketVersioning"]
    allow(
        maker,
        {**blind, "Action": sees, "Resource": [f"arn:aws:s3:::{maker.bucket}"]},
        {**blind, "Action": ["s3:DeleteObject"], "Resource": [f"arn:aws:s3:::{maker.bucket}/*"]},
    )
    credentials = write_credentials(tmp_path / "blind.toml", user)
    with closing(maker()) as owner, closing(replace(maker, credentials=credentials)()) as remote:
        put(owner, b"1")
        for _ in range(2):
            with pytest.raises(RemoteError, match="versions"):
                remote.erase(FOLDER)
        assert read(owner) == known(b"1")


def test_the_recording_itself_is_erased_first(remote: S3Remote, through: S3Remote, liar: Between) -> None:
    for file in ("attachments/label.age", "manifest.json", SESSION_NAME, "zzz"):
        put(remote, b"1", f"{FOLDER}/{file}")
    liar.heard.clear()
    through.erase(FOLDER)
    deleted = [line.split()[1].partition("?")[0] for line in liar.heard if line.startswith("DELETE")]
    assert deleted[0].endswith(f"/{NAME}")
    assert len(deleted) == 4


@pytest.mark.parametrize("size", [12 * MIB, 6 * MIB])
def test_a_quota_that_is_used_up_is_told_as_full(server: S3Server, tmp_path: Path, size: int) -> None:
    user = server.ceph.user(f"small{os.urandom(4).hex()}")
    server.ceph.admin("quota", "set", "--quota-scope=user", f"--uid={user.name}", f"--max-size={5 * MIB}")
    server.ceph.admin("quota", "enable", "--quota-scope=user", f"--uid={user.name}")
    credentials = write_credentials(tmp_path / "small.toml", user)
    maker = replace(server.maker, bucket=user.name, credentials=credentials, notes=tmp_path / "notes")
    with closing(maker()) as remote:
        remote._http.ask("PUT")
        assert put(remote, some_bytes(4 * MIB), "clinic/first") is True
        with pytest.raises(RemoteFullError) as told:
            put(remote, some_bytes(size))
        assert "quota" in told.value.hint
        with pytest.raises(RemoteAbsentError):
            read(remote)
        server.ceph.admin("quota", "disable", "--quota-scope=user", f"--uid={user.name}")
        server.end_and_start()
        assert put(remote, some_bytes(size)) is True


# -- somebody between -------------------------------------------------------------------------------------------------


def is_sent(heard: Heard) -> bool:
    return heard.sends_part or (heard.method == "PUT" and bool(heard.body))


def test_a_storm_of_503_is_waited_out_and_gone_on_after(remote: S3Remote, through: S3Remote, liar: Between) -> None:
    data, parts, moved = some_bytes(LONG), iter(range(99)), Moved()

    def storm(heard: Heard, pass_on: PassOn) -> Reply:
        if heard.sends_part and next(parts) >= 1:
            return Reply(503, b"<Error><Code>SlowDown</Code><Message>go away</Message></Error>", {"Retry-After": "7"})
        return pass_on(heard)

    liar.rule = storm
    with pytest.raises(RemoteAwayError) as told:
        put(through, data)
    assert told.value.retry_after_s == 7.0
    liar.rule = lambda heard, pass_on: pass_on(heard)
    assert through.put(NAME, io.BytesIO(data), pace=moved) is True
    assert moved.bytes == LONG - 8 * MIB
    assert read(remote) == known(data)


def test_bytes_that_change_on_the_way_are_refused_by_the_server(
    server: S3Server, through: S3Remote, liar: Between
) -> None:
    def spoil(heard: Heard, pass_on: PassOn) -> Reply:
        if is_sent(heard):
            middle = len(heard.body) // 2
            heard.body = heard.body[:middle] + bytes([heard.body[middle] ^ 1]) + heard.body[middle + 1 :]
        return pass_on(heard)

    for data in (b"small", some_bytes(20 * MIB)):
        liar.rule = spoil
        with pytest.raises(RemoteAwayError, match="not what was sent"):
            put(through, data)
        assert server.held() == {}
        liar.rule = lambda heard, pass_on: pass_on(heard)
        assert put(through, data) is True
        assert server.held() == {NAME: known(data)}
        through.erase(FOLDER)


@pytest.mark.parametrize("size", [9, 20 * MIB])
def test_a_server_that_says_stored_and_stored_nothing_is_found_out_by_reading(
    through: S3Remote, liar: Between, size: int
) -> None:
    done = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"

    def lie(heard: Heard, pass_on: PassOn) -> Reply:
        if heard.completes:
            return Reply(200, done)
        return Reply(200, headers={"ETag": '"e"'}) if is_sent(heard) else pass_on(heard)

    liar.rule = lie
    assert put(through, some_bytes(size)) is True
    with pytest.raises(RemoteAbsentError):
        read(through)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("InternalError", RemoteAwayError), ("AccessDenied", RemoteError), ("QuotaExceeded", RemoteFullError)],
)
def test_an_error_inside_a_success_is_heard_and_nothing_is_sent_twice(
    server: S3Server, through: S3Remote, liar: Between, code: str, kind: type[SottoError]
) -> None:
    data, moved = some_bytes(20 * MIB), Moved()

    def fail(heard: Heard, pass_on: PassOn) -> Reply:
        if heard.completes:
            return Reply(200, b"  \n <Error><Code>" + code.encode() + b"</Code><Message>oh</Message></Error>")
        return pass_on(heard)

    liar.rule = fail
    with pytest.raises(kind):
        put(through, data)
    assert server.held() == {}
    liar.rule = lambda heard, pass_on: pass_on(heard)
    assert through.put(NAME, io.BytesIO(data), pace=moved) is True
    assert moved.bytes == 0
    assert server.held() == {NAME: known(data)}


@pytest.mark.parametrize("size", [9, 20 * MIB])
def test_a_success_that_is_cut_off_counts_as_none_and_the_next_time_it_is_there(
    server: S3Server, through: S3Remote, liar: Between, size: int
) -> None:
    data = some_bytes(size)

    def cut(heard: Heard, pass_on: PassOn) -> Reply:
        reply = pass_on(heard)
        if heard.completes or (size == 9 and heard.method == "PUT"):
            reply.body, reply.cut = reply.body or b"some words", 4
        return reply

    liar.rule = cut
    with pytest.raises(RemoteAwayError):
        put(through, data)
    liar.rule = lambda heard, pass_on: pass_on(heard)
    assert put(through, data) is False
    assert read(through) == known(data)
    assert (server.held(), server.unfinished()) == ({NAME: known(data)}, 0)


def test_an_upload_that_the_server_forgot_is_begun_anew(server: S3Server, remote: S3Remote) -> None:
    data = some_bytes(LONG)
    with pytest.raises(PutOffError):
        remote.put(NAME, io.BytesIO(data), pace=put_off_at(CUT))
    server.rclone("backend/command", command="cleanup", fs=f"s3:{server.bucket}", opt={"max-age": "0s"})
    assert server.unfinished() == 0
    assert put(remote, data) is True
    assert server.held() == {NAME: known(data)}


def test_a_file_that_is_cut_short_on_its_way_back_does_not_pass_for_whole(through: S3Remote, liar: Between) -> None:
    put(through, some_bytes(3 * MIB))

    def cut(heard: Heard, pass_on: PassOn) -> Reply:
        reply = pass_on(heard)
        reply.cut = 2 * MIB + 5 if heard.method == "GET" else None
        return reply

    liar.rule = cut
    with pytest.raises(RemoteAwayError):
        read(through)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_told_and_not_followed(through: S3Remote, liar: Between, status: int) -> None:
    with socket.create_server((HOST, 0)) as elsewhere:
        elsewhere.setblocking(False)
        address = f"https://{HOST}:{elsewhere.getsockname()[1]}/"
        liar.rule = lambda _heard, _pass_on: Reply(status, headers={"Location": address})
        for call in (lambda: put(through, b"1"), lambda: read(through), lambda: through.erase(FOLDER)):
            with pytest.raises(RemoteError, match="elsewhere") as told:
                call()
            assert "remote.endpoint" in told.value.hint
            assert address not in shown(told.value)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


@pytest.mark.parametrize(
    ("body", "status"), [(b"<html>Welcome to the hospital's guest network</html>", 200), (b"", 204), (b"\0" * 9, 200)]
)
def test_something_else_in_its_place_is_not_believed(
    through: S3Remote, liar: Between, body: bytes, status: int
) -> None:
    def welcome(heard: Heard, pass_on: PassOn) -> Reply:
        return pass_on(heard) if heard.method == "HEAD" else Reply(status, body)

    liar.rule = welcome
    for call in (
        lambda: put(through, some_bytes(9 * MIB)),
        lambda: list(through.names("")),
        lambda: through.erase("x"),
    ):
        with pytest.raises(RemoteAwayError):
            call()


def test_a_list_that_never_ends_is_given_up(through: S3Remote, liar: Between) -> None:
    endless = (
        b"<ListBucketResult><IsTruncated>true</IsTruncated>"
        b"<NextContinuationToken>again</NextContinuationToken></ListBucketResult>"
    )
    liar.rule = lambda _heard, _pass_on: Reply(200, endless)
    with pytest.raises(RemoteAwayError):
        list(through.names(""))


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "starts", "ends", "advice"),
    [
        (HOST, -2 * DAY, -DAY, "clock"),
        (HOST, DAY, 2 * DAY, "clock"),
        ("127.0.0.2", -DAY, DAY, "remote.endpoint"),
    ],
    ids=["expired", "not yet", "of another"],
)
def test_a_certificate_that_does_not_hold_is_told_with_advice(
    server: S3Server,
    authority: Authority,
    tmp_path: Path,
    address: str,
    starts: timedelta,
    ends: timedelta,
    advice: str,
) -> None:
    pem = authority.issue(address, starts=starts, ends=ends)
    with (
        between(server.ceph.port, pem, tmp_path) as wrong,
        closing(maker_through(server, wrong)()) as remote,
        pytest.raises(RemoteError, match="certificate") as told,
    ):
        put(remote, b"1")
    assert advice in told.value.hint
    assert wrong.heard == []


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"])
def test_a_server_that_dies_inside_tls_is_away_and_no_matter_of_certificates(server: S3Server, says: bytes) -> None:
    with socket.create_server((HOST, 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(9)
                connection.sendall(says)

        thread = threading.Thread(target=answer)
        thread.start()
        maker = replace(server.maker, endpoint=f"https://{HOST}:{listening.getsockname()[1]}")
        with closing(maker()) as remote, pytest.raises(RemoteAwayError):
            put(remote, b"1")
        thread.join()


# -- cuts -------------------------------------------------------------------------------------------------------------


def test_kills_at_any_byte_cost_no_more_than_two_parts_each_as_the_server_counts(
    server: S3Server, through: S3Remote, liar: Between, tmp_path: Path, rounds: int
) -> None:
    size = LONG if rounds <= 5 else rounds * 20 * MIB
    path, chance = tmp_path / "source", random.Random(5)
    path.write_bytes(some_bytes(size))
    maker, cuts = maker_through(server, liar), 0
    for _ in range(rounds):
        run = upload(Job(maker, NAME, path, die_after_bytes=chance.randrange(1, 2 * size // rounds)))
        if run.answer is not None:
            break
        cuts += 1
        assert NAME not in server.held()
    upload(Job(maker, NAME, path))
    assert server.held() == {NAME: known(path.read_bytes())}
    assert server.unfinished() == 0
    slack = 64 << 10  # questions and lists
    assert liar.body_bytes <= size + cuts * MOST_AGAIN_BYTES + slack
    assert cuts > rounds // 2


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_is_in_a_log_however_much_is_logged(
    server: S3Server,
    through: S3Remote,
    liar: Between,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    put(through, some_bytes(9 * MIB))
    liar.rule = lambda _heard, _pass_on: Reply(503)
    for call in (lambda: put(through, b"1", replace=True), lambda: read(through)):
        with pytest.raises(RemoteAwayError) as told:
            call()
        caplog.handler.stream.write(shown(told.value))
    out, err = capfd.readouterr()
    said = caplog.text + out + err + repr(through) + repr(vars(through))
    assert not [secret for secret in server.secrets[:2] if secret in said]


def test_neither_environment_nor_home_is_asked_for_credentials_or_a_way(
    server: S3Server, remote: S3Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = server.user
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", user.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", user.secret_key)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.maker.ca))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    keys = f"aws_access_key_id = {user.access_key}\naws_secret_access_key = {user.secret_key}\n"
    (tmp_path / ".aws" / "credentials").write_text(f"[default]\n{keys}")
    assert put(remote, b"1") is True
    with closing(replace(server.maker, credentials=tmp_path / "absent")()) as without:
        with pytest.raises(RemoteError, match="credentials"):
            put(without, b"2")
        assert list(remote.names("")) == [Held(NAME, 1)]
