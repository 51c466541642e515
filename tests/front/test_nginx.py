"""The page behind a real nginx: what reaches it, what sends the files, and what stays out."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from device.audit_requests import AUDIT_SOCKET_NAME
from device.config import WebSection
from device.errors import ConfigError
from device.people.person import Role
from device.recording import SESSION_NAME
from device.web.front import MOST_BODY_BYTES, Front
from device.web.nginx import Places, nginx_config
from tests.front.conftest import Site
from tests.front.nginx_server import HOST, nginx, page_at
from tests.remote.certificates import Authority
from tests.web.published import add_recording
from tests.web.visitors import add_person, begin

SEALED = bytes(range(256)) * 2_000
SIZE = len(SEALED)


@pytest.fixture
def recording_id(site: Site) -> str:
    return add_recording(site.box.store, sealed=SEALED)


def sealed(recording_id: str) -> str:
    return f"/recordings/{recording_id}/{SESSION_NAME}"


def pulled_bytes(site: Site) -> int:
    """How much may have left, by the audit log."""
    pulls = [entry["facts"] for entry in site.box.noted() if entry["what"] == "pull"]
    return max((int(pull["up_to_bytes"]) for pull in pulls), default=0)


def test_a_stranger_reaches_the_page_and_gets_nothing(site: Site, recording_id: str) -> None:
    for path in ("/", sealed(recording_id), f"/recordings/{recording_id}/manifest.json", "/status.json"):
        status, headers, body = site.nginx.ask(path)
        assert status in {303, 401}
        assert recording_id.encode() not in body
        assert headers["strict-transport-security"]
    assert site.box.noted() == []


def test_somebody_who_is_signed_in_sees_the_list_and_every_answer_has_its_headers(
    site: Site, recording_id: str
) -> None:
    status, headers, body = site.nginx.ask("/", **site.signed_in())
    assert (status, recording_id.encode() in body) == (200, True)
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers or "/" not in headers["server"]  # no version


def test_the_whole_file_comes_from_nginx_as_the_page_would_send_it(site: Site, recording_id: str) -> None:
    status, headers, body = site.nginx.ask(sealed(recording_id), **site.signed_in())
    assert (status, body) == (200, SEALED)
    assert headers["content-length"] == str(SIZE)
    assert headers["accept-ranges"] == "bytes"
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"] == f'attachment; filename="{recording_id}.mp4.age"'
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-cache"
    assert "x-accel-redirect" not in headers
    assert pulled_bytes(site) >= SIZE


# Each asks for some part; the ``etag`` of the file takes the place of {etag}.
ASKED: list[dict[str, str]] = [
    {},
    {"Range": "bytes=0-0"},
    {"Range": "bytes=65536-131071"},
    {"Range": "bytes=100-"},
    {"Range": "bytes=-100"},
    {"Range": f"bytes=-{SIZE * 3}"},
    {"Range": "bytes=5-999999999999"},
    {"Range": "bytes= 5-9"},
    {"Range": "Bytes=5-9"},
    {"Range": f"bytes={SIZE}-"},
    {"Range": "bytes=-0"},
    {"Range": "bytes=0-1,5-6"},
    {"Range": "bytes=-"},
    {"Range": "bytes=9-3"},
    {"Range": "bytes=1-2,"},
    {"Range": "bytes=" + "9" * 300 + "-"},
    {"Range": "chunks=0-1"},
    {"Range": "bytes=10-19", "If-Range": "{etag}"},
    {"Range": "bytes=10-19", "If-Range": '"other"'},
    {"Range": "bytes=10-19", "If-Range": "W/{etag}"},
    {"Range": "bytes=10-19", "If-Range": "Wed, 21 Oct 2015 07:28:00 GMT"},
    {"Range": "bytes=0-1,5-6", "If-Range": "{etag}"},
    {"Range": "bytes=9-3", "If-Range": "{etag}"},
    {"Range": "bytes=9-3", "If-Range": '"other"'},
    {"If-None-Match": "{etag}"},
    {"If-None-Match": '"other"'},
    {"If-None-Match": "{etag}", "Range": "bytes=0-5"},
    {"If-None-Match": "*"},
]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: "; ".join(asked.values()) or "the whole")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nginx_hands_out_just_what_the_page_by_itself_would(
    site: Site, recording_id: str, asked: dict[str, str], method: str
) -> None:
    known = site.signed_in()
    path = sealed(recording_id)
    _, facts, _ = site.nginx.ask(path, method="HEAD", **known)
    filled = {name: value.replace("{etag}", facts["etag"]) for name, value in asked.items()}
    here = site.box.app(room=False, front=Front()).test_client()
    here.set_cookie("sotto", known["Cookie"].partition("=")[2], domain="localhost")
    wanted = here.open(path, method=method, headers=filled)
    status, headers, body = site.nginx.ask(path, method=method, **known, **filled)
    assert (status, body) == (wanted.status_code, wanted.data)
    for name in ("ETag", "Content-Range", "Content-Length", "Accept-Ranges"):
        if status != 304:  # of which nginx says less
            assert headers.get(name.lower()) == wanted.headers.get(name), name
    assert len(body) <= max(pulled_bytes(site), 200 if status == 416 else 0)


def test_a_download_that_was_cut_goes_on_and_a_file_that_changed_comes_whole(site: Site, recording_id: str) -> None:
    known, path = site.signed_in(), sealed(recording_id)
    with site.nginx.talking() as connection:
        connection.request("GET", path, headers=known)
        answer = connection.getresponse()
        etag, first = answer.headers["ETag"], answer.read(1000)
    goes_on = {"Range": "bytes=1000-", "If_Range": etag}
    status, headers, rest = site.nginx.ask(path, **known, **goes_on)
    assert (status, first + rest) == (206, SEALED)
    assert headers["content-range"] == f"bytes 1000-{SIZE - 1}/{SIZE}"
    (site.box.store.folder(recording_id) / SESSION_NAME).write_bytes(SEALED[::-1] + b"more")
    status, _, whole = site.nginx.ask(path, **known, **goes_on)
    assert (status, whole) == (200, SEALED[::-1] + b"more")


def test_all_that_nginx_hands_out_was_noted_before(site: Site) -> None:
    large = SEALED * 12  # what is noted first is a megabyte, whatever was asked for
    recording_id = add_recording(site.box.store, sealed=large)
    known, handed = site.signed_in(), 0
    for asked in ({"Range": "bytes=0-2999999"}, {"Range": "bytes=-3000000", "If-Range": '"other"'}, {}):
        _, _, body = site.nginx.ask(sealed(recording_id), **known, **asked)
        handed += len(body)
        assert pulled_bytes(site) >= handed
    assert handed == 3_000_000 + 2 * len(large)


def test_what_cannot_be_noted_does_not_leave(site: Site, recording_id: str) -> None:
    (site.box.run / AUDIT_SOCKET_NAME).unlink()
    status, _, body = site.nginx.ask(sealed(recording_id), **site.signed_in())
    assert (status, SEALED[:10] in body) == (503, False)
    assert b"could not be noted" in body


def test_a_program_is_served_like_a_browser(site: Site, recording_id: str) -> None:
    for path in (sealed(recording_id), f"/api/v1{sealed(recording_id)}"):
        status, _, body = site.nginx.ask(path, **site.program(), Range="bytes=5-9")
        assert (status, body) == (206, SEALED[5:10])


@pytest.mark.parametrize("role", Role)
def test_nobody_else_gets_a_byte_of_it(site: Site, recording_id: str, role: Role) -> None:
    known = site.signed_in(add_person(site.box.people, role))
    for headers in ({}, {"Range": "bytes=0-9"}, {"X_Accel_Redirect": f"/sealed/{recording_id}/{SESSION_NAME}"}):
        status, _, body = site.nginx.ask(sealed(recording_id), **known, **headers)
        assert status in {403, 404}
        assert SEALED[:10] not in body
    assert pulled_bytes(site) == 0


@pytest.mark.parametrize(
    "path",
    [
        "/sealed/{id}/session.mp4.age",
        "/sealed/{id}/manifest.json",
        "/sealed//{id}/session.mp4.age",
        "/sealed/",
        "/sealed",
        "/sealed/../{id}/session.mp4.age",
        "/%73ealed/{id}/session.mp4.age",
        "/x/../sealed/{id}/session.mp4.age",
        "/static/../sealed/{id}/session.mp4.age",
        "/static/..%2fsealed/{id}/session.mp4.age",
        "/sealed/%2e%2e/page.sock",
        "/sealed../people.db",
    ],
)
def test_the_way_to_the_store_is_for_the_page_alone(site: Site, recording_id: str, path: str) -> None:
    status, _, body = site.nginx.ask(path.format(id=recording_id), **site.signed_in())
    assert status in {400, 404}
    assert SEALED[:10] not in body
    assert b"signature" not in body


def test_a_link_in_the_store_leads_nowhere_even_for_nginx(site: Site, recording_id: str, tmp_path: Path) -> None:
    """The page looks first, and would not lead there; here it is made to, as if the link had come just afterwards."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    file = site.box.store.folder(recording_id) / SESSION_NAME
    file.unlink()
    file.symlink_to(secret)

    def leads_there(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("X-Accel-Redirect", f"/sealed/{recording_id}/{SESSION_NAME}")])
        return []

    page = site.folder / "page.sock"
    with page_at(page, leads_there):
        status, _, body = site.nginx.ask("/")
        assert status in {403, 404}
        assert b"secret" not in body
        file.unlink()
        file.write_bytes(b"no link")
        assert site.nginx.ask("/")[2] == b"no link"


