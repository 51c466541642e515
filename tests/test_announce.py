"""What a box says about itself on the local network: the file that avahi reads."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from device.age.identities import generate_identity
from device.announcing import announcement
from device.cli import main
from device.devicekey import publish_public_key, published_fingerprint
from tests.provisioning.cards import card_toml


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own, of a moment ago


def entries_of(text: str) -> dict[str, str]:
    pairs = [entry.text or "" for entry in parsed(text).iter("txt-record")]
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}


def configured(folder: Path, *, nginx: bool = True) -> tuple[str, ...]:
    recipient = generate_identity(post_quantum=False).recipient()
    text = card_toml(str(recipient)).replace('run = "/run/sotto"', f'run = "{folder}"')
    if not nginx:
        text = text.partition("[web.nginx]")[0]
    (folder / "sotto.toml").write_text(text)
    return "announce", "--config", str(folder / "sotto.toml"), "--output", str(folder / "sotto.service")


def test_it_names_the_box_its_version_its_key_and_its_port(tmp_path: Path) -> None:
    publish_public_key(Ed25519PrivateKey.generate(), tmp_path)
    assert main(configured(tmp_path)) == 0
    text = (tmp_path / "sotto.service").read_text()
    service = parsed(text)
    assert (service.findtext("name"), service.findtext("service/type"), service.findtext("service/port")) == (
        "Room 3",
        "_sotto._tcp",
        "443",
    )
    entries = entries_of(text)
    assert set(entries) == {"name", "version", "key"}
    assert (entries["name"], entries["key"]) == ("Room 3", published_fingerprint(tmp_path))


def test_a_box_whose_key_is_not_made_yet_says_nothing_and_is_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(configured(tmp_path)) == 1
    assert not (tmp_path / "sotto.service").exists()
    assert "hint: wait until sotto-capture is ready" in capsys.readouterr().err


def test_a_page_that_nobody_can_reach_is_not_announced_and_no_more_if_it_was(tmp_path: Path) -> None:
    publish_public_key(Ed25519PrivateKey.generate(), tmp_path)
    assert main(configured(tmp_path)) == 0
    assert main(configured(tmp_path, nginx=False)) == 0
    assert not (tmp_path / "sotto.service").exists()


@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=60))
def test_any_name_of_a_box_makes_a_file_that_fits_into_its_records(name: str) -> None:
    text = announcement(name=name, version="1.0", fingerprint="ab" * 16, port=443)
    service = parsed(text)
    label = service.findtext("name") or ""
    assert name.startswith(label)
    assert len(label.encode()) <= 63
    assert all(len((entry.text or "").encode()) <= 255 for entry in service.iter("txt-record"))
