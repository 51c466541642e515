"""What the writer writes down while it writes, so that a power cut takes no fact along that the file holds."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import generate_identity
from device.capture.backlog import Backlog
from device.capture.facts import Beginning, Facts
from device.capture.packets import Gap, Sound, SoundFormat, Wire
from device.capture.writer import Writer, WriterEvents
from device.clock import SystemClock
from device.recording.manifest import Manifest, RecordingState, SoundReport
from device.store import Store
from device.words import Consent

MONO = SoundFormat(48_000, 1, Wire.S24_3LE)
PERIOD = 4800


class NotingStore(Store):
    """A store that remembers the manifests of recordings that are open."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, device_key=Ed25519PrivateKey.generate())
        self.noted: list[Manifest] = []

    def write_manifest(self, manifest: Manifest) -> None:
        super().write_manifest(manifest)
        if manifest.state is RecordingState.OPEN:
            self.noted.append(manifest)


def test_a_gap_that_grew_is_written_down_as_long_as_it_became_once_the_sound_is_back(tmp_path: Path) -> None:
    # It used to be written down when it began, and never again: after a power cut the manifest told of a quarter of a
    # second where the file had half a minute of silence.
    store, backlog = NotingStore(tmp_path), Backlog()
    backlog.set_format(MONO)
    end_us, untaken = 0, 1
    # A gap is taken at once; sound waits for more, or for the end.
    left = [[PERIOD, -PERIOD], [-PERIOD], [-PERIOD], [PERIOD, PERIOD]]

    def give(count: int) -> None:
        nonlocal end_us, untaken
        end_us += 100_000
        untaken += 1
        if count < 0:
            backlog.put_gap(Gap(-count, "the microphone was gone", end_us))
        else:
            backlog.put_sound(Sound(bytes(count * MONO.frame_bytes), count, end_us))

    def give_next(_taken_us: int) -> None:
        nonlocal untaken
        untaken -= 1
        if untaken <= 0 and left:
            for count in left.pop(0):
                give(count)
        if not left:
            backlog.close()

    facts = Facts(
        Beginning(
            box="room 3",
            boot="b",
            consent=Consent.SOUND,
            choices=(Consent.SOUND,),
            pressed_us=0,
            started="2026-03-01T09:00:00.000Z",
            clock_trusted=True,
            camera=None,
            size=(0, 0),
            recipients=(),
        )
    )
    writer = Writer(
        store,
        [generate_identity(post_quantum=False).recipient()],
        backlog,
        facts,
        clock=SystemClock(),
        report=SoundReport,
        events=WriterEvents(begun=lambda _id: None, durable=lambda _us, _bytes: None, taken=give_next),
    )
    give_next(0)
    writer.run(MONO)
    lengths = [sum(gap.samples for gap in manifest.gaps) for manifest in store.noted]
    assert lengths == [0, 0, PERIOD, 3 * PERIOD]  # at the start, and once the first sample has its time
    assert store.noted[1].sound is not None
    assert store.noted[1].sound.first_sample_monotonic_us == 0
