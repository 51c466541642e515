"""The page's certificate as an admin sees it: for whom, by whom, how long, and what to do in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from device.config_web import NginxSection
from device.people.person import Role
from device.tls_certificate import parse_certificate
from device.web.front import Front
from device.web.setup import Setup
from tests.remote.certificates import DAY, NAME, Authority, apart
from tests.web.conftest import Box
from tests.web.visitors import add_person, begin

Get = Callable[..., TestResponse]
ROOM = "room-3.practice.example"
HOUR = DAY / 24
ENDS_SOON = "The certificate ends soon"
ENDED = "The certificate has ended"


@pytest.fixture
def pem(box: Box, tmp_path: Path) -> Path:
    """Where the certificate belongs."""
    path = tmp_path / "page.pem"
    box.setup = Setup(certificate=path)
    return path


@pytest.fixture
def admin(box: Box, pem: Path) -> Get:
    """How an admin gets a page, behind nginx."""
    begun = begin(box.people, add_person(box.people, Role.ADMIN))
    client = box.app(front=Front((ROOM, "192.0.2.7"))).test_client()
    client.set_cookie("__Host-sotto", begun.token, domain=ROOM, secure=True)
    return partial(client.get, base_url=f"https://{ROOM}")


def shown(admin: Get) -> str:
    """What the page says of it."""
    html = admin("/box/certificates").text
    return html.partition('id="tls"')[2].partition("</section>")[0]


def health(admin: Get) -> str:
    """What the page of the box's health says of it."""
    parts = admin("/box/health").text.split('<div class="part card" data-kind="')
    return next(one for one in parts if "<dt>The page&#39;s certificate</dt>" in one).partition('"')[0]


def issue(authority: Authority, pem: Path, *names: str, ends: timedelta, starts: timedelta = -DAY) -> None:
    pem.write_bytes(apart(authority.issue(*(names or (ROOM, "192.0.2.7")), starts=starts, ends=ends))[0])


def test_it_shows_names_issuer_end_and_fingerprint(admin: Get, authority: Authority, pem: Path) -> None:
    issue(authority, pem, ends=200 * DAY + HOUR)
    html = shown(admin)
    certificate = parse_certificate(pem.read_bytes())
    assert f"{ROOM}, 192.0.2.7" in html
    assert NAME in html
    assert f'datetime="{certificate.ends.isoformat()}"' in html
    assert "200 days left" in html
    assert certificate.fingerprint in html
    assert 'class="wrong"' not in html
    assert health(admin) == "good"


@pytest.mark.parametrize(
    ("ends", "left", "told"),
    [
        (30 * DAY + HOUR, "30 days left", None),
        (30 * DAY - HOUR, "29 days left", ENDS_SOON),
        (DAY + HOUR, "1 day left", ENDS_SOON),
        (HOUR, "0 days left", ENDS_SOON),
        (-HOUR, "it has ended", ENDED),
    ],
)
def test_from_thirty_days_before_its_end_it_says_what_to_do(
    admin: Get, authority: Authority, pem: Path, ends: timedelta, left: str, told: str | None
) -> None:
    issue(authority, pem, ends=ends, starts=-40 * DAY)
    html = shown(admin)
    assert left in html
    assert [one for one in (ENDS_SOON, ENDED) if one in html] == ([told] if told else [])
    assert ("systemctl reload sotto-nginx" in html) is (told is not None)
    assert health(admin) == ("look" if told else "good")


def test_a_new_certificate_is_seen_without_a_restart(admin: Get, authority: Authority, pem: Path) -> None:
    issue(authority, pem, ends=DAY)
    assert ENDS_SOON in shown(admin)
    issue(authority, pem, ends=365 * DAY)
    assert ENDS_SOON not in shown(admin)


def test_a_name_that_it_does_not_hold_for_is_named(admin: Get, authority: Authority, pem: Path) -> None:
    issue(authority, pem, ROOM, ends=90 * DAY)
    html = shown(admin)
    assert "The certificate is not for 192.0.2.7, by which this box goes as well." in html
    assert health(admin) == "look"


def test_one_that_does_not_hold_yet_is_a_matter_of_clocks(admin: Get, authority: Authority, pem: Path) -> None:
    issue(authority, pem, starts=DAY, ends=90 * DAY)
    assert "The certificate does not hold yet." in shown(admin)


