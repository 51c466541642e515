"""In the guest: Sotto's own microphone, read for some seconds into a file; ``hear.py DEVICE SECONDS FILE``."""

import sys
from pathlib import Path

from device.capture.alsa import alsa_microphone
from device.capture.packets import Gap
from device.clock import SystemClock
from device.errors import MicrophoneError

device, seconds, file = sys.argv[1:]
source = alsa_microphone(device, clock=SystemClock())
sound_format = source.open()
print(f"open {sound_format}", flush=True)
left, gaps = round(float(seconds) * sound_format.rate_hz), 0
try:
    with Path(file).open("wb") as heard:
        while left > 0:
            packet = source.read()
            left -= packet.samples
            if isinstance(packet, Gap):
                gaps += 1
            else:
                heard.write(packet.data)
except MicrophoneError as problem:
    print(f"gone {problem}", flush=True)
source.close()
print(f"done {gaps} gaps", flush=True)
