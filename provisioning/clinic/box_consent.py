"""Which consent text the clinic's boxes name: in the `sotto.toml` of each one's folder, where all else stays."""

from __future__ import annotations

import json
import re
from typing import Final

from device.config import ConsentSection, parse_config
from device.errors import ConfigError
from provisioning.clinic.box_folders import BoxFolder
from provisioning.clinic.folder import Folder
from provisioning.errors import UsageError
from provisioning.papers.kept_texts import KeptText

_SECTION: Final = re.compile(r"^\[consent\][^\n]*\n(?:(?!\s*\[)[^\n]*(?:\n|\Z))*", re.MULTILINE)


def name_in_boxes(folder: Folder, kept: KeptText) -> list[str]:
    """Have every box's folder name that text; the boxes whose did not yet, by name.

    Raises:
        ConfigError, UsageError: a box's file does not hold, or is written so that only a person can change it.
        OutputError: it cannot be written.
    """
    changed = []
    for one in folder.read().boxes:
        box = BoxFolder.of(folder, one.name)
        if not box.settings.exists():
            continue  # whoever has it in no folder here is told what belongs into it
        if box.config().consent != _section_of(kept):
            box.keep(box.settings.name, with_consent(box.settings.read_text(encoding="utf-8"), kept).encode())
            changed.append(one.name)
    return changed


def with_consent(text: str, kept: KeptText) -> str:
    """A box's configuration that names that text, with its comments and all else as it was.

    Raises:
        ConfigError: it did not hold before.
        UsageError: it is written so that only a person can change it.
    """
    section, before = _section_of(kept), parse_config(text)
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.model_dump().items())
    new = f"[consent]\n{lines}"
    after = _SECTION.sub(f"{new}\n", text, count=1) if _SECTION.search(text) else f"{text.rstrip()}\n\n{new}"
    try:
        is_so = parse_config(after) == before.model_copy(update={"consent": section})
    except ConfigError:
        is_so = False
    if not is_so:
        raise UsageError("a box's sotto.toml has its [consent] in an unusual way", f"write into it:\n{new}")
    return after


def _section_of(kept: KeptText) -> ConsentSection:
    return ConsentSection(text_version=kept.version, text_sha256=kept.sha256)
