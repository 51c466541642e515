"""What surrounds the box, as hands, a voice and a wall clock would move it: buttons, lamps, a microphone."""

from __future__ import annotations

from typing import Final

from tests.appliance.agent import Agent, Running

# gpio-sim: a line is one folder, in which its pull can be turned and its value read.
_CHIP: Final = "/sys/devices/platform/gpio-sim.0/gpiochip*"
_WAV: Final = "/run/heard.wav"
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
        self._agent.sh(bounce + press + bounce)

    def is_lit(self, name: str) -> bool:
        """Whether a lamp's line is driven high, whoever drives it."""
        return self._agent.sh(f"cat {self._file(name, 'value')}").strip() == "1"

    def _file(self, name: str, attribute: str) -> str:
        return f"{self._chip}/sim_gpio{self._lines[name]}/{attribute}"


class Microphone:
    """A loop-back sound card: what is played into its one end is heard at the other, sample for sample."""

    DEVICE: Final = "hw:CARD=Mic,DEV=1"

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def load(self, wav: bytes) -> None:
        """Hand over the WAV it is to hear next. Let it end in silence: of a sound's last moments ALSA may keep some."""
        self._agent.put(_WAV, wav)

    def hear(self) -> Running:
        """Let it hear that, from now on."""
        return self._agent.start("aplay", "--quiet", "--device=hw:Mic,0", "--buffer-time=2000000", _WAV)

    def unplug(self) -> None:
        """Pull its cable; whoever reads it gets an error."""
        self._agent.sh(f"echo snd_aloop.0 >{_ALOOP}/unbind")

    def plug(self) -> None:
        """Put it back; it is there once ALSA lists it."""
        self._agent.sh(f"echo snd_aloop.0 >{_ALOOP}/bind; until grep -q Mic /proc/asound/cards; do sleep 0.05; done")
