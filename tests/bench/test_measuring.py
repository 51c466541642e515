"""What the figures come from is right: processes are counted whole, and the floor records what it is given."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.bench import parted
from tests.bench.chain import counted
from tests.bench.cost import Mark, children_of, cpu_s, memory, run_pipe, wakeups
from tests.bench.live_parts import Floor, Sotto, window
from tests.bench.material import HERE, ROOT, Material, build, material_in
from tests.bench.stopwatch import Stopwatch
from tests.support import sound_of

BUSY = "import time\nwhile time.process_time() < 0.3: pass\n"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return material_in(tmp_path_factory.mktemp("material"))


def test_the_cpu_of_every_program_of_a_pipe_counts() -> None:
    alone, both = (run_pipe(*[[sys.executable, "-c", BUSY]] * number) for number in (1, 2))
    assert alone.cpu_s >= 0.3
    assert both.cpu_s >= 0.6


def test_a_program_of_a_pipe_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        run_pipe([sys.executable, "-c", "import sys; sys.exit(3)"], ["cat"])


def test_the_cpu_of_threads_that_have_ended_counts() -> None:
    def busy() -> None:
        until_s = time.thread_time() + 0.1
        while time.thread_time() < until_s:
            pass

    before_s = cpu_s(os.getpid())
    thread = threading.Thread(target=busy)
    thread.start()
    thread.join()
    assert cpu_s(os.getpid()) - before_s >= 0.1


def test_each_sleep_is_a_wake_up() -> None:
    before = Mark.of([os.getpid()])
    for _ in range(50):
        time.sleep(0.001)
    assert before.until(Mark.of([os.getpid()])).wakeups >= 40  # one or the other may be taken away instead
    assert wakeups(os.getpid()) > 0


def test_a_child_is_found_and_its_memory_told() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        assert child.pid in children_of(os.getpid())
        assert 0 < memory(child.pid).resident_mb < memory(os.getpid()).resident_mb
        child.kill()


def test_a_part_is_counted_without_the_parts_inside_it() -> None:
    def busy(seconds: float) -> None:
        until_s = time.thread_time() + seconds
        while time.thread_time() < until_s:
            pass

    watch = Stopwatch()
    inner = watch.timed("inner", lambda: busy(0.1))

    def both() -> None:
        busy(0.05)
        inner()

    watch.timed("outer", both)()
    assert watch.cpu_s["inner"] == pytest.approx(0.1, abs=0.03)
    assert watch.cpu_s["outer"] == pytest.approx(0.05, abs=0.03)
    assert watch.calls == {"inner": 1, "outer": 1}


def test_what_the_stopwatch_knows_by_name_is_called_so() -> None:
    # In a process of its own: what is wrapped stays so.
    code = (
        "from tests.bench.parted import PLACES\nfrom tests.bench.stopwatch import Stopwatch\nwatch = Stopwatch()\n"
        "[watch.wrap(part, place) for part, places in PLACES.items() for place in places]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert set(parted.PLACES) >= {parted.METERING, parted.LEDGER, parted.DURABILITY}


def test_a_name_that_is_gone_is_told_and_not_passed_over() -> None:
    with pytest.raises(AttributeError):
        Stopwatch().wrap("gone", "tests.bench.cost:Gone.write")


def test_calls_are_counted_the_same_each_time_and_what_is_done_once_more_shows() -> None:
    def work(times: int) -> None:
        for _ in range(times):
            len(str(times))

    first, again, more = (counted(lambda times=times: work(times)) for times in (10, 10, 11))  # type: ignore[misc]
    assert first == again
    assert more > first


def test_the_floor_really_codes_and_seals_what_it_hears(material: Material, tmp_path: Path) -> None:
    # Built once more, with a key that is known: what it sealed opens, and is the sound, bit for bit.
    source = tmp_path / "floor.c"
    text = (HERE / "floor.c").read_text()
    assert "getentropy(key, sizeof key)" in text
    source.write_text(text.replace("getentropy(key, sizeof key)", "memset(key, 7, sizeof key) != key"))
    program, out = build(source, tmp_path / "floor", "FLAC", "crypto"), tmp_path / "out"
    command = material.at_the_floor(out, live=False, seconds=3)
    subprocess.run([program, *command[1:]], check=True)
    sealed, opened, piece = out.read_bytes(), tmp_path / "sound.flac", 65536 + 16
    cipher = ChaCha20Poly1305(b"\x07" * 32)
    parts = [sealed[at : at + piece] for at in range(0, len(sealed), piece)]
    opened.write_bytes(
        b"".join(cipher.decrypt(number.to_bytes(11, "big") + b"\0", part, None) for number, part in enumerate(parts))
    )
    wav = material.stereo
    heard = wav.path.read_bytes()[wav.offset : wav.offset + 3 * 48_000 * wav.sound.frame_bytes]
    assert sound_of(opened, 24) == heard


def test_what_is_fed_is_the_sound(material: Material) -> None:
    done = subprocess.run(material.playing(live=False, seconds=1), check=True, stdout=subprocess.PIPE)
    wav = material.stereo
    assert done.stdout == wav.path.read_bytes()[wav.offset : wav.offset + 48_000 * wav.sound.frame_bytes]


def test_the_box_and_the_floor_are_looked_at_while_both_record(material: Material) -> None:
    box = Sotto(material)
    taken = window({"sotto": box, "floor": Floor(material)}, warm_s=0.5, window_s=1.5)
    assert taken["floor"].spent.wakeups_per_s == pytest.approx(10, abs=3)
    assert taken["sotto"].spent.cpu_s > 0
    assert taken["sotto"].resident_mb > 1
    assert box.box is not None
    assert box.box.manifest().duration_us >= 2_000_000
