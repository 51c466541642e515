"""What programs may ask of the page: the same recordings, as JSON and as sealed bytes, under ``/api/v1``."""

from typing import Final

PREFIX: Final = "/api/v1"
