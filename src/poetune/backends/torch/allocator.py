"""Memory that a step gives back is kept for the next step, where the C library would return it to the system.

glibc hands large freed blocks back and gets them again page by page: on a CPU that cost more than the arithmetic of the
activation functions (measured in docs/performance.md).
"""

import ctypes
import sys
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
_KEPT, _LARGEST = 1 << 30, 32 << 20  # glibc takes no larger block into its heap


def keep_pages() -> bool:
    """Tell glibc; False where there is none."""
    mallopt = _glibc("mallopt")
    return mallopt is not None and bool(mallopt(_TRIM_THRESHOLD, _KEPT)) and bool(mallopt(_MMAP_THRESHOLD, _LARGEST))


def return_pages() -> None:
    """Give back what was kept and is free: a training has ended, or memory is short."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name: str) -> Any:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