def test_what_cannot_be_read_is_told_and_nothing_else_is_lost(admin: Get, authority: Authority, pem: Path) -> None:
    assert "The page&#39;s certificate cannot be read: No such file or directory." in shown(admin)
    pem.write_bytes(b"no certificate at all")
    assert "The certificate&#39;s file holds no certificate." in shown(admin)
    assert health(admin) == "look"
    assert "Nothing was erased here yet." in admin("/box/certificates").text


def test_a_key_that_lies_in_its_file_is_told_and_never_shown(admin: Get, authority: Authority, pem: Path) -> None:
    both = authority.issue(ROOM)
    pem.write_bytes(both)
    html = shown(admin)
    assert "The certificate&#39;s file holds a private key." in html
    assert both.splitlines()[1].decode() not in html


def test_without_nginx_there_is_none_and_none_is_missed(box: Box) -> None:
    begun = begin(box.people, add_person(box.people, Role.ADMIN))
    client = box.app().test_client()
    client.set_cookie("sotto", begun.token, domain="localhost")
    assert "it has no certificate" in shown(client.get)
    assert "certificate</dt>" not in client.get("/box/health").text


def test_certificate_and_key_are_never_one_file() -> None:
    told = {"names": [ROOM], "certificate": "/etc/sotto/tls/page.pem", "socket": "/run/page.sock"}
    NginxSection.model_validate({**told, "key": "/etc/sotto/tls/page.key"})
    with pytest.raises(ValueError, match="two files"):
        NginxSection.model_validate({**told, "key": told["certificate"]})


# Of certificates that were made ahead the page tells how long there are some.


def folder_of(box: Box, tmp_path: Path, authority: Authority) -> Path:
    folder = tmp_path / "certificates"
    folder.mkdir()
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    box.setup = Setup(certificate=folder, authority=tmp_path / "ca.crt")
    return folder


@pytest.fixture
def ahead(box: Box, tmp_path: Path, authority: Authority) -> tuple[Path, Get]:
    """Where several certificates belong, and how an admin gets a page."""
    folder = folder_of(box, tmp_path, authority)
    begun = begin(box.people, add_person(box.people, Role.ADMIN))
    client = box.app(front=Front((ROOM, "192.0.2.7"))).test_client()
    client.set_cookie("__Host-sotto", begun.token, domain=ROOM, secure=True)
    return folder, partial(client.get, base_url=f"https://{ROOM}")


def test_of_several_made_ahead_the_page_shows_the_one_of_now_and_the_end_of_all(
    ahead: tuple[Path, Get], authority: Authority
) -> None:
    folder, admin = ahead
    for number in range(5):
        starts = (60 * number - 20) * DAY
        issue(authority, folder / f"{number}.pem", starts=starts, ends=starts + 100 * DAY + HOUR)
    html = shown(admin)
    now = parse_certificate((folder / "0.pem").read_bytes())
    last = parse_certificate((folder / "4.pem").read_bytes())
    assert now.fingerprint in html
    assert f'datetime="{last.ends.isoformat()}"' in html
    assert "320 days left" in html
    assert health(admin) == "good"


def test_from_thirty_days_before_the_last_one_ends_the_clinic_is_to_send_new_ones(
    ahead: tuple[Path, Get], authority: Authority
) -> None:
    folder, admin = ahead
    issue(authority, folder / "0.pem", starts=-80 * DAY, ends=20 * DAY + HOUR)
    html = shown(admin)
    assert ENDS_SOON in html
    assert "sotto-clinic fleet rotate-certificates" in html
    assert "systemctl" not in html  # nothing that an admin would have to do on the box
    assert health(admin) == "look"
    issue(authority, folder / "1.pem", starts=-DAY, ends=90 * DAY)
    assert ENDS_SOON not in shown(admin)


def test_one_of_them_that_was_changed_is_told_and_the_others_are_shown(
    ahead: tuple[Path, Get], authority: Authority
) -> None:
    folder, admin = ahead
    issue(authority, folder / "0.pem", ends=90 * DAY)
    issue(Authority(), folder / "1.pem", ends=200 * DAY)
    html = shown(admin)
    assert "1.pem was changed, or is not of the clinic&#39;s authority" in html
    assert parse_certificate((folder / "0.pem").read_bytes()).fingerprint in html
    assert health(admin) == "look"
