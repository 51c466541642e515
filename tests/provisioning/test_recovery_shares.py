"""Recovery in shares: enough of them open, fewer are refused, a wrong word is found, the folder never has them."""

from __future__ import annotations

import io
import re
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
import shamir_mnemonic

from device.age.identities import HybridIdentity, KeyIdentity, generate_identity
from device.age.recipients import parse_recipient
from device.age.sealing import encrypt
from provisioning.clinic.share_pages import Paper, lines, page
from provisioning.clinic.splitting import WORDS, join, need_of, split, tidy
from provisioning.errors import UsageError
from tests.age.conftest import AGE_PQ
from tests.provisioning.boxes import call
from tests.provisioning.folders import Admin, unchanged

CELL = re.compile(r"<td><span>(\d+)</span> ([a-z]+)</td>")


@pytest.fixture(params=[True, False], ids=["post-quantum", "classic"])
def identity(request: pytest.FixtureRequest) -> KeyIdentity:
    return generate_identity(post_quantum=request.param)


@pytest.mark.parametrize(("shares", "need"), [(3, 2), (2, 2), (5, 3), (16, 2)])
def test_any_that_are_enough_open(identity: KeyIdentity, shares: int, need: int) -> None:
    post_quantum = isinstance(identity, HybridIdentity)
    made = split(identity, shares=shares, need=need)
    assert len(made) == shares
    for some in combinations(made, need):
        assert join(reversed(some), post_quantum=post_quantum).secret_text() == identity.secret_text()


def test_fewer_are_refused_and_so_are_too_many_and_one_twice(identity: KeyIdentity) -> None:
    made = split(identity, shares=4, need=3)
    for wrong in (made[:2], made, [made[0], made[0], made[1]], []):
        with pytest.raises(UsageError, match="do not join"):
            join(wrong, post_quantum=True)


def test_a_wrong_word_is_found_wherever_it_stands_and_never_quoted(identity: KeyIdentity) -> None:
    first, second, _ = split(identity, shares=3, need=2)
    for at in range(WORDS):
        words = first.split()
        words[at] = "academic" if words[at] != "academic" else "acid"
        with pytest.raises(UsageError) as told:
            need_of(" ".join(words))
        assert not set(first.split()) & set(told.value.what.split()) - {"share", "that", "words", "is"}
    for spoiled in (first.rsplit(" ", 1)[0], f"{first} acid", first.replace(first.split()[5], "sotto"), ""):
        with pytest.raises(UsageError, match="no share"):
            need_of(spoiled)
    assert need_of(second) == 2


def test_shares_of_two_identities_do_not_join(identity: KeyIdentity) -> None:
    one = split(identity, shares=2, need=2)
    other = split(generate_identity(post_quantum=True), shares=2, need=2)
    with pytest.raises(UsageError, match="of different identities"):
        join([one[0], other[1]], post_quantum=True)


@pytest.mark.parametrize(("shares", "need"), [(1, 1), (3, 1), (2, 3), (17, 2), (3, 0), (-1, -2)])
def test_what_is_no_split_is_refused(shares: int, need: int) -> None:
    said = call("recovery", "new", f"--shares={shares}", f"--need={need}")
    assert said.code == 2
    assert "shares cannot be made" in said.complaints


def test_words_that_the_standard_gives_come_to_the_bytes_that_it_gives() -> None:
    # slip-0039, vectors.json, the first one of 256 bits: a single share, whose passphrase is TREZOR.

    words = (
        "theory painting academic academic armed sweater year military elder discuss acne wildlife boring employer "
        "fused large satoshi bundle carbon diagnose anatomy hamster leaves tracks paces beyond phantom capital marvel "
        "lips brave detect luck"
    )
    secret = shamir_mnemonic.combine_mnemonics([words], b"TREZOR")
    assert secret.hex() == "989baf9dcaad5b10ca33dfd8cc75e42477025dce88ae83e75a230086a0e00e92"


# -- on paper ---------------------------------------------------------------------------------------------------------


def a_paper(share: str) -> Paper:
    return Paper(
        name="share 1 of 3", share=share, need=2, count=3, key_id="0" * 16, kind="post-quantum", made="2026-03-02"
    )


def test_a_page_holds_its_words_in_order_and_nothing_that_is_fetched(identity: KeyIdentity) -> None:
    share = split(identity, shares=3, need=2)[0]
    html = page(a_paper(share))
    numbered = sorted((int(number), word) for number, word in CELL.findall(html))
    assert [word for _, word in numbered] == share.split()
    assert "<svg" in html
    assert "default-src 'none'" in html
    assert not re.search(r"(src|href)=|https?://(?!www\.w3\.org)|<script", html)


def test_what_is_written_down_by_hand_is_read_again(identity: KeyIdentity) -> None:
    share = split(identity, shares=3, need=2)[0]
    told = lines(a_paper(share))[3:]
    columns = [re.findall(r"(\d+) ([a-z]+)", line) for line in told]
    in_order = sorted((int(number), word) for row in columns for number, word in row)
    assert tidy("\n".join(f"{number}. {word.upper()}" for number, word in in_order).replace(".", "")) == share