def handshake(site: Site, version: ssl.TLSVersion) -> str | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the old versions, which are what is tried
        context.minimum_version = context.maximum_version = version
    with socket.create_connection((HOST, site.nginx.port), timeout=30) as plain:
        try:
            with context.wrap_socket(plain) as secured:
                return secured.version()
        except (ssl.SSLError, ConnectionError):
            return None


def test_tls_is_1_2_or_1_3_and_nothing_is_said_in_plain(site: Site) -> None:
    versions = {version: handshake(site, version) for version in list(ssl.TLSVersion) if version > 0}
    assert {spoken for spoken in versions.values() if spoken} == {"TLSv1.2", "TLSv1.3"}
    with socket.create_connection((HOST, site.nginx.port), timeout=30) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: " + site.nginx.netloc.encode() + b"\r\nConnection: close\r\n\r\n")
        assert plain.recv(64).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:443", "", "x" * 300])
def test_another_name_gets_nothing(site: Site, recording_id: str, host: str) -> None:
    with site.nginx.talking() as connection:
        connection.putrequest("GET", "/", skip_host=True)
        connection.putheader("Host", host)
        for name, value in site.signed_in().items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status in {400, 421}
        assert recording_id.encode() not in answer.read()


def test_a_body_that_is_too_long_is_refused_and_nothing_that_passes_is_ever_a_file(site: Site) -> None:
    known = {**site.signed_in(), "Content_Type": "application/json", "X_Sotto_Page": "1"}
    assert site.nginx.ask("/requests/people", method="POST", body=b"x" * (MOST_BODY_BYTES + 1), **known)[0] == 413
    assert site.nginx.ask("/requests/people", method="POST", body=b" " * MOST_BODY_BYTES, **known)[0] in {400, 413}
    for number in range(300):
        add_recording(site.box.store, sealed=str(number).encode())
    assert len(site.nginx.ask("/", **site.signed_in())[2]) > 100_000
    made = [path for path in site.folder.rglob("*") if path.is_file()]
    assert {path.name for path in made} == {"nginx.conf", "nginx.pid", "page.key", "page.pem", "said"}
    # A file that was made and unlinked at once would still be open, or have been there meanwhile.
    for worker in site.nginx.workers():
        opened = [str(link.readlink()) for link in Path(f"/proc/{worker}/fd").iterdir()]
        assert not [path for path in opened if "deleted" in path]


