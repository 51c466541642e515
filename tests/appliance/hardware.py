"""What surrounds the box, as hands, a voice and a wall clock would move it: buttons, lamps, a microphone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.appliance.agent import Agent, Running
from tests.support import noise

# gpio-sim: a line is one folder, in which its pull can be turned and its value read.
_CHIP: Final = "/sys/devices/platform/gpio-sim.0/gpiochip*"
_WAV: Final = "/run/heard.wav"
_PLAYER: Final = Path(__file__).parent / "scripts" / "play.py"
_ALOOP: Final = "/sys/bus/platform/drivers/snd_aloop"


class Panel:
    """Buttons that close to ground, and lamps, on named lines of the GPIO chip (``{"consent": 17, …}``)."""

    def __init__(self, agent: Agent, lines: dict[str, int]) -> None:
        self._agent = agent
        self._lines = lines
        self._chip = agent.sh(f"echo {_CHIP}").strip()
        released = [f"echo pull-up >{self._file(name, 'pull')}" for name in lines]
        agent.sh("\n".join(released))

    def down(self, name: str) -> None:
        """Put a finger on a button."""
        self._agent.sh(f"echo pull-down >{self._file(name, 'pull')}")

    def up(self, name: str) -> None:
        """Take it off again."""
        self._agent.sh(f"echo pull-up >{self._file(name, 'pull')}")

    def press(self, name: str, *, held_s: float = 0.15, bounces: int = 0) -> None:
        """Press a button for as long as the guest's own clock says; its contact bounces on the way down and up."""
        file = self._file(name, "pull")
        bounce = f"echo pull-down >{file}; echo pull-up >{file}\n" * bounces
        press = f"echo pull-down >{file}; sleep {held_s}; echo pull-up >{file}\n"
        # No finger is back within the 50 ms for which contacts may chatter: two such presses are one.
        self._agent.sh(bounce + press + bounce + "sleep 0.1")

    def is_lit(self, name: str) -> bool:
        """Whether a lamp's line is driven high, whoever drives it."""
        return self._agent.sh(f"cat {self.value_file(name)}").strip() == "1"

    def value_file(self, name: str) -> str:
        """Where in the guest a line's level is to be read, as a pattern for a shell."""
        return self._file(name, "value")

    def _file(self, name: str, attribute: str) -> str:
        return f"{self._chip}/sim_gpio{self._lines[name]}/{attribute}"


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise in the room: its 24-bit samples, when the first of them was there to hear (monotonic), who makes it."""

    samples: bytes
    began_us: int
    player: Running


class Microphone:
    """A loop-back sound card: what is played into its one end is heard at the other, sample for sample."""

    CARD: Final = "Mic"
    PCM: Final = 1
    DEVICE: Final = f"hw:CARD={CARD},DEV={PCM}"

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def load(self, wav: bytes) -> None:
        """Hand over the WAV it is to hear next. Let it end in silence: of a sound's last moments ALSA may keep some."""
        self._agent.put(_WAV, wav)

    def hear(self) -> Running:
        """Let it hear that, from now on."""
        return self._agent.start("aplay", "--quiet", "--device=hw:Mic,0", "--buffer-time=2000000", _WAV)

    def noise(self, seconds: float, *, seed: int = 7) -> Noise:
        """Have the room make noise from now on; returns once some of it has been heard."""
        path = f"/run/{_PLAYER.name}"
        self._agent.put(path, _PLAYER.read_bytes())
        player = self._agent.start("/opt/sotto/bin/python", path, str(seconds), str(seed))
        began_us = int(player.wait_for("began").split()[1])
        return Noise(noise(seconds, rate_hz=48_000, channels=2, bits=24, seed=seed), began_us, player)

    def unplug(self) -> None:
        """Pull its cable; whoever reads it gets an error."""
        self._agent.sh(f"echo snd_aloop.0 >{_ALOOP}/unbind")

    def plug(self) -> None:
        """Put it back; it is there once ALSA lists it."""
        self._agent.sh(f"echo snd_aloop.0 >{_ALOOP}/bind; until grep -q Mic /proc/asound/cards; do sleep 0.05; done")
