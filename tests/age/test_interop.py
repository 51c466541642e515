"""Files cross over to other people's age and back, at every size where the chunks change their number."""

import io
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest

from device.age.identities import KeyIdentity, generate_identity, identity_file, parse_identity_file
from device.age.opening import decrypt
from device.age.passphrase import PassphraseIdentity, PassphraseRecipient
from device.age.recipients import Recipient
from device.age.sealing import encrypt

SIZES = [0, 1, 65535, 65536, 65537, 131071, 131072, 131073, 200000]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = "correct horse battery staple"
CHEAP = 10

every_size = pytest.mark.parametrize("size", SIZES)


def run(program: Path, *arguments: str, stdin: bytes = b"", **environment: str) -> bytes:
    # age looks for its plugins in PATH, and they are beside it.
    path = f"{program.parent}:{os.environ['PATH']}"
    command = [str(program), *arguments]
    done = subprocess.run(
        command, input=stdin, capture_output=True, check=False, env={**os.environ, "PATH": path, **environment}
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def seal(data: bytes, *recipients: Recipient) -> bytes:
    sink = io.BytesIO()
    encrypt(io.BytesIO(data), sink, recipients)
    return sink.getvalue()


def unseal(data: bytes, identity: KeyIdentity | PassphraseIdentity) -> bytes:
    sink = io.BytesIO()
    decrypt(io.BytesIO(data), sink, [identity])
    return sink.getvalue()


@pytest.fixture
def classic_file(classic: KeyIdentity, tmp_path: Path) -> str:
    (tmp_path / "classic").write_text(identity_file(classic, NOW))
    return str(tmp_path / "classic")


@pytest.fixture
def hybrid_file(hybrid: KeyIdentity, tmp_path: Path) -> str:
    (tmp_path / "hybrid").write_text(identity_file(hybrid, NOW))
    return str(tmp_path / "hybrid")


@every_size
def test_stock_age_opens_ours_and_we_open_its(size: int, age: Path, classic: KeyIdentity, classic_file: str) -> None:
    data = os.urandom(size)
    stranger = generate_identity(post_quantum=False).recipient()
    assert run(age, "-d", "-i", classic_file, stdin=seal(data, stranger, classic.recipient())) == data
    theirs = run(age, "-r", str(stranger), "-r", str(classic.recipient()), stdin=data)
    assert unseal(theirs, classic) == data


@every_size
def test_post_quantum_age_opens_ours_and_we_open_its(
    size: int, age_pq: Path, hybrid: KeyIdentity, hybrid_file: str
) -> None:
    data = os.urandom(size)
    stranger = generate_identity(post_quantum=True).recipient()
    assert run(age_pq, "-d", "-i", hybrid_file, stdin=seal(data, stranger, hybrid.recipient())) == data
    theirs = run(age_pq, "-r", str(stranger), "-r", str(hybrid.recipient()), stdin=data)
    assert unseal(theirs, hybrid) == data


def test_an_older_age_opens_a_post_quantum_file_through_the_plugin(
    age: Path, age_pq: Path, hybrid: KeyIdentity, hybrid_file: str, tmp_path: Path
) -> None:
    keys = run(age_pq.with_name("age-plugin-pq"), "-identity", hybrid_file)
    (tmp_path / "plugin").write_bytes(keys)
    path = f"{age_pq.parent}:{os.environ['PATH']}"
    opened = run(age, "-d", "-i", str(tmp_path / "plugin"), stdin=seal(b"hello", hybrid.recipient()), PATH=path)
    assert opened == b"hello"


@every_size
def test_rage_opens_ours_and_we_open_its(size: int, classic: KeyIdentity) -> None:
    data = os.urandom(size)
    theirs = pyrage.x25519.Identity.from_str(classic.secret_text())
    assert str(theirs.to_public()) == str(classic.recipient())
    assert pyrage.decrypt(seal(data, classic.recipient()), [theirs]) == data
    assert unseal(pyrage.encrypt(data, [theirs.to_public()]), classic) == data


def test_rage_and_we_open_each_others_passphrase() -> None:
    data = os.urandom(70000)
    assert pyrage.passphrase.decrypt(seal(data, PassphraseRecipient(WORDS, log_n=CHEAP)), WORDS) == data
    assert unseal(pyrage.passphrase.encrypt(data, WORDS), PassphraseIdentity(WORDS)) == data


def test_stock_age_and_we_open_each_others_passphrase(age_pq: Path) -> None:
    data = os.urandom(70000)
    words = {"AGE_PASSPHRASE": WORDS, "AGE_PASSPHRASE_WORK_FACTOR": str(CHEAP)}
    ours = seal(data, PassphraseRecipient(WORDS, log_n=CHEAP))
    assert run(age_pq, "-d", "-j", "batchpass", stdin=ours, **words) == data
    assert unseal(run(age_pq, "-e", "-j", "batchpass", stdin=data, **words), PassphraseIdentity(WORDS)) == data


def test_our_identity_files_and_those_of_age_keygen_are_alike(
    age: Path, age_pq: Path, classic: KeyIdentity, classic_file: str, hybrid: KeyIdentity, hybrid_file: str
) -> None:
    keygen, keygen_pq = age.with_name("age-keygen"), age_pq.with_name("age-keygen")
    assert run(keygen, "-y", classic_file).decode().strip() == str(classic.recipient())
    assert run(keygen_pq, "-y", hybrid_file).decode().strip() == str(hybrid.recipient())
    for theirs in (run(keygen).decode(), run(keygen_pq, "-pq").decode()):
        (identity,) = parse_identity_file(theirs)
        created = datetime.fromisoformat(theirs.splitlines()[0].removeprefix("# created: "))
        assert identity_file(identity, created) == theirs


def test_age_refuses_to_mix_the_kinds_as_we_do(age_pq: Path, classic: KeyIdentity, hybrid: KeyIdentity) -> None:
    command = [str(age_pq), "-r", str(classic.recipient()), "-r", str(hybrid.recipient())]
    assert b"can't mix" in subprocess.run(command, input=b"", capture_output=True, check=False).stderr
