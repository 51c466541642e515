"""What the documents say is so: commands, links, licences, and nothing that is true on one machine only."""

from __future__ import annotations

import re
import wave
from pathlib import Path

import pytest

from device.session_diagram import filled

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
THIRD_PARTY = ROOT / "docs" / "third-party.md"

# A path that exists on one machine only. What Sotto itself installs (/etc/sotto, /var/lib/sotto, …) is no such path.
MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:home|root|Users|tmp|work|mnt)/[\w.+-]")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_shows_how_to_begin(command: str) -> None:
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


def test_there_is_a_changelog() -> None:
    assert (ROOT / "CHANGELOG.md").is_file()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_document_names_no_path_of_one_machine(document: Path) -> None:
    assert MACHINE_PATH.findall(document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    inside = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in inside if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("decision", sorted((ROOT / "docs" / "decisions").iterdir()), ids=name_of)
def test_a_decision_is_numbered_in_name_and_title(decision: Path) -> None:
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", decision.name)
    assert decision.read_text(encoding="utf-8").startswith(f"# {decision.name[:4]} ")


def locked(file: str) -> dict[str, str]:
    """Name and version of every package in a lock file."""
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE))


def listed(heading: str) -> set[str]:
    """The first column of the table beneath a heading of third-party.md that names ``heading``."""
    sections = THIRD_PARTY.read_text(encoding="utf-8").split("\n## ")
    (section,) = [one for one in sections if f"`{heading}`" in one.partition("\n")[0]]
    return set(re.findall(r"^\| ([a-z0-9.-]+) \|", section, re.MULTILINE)) - {"package"}


def test_every_locked_package_is_named_with_its_licence() -> None:
    run, everything = set(locked("requirements.lock")), set(locked("requirements-dev.lock"))
    assert listed("requirements.lock") == run
    assert listed("requirements-dev.lock") == everything - run


def test_what_runs_is_what_was_tested() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_has_hashes_and_names_no_place(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.count("--hash=sha256:") > len(locked(file))
    assert not re.search(r"https?:|file:|--(?:index|extra-index|find)", text)


def test_the_clip_of_the_demo_is_what_a_microphone_would_deliver() -> None:
    clip = ROOT / "device" / "capture" / "room.wav"
    with wave.open(str(clip)) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (48_000, 3, 1)
    assert clip.stat().st_size < 1 << 20


def test_the_pictures_in_the_readme_are_those_of_the_table() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "<!-- made by: sotto diagram states -->" in readme
    assert filled(readme) == readme, "run: sotto diagram README.md"
