"""Memory by the small page: what a service holds for weeks is then what it uses.

Where the kernel gives huge pages to everybody (``/sys/kernel/mm/transparent_hugepage/enabled``: always, as Debian's
does), a few kilobytes in use keep two megabytes, and a long recording seems to grow. Source: prctl(2).
"""

from __future__ import annotations

import ctypes
from typing import Final

_PR_SET_THP_DISABLE: Final = 41


def without_huge_pages() -> bool:
    """Have no huge pages made for this process and its children; ``False``: the kernel has none to switch off."""
    return bool(ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0)
