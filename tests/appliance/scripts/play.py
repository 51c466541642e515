"""In the guest: noise is played to the microphone; ``play.py SECONDS SEED``. The seed says which noise, here as there.

Says ``began`` and the monotonic microsecond at which its first sample left, as ALSA tells where it is, then ``done``.
"""

import os
import random
import sys
import time

import alsaaudio

RATE_HZ, FRAME_BYTES, PERIOD = 48_000, 8, 4800
seconds, seed = float(sys.argv[1]), int(sys.argv[2])

os.nice(10)  # the room does not take its time from the box
noise = random.Random(seed).randbytes(round(seconds * RATE_HZ) * 6)
# Of a sound's last moments ALSA may keep some: it ends in silence.
wide = bytearray(len(noise) // 3 * 4 + RATE_HZ * FRAME_BYTES)
for place in range(3):
    wide[place + 1 : len(noise) // 3 * 4 : 4] = noise[place::3]
pcm = alsaaudio.PCM(
    type=alsaaudio.PCM_PLAYBACK,
    device="hw:Mic,0",
    rate=RATE_HZ,
    channels=2,
    format=alsaaudio.PCM_FORMAT_S32_LE,
    periodsize=PERIOD,
    periods=20,
)
buffer_samples = pcm.info()["buffer_size"]
written = 0


def began_us() -> int:
    """When the first sample left: now, less what has left since."""
    sooner_ns = time.monotonic_ns()
    left = written - (buffer_samples - pcm.avail())
    later_ns = time.monotonic_ns()
    return (sooner_ns + later_ns) // 2000 - left * 1_000_000 // RATE_HZ


told = False
for at in range(0, len(wide), PERIOD * FRAME_BYTES):
    piece = wide[at : at + PERIOD * FRAME_BYTES]
    if pcm.write(piece) < 0:
        sys.exit("the player was too slow")
    written += len(piece) // FRAME_BYTES
    if not told and pcm.avail() < 2 * PERIOD:  # it plays, and waits for room
        # The card moves on by jumps of some milliseconds: only just after one is it told rightly, and otherwise late.
        looks = []
        for _ in range(50):
            looks.append(began_us())
            time.sleep(0.0005)
        print(f"began {min(looks)}", flush=True)
        told = True
pcm.drain()
print("done", flush=True)
