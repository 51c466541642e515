"""In the guest: the same ten seconds of quiet noise are played to the microphone over and over; ``hum.py SEED``."""

import os
import random
import sys

import alsaaudio

RATE_HZ, FRAME_BYTES, PERIOD = 48_000, 8, 4800

os.nice(10)  # the room does not take its time from the box
noise = random.Random(int(sys.argv[1])).randbytes(10 * RATE_HZ * 2 * 2)
# 16 of 24 bits, as loud as a quiet talk: the recording of an hour stays small.
wide = bytearray(len(noise) * 2)
wide[1::4], wide[2::4] = noise[0::2], noise[1::2]
wide[3::4] = noise[1::2].translate(bytes(0xFF if top & 0x80 else 0 for top in range(256)))
pcm = alsaaudio.PCM(
    type=alsaaudio.PCM_PLAYBACK,
    device="hw:Mic,0",
    rate=RATE_HZ,
    channels=2,
    format=alsaaudio.PCM_FORMAT_S32_LE,
    periodsize=PERIOD,
    periods=40,
)
print("playing", flush=True)
while True:
    for at in range(0, len(wide), PERIOD * FRAME_BYTES):
        if pcm.write(bytes(wide[at : at + PERIOD * FRAME_BYTES])) < 0:
            sys.exit("the player was too slow")