def test_when_the_page_is_away_nginx_says_so_in_words(tmp_path: Path, authority: Authority) -> None:
    with nginx(tmp_path, authority, store=tmp_path, page=tmp_path / "page.sock") as alone:
        status, headers, body = alone.ask("/")
    assert (status, headers["content-type"]) == (503, "text/plain; charset=utf-8")
    assert b"Recording is not affected." in body
    assert b"nginx" not in body


def test_who_asks_without_end_is_told_to_wait_and_others_are_answered(site: Site) -> None:
    told = []
    with site.nginx.talking() as connection:
        for _ in range(400):
            connection.request("GET", "/static/style.css")
            answer = connection.getresponse()
            told.append(answer.status)
            body = answer.read()
            if answer.status == 429:
                assert b"Wait a few seconds" in body
                assert answer.headers["Retry-After"]
    assert told[:50] == [200] * 50
    assert 429 in told
    assert site.nginx.ask("/static/style.css", source="127.0.0.2")[0] == 200


def test_the_page_knows_from_where_somebody_asks_and_nobody_can_say_otherwise(
    tmp_path: Path, authority: Authority
) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        told = (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["HTTP_HOST"])
        return [" ".join(told).encode()]

    page = tmp_path / "page.sock"
    with page_at(page, app), nginx(tmp_path, authority, store=tmp_path, page=page) as started:
        for said in ({}, {"X_Forwarded_For": "192.0.2.9"}, {"Forwarded": "for=192.0.2.9;proto=http;host=evil"}):
            more = {"X_Forwarded_Proto": "http", "X_Forwarded_Host": "evil.example", "X_Real_IP": "192.0.2.9"}
            told = started.ask("/", source="127.0.0.7", **said, **more)[2].decode()
            assert told == f"127.0.0.7 https {started.netloc}"


