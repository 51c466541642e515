"""The reader: one HTML file that opens, plays and reviews recordings in a browser. The box never serves it."""

from pathlib import Path
from typing import Final

READER_NAME: Final = "reader.html"
DIGEST_NAME: Final = f"{READER_NAME}.sha256"
FOLDER: Final = Path(__file__).parent
"""Where the sources are, and the reader that was built of them."""


def built_reader() -> bytes:
    """The reader as it ships with this version."""
    return (FOLDER / READER_NAME).read_bytes()
