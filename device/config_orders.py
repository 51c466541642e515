"""The section of the configuration about what the clinic tells the box later (docs/fleet-desk.md)."""

from __future__ import annotations

from device.config_parts import AbsolutePath, Section


class OrdersSection(Section):
    """``spool``: where the page puts what came; ``state``: a folder of root's, with what was done with it."""

    spool: AbsolutePath
    state: AbsolutePath