def test_the_socket_is_for_the_box_alone(site: Site) -> None:
    assert (site.folder / "page.sock").stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize("path", ["/srv/a b", "/srv/a;b", "/srv/$host", '/srv/"', "/srv/a{", "/srv/ä"])
def test_a_path_that_would_mean_something_to_nginx_is_refused(path: str) -> None:
    fine = Path("/run/x")
    with pytest.raises(ConfigError, match="cannot be told to nginx"):
        nginx_config(Places(store=Path(path), socket=fine, run=fine, certificate=fine, key=fine), port=443)


@pytest.mark.parametrize("name", ["Room", "a b", "-a", "a;b", "", "fd00::1", "[fd00::1", "http://x", "x/y"])
def test_a_name_is_one_that_a_browser_shows(name: str) -> None:
    told = {"certificate": "/c", "key": "/k", "socket": "/s"}
    with pytest.raises(ValueError, match="names"):
        WebSection.model_validate({"state": "/s", "port": 443, "nginx": {"names": [name], **told}})
    for right in ("room-3", "room-3.practice.example", "192.0.2.7", "[fd00::1]"):
        WebSection.model_validate({"state": "/s", "port": 443, "nginx": {"names": [right], **told}})


def test_who_signed_out_is_a_stranger_to_nginx_as_well(site: Site, recording_id: str) -> None:
    person = add_person(site.box.people, Role.THERAPIST)
    mine = add_recording(site.box.store, sealed=SEALED, therapist=person.mark)
    begun = begin(site.box.people, person)
    known = {"Cookie": f"__Host-sotto={begun.token}"}
    assert site.nginx.ask(sealed(mine), **known)[0] == 200
    site.box.people.revoke(person.mark, begun.session)
    assert site.nginx.ask(sealed(mine), **known)[0] == 401


# What a page from disk may read.


def test_what_nginx_sends_may_be_read_by_a_page_from_disk_that_shows_a_token(site: Site, recording_id: str) -> None:
    path = f"/api/v1{sealed(recording_id)}"
    token = site.program()["Authorization"].removeprefix("Bearer ")
    asked = {"Accept": f"*/*; token={token}", "Origin": "null", "Range": "bytes=5-9"}
    status, headers, body = site.nginx.ask(path, **asked)
    assert (status, body) == (206, SEALED[5:10])
    assert headers["access-control-allow-origin"] == "*"
    assert "ETag" in headers["access-control-expose-headers"]
    assert headers["cache-control"] == "no-store"
    assert headers["etag"]


def test_what_nginx_sends_to_a_cookie_is_for_no_other_origin(site: Site, recording_id: str) -> None:
    for path in (sealed(recording_id), f"/api/v1{sealed(recording_id)}"):
        status, headers, _ = site.nginx.ask(path, **site.signed_in(), Origin="null")
        assert status == 200
        assert "access-control-allow-origin" not in headers


def test_that_it_is_asked_too_often_can_be_read_as_well(site: Site) -> None:
    for path, readable in (("/api/v1/openapi.json", True), ("/nowhere", False)):
        with site.nginx.talking() as connection:
            for _ in range(2000):
                connection.request("GET", path, headers={"Origin": "null"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 429:
                    break
            assert answer.status == 429
            assert (answer.headers["Access-Control-Allow-Origin"] == "*") is readable
