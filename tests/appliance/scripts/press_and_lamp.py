"""In the guest: gpiozero on lgpio, as the box drives its panel. A lamp on GPIO27 shines while GPIO17 is pressed."""

import signal
import time

from gpiozero import LED, Button
from gpiozero.pins.lgpio import LGPIOFactory

factory = LGPIOFactory()
lamp = LED(27, pin_factory=factory)
button = Button(17, pin_factory=factory)


def tell(what: str) -> None:
    print(f"{what} {time.monotonic():.3f}", flush=True)


def pressed() -> None:
    lamp.on()
    tell("pressed")


def released() -> None:
    lamp.off()
    tell("released")


button.when_pressed = pressed
button.when_released = released
tell("ready")
signal.pause()