# -- the verbs --------------------------------------------------------------------------------------------------------


def words_on(path: Path) -> str:
    found = sorted((int(number), word) for number, word in CELL.findall(path.read_text()))
    return "\n".join(f"{number} {word}" for number, word in found)


def typed(papers: Path, *numbers: int) -> list[Path]:
    """Papers as somebody types them again."""
    found = []
    for number in numbers:
        path = papers.parent / f"typed-{number}.txt"
        path.write_text(words_on(papers / f"share-{number}-of-3.html"))
        found.append(path)
    return found


def test_what_was_sealed_to_recovery_opens_with_two_papers_by_stock_age(tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    made = call("recovery", "new", "--shares", 3, "--need", 2, "-o", papers)
    assert made.code == 0
    assert "AGE-SECRET-KEY" not in made.out + made.complaints
    assert sorted(path.name for path in papers.iterdir()) == [
        "recovery.recipient", "share-1-of-3.html", "share-2-of-3.html", "share-3-of-3.html",
    ]  # fmt: skip
    sealed = tmp_path / "x.age"
    recipient = (papers / "recovery.recipient").read_text().strip()
    with sealed.open("wb") as file:
        encrypt(io.BytesIO(b"inside"), file, [parse_recipient(recipient)])
    for some in combinations((1, 2, 3), 2):
        key = tmp_path / f"recovery-{some[0]}{some[1]}.key"
        shares = [word for path in typed(papers, *some) for word in ("--share", path)]
        said = call("recovery", "join", *shares, "--recipient", papers / "recovery.recipient", "-o", key)
        assert said.code == 0, said.complaints
        assert key.stat().st_mode & 0o777 == 0o600
        opened = subprocess.run([AGE_PQ, "-d", "-i", key, sealed], capture_output=True, check=True)
        assert opened.stdout == b"inside"


def test_papers_that_come_to_another_key_or_are_too_few_write_nothing(tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    assert call("recovery", "new", "--shares", 3, "--need", 2, "-o", papers).code == 0
    first, second = typed(papers, 1, 2)
    other = generate_identity(post_quantum=True).recipient()
    key = tmp_path / "recovery.key"
    for words, why in (
        (("--share", first), "do not join"),
        (("--share", first, "--share", first), "do not join"),
        (("--share", first, "--share", second, "--recipient", other), "another key"),
        (
            ("--share", first, "--share", second, "--classic", "--recipient", papers / "recovery.recipient"),
            "another key",
        ),
        (("--share", tmp_path / "nothing.txt"), "cannot be read"),
        ((), "nobody is there"),
    ):
        said = call("recovery", "join", *words, "-o", key)
        assert said.code == 2, said
        assert why in said.complaints
        assert not key.exists()
    key.write_text("kept")
    assert call("recovery", "join", "--share", first, "--share", second, "-o", key).code == 1
    assert key.read_text() == "kept"


def test_neither_papers_nor_the_joined_identity_are_put_into_the_clinics_folder(tmp_path: Path) -> None:
    admin = Admin(tmp_path)
    papers = tmp_path / "papers"
    assert call("recovery", "new", "--shares", 3, "--need", 2, "-o", papers).code == 0
    shares = [word for path in typed(papers, 1, 2) for word in ("--share", path)]
    with unchanged(admin.folder.path):
        for words in (
            ("recovery", "new", "--shares", 3, "--need", 2, "-o", admin.folder.path / "papers"),
            ("recovery", "join", *shares, "-o", admin.folder.path / "recovery.key"),
        ):
            said = call(*words)
            assert said.code == 2
            assert "is a clinic's folder" in said.complaints
    assert admin.does("recovery", "set", admin.folder.path, papers / "recovery.recipient").code == 0
    identity = join([tidy(words_on(papers / f"share-{n}-of-3.html")) for n in (1, 3)], post_quantum=True)
    everything = b"".join(path.read_bytes() for path in admin.folder.path.rglob("*") if path.is_file())
    assert str(identity.recipient()).encode() in everything
    assert identity.secret_text().encode() not in everything


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    said = call("recovery", "new", "--shares", 3, "--need", 2, "-o", tmp_path / "papers", "--dry-run")
    assert said.code == 0
    assert "nothing was made" in said.out
    assert not (tmp_path / "papers").exists()


def test_without_a_folder_the_words_are_shown_and_kept_nowhere(tmp_path: Path) -> None:
    said = call("recovery", "new", "--shares", 2, "--need", 2, "--classic", here=tmp_path)
    shown = said.out.split("Recovery: ")[1:]
    shares = []
    for part in shown:
        found = sorted(
            (int(number), word) for number, word in re.findall(r"(\d+) ([a-z]{4,8})\b", part.partition("\n\n")[2])
        )
        shares.append(" ".join(word for _, word in found))
    recipient = re.search(r"^recipient: (age1\S+)$", said.out, re.MULTILINE)
    assert recipient
    assert str(join(shares, post_quantum=False).recipient()) == recipient[1]
    assert list(tmp_path.iterdir()) == []
    assert "AGE-SECRET-KEY" not in said.out + said.complaints
