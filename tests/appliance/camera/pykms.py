"""Stands in for the DRM display bindings that picamera2 imports, and that a box without a screen never uses."""


class _Names(type):
    def __getattr__(cls, name: str) -> str:
        return name


class PixelFormat(metaclass=_Names):
    """Every pixel format, by its own name."""
