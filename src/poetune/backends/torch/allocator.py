"""Memory that a step gives back is kept for the next step, where the C library would return it to the system.

glibc hands large freed blocks back and gets them again page by page: on a CPU that cost more than the arithmetic of the
activation functions (measured in docs/performance.md).
"""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
_KEPT, _LARGEST = 1 << 30, 32 << 20  # glibc takes no larger block into its heap


def keep_pages() -> bool:
    """Tell glibc; False where there is none."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT)) and bool(mallopt(_MMAP_THRESHOLD, _LARGEST))
