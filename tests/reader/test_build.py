"""The file that ships is what its sources make, byte for byte, and it asks nobody for anything."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from pathlib import Path

import pytest

from provisioning.__main__ import run
from provisioning.errors import UsageError
from provisioning.reader import DIGEST_NAME, FOLDER, READER_NAME, built_reader
from provisioning.reader.build import make_reader

SOURCES = sorted((FOLDER / "src").rglob("*.js"))


def test_the_reader_that_ships_is_what_its_sources_make() -> None:
    assert make_reader() == built_reader(), "run `sotto-clinic reader build`, and commit what it writes"


def test_its_digest_lies_beside_it() -> None:
    assert (FOLDER / DIGEST_NAME).read_text() == f"{sha256(built_reader()).hexdigest()}  {READER_NAME}\n"


def test_its_policy_names_its_script_and_its_style_and_nothing_else_runs() -> None:
    page = built_reader().decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    for kind in ("script", "style"):
        (inline,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        digest = base64.b64encode(sha256(inline.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    for forbidden in ("unsafe-inline", "unsafe-eval", "*;", "data:;"):
        assert forbidden not in policy.replace("http://localhost:*", "").replace("http://127.0.0.1:*", "")
    assert "default-src 'none'" in policy


def test_it_loads_nothing() -> None:
    page = built_reader().decode()
    shown = re.sub(r"<script>.*?</script>|<!--.*?-->", "", page, flags=re.DOTALL)
    assert re.findall(r'(?:src|href)="(?!data:)', shown) == []
    assert re.findall(r"url\(|@import", shown) == []


@pytest.mark.parametrize(
    "forbidden",
    [
        r"\binnerHTML\b",
        r"\bouterHTML\s*=",
        r"\binsertAdjacentHTML\b",
        r"\beval\(",
        r"new Function\b",
        r"document\.write",
        r"\bimport\(",
    ],
)
def test_nothing_of_ours_makes_code_or_markup_of_words(forbidden: str) -> None:
    assert SOURCES
    assert [path.name for path in SOURCES if re.search(forbidden, path.read_text(encoding="utf-8"))] == []


def test_only_boxes_are_asked_and_only_in_one_place() -> None:
    asking = [path.name for path in SOURCES if re.search(r"\bawait fetch\(|[^.#\w ]fetch\(", path.read_text("utf-8"))]
    assert asking == ["connection.js"]
    for other in ("XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", "RTCPeerConnection"):
        assert [path.name for path in SOURCES if other in path.read_text(encoding="utf-8")] == []


def test_the_licences_of_what_is_in_it_are_in_it() -> None:
    page = built_reader().decode()
    for package in (
        "age-encryption",
        "@noble/ciphers",
        "@noble/curves",
        "@noble/hashes",
        "@noble/post-quantum",
        "@scure/base",
    ):
        assert f"{package}\n\n" in page
    assert "The age Authors" in page
    assert "Paul Miller" in page


def test_modules_stay_small() -> None:
    large = {path.name: lines for path in SOURCES if (lines := len(path.read_text().splitlines())) > 400}
    assert large == {}


def test_it_is_handed_out_with_its_digest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reader", "save", str(tmp_path / "stick")]) == 0
    assert (tmp_path / "stick" / READER_NAME).read_bytes() == built_reader()
    assert sha256(built_reader()).hexdigest() in capsys.readouterr().out
    assert (tmp_path / "stick" / DIGEST_NAME).exists()


def test_without_its_sources_it_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="sources are not here"):
        make_reader(tmp_path)
